"""Finding anything from anywhere: a page, a queue, a ticket, a site's board, a patient, an appointment.

What is looked for is posted, never in an address; patients are searched by the one search there is, with its permission and its entries in
the audit log.
"""

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple
from urllib.parse import urlencode
from uuid import UUID

import msgspec
from starlette.responses import Response

from carewright.console.http.beds import BEDS
from carewright.console.http.board import BOARD, SEEN
from carewright.console.http.coverage_words import called
from carewright.console.http.finding import born
from carewright.console.http.navigation import SLASH, navigation_of
from carewright.console.http.page import Ask, uuid_or_none
from carewright.console.http.patients import PATIENT, Hit, visit_hit
from carewright.console.http.queues import STATES as IN_QUEUE
from carewright.console.http.registering import NEW, REGISTER
from carewright.contracts.directory import Location
from carewright.contracts.kiosk import CODE_LETTERS, FindByCode
from carewright.contracts.patients import FindPatients
from carewright.contracts.queue import FindTickets, ListQueues
from carewright.contracts.scheduling import SearchAppointments
from carewright.kernel.errors import BadInput

FIND, QUEUES = "/staff/find", "/staff/queues"
PATIENTS = "Patients"
FINDS_PATIENTS, READS_QUEUES, WORKS_QUEUES = "patients.find", "flow.queue.read", "flow.queue.work"
READS_PLACES = "flow.place.read"
WORDS_MAX, HITS_MAX = 100, 8
YEAR_SECONDS = 365 * 86_400
CODE = re.compile(rf"[{CODE_LETTERS}]{{3}}[ -]?[{CODE_LETTERS}]{{3}}", re.IGNORECASE)
"""What a check-in code looks like; a name of six letters does, too, and is looked for as both."""
TICKET = re.compile(r"[A-Za-z]{1,3}\d{1,7}")
DATE = re.compile(r"\b\d{4}-\d{2}-\d{2}\b")


class Group(NamedTuple):
    words: str
    hits: Sequence[Hit]


async def show_find(ask: Ask) -> Response:
    """The field, and where one can go without looking for anything."""
    return await _shown(ask, "")


async def find(ask: Ask) -> Response:
    """What there is by these words."""
    return await _shown(ask, ask.form.get("words", "").strip()[:WORDS_MAX])


async def turn_slash(ask: Ask) -> Response:
    """Whether a single key opens the search, in this browser: speech and slips press keys, too (WCAG 2.2, 2.1.4)."""
    response = ask.go(FIND)
    ask.cookies.put(response, SLASH, "off" if ask.form.get("slash") == "off" else "on", YEAR_SECONDS)
    return response


def wanted(words: str) -> FindPatients | None:
    """A patient as somebody types one: "Meyer", "Meyer, Anna", "Meyer 1980-02-29". None where that is too little to look for."""
    dates = DATE.findall(words)
    given = {"family": " ".join(DATE.sub(" ", words).split()) or None, "birth_on": dates[0] if dates else None, "limit": HITS_MAX}
    try:
        return msgspec.convert(given, FindPatients) if given["family"] or dates else None
    except msgspec.ValidationError:
        return None


async def _shown(ask: Ask, words: str) -> Response:
    """What was found. Where that is patients, or nothing, registering somebody new comes last: Enter opens what was found before."""
    found = await _groups(ask, words)
    is_nothing = bool(words) and not found
    is_somebody = is_nothing or any(each.words == PATIENTS for each in found)
    others = [Group("Somebody new", [Hit("Register a new patient", "", NEW)])] if is_somebody and ask.ctx.actor.may(REGISTER) else []
    return ask.show("find.html", words=words, groups=found + others, is_nothing=is_nothing, is_short=len(words) == 1)


async def _groups(ask: Ask, words: str) -> list[Group]:
    sites = await _sites(ask)
    groups = (
        Group(PATIENTS, await _patients(ask, words)), Group("Appointments", await _appointments(ask, words)),
        Group("Tickets", await _tickets(ask, words, sites)),
        Group("Pages", _fitting(words, (Hit(one.name, "", one.href) for one in navigation_of(ask.ctx.actor.permissions)))),
        Group("Queues", _fitting(words, await _queues(ask))), Group("Day boards", _fitting(words, _boards(ask, sites, BOARD, SEEN))),
        Group("Bed boards", _fitting(words, _boards(ask, sites, BEDS, READS_PLACES))),
    )  # fmt: skip
    return [each for each in groups if each.hits]


def _fitting(words: str, hits: Iterable[Hit]) -> list[Hit]:
    """Those in which every word begins one."""
    asked = words.casefold().split()
    return [hit for hit in hits if all(any(one.startswith(each) for one in hit.text.casefold().split()) for each in asked)][:HITS_MAX]


async def _patients(ask: Ask, words: str) -> list[Hit]:
    query = wanted(words)
    if query is None or uuid_or_none(words) or not ask.ctx.actor.may(FINDS_PATIENTS):
        return []
    try:
        found = await ask.ctx.patients.find_patients(ask.ctx.actor, query)
    except BadInput:
        return []
    return [Hit(called(each), born(each), PATIENT.format(id=each.id)) for each in found.items]


async def _appointments(ask: Ask, words: str) -> list[Hit]:
    """The one whose number was pasted, or whose check-in code was typed."""
    wanted_id = uuid_or_none(words)
    ids = (wanted_id,) if wanted_id else await _ids_of_code(ask, words)
    if not ids or not ask.ctx.actor.may(SEEN):
        return []
    found = await ask.ctx.scheduling.search_appointments(ask.ctx.actor, SearchAppointments(ids=ids, limit=HITS_MAX))
    return [visit_hit(each) for each in found.items]


async def _ids_of_code(ask: Ask, words: str) -> tuple[UUID, ...]:
    if not CODE.fullmatch(words.strip()) or not ask.ctx.actor.may(WORKS_QUEUES):
        return ()
    return (await ask.ctx.kiosks.find_by_code(ask.ctx.actor, FindByCode(code=words))).appointment_ids


async def _queues(ask: Ask) -> list[Hit]:
    if not ask.ctx.actor.may(READS_QUEUES):
        return []
    found = (await ask.ctx.queues.list_queues(ask.ctx.actor, ListQueues())).items
    opens = ask.ctx.actor.may(WORKS_QUEUES)
    return [Hit(one.queue.name, f"{sum(one.waiting)} waiting", f"{QUEUES}/{one.queue.id}" if opens else QUEUES) for one in found]


async def _tickets(ask: Ask, words: str, sites: Sequence[Location]) -> list[Hit]:
    """The queues in which somebody has this ticket now."""
    if not TICKET.fullmatch(words) or not ask.ctx.actor.may(WORKS_QUEUES):
        return []
    found = (await ask.ctx.queues.find_tickets(ask.ctx.actor, FindTickets(ticket=words))).items
    names = {each.id: each.name for each in sites}
    return [
        Hit(each.ticket, f"{each.queue_name}, {names.get(each.site_id, '')}: {IN_QUEUE[each.status]}", f"{QUEUES}/{each.queue_id}")
        for each in found
    ]


async def _sites(ask: Ask) -> Sequence[Location]:
    """Every site, for whoever may find anything of one."""
    if not any(map(ask.ctx.actor.may, (SEEN, READS_PLACES, WORKS_QUEUES))):
        return ()
    return (await ask.ctx.directory.find_sites(ask.ctx.actor)).items


def _boards(ask: Ask, sites: Iterable[Location], board: str, permission: str) -> list[Hit]:
    """A board of each site."""
    if not ask.ctx.actor.may(permission):
        return []
    return [Hit(each.name, "today", f"{board}?{urlencode({'place': str(each.id)})}") for each in sites]
