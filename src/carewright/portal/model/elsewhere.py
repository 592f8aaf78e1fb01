"""What may be said of a turn by one tap: that one waits elsewhere, is back, needs more time, or comes no more."""

from typing import Literal, NamedTuple

from carewright.contracts.elsewhere import DISTANCES, IN_VAIN_MAX, MORE_TIMES_MAX, Saying
from carewright.contracts.queue import QueueEntry

Where = Literal["", "asked", "away", "come", "missed", "desk"]
"""They may wait elsewhere; they do; they are to come now; they were called and not seen; once too often. Nothing where none is the case."""


class Choice(NamedTuple):
    """A button. `minutes` goes with `away`."""

    say: Saying
    minutes: int | None = None


def where(turn: QueueEntry) -> Where:
    """How it stands with waiting elsewhere."""
    if turn.status == "skipped" and turn.travel_minutes is not None:
        return "desk" if turn.skipped >= IN_VAIN_MAX else "missed"
    if turn.status != "waiting":
        return ""
    if turn.travel_minutes is not None:
        return "away" if turn.come_at is None else "come"
    return "asked" if turn.offered_at is not None and turn.come_at is None else ""


def choices(turn: QueueEntry) -> tuple[Choice, ...]:
    """What may be said now, the likeliest first. That one comes no more may be said by whoever waits or is called."""
    match where(turn):
        case "asked":
            return tuple(Choice("away", minutes) for minutes in DISTANCES)
        case "away" | "missed":
            return (Choice("back"),)
        case "come":
            return (Choice("back"), Choice("more-time")) if turn.more_times < MORE_TIMES_MAX else (Choice("back"),)
        case _:
            return ()


def may_leave(turn: QueueEntry) -> bool:
    return turn.status in ("expected", "waiting", "called", "skipped", "on-hold")
