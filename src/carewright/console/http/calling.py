"""For whom a desk calls, and to which room: chosen once, kept by the browser until it signs out, and said with every call.

Whoever calls for nobody in particular keeps nobody's time: the rule that a practitioner is kept for their next booked patient holds for a
call that names one.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from starlette.responses import Response

from carewright.console.http.page import CALLER, SESSION_SECONDS, Ask
from carewright.contracts.directory import ActorKind
from carewright.contracts.queue import Queue
from carewright.contracts.schedules import ListSchedules, ScheduleSummary

READ = "scheduling.calendar.read"
CALENDARS_MAX = 500
BETWEEN = "."


class Caller(NamedTuple):
    """Whom patients are called to, as a form or the browser says; nobody in particular is an empty word."""

    practitioner: str = ""
    room: str = ""

    @property
    def named(self) -> dict[str, str | None]:
        """As the command of a call has it."""
        return {"practitioner_id": self.practitioner or None, "location_id": self.room or None}


class Calling(NamedTuple):
    """What the page of a queue shows: who can be called for, to where, and who is."""

    practitioners: Sequence[tuple[UUID, str]]
    rooms: Sequence[tuple[UUID, str]]
    caller: Caller
    text: str


def caller_of(form: Mapping[str, str]) -> Caller:
    """As the form was shown, whatever another window of the browser chose meanwhile."""
    return Caller(form.get("practitioner", ""), form.get("room", ""))


async def calling_of(ask: Ask, queue: Queue) -> Calling | None:
    """What there is to choose at the queue's site, and what this browser chose of it; None for who may not see calendars."""
    if not ask.ctx.actor.may(READ):
        return None
    wanted = ListSchedules(kinds=("practitioner", "room"), site_ids=(queue.site_id,), limit=CALENDARS_MAX)
    found = [each for each in (await ask.ctx.scheduling.list_schedules(ask.ctx.actor, wanted)).items if each.active]
    practitioner, _, room = ask.cookies.get(CALLER).partition(BETWEEN)
    practitioners, rooms = _named(found, "practitioner"), _named(found, "room")
    (practitioner, who), (room, where) = _chosen(practitioners, practitioner), _chosen(rooms, room)
    text = f"You call for {who or 'nobody in particular'}{f', to {where}' if where else ''}."
    return Calling(practitioners, rooms, Caller(practitioner, room), text)


def keep(ask: Ask, response: Response) -> Response:
    """Have the browser keep what the form chose."""
    ask.cookies.put(response, CALLER, BETWEEN.join(each[:36] for each in caller_of(ask.form)), SESSION_SECONDS)
    return response


def _named(found: Sequence[ScheduleSummary], kind: ActorKind) -> list[tuple[UUID, str]]:
    return sorted(((each.id, each.display) for each in found if each.kind == kind), key=lambda pair: pair[1])


def _chosen(among: Sequence[tuple[UUID, str]], wish: str) -> tuple[str, str]:
    """The id and the name of what was wished for; nothing where it is not to be had here."""
    return next(((wish, name) for one, name in among if str(one) == wish), ("", ""))
