"""What is sent to services of others, and what is believed of their answers."""

from collections.abc import Iterable
from uuid import UUID, uuid5

import msgspec

from carewright.contracts.cds import (
    HOOK,
    Accepted,
    Advice,
    BookingContext,
    Card,
    HookCall,
    Json,
    Offered,
    Overridden,
    Reason,
    SendFeedback,
    ShownCard,
    ShownReason,
    ShownSuggestion,
)

PATIENT_TEMPLATE = "Patient/{{context.patientId}}"
"""The one prefetch that we answer: whom it is for."""
PREFETCH_MAX = 10
JSON_TYPES = ("application/json", "application/fhir+json")


class _Discovered(msgspec.Struct, frozen=True):
    services: tuple[Offered, ...]


class NotAdvice(Exception):
    """An answer that is none."""


def offered_in(raw: bytes, service: str) -> Offered | None:
    """The service of this id for our hook, as discovery names it."""
    try:
        found = msgspec.json.decode(raw, type=_Discovered).services
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return next((each for each in found if each.id == service and each.hook == HOOK), None)


def prefetch_of(offered: Offered) -> tuple[str, ...]:
    """The keys under which a service wants the patient."""
    return tuple(key for key, template in offered.prefetch.items() if template == PATIENT_TEMPLATE)[:PREFETCH_MAX]


def call_of(instance: UUID, user_id: str, appointment: Json, patient_id: UUID, patient: Json, prefetch: Iterable[str]) -> HookCall:
    """A call about one appointment. A service gets what it asked for in its discovery, and no more."""
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": appointment}]}
    context = BookingContext(user_id=user_id, patient_id=str(patient_id), appointments=bundle)
    return HookCall(hook=HOOK, hook_instance=instance, context=context, prefetch=dict.fromkeys(prefetch, patient))


def user_of(service_id: UUID, subject: str) -> str:
    """Who books, as a service knows them: the same each time, and another at each service. Our accounts are no Practitioners."""
    return f"Practitioner/{uuid5(service_id, subject)}"


def advice_in(raw: bytes, content_type: str) -> tuple[ShownCard, ...]:
    """The cards of an answer. Raises `NotAdvice` for what is not of its form, down to the last card."""
    if content_type.partition(";")[0].strip().lower() not in JSON_TYPES:
        raise NotAdvice
    try:
        return tuple(_shown(each) for each in msgspec.json.decode(raw, type=Advice).cards)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as fault:
        raise NotAdvice from fault


def outcome_of_card(command: SendFeedback, at: str) -> Json:
    """The feedback that tells it: `{"feedback": […]}`."""
    said: Json = {"card": str(command.card_id), "outcomeTimestamp": at, "outcome": "accepted" if command.accepted else "overridden"}
    if command.accepted:
        said["acceptedSuggestions"] = [Accepted(id=command.accepted)]
    elif command.reason:
        said["overrideReason"] = Overridden(reason=Reason(code=command.reason, system=command.reason_system))
    return {"feedback": [said]}


def _shown(card: Card) -> ShownCard:
    """Suggestions without choosing rules are an error of the whole card, and are not shown (Card Attributes)."""
    suggestions = card.suggestions if card.selection_behavior else ()
    return ShownCard(
        id=_uuid(card.uuid), indicator=card.indicator, summary=card.summary, detail=card.detail or "", source=card.source.label,
        suggestions=tuple(ShownSuggestion(label=each.label, id=each.uuid) for each in suggestions),
        override_reasons=tuple(
            ShownReason(code=each.code, system=each.system, display=each.display or each.code) for each in card.override_reasons
        ),
        links=tuple(each.url for each in card.links if each.type == "absolute" and each.url.startswith("https://")),
    )  # fmt: skip


def _uuid(text: str | None) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None
