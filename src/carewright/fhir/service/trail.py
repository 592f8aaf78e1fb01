"""The audit log through FHIR: each entry as an AuditEvent, and each that tells of a change as a Provenance besides."""

from functools import partial
from typing import Any, get_args
from uuid import UUID

import msgspec

from carewright.contracts.audit import AuditAction, AuditEvent, FindAuditEvents, UnknownAuditEvent
from carewright.contracts.fhir.audit import CHANGES, audit_event, provenance
from carewright.contracts.fhir.basics import Resource
from carewright.contracts.fhir.refusals import SearchTooWide, UnknownId
from carewright.fhir.context import FhirContext
from carewright.fhir.model.pointing import known_uuid, uuid_or_none
from carewright.fhir.model.searching.narrowing import Narrowing
from carewright.fhir.model.searching.search import Search
from carewright.fhir.model.searching.tokens import Token
from carewright.fhir.service.gathering import ends, every_page, uuids

PAGE = 200
QUESTIONS_MAX = 20
ACTIONS: tuple[AuditAction, ...] = get_args(AuditAction)
NO_ID = UUID(int=0)
"""Stands for what cannot be an id of ours, so that nothing is found."""


async def read_audit_event(ctx: FhirContext, id_: str) -> Resource:
    """Raises `UnknownAuditEvent`, also for what is not sealed yet: that takes a second."""
    return audit_event(await ctx.audit.get_event(ctx.actor, known_uuid(id_)))


async def read_provenance(ctx: FhirContext, id_: str) -> Resource:
    """Raises `UnknownId` for an entry that tells of no change."""
    made = provenance(await ctx.audit.get_event(ctx.actor, known_uuid(id_)))
    if made is None:
        raise UnknownId
    return made


async def audit_events(ctx: FhirContext, search: Search, bounds: Narrowing) -> list[Resource]:
    """By id, patient, what was touched, or when; by an action besides."""
    action = _action(search)
    return [audit_event(each) for each in await _events(ctx, bounds, "entity", [FindAuditEvents(action=action, limit=PAGE)])]


async def provenances(ctx: FhirContext, _: Search, bounds: Narrowing) -> list[Resource]:
    """Of changes that took place: by id, patient, target, or when."""
    changes = [FindAuditEvents(action=action, outcome="success", limit=PAGE) for action in ACTIONS if action in CHANGES]
    return [made for each in await _events(ctx, bounds, "target", changes) if (made := provenance(each))]


def _action(search: Search) -> AuditAction | None:
    """The one action that is asked for, if it is one."""
    asked = [each.values for each in search.criteria if each.parameter.code == "action" and not each.modifier and len(each.values) == 1]
    codes = [values[0].code for values in asked if isinstance(values[0], Token)]
    return next((action for action in ACTIONS if action in codes), None)


async def _events(ctx: FhirContext, bounds: Narrowing, pointing: str, kinds: list[FindAuditEvents]) -> list[AuditEvent]:
    """What meets any of `kinds`, of all that a search can mean; `pointing` is the parameter that names what was touched."""
    if bounds.ids is not None:
        return [found for id_ in uuids(bounds.ids) or () if (found := await _known(ctx, id_))]
    abouts = _abouts(bounds, pointing)
    if not abouts or len(abouts) * len(kinds) > QUESTIONS_MAX:
        raise SearchTooWide(f"The log is searched by _id, patient, {pointing} or a time: name a few, and whatever narrows that.")
    asked = [msgspec.structs.replace(kind, **about) for kind in kinds for about in abouts]
    answers = [await every_page(partial(ctx.audit.find_events, ctx.actor), each) for each in asked]
    return list({each.id: each for answer in answers for each in answer}.values())


async def _known(ctx: FhirContext, event_id: UUID) -> AuditEvent | None:
    try:
        return await ctx.audit.get_event(ctx.actor, event_id)
    except UnknownAuditEvent:
        return None


def _abouts(bounds: Narrowing, pointing: str) -> list[dict[str, Any]]:
    """What the log is asked for: each patient or thing that is named, within the time. Nothing where neither is."""
    places = bounds.references.get(pointing)
    from_at, until_at = ends(bounds.starts)
    when = {"from_at": from_at, "until_at": until_at}
    if places is None and bounds.patient_ids is not None:
        places = frozenset(f"Patient/{each}" for each in bounds.patient_ids)
    if places is None:
        return [when] if bounds.starts else []
    pairs = [(kind, uuid_or_none(id_) or NO_ID) for kind, _, id_ in (place.partition("/") for place in sorted(places))]
    return [when | {"patient_id" if kind == "Patient" else "entity_id": id_} for kind, id_ in pairs]
