"""The gate: from where a request comes, and whether it may go on. Asked before anything else is read.

Addresses are kept and written as a keyed hash only: who asked how often is told without telling who it was.
"""

import hashlib
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Literal, NamedTuple
from uuid import UUID

from prometheus_client import Counter
from starlette.types import Scope

from carewright.kernel import telemetry
from carewright.kernel.authz import Actor
from carewright.kernel.errors import BadInput, NotFound, Refusal, TooManyRequests, Unauthenticated
from carewright.kernel.http.protocol import CERTIFIED
from carewright.kernel.http.settings import EdgeSettings
from carewright.kernel.limits import Limits, Rate, whole_seconds
from carewright.kernel.settings import StartFailed

Network = IPv4Network | IPv6Network
Kind = Literal["sign_in", "hold"]
SCOPE_KEY = "carewright.gate"
PEER_KEY = "carewright.peer"
FOR_OUR_OWN = "/internal/"
UNCOUNTED = ("/live", "/ready", "/static/", FOR_OUR_OWN)
"""Health, files that never change, and calls of our own processes, which sign them."""
FOR_OPERATORS = frozenset({"/metrics", "/roles"})
ONCE = frozenset({
    b"authorization", b"content-length", b"content-type", b"cookie", b"host", b"idempotency-key", b"if-match", b"transfer-encoding",
})  # fmt: skip
"""Headers that two parsers could read differently when they come twice."""
FORWARDED_FOR, FORWARDED_PROTO = b"x-forwarded-for", b"x-forwarded-proto"
NOTED = ONCE | {FORWARDED_FOR, FORWARDED_PROTO}
SAFE_METHODS = frozenset({"GET", "HEAD"})
IPV6_PREFIX = 64
"""Whoever has one IPv6 address has its whole /64 (RFC 6177)."""
PEERS_KEPT_MAX = 65_536
UNKNOWN = "255.255.255.255"
"""Stands for a peer whose address nobody knows."""
TRIED = frozenset({400, 405, 406, 408, 412, 413, 415, 422, 428, 429})
"""Statuses that tell of somebody who tries what we take (ASVS V16.3.3): input, business rules, pace."""
LINES = Rate.per_minute(60)
"""How many such lines are written of one address: whoever floods us must not flood the log."""
LIMITED = Counter("carewright_limited_total", "Requests refused because too many came.", ["by", "kind"])
log = telemetry.logger(__name__)


class Careful(NamedTuple):
    """A POST to `path` counts as `kind`: such requests have a limit of their own for each address. Braces stand for anything."""

    path: str
    kind: Kind


def _matching(path: str) -> re.Pattern[str]:
    """What stands in braces is any one part of the path; the rest is itself, a dollar of FHIR's operations too."""
    return re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path)) + "/?")


class Gate:
    """The rules of one process. `secret` keys the hashes; all processes of a system share it."""

    def __init__(self, settings: EdgeSettings, limits: Limits, secret: bytes, careful: Sequence[Careful] = ()) -> None:
        self._limits = limits
        self._careful = [(_matching(each.path), each.kind) for each in careful]
        self._proxies = networks(settings.trusted_proxies, "CAREWRIGHT_EDGE_TRUSTED_PROXIES")
        self._operators = networks(settings.operator_networks, "CAREWRIGHT_EDGE_OPERATOR_NETWORKS")
        self._machines = frozenset(settings.machine_roles.split(","))
        self._reads = Rate.per_minute(settings.actor_reads_per_minute)
        self._changes = Rate.per_minute(settings.actor_changes_per_minute)
        self._machine = Rate.per_minute(settings.machine_requests_per_minute)
        self._address = Rate.per_minute(settings.address_requests_per_minute)
        self._unknown = Rate.per_minute(settings.address_unknowns_per_minute)
        self._own_only = bool(settings.tls_client_authority_file)
        self._by_kind: dict[Kind, Rate] = {
            "sign_in": Rate.per_minute(settings.address_sign_ins_per_minute),
            "hold": Rate.per_minute(settings.address_holds_per_minute),
        }
        self._key = hashlib.sha256(b"carewright.gate\0" + secret).digest()
        self._known = lru_cache(maxsize=PEERS_KEPT_MAX)(self._look_at)
        self._subject = lru_cache(maxsize=PEERS_KEPT_MAX)(self._digest_of)

    async def admit(self, scope: Scope) -> None:
        """Let a request in, or raise `TooManyRequests`, `BadInput` or `NotFound`. Sets the scope's client and scheme to the real ones."""
        scope[SCOPE_KEY] = self
        client = scope.get("client")
        peer = self._known(client[0] if client else UNKNOWN)
        noted = _noted(scope["headers"])
        forwarded = noted.get(FORWARDED_FOR)
        if peer.is_proxy and forwarded is not None:
            peer = self._believe(scope, forwarded, noted.get(FORWARDED_PROTO))
            forwarded = None
        scope[PEER_KEY] = peer
        path: str = scope["path"]
        if self._own_only and path.startswith(FOR_OUR_OWN) and not scope["state"].get(CERTIFIED):
            raise Unauthenticated("Calls between processes need a certificate of the system's own authority.")
        if path in FOR_OPERATORS and (forwarded is not None or not peer.is_operator):
            raise NotFound
        if not peer.is_local and not path.startswith(UNCOUNTED):
            await self._count(scope["method"], path, peer)

    def note_unknown(self, scope: Scope) -> None:
        """Somebody was turned away because nobody knows them (401). Who goes on like this is turned away sooner: each is audited."""
        peer: _Peer = scope[PEER_KEY]
        if not peer.is_local:
            self._limits.take(f"unknown:{peer.key}", self._unknown)

    def note_refused(self, scope: Scope, route: str, status: int) -> None:
        """Log a request that was out of form, too large, or came too often, so many lines a minute for each address.

        Whom we do not know and what is not theirs to do is in the audit log; this is for who tries out what we take.
        """
        peer: _Peer | None = scope.get(PEER_KEY)
        key = peer.key if peer else f"address:{UNKNOWN}"
        if status in TRIED and not self._limits.take(f"refused:{key}", LINES):
            log.warning("request.refused", method=scope["method"], route=route, status=status, peer=key.partition(":")[2])

    def ensure_pace(self, actor: Actor, method: str) -> None:
        """Take a token of the actor. Raises `TooManyRequests`."""
        is_read = method in SAFE_METHODS
        rate = self._machine if actor.role in self._machines else self._reads if is_read else self._changes
        kind = "read" if is_read else "change"
        wait = self._limits.take(f"{kind}:{self._subject(actor.organization_id, actor.subject)}", rate)
        if wait:
            raise _refused("actor", kind, wait)

    async def _count(self, method: str, path: str, peer: "_Peer") -> None:
        wait = self._limits.wait_for(f"unknown:{peer.key}", self._unknown) or self._limits.take(peer.key, self._address)
        if wait:
            raise _refused("address", "any", wait)
        if method == "POST":
            for pattern, kind in self._careful:
                if pattern.fullmatch(path):
                    await self._count_carefully(kind, peer)
                    return

    async def _count_carefully(self, kind: Kind, peer: "_Peer") -> None:
        wait = await self._limits.take_shared(f"{kind}:{peer.key}", self._by_kind[kind])
        if wait:
            raise _refused("address", kind, wait)

    def _believe(self, scope: Scope, forwarded: bytes, proto: bytes | None) -> "_Peer":
        """The address that the last proxy we trust was asked from, and whether that was over HTTPS."""
        scope["scheme"] = "https" if proto == b"https" else "http"
        for hop in reversed(forwarded.decode("latin-1").split(",")):
            peer = self._known(hop.strip())
            if not peer.is_proxy:
                scope["client"] = (peer.address, 0)
                return peer
        return self._known(UNKNOWN)

    def _digest_of(self, organization_id: UUID, subject: str) -> str:
        return _digest(self._key, f"{organization_id}/{subject}".encode())

    def _look_at(self, text: str) -> "_Peer":
        """What an address means to us. One that cannot be read is nobody's: all such share one bucket."""
        try:
            address = ip_address(text.partition("%")[0])
        except ValueError:
            address = ip_address(UNKNOWN)
        if isinstance(address, IPv6Address) and address.ipv4_mapped:
            address = address.ipv4_mapped
        home = ip_network((address, IPV6_PREFIX), strict=False).network_address if address.version == 6 else address
        return _Peer(
            address=str(address),
            key=f"address:{_digest(self._key, home.packed)}",
            is_local=address.is_loopback,
            is_proxy=any(address in network for network in self._proxies),
            is_operator=any(address in network for network in self._operators),
        )


class _Peer(NamedTuple):
    """Somebody at the other end: an address, its key, and what it may."""

    address: str
    key: str
    is_local: bool
    is_proxy: bool
    is_operator: bool


def address_of(scope: Scope) -> str | None:
    """The IP address that a request comes from, as far as the gate believes it; None where nobody knows."""
    peer: _Peer | None = scope.get(PEER_KEY)
    return None if peer is None or peer.address == UNKNOWN else peer.address


def ensure_pace(scope: Scope, actor: Actor) -> None:
    """Take a token of whoever signed in, at the gate that this request came through."""
    gate: Gate | None = scope.get(SCOPE_KEY)
    if gate is not None:  # pages that are tried by themselves stand behind none
        gate.ensure_pace(actor, scope["method"])


def networks(text: str, setting: str) -> tuple[Network, ...]:
    """The networks in a setting. Raises `StartFailed` for one that is none."""
    try:
        return tuple(ip_network(part.strip()) for part in text.split(",") if part.strip())
    except ValueError as fault:
        raise StartFailed(f"{setting} is not a list of networks. It looks like 10.0.0.0/8,fd00::/8.") from fault


def _refused(by: str, kind: str, wait: float) -> Refusal:
    LIMITED.labels(by, kind).inc()
    return TooManyRequests(retry_after_seconds=whole_seconds(wait))


def _noted(headers: Iterable[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    """The headers that the gate looks at. Refuses one that may come once and came twice; several of another kind are one line."""
    noted: dict[bytes, bytes] = {}
    for name, value in headers:
        if name in NOTED:
            if name not in noted:
                noted[name] = value
            elif name in ONCE:
                raise BadInput(f"The header {name.decode()} may be sent once.")
            else:
                noted[name] += b"," + value
    return noted


def _digest(key: bytes, text: bytes) -> str:
    return hashlib.blake2b(text, key=key, digest_size=16).hexdigest()
