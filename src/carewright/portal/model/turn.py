"""A turn in a queue as the patient reads it, in the words of one language."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from carewright.contracts.delays import ExpectedStart
from carewright.contracts.elsewhere import MORE_MINUTES, Saying
from carewright.contracts.queue import QueueEntry, WaitEstimate
from carewright.portal.model.elsewhere import Choice, choices, may_leave, where
from carewright.portal.model.wall import Wall, clock_of

Words = Mapping[str, str]
ROUND_MINUTES = 5
"""Nobody believes a wait to the minute."""
OVER = frozenset({"completed", "left", "transferred", "cancelled"})


@dataclass(frozen=True, slots=True)
class Button:
    """What one tap says."""

    say: Saying
    minutes: int | None
    label: str


@dataclass(frozen=True, slots=True)
class TurnView:
    """`since` is when they came, on the wall of the site. `ahead`, `wait` and `late` are empty for who does not wait.

    `where` is how it stands with waiting elsewhere, and `buttons` what may be said of it;
    `room` is where to go.
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
    room: str


def turn_view(
    turn: QueueEntry, told: WaitEstimate | None, wall: Wall, words: Words, late: ExpectedStart | None = None, room: str = ""
) -> TurnView:  # fmt: skip
    """What is told of a turn; `room` is what the room of the turn is called."""
    due = wall.time(turn.due_at, clock_of(words)) if turn.due_at else ""
    stands = where(turn)
    return TurnView(
        id=turn.id, version=turn.version, where=words[stands].format(minutes=turn.travel_minutes, due=due) if stands else "",
        buttons=tuple(_button(each, words) for each in choices(turn)), may_leave=may_leave(turn), ticket=turn.ticket,
        now="" if stands == "missed" else words["over" if turn.status in OVER else turn.status.replace("-", "_")],
        since=wall.time(turn.arrived_at, clock_of(words)) if turn.arrived_at else "",
        ahead="" if told is None else _ahead(told.ahead, words),
        wait="" if told is None else _wait(told, words), late="" if late is None else late_words(late, wall, words),
        is_called=turn.status == "called", room=_room(turn, room, words),
    )  # fmt: skip


def _room(turn: QueueEntry, room: str, words: Words) -> str:
    """Where to go; nothing for who sits in the waiting room, or where nobody said."""
    if room and turn.status == "waiting" and turn.in_room:
        return words["wait_in_room"].format(room=room)
    return words["go_to_room"].format(room=room) if room and turn.status == "called" else ""


def late_words(late: ExpectedStart, wall: Wall, words: Words) -> str:
    """When an appointment begins that runs late, in steps of five minutes onwards, and that an emergency came first, where it did."""
    minutes = -(-late.late_minutes // ROUND_MINUTES) * ROUND_MINUTES
    booked, begins = (wall.time(each, clock_of(words)) for each in (late.start, late.start + timedelta(minutes=minutes)))
    return words["late_emergency" if late.by_emergency else "late"].format(booked=booked, begins=begins)


def _button(choice: Choice, words: Words) -> Button:
    minutes = MORE_MINUTES if choice.say == "more-time" else choice.minutes
    return Button(choice.say, choice.minutes, words[f"say_{choice.say.replace('-', '_')}"].format(minutes=minutes))


def _ahead(ahead: int, words: Words) -> str:
    match ahead:
        case 0:
            return words["ahead_none"]
        case 1:
            return words["ahead_one"]
        case _:
            return words["ahead_many"].format(count=ahead)


def _wait(told: WaitEstimate, words: Words) -> str:
    """A range that is kept in four cases of five, in steps of five minutes outwards."""
    if told.low_minutes is None or told.high_minutes is None:
        return words["wait_unknown"]
    low = told.low_minutes // ROUND_MINUTES * ROUND_MINUTES
    high = -(-max(told.high_minutes, 1) // ROUND_MINUTES) * ROUND_MINUTES
    return words["wait_between"].format(low=low, high=high) if low else words["wait_within"].format(high=high)
