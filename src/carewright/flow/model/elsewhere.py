"""Waiting elsewhere: who may leave the building, when they are told to come, and what they may say meanwhile. Pure rules.

A turn stays where it is in the order. Whoever is elsewhere is not called in turn until they are back by what they said: `travel_minutes`
after they were told to come, and at most `MORE_TIMES_MAX` times `MORE_MINUTES` later. From then on they are called as everybody is.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from msgspec.structs import replace

from carewright.contracts.elsewhere import IN_VAIN_MAX, LEVEL_MIN, MORE_MINUTES, MORE_TIMES_MAX, NoMoreTime, SayWhere, StayNear, TellTheDesk
from carewright.contracts.flow import StepNotAllowed
from carewright.contracts.queue import EntryAction, QueueEntry, WaitEstimate
from carewright.flow.model.queue import stepped

WORTH_LEAVING_MINUTES = 20
"""Who is likely to be called earlier is not asked whether they would like to go."""
MARGIN_MINUTES = 5
"""People find their coat, and the lift is full."""
COME_AHEAD = 2
"""Where no wait can be told: with so many before them they are told to come."""
Due = tuple[UUID, Literal["offer", "come"]]


def due(waiting: Iterable[QueueEntry], told: Mapping[UUID, WaitEstimate], *, offers: bool) -> list[Due]:
    """Who of a queue is told something now: that they may wait elsewhere, where that is offered, or to come."""
    found: list[Due] = []
    for each in waiting:
        if each.travel_minutes is not None:
            if each.come_at is None and is_to_come(each, told.get(each.id)):
                found.append((each.id, "come"))
        elif offers and each.offered_at is None and why_near(each) is None and _is_worth_leaving(told.get(each.id)):
            found.append((each.id, "offer"))
    return found


def is_to_come(entry: QueueEntry, told: WaitEstimate | None) -> bool:
    """Whether somebody elsewhere has to set out now.

    `low_minutes` is what nine of ten wait for at least: so many are here when they are called.
    """
    if entry.travel_minutes is None or entry.level < LEVEL_MIN or told is None:
        return True
    if told.low_minutes is None:
        return told.ahead <= COME_AHEAD
    return told.low_minutes <= entry.travel_minutes + MARGIN_MINUTES


def why_near(entry: QueueEntry) -> str | None:
    """Why somebody who waits is to stay; None where they may go. Who was told to come goes nowhere any more: it would never end."""
    if entry.level < LEVEL_MIN:
        return "level"
    return "soon" if entry.come_at is not None else None


def said(entry: QueueEntry, command: SayWhere, now: datetime, *, by_patient: bool) -> tuple[EntryAction, QueueEntry]:
    """What a turn is after what was said of it, and by which step.

    Raises `StepNotAllowed`, `StayNear`, `NoMoreTime`, `TellTheDesk`.
    """
    match command.say:
        case "away":
            return "away", _away(entry, command, now, by_patient=by_patient)
        case "back":
            return _back(entry, now, by_patient=by_patient)
        case "more-time":
            return "more-time", _more_time(entry, now)
        case "leave":
            return "leave", stepped(entry, "leave", now)


def told_to_come(entry: QueueEntry, now: datetime) -> QueueEntry:
    """Raises `StepNotAllowed` for who is not elsewhere, or was told so before."""
    if entry.travel_minutes is None or entry.come_at is not None:
        raise _refused(entry, "come")
    return replace(stepped(entry, "come", now), come_at=now, due_at=now + timedelta(minutes=entry.travel_minutes))


def offered(entry: QueueEntry, now: datetime) -> QueueEntry:
    """Raises `StepNotAllowed` for who was asked before, is gone already, or is to stay."""
    if entry.offered_at is not None or entry.travel_minutes is not None or why_near(entry) is not None:
        raise _refused(entry, "offer")
    return replace(stepped(entry, "offer", now), offered_at=now)


def unreached(entry: QueueEntry, now: datetime) -> QueueEntry:
    return replace(stepped(entry, "unreached", now), unreached_at=now)


def is_callable(entry: QueueEntry, now: datetime) -> bool:
    """Whether somebody who waits is here, or should be by now."""
    return entry.travel_minutes is None or (entry.due_at is not None and entry.due_at <= now)


def _away(entry: QueueEntry, command: SayWhere, now: datetime, *, by_patient: bool) -> QueueEntry:
    after = replace(stepped(entry, "away", now), travel_minutes=command.travel_minutes)
    why = why_near(entry) or ("not-offered" if by_patient and entry.offered_at is None else None)
    if why is not None:
        raise StayNear(entry_id=str(entry.id), why=why)
    return after


def _back(entry: QueueEntry, now: datetime, *, by_patient: bool) -> tuple[EntryAction, QueueEntry]:
    """Who was skipped meanwhile waits again, where they would have."""
    if entry.travel_minutes is None:
        raise _refused(entry, "back")
    if entry.status != "skipped":
        return "back", stepped(entry, "back", now)
    if by_patient and entry.skipped >= IN_VAIN_MAX:
        raise TellTheDesk(entry_id=str(entry.id))
    return "return", stepped(entry, "return", now)


def _more_time(entry: QueueEntry, now: datetime) -> QueueEntry:
    """Later than they would be here, or than now where that has passed."""
    after = stepped(entry, "more-time", now)
    if entry.due_at is None:
        raise _refused(entry, "more-time")
    if entry.more_times >= MORE_TIMES_MAX:
        raise NoMoreTime(entry_id=str(entry.id))
    return replace(after, due_at=max(entry.due_at, now) + timedelta(minutes=MORE_MINUTES), more_times=entry.more_times + 1)


def _refused(entry: QueueEntry, action: EntryAction) -> StepNotAllowed:
    return StepNotAllowed(entry_id=str(entry.id), entry_status=entry.status, action=action)


def _is_worth_leaving(told: WaitEstimate | None) -> bool:
    return told is not None and told.low_minutes is not None and told.low_minutes >= WORTH_LEAVING_MINUTES
