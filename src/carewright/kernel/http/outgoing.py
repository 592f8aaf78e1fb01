"""Requests to addresses that somebody else gave us: never into our own network, never followed elsewhere, never without an end.

A URL is taken apart once, its host is looked up once, and the connection goes to an address that was looked at: a name that answers
differently the second time (DNS rebinding) gains nothing. TLS still checks the certificate against the name.
Source of the rules: OWASP, Server-Side Request Forgery Prevention; the special-purpose registries of IANA (RFC 6890).
"""

import asyncio
import re
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import cast

import httpx
from prometheus_client import Counter

from carewright.kernel.errors import Refusal, Unavailable, UpstreamRefused
from carewright.kernel.http.settings import EdgeSettings
from carewright.kernel.restraints import Restraints
from carewright.kernel.settings import StartFailed

ANSWER_BYTES_MAX = 1024 * 1024
SECONDS_MAX = 10.0
CONNECT_SECONDS_MAX = 5.0
URL_LENGTH_MAX = 2048
NAME = re.compile(r"(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?")
"""A host name with a letter at the start of its last label: 0x7f.1, 2130706433 and 127.1 are no names."""
ORIGIN = re.compile(r"(https?)://([^/:@?#\[\]]+|\[[0-9a-fA-F:.]+\])(?::(\d{1,5}))?")
CLOSED = tuple(
    ip_network(network)
    for network in (
        "168.63.129.16/32",  # Azure's wire server, a public address that answers inside only
        "192.0.0.0/24", "192.88.99.0/24", "198.18.0.0/15", "100.64.0.0/10",
        "64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/23", "::/96", "::ffff:0:0/96", "100::/64", "5f00::/16", "3fff::/20",
    )
)  # fmt: skip
"""Closed besides what Python knows not to be global: forms that carry an IPv4 address inside, and what older Pythons took for global."""
NEVER = tuple(ip_network(network) for network in ("169.254.0.0/16", "fe80::/10", "fd00:ec2::254/128", "100.100.100.200/32"))
"""Where clouds keep their machines' credentials. Closed to names on the list too."""
REFUSED = Counter("carewright_outgoing_refused_total", "Outgoing requests that were refused, by reason.", ["reason"])
Lookup = Callable[[str, int], Awaitable[Sequence[str]]]
"""The addresses of a host. Raises `OSError` for a name that nobody knows."""


class AddressRefused(Refusal):
    """`reason` is a word of ours; the URL itself is never repeated, since it may hold a secret."""

    code = "kernel.address_refused"
    status = 422
    issue = "forbidden"
    title = "We do not send requests to this address."
    is_audited = True


def _refuse(reason: str) -> AddressRefused:
    REFUSED.labels(reason).inc()
    return AddressRefused(reason=reason)


async def look_up(host: str, port: int) -> list[str]:
    """The addresses of a host, as the system knows them."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[4][0]) for address in found]


class Guarded(httpx.AsyncBaseTransport):
    """A transport for an `httpx.AsyncClient` that reaches the public internet over HTTPS, port 443, and the origins that are allowed.

    `allowed` are origins of our own choosing (`https://login.hospital.internal:8443`): those may lie inside, and may use plain HTTP if they
    say so. `credentials` is the one origin that may lie where clouds keep their machines' credentials: for who fetches ours. Every hop of a
    redirect comes through here as well.
    """

    def __init__(
        self, allowed: Sequence[str] = (), lookup: Lookup = look_up, inner: httpx.AsyncBaseTransport | None = None,
        restraints: Restraints | None = None, credentials: str = "",
    ) -> None:  # fmt: skip
        self._restraints = restraints or Restraints()
        self._allowed = frozenset(origin_of(origin) for origin in allowed)
        self._credentials = origin_of(credentials) if credentials else None
        self._lookup = lookup
        self._inner = inner or httpx.AsyncHTTPTransport(limits=httpx.Limits(max_connections=20, max_keepalive_connections=0))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send it to the first address that takes the connection, of those that may be reached.

        Raises `AddressRefused`, `PeerQuarantined` or `Unavailable`.
        """
        host, addresses = await self._where(request.url)
        request.headers["Host"] = request.url.netloc.decode("ascii")
        request.extensions = {**request.extensions, "sni_hostname": host}
        answer = await self._first(request, addresses)
        stream = _Limited(cast("httpx.AsyncByteStream", answer.stream))
        return httpx.Response(answer.status_code, headers=answer.headers, stream=stream, extensions=answer.extensions)

    async def aclose(self) -> None:
        """Close what is open."""
        await self._inner.aclose()

    async def _first(self, request: httpx.Request, addresses: Sequence[str]) -> httpx.Response:
        """Nothing was sent to an address that does not take a connection, so the request goes to the next as it is.

        `localhost` has two on most systems, and we listen at one.
        """
        *others, last = addresses
        for address in others:
            request.url = request.url.copy_with(host=address)
            with suppress(httpx.ConnectError):
                return await self._inner.handle_async_request(request)
        request.url = request.url.copy_with(host=last)
        return await self._inner.handle_async_request(request)

    async def _where(self, url: httpx.URL) -> tuple[str, list[str]]:
        """The host and the addresses it may be reached at."""
        host = url.host.lower()
        self._restraints.ensure_peer(host)
        origin = (url.scheme, host, url.port or {"https": 443, "http": 80}.get(url.scheme, 0))
        credentials = origin == self._credentials
        listed = credentials or origin in self._allowed
        ensure_form(url, listed=listed)
        try:
            addresses = list(await self._lookup(host, url.port or 443))
        except OSError as fault:
            raise Unavailable("The other side is not known by that name just now.") from fault
        if not addresses or not all(is_open(address, listed=listed, credentials=credentials) for address in addresses):
            raise _refuse("address")
        return host, addresses


class Outgoing:
    """Fetches what others point to: without redirects, within a time and a size. Whatever reaches another system goes through here."""

    def __init__(
        self, allowed: Sequence[str] = (), lookup: Lookup = look_up, inner: httpx.AsyncBaseTransport | None = None,
        restraints: Restraints | None = None,
    ) -> None:  # fmt: skip
        timeout = httpx.Timeout(SECONDS_MAX, connect=CONNECT_SECONDS_MAX)
        transport = Guarded(allowed, lookup, inner, restraints)
        self._allowed, self._lookup, self._restraints = tuple(allowed), lookup, restraints or Restraints()
        self._client = httpx.AsyncClient(transport=transport, timeout=timeout, trust_env=False, follow_redirects=False)

    def ensure_asked(self, url: str) -> None:
        """Raise `AddressRefused` for a URL that would never be asked, wherever its name leads."""
        made = parsed(url)
        origin = (made.scheme, made.host.lower(), made.port or (443 if made.scheme == "https" else 80))
        ensure_form(made, listed=origin in {origin_of(each) for each in self._allowed})

    def ensure_peer(self, host: str) -> None:
        """Raise `PeerQuarantined` for a host that nothing goes out to: for a library that connects by itself."""
        self._restraints.ensure_peer(host)

    async def fetch(self, method: str, url: str, *, content: bytes = b"", headers: dict[str, str] | None = None) -> httpx.Response:
        """One request, answered whole.

        Raises `AddressRefused`, `PeerQuarantined`, `Unavailable`, or `UpstreamRefused` for an answer that is no answer.
        """
        try:
            async with asyncio.timeout(SECONDS_MAX):
                answer = await self._client.request(method, parsed(url), content=content, headers=headers)
        except (httpx.HTTPError, OSError) as fault:  # TimeoutError is one
            raise Unavailable("The other side did not answer.") from fault
        if answer.is_redirect or answer.has_redirect_location:
            raise _refuse("redirect")
        return answer

    async def connect(self, host: str, port: int, tls: ssl.SSLContext | None) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A connection for what is not HTTP, to a host that whoever runs this system named: it may lie inside.

        Raises `AddressRefused`, `PeerQuarantined` or `Unavailable`.
        """
        self._restraints.ensure_peer(host)
        try:
            addresses = await self._lookup(host, port)
            if not addresses or not all(is_open(address, listed=True) for address in addresses):
                raise _refuse("address")
            async with asyncio.timeout(CONNECT_SECONDS_MAX):
                return await _first_open(addresses, port, tls, host)
        except OSError as fault:  # TimeoutError and ssl.SSLError are some
            raise Unavailable("The other side does not take a connection.") from fault

    def reaching(self, *origins: str, credentials: str = "") -> Guarded:
        """A transport for a module's own client, which reaches these origins of its settings too. Raises `StartFailed` for none."""
        try:
            return Guarded([*self._allowed, *origins], self._lookup, restraints=self._restraints, credentials=credentials)
        except ValueError as fault:
            raise StartFailed(f"Among the addresses in the settings, {fault}") from fault

    async def close(self) -> None:
        """Close what is open."""
        await self._client.aclose()


async def _first_open(
    addresses: Sequence[str], port: int, tls: ssl.SSLContext | None, host: str
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    *others, last = addresses
    name = host if tls else None
    for address in others:
        with suppress(ConnectionError):
            return await asyncio.open_connection(address, port, ssl=tls, server_hostname=name)
    return await asyncio.open_connection(last, port, ssl=tls, server_hostname=name)


def outgoing_of(settings: EdgeSettings, restraints: Restraints) -> Outgoing:
    """The client that the settings describe, held back by `restraints`. Raises `StartFailed` for an origin that is none."""
    try:
        return Outgoing([origin for origin in settings.outgoing_origins.split(",") if origin.strip()], restraints=restraints)
    except ValueError as fault:
        raise StartFailed(f"CAREWRIGHT_EDGE_OUTGOING_ORIGINS: {fault}") from fault


def parsed(url: str) -> httpx.URL:
    """A URL that every parser reads the same: printable ASCII, no backslash, nobody's name or password, one host."""
    if len(url) > URL_LENGTH_MAX or not url.isascii() or not url.isprintable() or set(url) & set(' \\"<>^`{|}'):
        raise _refuse("form")
    try:
        made = httpx.URL(url)
    except (httpx.InvalidURL, ValueError, TypeError) as fault:
        raise _refuse("form") from fault
    authority = url.partition("://")[2].partition("/")[0].partition("?")[0].partition("#")[0]
    if not made.host or "%" in authority or authority.lower() not in (made.netloc.decode().lower(), f"{made.netloc.decode().lower()}:443"):
        raise _refuse("form")
    return made


def ensure_form(url: httpx.URL, *, listed: bool) -> None:
    """Raise `AddressRefused` unless a URL is one of those we ask."""
    if url.scheme not in ("http", "https"):
        raise _refuse("scheme")
    if url.userinfo:
        raise _refuse("userinfo")
    if listed:
        return
    if url.scheme != "https":
        raise _refuse("scheme")
    if url.port not in (None, 443):
        raise _refuse("port")
    host = url.host.lower()
    if _literal(host) is None and (NAME.fullmatch(host) is None or "xn--" in host):
        raise _refuse("host")


def is_open(text: str, *, listed: bool, credentials: bool = False) -> bool:
    """Whether an address may be reached: public ones, for what is on the list inner ones too, those of `NEVER` for `credentials` alone."""
    address = _literal(text.partition("%")[0])
    if address is None or (not credentials and any(address in network for network in NEVER)):
        return False
    if listed:
        return not address.is_multicast and not address.is_unspecified
    special = address.is_multicast or address.is_reserved or any(address in network for network in CLOSED)
    return address.is_global and not special


def origin_of(text: str) -> tuple[str, str, int]:
    """Scheme, host and port of an allowed origin. Raises `ValueError` for anything more or less than that."""
    found = ORIGIN.fullmatch(text.strip().lower())
    if found is None:
        raise ValueError(f"{text[:60]!r} is no origin. It looks like https://login.hospital.internal:8443.")
    scheme, host, port = found.groups()
    return scheme, host.strip("[]"), int(port or (443 if scheme == "https" else 80))


def _literal(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None


class _Limited(httpx.AsyncByteStream):
    """An answer that ends at its limit."""

    def __init__(self, stream: httpx.AsyncByteStream) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        async for chunk in self._stream:
            size += len(chunk)
            if size > ANSWER_BYTES_MAX:
                raise UpstreamRefused("The other side answered with more than we take.", limit_bytes=ANSWER_BYTES_MAX)
            yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()
