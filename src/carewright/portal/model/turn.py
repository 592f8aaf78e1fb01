"""A turn in a queue as the patient reads it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from carewright.contracts.delays import ExpectedStart
from carewright.contracts.queue import QueueEntry, QueueEntryStatus, WaitEstimate
from carewright.portal.model.wall import Wall

NOW: Mapping[QueueEntryStatus, str] = {
    "expected": "We are expecting you.",
    "waiting": "You are waiting.",
    "called": "It is your turn. Please come now.",
    "in-service": "You are being seen.",
    "on-hold": "You are waiting for a result.",
    "skipped": "We called you and did not see you. Please tell the desk that you are here: you keep your place.",
}
ROUND_MINUTES = 5
"""Nobody believes a wait to the minute."""


@dataclass(frozen=True, slots=True)
class TurnView:
    """`since` is when they came, on the wall of the site. `ahead`, `wait` and `late` are empty for who does not wait."""

    ticket: str
    now: str
    since: str
    ahead: str
    wait: str
    late: str
    is_called: bool


def turn_view(turn: QueueEntry, told: WaitEstimate | None, wall: Wall, late: ExpectedStart | None = None) -> TurnView:
    """What is told of a turn."""
    return TurnView(
        ticket=turn.ticket, now=NOW.get(turn.status, ""), since=wall.time(turn.arrived_at) if turn.arrived_at else "",
        ahead="" if told is None else _ahead(told.ahead), wait="" if told is None else _wait(told),
        late="" if late is None else late_words(late, wall), is_called=turn.status == "called",
    )  # fmt: skip


def late_words(late: ExpectedStart, wall: Wall) -> str:
    """When an appointment begins that runs late, in steps of five minutes onwards."""
    minutes = -(-late.late_minutes // ROUND_MINUTES) * ROUND_MINUTES
    at = wall.time(late.start + timedelta(minutes=minutes))
    return (
        f"We are running late today. Your appointment of {wall.time(late.start)} begins at about {at}. We are sorry that you have to wait."
    )


def _ahead(ahead: int) -> str:
    match ahead:
        case 0:
            return "You are next."
        case 1:
            return "One person is before you."
        case _:
            return f"{ahead} people are before you."


def _wait(told: WaitEstimate) -> str:
    """A range that is kept in four cases of five, in steps of five minutes outwards."""
    if told.low_minutes is None or told.high_minutes is None:
        return "We cannot say yet how long it takes."
    low = told.low_minutes // ROUND_MINUTES * ROUND_MINUTES
    high = -(-max(told.high_minutes, 1) // ROUND_MINUTES) * ROUND_MINUTES
    return f"Most likely between {low} and {high} minutes." if low else f"Most likely within {high} minutes."
