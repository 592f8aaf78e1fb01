"""A turn in a queue: which steps there are, what each makes of it, and what an encounter becomes by its turns. Pure rules."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from msgspec.structs import replace

from carewright.contracts.elsewhere import TurnElsewhere
from carewright.contracts.encounters import EncounterStatus
from carewright.contracts.flow import QueueEntryMoved, StepNotAllowed
from carewright.contracts.queue import (
    EntryAction,
    QueueEntry,
    QueueEntryStatus,
    QueuePolicy,
)
from carewright.kernel.events import Event

ENDED: frozenset[QueueEntryStatus] = frozenset({"completed", "left", "transferred", "cancelled"})
OPEN: frozenset[QueueEntryStatus] = frozenset({"expected", "waiting", "called", "in-service", "on-hold", "skipped"})
HERE = OPEN - {"expected"}
OUT_OF_ROOM: frozenset[QueueEntryStatus] = frozenset({"skipped", "on-hold"})
"""Who has a room since they came is in it no more. Of a turn that is over it stays said that they were."""
ENCOUNTER_ENDED: frozenset[EncounterStatus] = frozenset({"finished", "cancelled"})
STEPS: Mapping[EntryAction, tuple[frozenset[QueueEntryStatus], QueueEntryStatus | None]] = {
    "arrive": (frozenset({"expected"}), "waiting"),
    "triage": (OPEN, None),
    "call": (frozenset({"waiting", "on-hold", "skipped"}), "called"),
    "skip": (frozenset({"called"}), "skipped"),
    "return": (frozenset({"called", "on-hold", "skipped"}), "waiting"),
    "start": (frozenset({"waiting", "called", "on-hold"}), "in-service"),
    "hold": (frozenset({"in-service"}), "on-hold"),
    "complete": (frozenset({"called", "in-service", "on-hold"}), "completed"),
    "leave": (OPEN - {"in-service"}, "left"),
    "transfer": (HERE, "transferred"),
    "cancel": (OPEN, "cancelled"),
    "offer": (frozenset({"waiting"}), None),
    "away": (frozenset({"waiting"}), None),
    "come": (frozenset({"waiting"}), None),
    "more-time": (frozenset({"waiting"}), None),
    "back": (frozenset({"waiting"}), None),
    "unreached": (OPEN, None),
}
"""From where each step goes, and where to; triage, and what is about waiting elsewhere, leaves it where it is. What is over is over, but
for `undo`."""
DEEDS: Mapping[EntryAction, str] = {
    "announce": "flow.queue_entry.announce", "arrive": "flow.queue_entry.arrive", "triage": "flow.queue_entry.triage",
    "call": "flow.queue_entry.call", "skip": "flow.queue_entry.skip", "return": "flow.queue_entry.return",
    "start": "flow.queue_entry.start", "hold": "flow.queue_entry.hold", "complete": "flow.queue_entry.complete",
    "leave": "flow.queue_entry.leave", "transfer": "flow.queue_entry.transfer", "cancel": "flow.queue_entry.cancel",
    "undo": "flow.queue_entry.undo", "offer": "flow.queue_entry.offer", "away": "flow.queue_entry.away", "come": "flow.queue_entry.come",
    "more-time": "flow.queue_entry.more_time", "back": "flow.queue_entry.back", "unreached": "flow.queue_entry.unreached",
}  # fmt: skip
"""What the journal calls each."""
NOT_UNDONE: frozenset[EntryAction] = frozenset({"announce", "arrive", "transfer", "undo", "offer", "come", "unreached"})
"""Who came by mistake is cancelled; who was transferred is transferred back; what was told is not taken back."""
OF_WAITING_ELSEWHERE: frozenset[EntryAction] = frozenset({"offer", "away", "come", "more-time", "back", "unreached"})
OF_THE_TURN_ALONE: frozenset[EntryAction] = OF_WAITING_ELSEWHERE | {"call", "skip", "return", "hold"}
"""Steps that leave the visit what it is."""
STAYS_ELSEWHERE: frozenset[EntryAction] = frozenset({"offer", "away", "come", "more-time", "unreached", "triage", "call", "skip"})
"""Who waits elsewhere does so still after these; by all others they are here, or it matters no more."""
UNDO_SECONDS = 600
"""A mistake is noticed at once. Later, others have acted upon it."""


def ranked_from(arrived_at: datetime, appointment_start: datetime | None, policy: QueuePolicy) -> datetime:
    """Since when a turn counts. Who came without an appointment, or too late for it, waits since they came.

    Who is on time waits since the start of the appointment, less what the queue gives to those who are booked: who comes an hour early is
    not called an hour early, and who comes early does not lose by it.
    """
    if appointment_start is None or arrived_at > appointment_start + timedelta(minutes=policy.grace_minutes):
        return arrived_at
    return max(arrived_at, appointment_start) - timedelta(minutes=policy.booked_head_start_minutes)


def ticket(letter: str, number: int) -> str:
    """The `number`-th of a day, from 1: A001 to A999, then A1000 and so on."""
    return f"{letter}{number:03d}"


def stepped(entry: QueueEntry, action: EntryAction, now: datetime) -> QueueEntry:
    """The entry after a step. Raises `StepNotAllowed`."""
    sources, to = STEPS[action]
    if entry.status not in sources:
        raise StepNotAllowed(entry_id=str(entry.id), entry_status=entry.status, action=action)
    status = to or entry.status
    after = replace(
        entry, status=status, version=entry.version + 1, updated_at=now, ended_at=now if status in ENDED else None,
        in_room=entry.in_room and status not in OUT_OF_ROOM and action != "away",
    )  # fmt: skip
    if action not in STAYS_ELSEWHERE:
        after = replace(after, travel_minutes=None, due_at=None)
    match action:
        case "arrive":
            return replace(after, arrived_at=now, ranked_from=now)
        case "triage":
            return replace(after, triaged_at=now)
        case "call":
            return replace(after, called_at=now)
        case "skip":
            return replace(after, skipped=entry.skipped + 1)
        case "start":
            return replace(after, started_at=entry.started_at or now)
        case _:
            return after


def undone(entry: QueueEntry, before: QueueEntry, now: datetime) -> QueueEntry:
    """The entry as it was before its last step, under a version of its own: nothing that was said is said never to have been."""
    return replace(before, version=entry.version + 1, updated_at=now)


def encounter_status(turns: Iterable[QueueEntry]) -> EncounterStatus:
    """What an encounter is by its turns, of which there is one at least (http://hl7.org/fhir/R4/valueset-encounter-status.html)."""
    turns = [each for each in turns if each.status != "cancelled"]
    going_on = [each for each in turns if each.status in OPEN]
    if any(each.started_at for each in turns):
        return "in-progress" if going_on else "finished"
    if not going_on:
        return "finished" if any(each.status == "completed" for each in turns) else "cancelled"
    if all(each.status == "expected" for each in going_on):
        return "planned"
    return "triaged" if any(each.triaged_at for each in going_on) else "arrived"


def fact_of(
    was: QueueEntryStatus | None, entry: QueueEntry, action: EntryAction, organization_id: UUID
) -> QueueEntryMoved | TurnElsewhere:  # fmt: skip
    """The fact that a step leaves behind."""
    match action:
        case "offer" | "away" | "come" | "more-time" | "back" | "unreached":
            return TurnElsewhere(action=action, **_said(TurnElsewhere, entry, organization_id))
        case _:
            return QueueEntryMoved(action=action, was=was, **_said(QueueEntryMoved, entry, organization_id))


def _said(kind: type[Event], entry: QueueEntry, organization_id: UUID) -> dict[str, Any]:
    said = {name: getattr(entry, name) for name in kind.__struct_fields__ if hasattr(entry, name)}
    return said | {"organization_id": organization_id, "entry_id": entry.id}
