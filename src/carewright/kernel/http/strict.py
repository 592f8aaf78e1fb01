"""JSON as we take it: UTF-8, not compressed, every name once, nested no deeper than anything of ours is."""

import json
from collections.abc import Collection, Iterable
from typing import Any

import msgspec

from carewright.kernel.errors import BadInput, UnsupportedMedia

DEPTH_MAX = 32
MEDIA_TYPE = "application/json"


def decode(kind: Any, raw: bytes, content_type: str, content_encoding: str, media_types: Collection[str] = (MEDIA_TYPE,)) -> Any:
    """A body as a value of `kind`, declared as one of `media_types`. Raises `UnsupportedMedia` or `BadInput`."""
    _ensure_declared(content_type, content_encoding, media_types)
    if b"\\u0000" in raw:
        raise BadInput("The body holds a NUL character.")
    try:
        value = msgspec.json.decode(raw, type=kind)
        _ensure_unambiguous(raw)
    except msgspec.DecodeError as fault:
        raise BadInput(f"The body is not valid: {fault}.") from fault
    except (UnicodeDecodeError, RecursionError) as fault:
        raise BadInput("The body cannot be read.") from fault
    return value


def _ensure_declared(content_type: str, content_encoding: str, media_types: Collection[str]) -> None:
    """JSON is UTF-8 (RFC 8259, 8.1). Another charset, or a compressed body, would be read as something else than was meant."""
    media, *parameters = (part.strip().lower() for part in content_type.split(";"))
    charsets = [value.strip('" ') for name, _, value in (part.partition("=") for part in parameters) if name.strip() == "charset"]
    if media not in media_types or any(charset not in ("utf-8", "utf8") for charset in charsets):
        raise UnsupportedMedia(f"Send the body as {' or '.join(media_types)}.")
    if content_encoding.strip().lower() not in ("", "identity"):
        raise UnsupportedMedia("Send the body as it is, without Content-Encoding.")


def _ensure_unambiguous(raw: bytes) -> None:
    """Refuse names that come twice (parsers differ on which one counts) and nesting beyond `DEPTH_MAX`."""
    whole = json.loads(raw, object_pairs_hook=_each_once)
    if raw.count(b"{") + raw.count(b"[") > DEPTH_MAX and _depth_of(whole) > DEPTH_MAX:
        raise BadInput(f"The body is nested deeper than {DEPTH_MAX} levels.")


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise BadInput(f"The body names {twice[:40]!r} twice.")
    return made


def _depth_of(value: Any) -> int:
    """Levels of lists and objects, counted level by level: a recursion would end where the body wants it to."""
    depth, level = 0, [value]
    while level:
        level = [inner for outer in level for inner in _inside(outer)]
        depth += 1
    return depth


def _inside(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()
