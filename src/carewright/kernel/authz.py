"""Who is asking, and what they may do: the actor behind every request, and the tokens that name one.

A bearer token is either signed by us (a JWT, short-lived, which stands for itself) or opaque: it names a session, or is a device's secret,
which whoever keeps those is asked about. `Tokens` is for the first kind, `Bearers` for both.
"""

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from uuid import UUID

import msgspec
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import GuestProtocol, OctKey

from carewright.kernel.clock import Clock
from carewright.kernel.errors import Forbidden, Refusal, Unauthenticated
from carewright.kernel.restraints import Restraints
from carewright.kernel.rng import new_secret
from carewright.kernel.token_keys import LIFETIME_MAX, TokenKeys

ALGORITHM = "HS256"
ISSUER = "carewright"
AUDIENCE = "carewright"
BREAKING_GLASS = "BTG"
"""ActReason (http://terminology.hl7.org/CodeSystem/v3-ActReason): "break the glass", a purpose of use of its own."""
TOKEN_LENGTH_MAX = 4096
CLOCKS_APART_SECONDS = 60
"""How far another process's clock may be ahead before a token counts as made in the future."""
CACHE_ENTRIES_MAX = 10_000
MARKS_KEPT_MAX = 4096
MARK_BYTES = 8
SESSION_PREFIX = "cws_"
DEVICE_PREFIX = "cwd_"
OPAQUE = (SESSION_PREFIX, DEVICE_PREFIX)
SESSION_CACHE_SECONDS = 1.0
"""How long a process remembers whose a session is. A session that was ended is gone everywhere within this, and the time of a call."""


class Actor(msgspec.Struct, frozen=True, kw_only=True):
    """A signed-in subject within one organization.

    `permissions` come from the role at the moment the token is read, so a changed table acts at once.
    `patient_id` is set when the subject is a patient, or speaks for one: that record and nobody else's. `practitioner_id` is their entry in
    the directory, where whoever signs them in names it.
    `purpose` is the purpose of use; BTG while the glass is broken. `authenticated_at` is when they last proved who they are.
    `address` is the IP address that they ask from, as the gate knows it; None for what the system does by itself.
    `scopes` are those of a token for one standard's addresses (SMART on FHIR), which is of use nowhere else; None for everybody else's.
    """

    subject: str
    organization_id: UUID
    role: str
    permissions: frozenset[str] = frozenset()
    patient_id: UUID | None = None
    practitioner_id: UUID | None = None
    site_ids: frozenset[UUID] = frozenset()
    purpose: str = "TREAT"
    session_id: UUID | None = None
    authenticated_at: datetime | None = None
    address: str | None = None
    scopes: tuple[str, ...] | None = None

    def at(self, address: str | None) -> "Actor":
        """The same, asking from this address."""
        return msgspec.structs.replace(self, address=address)

    def may(self, permission: str) -> bool:
        return permission in self.permissions

    def works_at(self, site_id: UUID | None) -> bool:
        """Whether the actor works at this site. Who has no sites named works at all of them; nobody else where no site is."""
        return not self.site_ids or site_id in self.site_ids

    def require(self, permission: str) -> None:
        """Raise `Forbidden` unless this actor's role carries `permission`."""
        if permission not in self.permissions:
            raise Forbidden(permission=permission)


def mark_of(actor: Actor) -> str:
    """What an actor may and for whom, in short: another mark says that something of it has changed."""
    return _mark(actor.role, actor.permissions, actor.site_ids, (actor.patient_id, actor.practitioner_id), actor.purpose)


@lru_cache(maxsize=MARKS_KEPT_MAX)
def _mark(
    role: str, permissions: frozenset[str], site_ids: frozenset[UUID], entries: tuple[UUID | None, UUID | None], purpose: str
) -> str:  # fmt: skip
    said = (role, sorted(permissions), sorted(site_ids), entries, purpose)
    return hashlib.blake2b(msgspec.json.encode(said), digest_size=MARK_BYTES).hexdigest()


class Quarantined(Refusal):
    """Whoever is held back in an incident. `actor` is who asked, for the audit log."""

    code = "kernel.quarantined"
    status = 403
    issue = "suppressed"
    title = "This client is quarantined. Nothing is taken from it until somebody releases it."
    actor: Actor | None = None


class Claims(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """What a token says. Times are seconds since the epoch, as RFC 7519 has them; `auth_time` is OpenID Connect's.

    Without `auth_time` nobody proved who they are: that a token was signed a moment ago is no such proof.
    """

    iss: str
    aud: str
    sub: str
    org: UUID
    role: str
    iat: int
    exp: int
    jti: str
    patient: UUID | None = None
    practitioner: UUID | None = None
    sites: tuple[UUID, ...] = ()
    purpose: str = "TREAT"
    sid: UUID | None = None
    auth_time: int | None = None
    addr: str | None = None
    """Between our processes: the address that was asked from."""
    may: tuple[str, ...] | None = None
    """Between our processes: what is left of the role's permissions, for whoever has not all of them."""


class Header(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Nothing else may stand in the head of a token: no key of its own, no address of one, no extension."""

    alg: str
    kid: str
    typ: str


class Tokens:
    """Signs and reads bearer tokens (JWT, HS256). `roles` maps a role to its permissions, `widened` are those of a broken glass.

    `keys` is one key, or those of a file, which may change at any time: tokens are signed and read by what they are then.
    """

    def __init__(
        self, keys: TokenKeys | bytes, clock: Clock, roles: Mapping[str, frozenset[str]], widened: frozenset[str] = frozenset(),
        restraints: Restraints | None = None,
    ) -> None:  # fmt: skip
        self._restraints = restraints or Restraints()
        self._keys = TokenKeys.of(keys) if isinstance(keys, bytes) else keys
        self._generation = self._keys.generation
        self._clock = clock
        self._roles = roles
        self._widened = widened
        self._read: dict[str, tuple[int, int, Actor]] = {}

    def keys(self, *, look: bool = False) -> int:
        """A number that changes with the keys. With `look` the file is looked at first."""
        if look:
            self._keys.look()
        return self._keys.generation

    def issue(self, actor: Actor, lifetime: timedelta) -> str:
        """A token that speaks for `actor` until `lifetime` has passed."""
        now = int(self._clock.now().timestamp())
        claims = Claims(
            iss=ISSUER, aud=AUDIENCE, sub=actor.subject, org=actor.organization_id, role=actor.role, iat=now,
            exp=now + int(min(lifetime, LIFETIME_MAX).total_seconds()), jti=new_secret(16).hex(), patient=actor.patient_id,
            practitioner=actor.practitioner_id, sites=tuple(sorted(actor.site_ids)), purpose=actor.purpose, sid=actor.session_id,
            auth_time=int(actor.authenticated_at.timestamp()) if actor.authenticated_at else None, addr=actor.address,
            may=self._narrowed(actor),
        )  # fmt: skip
        key_id, key = self._keys.signing(self._clock.now())
        return jwt.encode({"alg": ALGORITHM, "kid": key_id, "typ": "JWT"}, msgspec.to_builtins(claims), key)

    def read(self, token: str) -> Actor:
        """The actor of a valid token. Raises `Unauthenticated` for anything else, without saying why, and `Quarantined`."""
        now = self._clock.now()
        if self._generation != self._keys.generation:
            self._generation = self._keys.generation
            self._read.clear()
        known = self._read.get(token)
        if known is None:
            known = self._verify(token)
            if len(self._read) >= CACHE_ENTRIES_MAX:
                self._read.clear()
            self._read[token] = known
        if known[0] <= now.timestamp():
            self._read.pop(token, None)
            raise Unauthenticated("Your sign-in has expired. Please sign in again.")
        _, issued_at, actor = known
        if not self._restraints.takes_token(actor.organization_id, actor.subject, issued_at):
            raise Unauthenticated("Your sign-in has ended. Please sign in again.")
        return self.not_held(actor)

    def not_held(self, actor: Actor) -> Actor:
        """The same actor. Raises `Quarantined` for one that is held back."""
        if self._restraints.holds_client(actor.organization_id, actor.subject):
            refusal = Quarantined()
            refusal.actor = actor
            raise refusal
        return actor

    def actor(
        self, role: str, subject: str, organization_id: UUID, patient_id: UUID | None = None, purpose: str = "TREAT"
    ) -> Actor:  # fmt: skip
        """An actor with the permissions of `role`; an unknown role has none."""
        granted = self._roles.get(role, frozenset())
        return Actor(
            subject=subject, organization_id=organization_id, role=role, patient_id=patient_id, purpose=purpose,
            permissions=granted | self._widened if purpose == BREAKING_GLASS and granted else granted,
        )  # fmt: skip

    def _narrowed(self, actor: Actor) -> tuple[str, ...] | None:
        """The actor's permissions where they are fewer than the role has: what scopes took away stays away in every process."""
        whole = self.actor(actor.role, actor.subject, actor.organization_id, purpose=actor.purpose).permissions
        return tuple(sorted(actor.permissions)) if whole - actor.permissions else None

    def _verify(self, token: str) -> tuple[int, int, Actor]:
        """When a token ends, when it was issued, and for whom it speaks."""
        if len(token) > TOKEN_LENGTH_MAX:
            raise Unauthenticated
        try:
            decoded = jwt.decode(token, self._key_of, algorithms=[ALGORITHM])
            header, claims = msgspec.convert(decoded.header, Header), msgspec.convert(decoded.claims, Claims)
            self._ensure_ours(header, claims)
            authenticated_at = None if claims.auth_time is None else self._instant(claims.auth_time)
        except (JoseError, ValueError, TypeError, OverflowError, OSError, msgspec.ValidationError) as fault:
            raise Unauthenticated from fault
        actor = self.actor(claims.role, claims.sub, claims.org, claims.patient, claims.purpose)
        whole = msgspec.structs.replace(
            actor, practitioner_id=claims.practitioner, site_ids=frozenset(claims.sites), session_id=claims.sid,
            authenticated_at=authenticated_at, address=claims.addr,
            permissions=actor.permissions if claims.may is None else actor.permissions.intersection(claims.may),
        )  # fmt: skip
        return claims.exp, claims.iat, whole

    def _key_of(self, token: GuestProtocol) -> OctKey:
        """The key that a token names. Raises ValueError for one that is not ours, or not any more."""
        key = self._keys.verifying(token.headers().get("kid"), self._clock.now())
        if key is None:
            raise ValueError("this is no key of ours")
        return key

    def _ensure_ours(self, header: Header, claims: Claims) -> None:
        """Raise ValueError unless every claim is as we write it, and the token is neither from the future nor for longer than we allow."""
        now = self._clock.now().timestamp()
        holds = (
            header.typ == "JWT" and claims.iss == ISSUER and claims.aud == AUDIENCE
            and claims.role in self._roles and bool(claims.jti) and claims.iat <= now + CLOCKS_APART_SECONDS
            and claims.iat < claims.exp <= claims.iat + LIFETIME_MAX.total_seconds()
        )  # fmt: skip
        if not holds:
            raise ValueError("these are not claims of ours")

    def _instant(self, seconds: int) -> datetime:
        return datetime.fromtimestamp(seconds, self._clock.now().tzinfo)


async def no_sessions(_: str) -> Actor | None:
    """Where nobody keeps sessions, none is known."""
    return None


class Bearers:
    """Tells whom a bearer token speaks for. `ask` answers for a session's token, and for a device's secret."""

    def __init__(self, tokens: Tokens, clock: Clock, ask: Callable[[str], Awaitable[Actor | None]] = no_sessions) -> None:
        self._tokens = tokens
        self._clock = clock
        self._ask = ask
        self._known: dict[str, tuple[float, Actor]] = {}

    async def actor_of(self, token: str, *, scoped: bool = False) -> Actor:
        """The actor of a signed token, of a live session, or a device. Raises `Unauthenticated` for anything else, and `Quarantined`.

        A token with scopes of another standard is good where that standard is spoken (`scoped`), and nowhere else.
        """
        actor = await self._actor_of(token)
        if actor.scopes is not None and not scoped:
            raise Unauthenticated("This token is for other addresses than this one.")
        return actor

    async def _actor_of(self, token: str) -> Actor:
        if not token.startswith(OPAQUE):
            return self._tokens.read(token)
        now = self._clock.monotonic_seconds()
        known = self._known.get(token)
        if known is not None and now < known[0]:
            return self._tokens.not_held(known[1])
        self._known.pop(token, None)
        actor = await self._ask(token)
        if actor is None:
            raise Unauthenticated("Your sign-in has ended. Please sign in again.")
        if len(self._known) >= CACHE_ENTRIES_MAX:
            self._known.clear()
        self._known[token] = (now + SESSION_CACHE_SECONDS, actor)
        return self._tokens.not_held(actor)
