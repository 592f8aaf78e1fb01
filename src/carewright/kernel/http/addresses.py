"""Addresses that browsers are sent on to."""

from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit


def address_saying(address: str, **said: str) -> str:
    """An address with what is said there, beside what it says itself."""
    parts = urlsplit(address)
    query = urlencode([*parse_qsl(parts.query, keep_blank_values=True), *said.items()])
    return urlunsplit((parts.scheme, parts.netloc, parts.path, query, ""))
