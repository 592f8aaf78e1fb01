"""The work list of HL7 v2: what did not fit and why, in plain words; fixed by a mapping or by hand, tried again, or seen to."""

from collections.abc import Mapping
from uuid import UUID

import msgspec
from starlette.responses import Response

from carewright.console.http.page import Ask
from carewright.contracts.directory import ActorKind, FindServices
from carewright.contracts.hl7 import EarlierWaits, NotHl7, Replayed, SetMapping, SettleMessage, WaitingMessage
from carewright.contracts.schedules import ListSchedules
from carewright.kernel.errors import BadInput

MESSAGES = "/staff/messages"
MESSAGE = f"{MESSAGES}/{{id}}"
READ, MAP = "hl7.message.read", "hl7.mapping.change"
SERVICES_MAX, SCHEDULES_MAX = 200, 500
STATUSES = ("Booked", "Started", "Complete", "Cancelled", "Noshow", "Deleted")
"""What a status of others may become by itself (table 0278)."""
PROBLEMS: Mapping[str, str] = {
    "hl7.unmapped": "The sender uses a code that we do not know.",
    "hl7.missing": "Something that we need is not in the message.",
    "hl7.time": "The time is not one that can be read.",
    "hl7.unknown_appointment": "We do not know the appointment that it is about.",
    "hl7.unknown_patient": "We do not know the patient that it is about.",
    "hl7.ambiguous_patient": "Its identifiers belong to two patients here.",
    "hl7.other_patient": "It names another patient than the appointment has.",
    "hl7.earlier_waits": "An earlier message about the same waits. Decide about that one first.",
    "hl7.older": "A message about the same that was written later is done already. Look which of them is right.",
    "hl7.by_hand": "A person must decide about this kind of message.",
    "hl7.fault": "It could not be worked on because of a fault of ours.",
    "scheduling.time_not_free": "The time is taken.",
    "scheduling.patient_busy": "The patient has another appointment at that time.",
    "scheduling.outside_rules": "This kind of visit cannot be booked at that time.",
    "scheduling.illegal_step": "The appointment is in a state that does not allow it.",
    "coverage.not_covered": "The payer says that the patient is not covered on that day, and the site books nothing then.",
    "coverage.not_authorised": "The payer did not authorise this kind of visit, and the site books nothing then.",
    "scheduling.booked_elsewhere": "An older system is master of this service: it is booked, moved and cancelled there.",
    "scheduling.prerequisite_missing": "Something has to happen before this visit can be booked.",
}
"""Reasons, as people say them. Any other is shown as the code that it is."""
TABLES: Mapping[str, str] = {
    "visit-type": "kind of visit",
    "site": "site",
    "practitioner": "practitioner",
    "calendar": "calendar",
    "status": "status",
}
"""Tables in which a code can be given a meaning here, and what that is called."""


async def show_messages(ask: Ask) -> Response:
    """Everything that waits, oldest first."""
    waiting = await ask.ctx.desk.list_messages(ask.ctx.actor)
    return ask.show(
        "messages.html", incoming=waiting.incoming, outgoing=waiting.outgoing, problem_of=problem_of, may_read=ask.ctx.actor.may(READ)
    )


async def show_message(ask: Ask) -> Response:
    """One message with its problem, and what can be done about it."""
    return await _shown(ask)


async def show_content(ask: Ask) -> Response:
    """The message itself, which tells of a patient: to be read, and corrected."""
    return await _shown(ask, content=await ask.ctx.desk.read_message(ask.ctx.actor, ask.id))


async def map_code(ask: Ask) -> Response:
    """Give the code that nobody knew a meaning, and try the message again."""
    table, code = _unmapped(await ask.ctx.desk.get_message(ask.ctx.actor, ask.id))
    try:
        command = msgspec.convert({"table": table, "code": code, "target": ask.form.get("target", "").strip()}, SetMapping)
    except msgspec.ValidationError:
        return await _shown(ask, 422, error="Say what the code means here.")
    await ask.ctx.desk.set_mapping(ask.ctx.actor, command)
    return await _tried(ask, None)


async def replay(ask: Ask) -> Response:
    """Try it again, as it was sent or as it was corrected."""
    return await _tried(ask, ask.form.get("content"))


async def settle(ask: Ask) -> Response:
    """Take it off the list; what the form lacks is asked for beside it."""
    try:
        command = msgspec.convert({"message_id": ask.id, "reason": ask.form.get("reason", "").strip()}, SettleMessage)
    except msgspec.ValidationError:
        return await _shown(ask, 422, error="Say how it was seen to, in 3 to 500 letters.")
    await ask.ctx.desk.settle_message(ask.ctx.actor, command)
    return ask.go(MESSAGES)


async def show_unsent(ask: Ask) -> Response:
    """A message as a partner was told it, and what it answered."""
    return ask.show("unsent.html", message_id=ask.id, told=await ask.ctx.desk.read_unsent(ask.ctx.actor, ask.id))


async def resend(ask: Ask) -> Response:
    """Tell the partner again."""
    await ask.ctx.desk.resend_message(ask.ctx.actor, ask.id)
    return ask.go(MESSAGES)


async def drop(ask: Ask) -> Response:
    """Tell the partner no more."""
    await ask.ctx.desk.drop_message(ask.ctx.actor, ask.id)
    return ask.go(MESSAGES)


def problem_of(reason: str) -> str:
    """Why a message waits, in a sentence."""
    return PROBLEMS.get(reason, f"It was refused: {reason}.")


async def _tried(ask: Ask, content: str | None) -> Response:
    """Back to the list once it was applied; otherwise the message with what is in the way now."""
    try:
        became = await ask.ctx.desk.replay_message(ask.ctx.actor, ask.id, content)
    except (EarlierWaits, NotHl7, BadInput) as refusal:
        return await _shown(ask, 422, error=refusal.title, content=content)
    return ask.go(MESSAGES) if became.applied else await _shown(ask, 422, error=_still(became))


def _still(became: Replayed) -> str:
    return " ".join(filter(None, ("It still does not fit.", problem_of(became.reason), became.about)))


async def _shown(ask: Ask, status: int = 200, *, error: str = "", content: str | None = None) -> Response:
    message = await ask.ctx.desk.get_message(ask.ctx.actor, ask.id)
    table, code = _unmapped(message)
    may_map = ask.ctx.actor.may(MAP) and table in TABLES
    return ask.show(
        "message.html", status, message=message, problem=problem_of(message.reason), error=error, content=content, code=code,
        called=TABLES.get(table, ""), choices=await _choices(ask, table) if may_map else (), may_map=may_map,
        may_read=ask.ctx.actor.may(READ),
    )  # fmt: skip


def _unmapped(message: WaitingMessage) -> tuple[str, str]:
    """Table and code that nobody mapped; two empty texts where something else is wrong."""
    table, _, code = message.about.partition(" ")
    return (table, code) if message.reason == "hl7.unmapped" else ("", "")


async def _choices(ask: Ask, table: str) -> tuple[tuple[UUID | str, str], ...]:
    """What a code may become, by id and name. None where there are too many: then an id is asked for."""
    if table == "site":
        return tuple((site.id, site.name) for site in (await ask.ctx.directory.find_sites(ask.ctx.actor)).items)
    if table == "visit-type":
        page = await ask.ctx.directory.find_services(ask.ctx.actor, FindServices(limit=SERVICES_MAX))
        return tuple((kind.id, f"{kind.name}, {one.service.name}") for one in page.items for kind in one.visit_types)
    if table == "status":
        return tuple((word, word) for word in STATUSES)
    kinds: tuple[ActorKind, ...] = ("practitioner",) if table == "practitioner" else ()
    found = await ask.ctx.scheduling.list_schedules(ask.ctx.actor, ListSchedules(kinds=kinds, limit=SCHEDULES_MAX + 1))
    named = sorted((each.display, each.id) for each in found.items if each.active)
    return tuple((id_, name) for name, id_ in named) if len(found.items) <= SCHEDULES_MAX else ()
