"""One patient's page: the appointments, what else can be opened about them, and going straight on to a ticket."""

from collections.abc import Mapping
from datetime import timedelta
from typing import NamedTuple
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

from starlette.responses import Response

from carewright.console.http import kiosks
from carewright.console.http.board import BOARD, SEEN
from carewright.console.http.coverage_words import called
from carewright.console.http.page import Ask, uuid_or_none, zone_of
from carewright.console.http.queues import WORK
from carewright.console.http.today import STATES
from carewright.contracts.queue import ListQueues, Queue
from carewright.contracts.scheduling import Appointment, ListAppointments

PATIENT = "/staff/patients/{id}"
VISIT = f"{BOARD}/visits/"
SHOWN_MAX = 20
BACK = timedelta(days=1)
"""A patient's page begins with yesterday's appointments."""


class Hit(NamedTuple):
    """Something that was found, and where it is."""

    text: str
    detail: str
    href: str


class Way(NamedTuple):
    """Where somebody at the desk came from, and goes on to: a queue, and a ticket of a kiosk there. Addresses carry ids alone."""

    queue_id: UUID | None = None
    walk_in_id: UUID | None = None

    @classmethod
    def of(cls, said: Mapping[str, str]) -> "Way":
        return cls(uuid_or_none(said.get("queue", "")), uuid_or_none(said.get("walk_in", "")))

    @property
    def named(self) -> dict[str, str]:
        """As an address or a form has it."""
        return {name: str(value) for name, value in (("queue", self.queue_id), ("walk_in", self.walk_in_id)) if value}

    @property
    def query(self) -> str:
        return f"?{urlencode(self.named)}" if self.named else ""

    async def queue(self, ask: Ask) -> Queue | None:
        """The queue, for whoever works in it."""
        if self.queue_id is None or not ask.ctx.actor.may(WORK):
            return None
        found = (await ask.ctx.queues.list_queues(ask.ctx.actor, ListQueues(queue_id=self.queue_id))).items
        return found[0].queue if found else None


async def show_patient(ask: Ask) -> Response:
    """One patient: the appointments from yesterday on, and what else can be opened about them."""
    query = ask.request.query_params
    patient = await ask.ctx.patients.get_patient(ask.ctx.actor, ask.id)
    wanted = ListAppointments(patient_id=patient.id, from_at=ask.ctx.clock.now() - BACK, limit=SHOWN_MAX)
    found = await ask.ctx.scheduling.list_appointments(ask.ctx.actor, wanted) if ask.ctx.actor.may(SEEN) else None
    way = Way.of(query)
    queue = await way.queue(ask)
    return ask.show(
        "patient.html", who=called(patient), patient=patient, visits=[visit_hit(each) for each in found.items] if found else [],
        more=bool(found and found.next), is_new=query.get("registered") == "yes", queue=queue, kiosk=await _kiosk(ask, queue, way),
        queues=await _queues(ask) if queue is None else [],
    )  # fmt: skip


def visit_hit(each: Appointment) -> Hit:
    """An appointment, and where it is opened."""
    local = each.start.astimezone(ZoneInfo(each.time_zone))
    state = STATES.get(each.status, each.status)
    return Hit(f"{local:%A, %d %B %Y, %H:%M}", f"{each.visit_type_name}, {each.site_name}: {state.lower()}", f"{VISIT}{each.id}")


async def _kiosk(ask: Ask, queue: Queue | None, way: Way) -> kiosks.Shown | None:
    """The tickets of kiosks in the queue, of which the patient may have one."""
    if queue is None:
        return None
    site = next((each for each in (await ask.ctx.directory.find_sites(ask.ctx.actor)).items if each.id == queue.site_id), None)
    shown = await kiosks.kiosks_of(ask, queue, zone_of(site))
    return shown._replace(chosen=way.walk_in_id or shown.chosen)


async def _queues(ask: Ask) -> list[Queue]:
    """The queues in which the member of staff can give a ticket."""
    if not ask.ctx.actor.may(WORK):
        return []
    found = (await ask.ctx.queues.list_queues(ask.ctx.actor, ListQueues())).items
    return sorted((each.queue for each in found), key=lambda queue: queue.name)
