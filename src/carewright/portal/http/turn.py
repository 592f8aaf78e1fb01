"""The patient's turn while they are in the hospital: their ticket, how many are before them, and how long it still takes."""

from collections.abc import Mapping
from contextlib import suppress
from uuid import UUID

import msgspec
from starlette.responses import Response

from carewright.contracts.delays import ExpectedStart
from carewright.contracts.elsewhere import NoMoreTime, SayWhere, StayNear, TellTheDesk
from carewright.contracts.flow import NotWaiting, StepNotAllowed, UnknownEntry
from carewright.contracts.queue import OwnTurns, QueueEntry, WaitEstimate
from carewright.kernel.errors import PreconditionFailed
from carewright.portal import service
from carewright.portal.http.page import Ask
from carewright.portal.http.texts import ENGLISH, languages
from carewright.portal.model.times import walls_of
from carewright.portal.model.turn import turn_view

PLACE = "/my-turn"
SAY = PLACE + "/{id}/where"


async def show_turn(ask: Ask) -> Response:
    """Where the patient waits now. It is looked at again by loading the page."""
    own = await ask.ctx.queues.own_turns(ask.ctx.actor)
    walls = walls_of(await service.get_sites(ask.ctx), ask.ctx.settings.locale)
    late = await service.late_starts(ask.ctx)
    words = languages()[ENGLISH]
    views = [
        turn_view(each, await _estimate(ask, each), walls.of(each.site_id), words, _late(late, each), _room(own, each))
        for each in own.items
    ]
    return ask.show("turn.html", turns=views, words=words, as_of=walls.home.time(ask.ctx.clock.now()))


async def say_where(ask: Ask) -> Response:
    """What one tap says. What cannot be any more is told above how it stands now."""
    try:
        command = msgspec.convert(_said(ask), SayWhere, strict=False)
    except msgspec.ValidationError:
        return ask.go(PLACE, "portal.not_understood")
    try:
        await ask.ctx.queues.say_where(ask.ctx.actor, command, ask.key)
    except (StepNotAllowed, StayNear, NoMoreTime, TellTheDesk, PreconditionFailed, UnknownEntry) as refusal:
        return ask.go(PLACE, "portal.turn_moved_on" if isinstance(refusal, PreconditionFailed | UnknownEntry) else refusal.code)
    return ask.go(PLACE, "done.turn_left" if command.say == "leave" else "done.said_where")


async def to_turn(ask: Ask) -> Response:
    return ask.go(PLACE)


def _said(ask: Ask) -> dict[str, object]:
    said = {"entry_id": ask.id(), "say": ask.form.get("say", ""), "expected_version": ask.form.get("version", "")}
    return said | ({"travel_minutes": minutes} if (minutes := ask.form.get("minutes", "")) else {})


def _room(own: OwnTurns, turn: QueueEntry) -> str:
    """What the room of a turn is called; nothing where it has none."""
    return next((each.name for each in own.rooms if each.id == turn.location_id), "")


def _late(late: Mapping[UUID, ExpectedStart], turn: QueueEntry) -> ExpectedStart | None:
    """Of who waits for an appointment that begins later."""
    return late.get(turn.appointment_id) if turn.appointment_id and turn.status == "waiting" else None


async def _estimate(ask: Ask, turn: QueueEntry) -> WaitEstimate | None:
    """None for who does not wait, or was called this very moment."""
    with suppress(NotWaiting, UnknownEntry):
        return await ask.ctx.queues.estimate_wait(ask.ctx.actor, turn.id)
    return None
