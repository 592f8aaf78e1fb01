"""From what is known of a proposed appointment to cards."""

from collections.abc import Callable, Iterable, Mapping
from typing import Literal
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from carewright.cds.model.proposals import Proposed
from carewright.contracts.cds import Action, Card, Reason, Source, Suggestion
from carewright.contracts.coverage import Standing
from carewright.contracts.fhir.basics import instant
from carewright.contracts.scheduling import Appointment, Slot

SUGGESTIONS_MAX = 3
TOPICS = "urn:carewright:cds-topic"
OVERRIDES = "urn:carewright:cds-override"
REASONS = (
    Reason(code="patient-wish", system=OVERRIDES, display="The patient wants it so"),
    Reason(code="seen-to", system=OVERRIDES, display="Somebody sees to it"),
)
Time = Literal["free", "taken", "closed", "not-free"]
"""Whether the time can be had: `closed` is outside opening hours, `not-free` either of the two."""
Paid = Literal["covered", "none", "denied", "unanswered"]
STANDINGS: Mapping[Standing, Paid] = {"active": "covered", "inactive": "denied", "unknown": "unanswered"}
TIME_SAYS: Mapping[Time, str] = {
    "taken": "This time is taken.",
    "closed": "This time lies outside opening hours.",
    "not-free": "This time is taken, or lies outside opening hours.",
    "free": "",
}
PAID_SAYS: Mapping[Paid, str] = {
    "none": "We know of nobody who pays for the patient on this day.",
    "denied": "The payer says that the patient is not covered on this day.",
    "unanswered": "No payer has said yet that the patient is covered on this day.",
    "covered": "",
}


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one proposed appointment. None is what the caller may not ask, or what nobody can tell."""

    zone: str
    other: Appointment | None = None
    time: Time | None = None
    free: tuple[Slot, ...] = ()
    paid: Paid | None = None


def cards_of(proposed: Proposed, facts: Facts, label: str, new: Callable[[], UUID]) -> list[Card]:
    """What to say about it, the most urgent first. `label` names us, `new` makes ids."""
    cards = []
    if facts.time and (told := TIME_SAYS[facts.time]):
        cards.append(_card("time", told, "critical", label, new, _suggestions(proposed, facts, new)))
    if facts.other:
        told = f"The patient has another appointment at {_clock(facts.other, facts)}."
        cards.append(_card("patient-busy", told, "warning", label, new, () if cards else _suggestions(proposed, facts, new)))
    if facts.paid and (told := PAID_SAYS[facts.paid]):
        indicator: Literal["info", "warning"] = "info" if facts.paid == "unanswered" else "warning"
        cards.append(_card("coverage", told, indicator, label, new, ()))
    return cards


def overlapping(found: Iterable[Appointment], proposed: Proposed) -> Appointment | None:
    """The first other appointment that takes of the same time."""
    itself = proposed.resource.get("id")
    return next((each for each in found if str(each.id) != itself and each.start < proposed.end and proposed.start < each.end), None)


def _card(
    topic: str, summary: str, indicator: Literal["info", "warning", "critical"], label: str, new: Callable[[], UUID],
    suggestions: tuple[Suggestion, ...],
) -> Card:  # fmt: skip
    return Card(
        uuid=str(new()), summary=summary, indicator=indicator, source=Source(label=label, topic=Reason(code=topic, system=TOPICS)),
        suggestions=suggestions, selection_behavior="at-most-one" if suggestions else None, override_reasons=REASONS,
    )  # fmt: skip


def _suggestions(proposed: Proposed, facts: Facts, new: Callable[[], UUID]) -> tuple[Suggestion, ...]:
    """Other times that were free a moment ago, and are not those of the patient's other appointment."""
    other = facts.other
    free = [each for each in facts.free if other is None or not (each.start < other.end and other.start < each.end)]
    return tuple(_suggestion(proposed, each, facts, new) for each in free[:SUGGESTIONS_MAX])


def _suggestion(proposed: Proposed, slot: Slot, facts: Facts, new: Callable[[], UUID]) -> Suggestion:
    moved = proposed.resource | {
        "start": instant(slot.start), "end": instant(slot.end), "minutesDuration": (slot.end - slot.start).seconds // 60,
    }  # fmt: skip
    when = slot.start.astimezone(ZoneInfo(facts.zone)).strftime("%Y-%m-%d %H:%M")
    action = Action(type="update", description=f"Move the appointment to {when}", resource=moved)
    return Suggestion(label=f"Take {when} instead", uuid=str(new()), actions=(action,))


def _clock(one: Appointment, facts: Facts) -> str:
    return one.start.astimezone(ZoneInfo(facts.zone)).strftime("%H:%M")
