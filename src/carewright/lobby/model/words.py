"""What screens say, in every language they speak, and times as its site has them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from carewright.contracts.lobby import CallShown, QueueShown

ROUND_MINUTES = 5
"""Nobody believes a wait to the minute."""


class Language(NamedTuple):
    """A language with all that is said in it, by key: by screens, and by kiosks."""

    tag: str
    name: str
    words: Mapping[str, str]
    kiosk: Mapping[str, str]


class CallLine(NamedTuple):
    """A call as a screen shows it. `key` is another for every time that a ticket is called."""

    key: str
    ticket: str
    queue: str
    place: str
    at: str
    is_here: bool


class QueueLine(NamedTuple):
    """A queue as a screen shows it. `wait` is in minutes, and nothing where it is not told."""

    name: str
    waiting: int
    wait: str


def spoken(wanted: Sequence[str], known: Mapping[str, Language]) -> list[Language]:
    """The languages that are wanted, of those that are written; "fr-CA" is served by "fr". English where none of them is."""
    tags = dict.fromkeys(tag if tag in known else tag.partition("-")[0] for tag in wanted)
    return [known[tag] for tag in tags if tag in known] or [known["en"]]


def call_line(call: CallShown, zone: ZoneInfo) -> CallLine:
    return CallLine(
        key=f"{call.id}@{call.called_at.isoformat()}", ticket=call.ticket, queue=call.queue, place=call.place,
        at=clock(call.called_at, zone), is_here=call.is_here,
    )  # fmt: skip


def queue_line(queue: QueueShown) -> QueueLine:
    return QueueLine(queue.name, queue.waiting, wait_range(queue.low_minutes, queue.high_minutes))


def wait_range(low: int | None, high: int | None) -> str:
    """Minutes in steps of five, outwards: "10–25"; nothing where it cannot be told."""
    if low is None or high is None:
        return ""
    least = low // ROUND_MINUTES * ROUND_MINUTES
    most = -(-max(high, 1) // ROUND_MINUTES) * ROUND_MINUTES
    return f"{least}–{most}"


def clock(at: datetime, zone: ZoneInfo) -> str:
    """The time on the wall of the site."""
    return f"{at.astimezone(zone):%H:%M}"
