"""EHR connections in plain words: how we hear of changes there, of what each has not heard, and where the two differ."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import groupby

import msgspec
from starlette.responses import Response

from carewright.console.http.page import Ask
from carewright.contracts.ehr import Connection, Difference, EhrSubscription, UnknownConnection

CONNECTIONS = "/staff/ehr"
CONNECTION = f"{CONNECTIONS}/{{id}}"
SYSTEMS: Mapping[str, str] = {"epic": "Epic", "oracle": "Oracle Health", "r4": "FHIR R4 server"}
REASONS: Mapping[str, str] = {
    "ehr.differs": "They say something else, and ours stays.",
    "ehr.taken": "Ours was changed to what they say.",
    "ehr.only_theirs": "They have it, and we do not.",
    "ehr.ambiguous": "Their numbers belong to two records of ours.",
    "ehr.other_person": "Their number is that of a person of ours with another name or birth date.",
    "ehr.unmapped": "A part of it is nothing that we know here.",
    "ehr.no_time_there": "They have no free time then.",
    "ehr.no_patient_there": "They have no patient with our patient's number.",
    "ehr.not_offered": "Their system cannot be told of this. It has to be changed there by hand.",
    "ehr.gone_there": "It is gone from their system.",
    "ehr.not_understood": "Their system answered what we cannot use.",
    "scheduling.time_not_free": "The time is taken here.",
    "scheduling.patient_busy": "The patient has another appointment here at that time.",
    "scheduling.outside_rules": "This kind of visit cannot be booked at that time here.",
    "scheduling.illegal_step": "Ours is in a state that does not allow it.",
}
"""Reasons of differences, as people say them. Any other is shown as the code that it is."""


FAULTS: Mapping[str, str] = {
    "ehr.subscription_gone": "It was gone from their system, and was made anew.",
    "ehr.subscription_error": "Their system could not reach us and gave up. It was made anew.",
    "ehr.subscription_off": "Their system had turned it off. It was made anew.",
    "ehr.not_understood": "Their system refused it, or answered what we cannot use. It is tried again.",
    "ehr.no_public_address": "It is not set under which address their system reaches us.",
    "kernel.unavailable": "Their system did not answer. It is tried again.",
}
"""What was in the way of a subscription, as people say it. Any other is shown as the code that it is."""


class Group(msgspec.Struct, frozen=True):
    """Differences of one kind for one reason."""

    kind: str
    reason: str
    differences: tuple[Difference, ...]


async def show_connections(ask: Ask) -> Response:
    """Every connection, with how much of it waits."""
    found = (await ask.ctx.ehrs.list_connections(ask.ctx.actor)).items
    untold = {each.id: (await ask.ctx.ehrs.list_untold(ask.ctx.actor, each.id)).items for each in found}
    return ask.show("ehrs.html", connections=found, untold=untold, systems=SYSTEMS, hearing={each.id: hearing(each) for each in found})


async def show_connection(ask: Ask) -> Response:
    """One connection: what it has not heard, and where the two differ."""
    found = (await ask.ctx.ehrs.list_connections(ask.ctx.actor)).items
    connection = next((each for each in found if each.id == ask.id), None)
    if connection is None:
        raise UnknownConnection
    report = await ask.ctx.ehrs.reconcile(ask.ctx.actor, ask.id)
    return ask.show(
        "ehr.html", connection=connection, system=SYSTEMS[connection.profile], report=report, groups=grouped(report.differences),
        hearing=hearing(connection), untold=await ask.ctx.ehrs.list_untold(ask.ctx.actor, ask.id),
    )  # fmt: skip


async def retry(ask: Ask) -> Response:
    """Tell the EHR again what it could not be told."""
    await ask.ctx.ehrs.retry_untold(ask.ctx.actor, ask.id)
    return ask.go(f"{CONNECTIONS}/{ask.id}")


def hearing(connection: Connection) -> list[str]:
    """How we hear of changes there, in sentences."""
    if connection.stopped_at is not None:
        return [f"Stopped since {_at(connection.stopped_at)}: nothing is asked and nothing is told."]
    if connection.mode == "polling":
        return ["We ask again and again."]
    one = connection.subscription or EhrSubscription()
    tells, told = "It does not tell us of changes yet. We ask again and again.", "It has told us nothing yet."
    if one.active_since:
        tells = f"It has told us of changes since {_at(one.active_since)}."
    if one.woken_at:
        told = f"It told us last {_at(one.woken_at)}."
    said = [tells, told]
    if one.active_since and one.ends_at:
        said.append(f"This lasts until {_at(one.ends_at)}, and is renewed before.")
    if one.fault and one.fault_at:
        said.append(f"On {_at(one.fault_at)}: {FAULTS.get(one.fault, one.fault)}")
    return said


def _at(instant: datetime) -> str:
    return f"{instant:%d %B %Y %H:%M} UTC"


def grouped(differences: Sequence[Difference]) -> list[Group]:
    """By kind and reason, as the report orders them."""
    groups = groupby(differences, key=lambda each: (each.kind, each.reason))
    return [Group(kind, reason_of(reason), tuple(found)) for (kind, reason), found in groups]


def reason_of(reason: str) -> str:
    """Why two differ, in a sentence."""
    return REASONS.get(reason, f"It was refused here: {reason}.")
