"""The patient's turn while they are in the hospital: their ticket, how many are before them, and how long it still takes."""

from collections.abc import Mapping
from contextlib import suppress
from uuid import UUID

from starlette.responses import Response

from carewright.contracts.delays import ExpectedStart
from carewright.contracts.flow import NotWaiting, UnknownEntry
from carewright.contracts.queue import QueueEntry, WaitEstimate
from carewright.portal import service
from carewright.portal.http.page import Ask
from carewright.portal.model.times import walls_of
from carewright.portal.model.turn import turn_view

PLACE = "/my-turn"


async def show_turn(ask: Ask) -> Response:
    """Where the patient waits now. It is looked at again by loading the page."""
    turns = (await ask.ctx.queues.own_turns(ask.ctx.actor)).items
    walls = walls_of(await service.get_sites(ask.ctx), ask.ctx.settings.locale)
    late = await service.late_starts(ask.ctx)
    views = [turn_view(each, await _estimate(ask, each), walls.of(each.site_id), _late(late, each)) for each in turns]
    return ask.show("turn.html", turns=views, as_of=walls.home.time(ask.ctx.clock.now()))


def _late(late: Mapping[UUID, ExpectedStart], turn: QueueEntry) -> ExpectedStart | None:
    """Of who waits for an appointment that begins later."""
    return late.get(turn.appointment_id) if turn.appointment_id and turn.status == "waiting" else None


async def _estimate(ask: Ask, turn: QueueEntry) -> WaitEstimate | None:
    """None for who does not wait, or was called this very moment."""
    with suppress(NotWaiting, UnknownEntry):
        return await ask.ctx.queues.estimate_wait(ask.ctx.actor, turn.id)
    return None
