"""Server-sent events as text: what a viewer of a feed is sent, line by line.

The form is that of the HTML Living Standard, section 9.2 (server-sent events). What an event tells is a form
(`application/x-www-form-urlencoded`): our scripts read fields by their names alone, and take no keys from data (ASVS V1.5.2).
"""

import re
from collections.abc import Mapping
from urllib.parse import urlencode

MEDIA_TYPE = "text/event-stream"
RELOAD, ENDED, BEAT = "reload", "ended", "beat"
"""Take a new snapshot; you are not signed in any more; still here, up to this place."""
PLACE = re.compile(r"([0-9]{1,19})-([0-9]{1,18})")
Place = tuple[int, int]
"""Where a fact lies in the log: `(xid, position)`."""


def event(name: str, fields: Mapping[str, str], place: Place | None = None) -> bytes:
    """One event. With `place` it is where the browser goes on from after a break (`Last-Event-ID`)."""
    number = f"id: {text_of(place)}\n" if place else ""
    return f"event: {name}\n{number}data: {urlencode(fields)}\n\n".encode()


def retry(milliseconds: int) -> bytes:
    """How long the browser waits after a break before it comes again."""
    return f"retry: {milliseconds}\n\n".encode()


def text_of(place: Place) -> str:
    """A place as it is sent, and sent back."""
    return f"{place[0]}-{place[1]}"


def place_in(text: str) -> Place | None:
    """The place that somebody sent back; None where it is none of ours."""
    found = PLACE.fullmatch(text)
    return (int(found[1]), int(found[2])) if found else None
