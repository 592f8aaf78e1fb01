"""Which subscriptions an event concerns, and what it tells them."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from carewright.contracts.patients import PatientChanged
from carewright.contracts.scheduling import (
    AppointmentBooked,
    AppointmentCancelled,
    AppointmentFact,
    AppointmentRequested,
)
from carewright.contracts.subscriptions import TOPICS, Change, Filter, Focus


@dataclass(frozen=True, slots=True)
class Told:
    """Something to tell: what changed, how, and by what it is filtered. `site_id` decides who may know of it."""

    focus: Focus
    id: UUID
    change: Change
    patient_id: UUID
    site_id: UUID | None
    facts: tuple[tuple[str, frozenset[str]], ...]


def told_of(event: AppointmentFact | PatientChanged) -> Told:
    """What a fact of ours tells others."""
    if isinstance(event, AppointmentFact):
        return _of_appointment(event)
    change: Change = "create" if event.version == 1 else "update"
    return Told("Patient", event.patient_id, change, event.patient_id, None, (("patient", frozenset({str(event.patient_id)})),))


def _of_appointment(fact: AppointmentFact) -> Told:
    actors = {str(claim.schedule_id) for claim in (*fact.claims, *fact.released)}
    change: Change = "update"
    if isinstance(fact, AppointmentBooked | AppointmentRequested):
        change = "create"
    elif isinstance(fact, AppointmentCancelled):
        change = "delete"
    facts = (
        ("patient", frozenset({str(fact.patient_id)})), ("location", frozenset({str(fact.site_id), *actors})),
        ("practitioner", frozenset(actors)), ("status", frozenset({fact.status})),
    )  # fmt: skip
    return Told("Appointment", fact.appointment_id, change, fact.patient_id, fact.site_id, facts)


def concerns(filters: Iterable[Filter], told: Told) -> bool:
    """Whether a subscription to a topic of this event, narrowed by `filters`, is told: every filter must be met."""
    facts = dict(told.facts)
    return all(not facts.get(each.name, frozenset()).isdisjoint(each.values) for each in filters)


def topics_of(told: Told) -> list[str]:
    """The topics that tell such a change."""
    return [name for name, topic in TOPICS.items() if topic.focus == told.focus and told.change in topic.changes]
