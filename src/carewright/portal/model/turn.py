"""A turn in a queue as the patient reads it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from carewright.contracts.delays import ExpectedStart
from carewright.contracts.elsewhere import MORE_MINUTES, Saying
from carewright.contracts.queue import QueueEntry, QueueEntryStatus, WaitEstimate
from carewright.portal.model.elsewhere import Where, choices, may_leave, where
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


MISSED = "We called you and did not see you."
WHERE: Mapping[Where, str] = {
    "": "",
    "asked": "Many people are waiting. You may wait somewhere else and keep your place: we send you a message when it is time to come. "
    "How far away will you be?",
    "away": "You are waiting somewhere else, {minutes} minutes away. You keep your place. We send you a message when it is time to come.",
    "come": "Please come now. We expect you by {due}.",
    "missed": "You keep your place. Tell us when you are here.",
    "desk": "You keep your place. When you are here, please tell the desk.",
}
LABELS: Mapping[Saying, str] = {
    "away": "{minutes} minutes away", "back": "I am here", "more-time": f"I need {MORE_MINUTES} more minutes", "leave": "I am leaving",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Button:
    """What one tap says."""

    say: Saying
    minutes: int | None
    label: str


@dataclass(frozen=True, slots=True)
class TurnView:
    """`since` is when they came, on the wall of the site. `ahead`, `wait` and `late` are empty for who does not wait.

    `where` is how it stands with waiting elsewhere, and `buttons` what may be said of it.
    """

    id: UUID
    version: int
    ticket: str
    now: str
    since: str
    ahead: str
    wait: str
    late: str
    is_called: bool
    where: str
    buttons: tuple[Button, ...]
    may_leave: bool


def turn_view(turn: QueueEntry, told: WaitEstimate | None, wall: Wall, late: ExpectedStart | None = None) -> TurnView:
    """What is told of a turn."""
    due = wall.time(turn.due_at) if turn.due_at else ""
    return TurnView(
        id=turn.id, version=turn.version, where=WHERE[where(turn)].format(minutes=turn.travel_minutes, due=due),
        buttons=tuple(Button(each.say, each.minutes, LABELS[each.say].format(minutes=each.minutes)) for each in choices(turn)),
        may_leave=may_leave(turn), ticket=turn.ticket, now=_now(turn), since=wall.time(turn.arrived_at) if turn.arrived_at else "",
        ahead="" if told is None else _ahead(told.ahead), wait="" if told is None else _wait(told),
        late="" if late is None else late_words(late, wall), is_called=turn.status == "called",
    )  # fmt: skip


def _now(turn: QueueEntry) -> str:
    """Who waits elsewhere need not go to the desk for being called too early."""
    return MISSED if where(turn) == "missed" else NOW.get(turn.status, "")


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
