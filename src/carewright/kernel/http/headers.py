"""The headers that every answer goes out with, whoever made it: a page, a value, a refusal, a fault.

An answer that says it better itself keeps what it says. Sources: OWASP ASVS 5.0, V3.4; https://owasp.org/www-project-secure-headers.
"""

from collections.abc import Sequence
from functools import lru_cache

Header = tuple[bytes, bytes]
SHAPES_KEPT_MAX = 512
SECURE: tuple[Header, ...] = (
    (b"content-security-policy", b"default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=(), payment=(), usb=()"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
)
STRICT_TRANSPORT: Header = (b"strict-transport-security", b"max-age=63072000; includeSubDomains")
"""Two years, subdomains included. Sent over HTTPS only: browsers ignore it elsewhere (RFC 6797, 7.2)."""


def completed(headers: Sequence[Header], *, over_https: bool) -> list[Header]:
    """`headers`, and those of ours that are not among them."""
    return [*headers, *_missing(tuple(name for name, _ in headers), over_https)]


@lru_cache(maxsize=SHAPES_KEPT_MAX)
def _missing(names: tuple[bytes, ...], over_https: bool) -> tuple[Header, ...]:  # noqa: FBT001  # a cached function takes no keywords
    """What an answer with these headers lacks. Answers come in few shapes, so this is looked up rather than worked out."""
    said = {name.lower() for name in names}
    wanted = (*SECURE, STRICT_TRANSPORT) if over_https else SECURE
    return tuple(header for header in wanted if header[0] not in said)
