"""What makes an order sound, and how its status goes on: pure rules."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from uuid import UUID

import msgspec

from carewright.contracts.directory import Coding, Identifier
from carewright.contracts.orders import (
    InvalidRequest,
    Parties,
    Party,
    Reasons,
    RequestDetails,
    RequestStatus,
    RequestStatusNotAllowed,
    ServiceRequest,
)

TEXT_MAX = 200
STEPS: Mapping[RequestStatus, frozenset[str]] = {
    "draft": frozenset({"active", "on-hold", "revoked", "entered-in-error", "unknown"}),
    "active": frozenset({"on-hold", "revoked", "completed", "entered-in-error", "unknown"}),
    "on-hold": frozenset({"active", "revoked", "completed", "entered-in-error", "unknown"}),
    "revoked": frozenset({"entered-in-error"}),
    "completed": frozenset({"entered-in-error"}),
    "entered-in-error": frozenset(),
    "unknown": frozenset({"draft", "active", "on-hold", "revoked", "completed", "entered-in-error"}),
}
"""R4's request pattern (http://hl7.org/fhir/R4/request.html#statemachine): what has ended begins no more. Who held an order that was
ready may have done so before anybody said that it is active, and what was done while it was held is done."""


class Detail(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is sealed of an order."""

    code: Coding | None = None
    categories: tuple[Coding, ...] = ()
    placer: Identifier | None = None
    filler: Identifier | None = None
    identifiers: tuple[Identifier, ...] = ()
    requester: Party | None = None
    performers: Parties = ()
    reasons: Reasons = ()


def new_request(request_id: UUID, patient_id: UUID, details: RequestDetails, now: datetime) -> ServiceRequest:
    return ServiceRequest(id=request_id, patient_id=patient_id, updated_at=now, **msgspec.structs.asdict(details))


def changed_request(before: ServiceRequest, details: RequestDetails, now: datetime) -> ServiceRequest:
    """The order as the details have it, under the next version; `before` itself where they say nothing new.

    Raises `RequestStatusNotAllowed` for a step that is none, and `InvalidRequest` for another intent.
    """
    after = msgspec.structs.replace(before, **msgspec.structs.asdict(details))
    if after == before:
        return before
    if after.intent != before.intent:
        raise invalid("intent", "An order keeps its intent.")
    if after.status != before.status and after.status not in STEPS[before.status]:
        raise RequestStatusNotAllowed(request_id=str(before.id), request_status=before.status)
    return msgspec.structs.replace(after, version=before.version + 1, updated_at=now)


def detail_of(request: ServiceRequest) -> Detail:
    return Detail(**{name: getattr(request, name) for name in Detail.__struct_fields__})


def identifiers_of(request: ServiceRequest) -> tuple[Identifier, ...]:
    """Every identifier that names it, each once."""
    numbers = (each for each in (request.placer, request.filler) if each)
    return tuple(dict.fromkeys((*numbers, *request.identifiers)))


def parties_of(request: ServiceRequest) -> list[UUID]:
    """By whom of ours it is found."""
    return sorted({each.id for each in (request.requester, *request.performers) if each and each.id})


def ensure_sound(details: RequestDetails) -> None:
    """Raise `InvalidRequest` for the first rule that is broken."""
    for field, rule in _broken_rules(details):
        raise invalid(field, rule)


def taken_identifier() -> InvalidRequest:
    """The refusal of one whose identifier another carries."""
    return invalid("identifiers", "Another order carries the identifier.")


def invalid(field: str, rule: str) -> InvalidRequest:
    """A refusal that names the field, and nothing of what it says."""
    return InvalidRequest(rule, field=field)


def _broken_rules(details: RequestDetails) -> Iterator[tuple[str, str]]:
    """The field that breaks a rule, and the rule as a sentence."""
    start, end = details.occurs_from, details.occurs_until
    if start and end and start > end:
        yield "occurs_until", "What is wanted ends after it begins."
    for field, party in (("requester", details.requester), *(("performers", each) for each in details.performers)):
        if party and ((party.kind is None) != (party.id is None) or not (party.id or party.display)):
            yield field, "Somebody is named by kind and id, or in words."
    for field, texts in _texts(details):
        if any(len(text) > TEXT_MAX for text in texts):
            yield field, f"System, code, value and display have {TEXT_MAX} letters at most."


def _texts(details: RequestDetails) -> Iterator[tuple[str, tuple[str, ...]]]:
    for coding in (*((details.code,) if details.code else ()), *details.categories):
        yield "code", (coding.system, coding.code, coding.display)
    for identifier in (*(each for each in (details.placer, details.filler) if each), *details.identifiers):
        yield "identifiers", (identifier.system, identifier.value)
