"""The bed board: the rooms and beds of a site by where they are, how each stands and who is in it, kept up by itself."""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from starlette.responses import Response

from carewright.console.http import bed_waiting
from carewright.console.http import bed_words as words
from carewright.console.http.finding import names_of_patients
from carewright.console.http.page import Ask, valid, zone_of
from carewright.console.http.sites import site_named, sites_of
from carewright.contracts.directory import FindEntries, Location
from carewright.contracts.flow import PlaceStepNotAllowed, StatusNotAllowed
from carewright.contracts.rooms import (
    CountPlaces,
    ListPlaces,
    Place,
    PlaceCount,
    PlaceKind,
    PlaceStatus,
    SetPrecautions,
    StepPlace,
)
from carewright.kernel.errors import PreconditionFailed
from carewright.kernel.server_sent import text_of

BEDS, WORK = bed_waiting.BEDS, bed_waiting.WORK
BED = f"{BEDS}/{{id}}"
CHANGE = "flow.place.change"
WATCHED = {"place": "flow.place.read", "bed-request": "flow.place.read", "sensed": "flow.sensor.read"}
"""What the page follows, by what one may."""
TILES_MAX = 240
"""As many as a page has; whoever wants others chooses a type."""
PAGE_SIZE, PAGES_MAX = 1000, 5
NAMED_MAX, IDS_MAX = 1000, 100
FASTER = "Somebody else was faster. This is how it stands now."
OVER = "The visit is over already. This is how it stands now."


class Tile(NamedTuple):
    """A place, as the board shows it. `who` is None where the page shows that already, or may not."""

    place: Place
    state: str
    tag: str
    since: str
    features: str
    sensed: str
    who: str | None


class Ward(NamedTuple):
    """Places of one type in one part of the house."""

    name: str
    tiles: Sequence[Tile]


class Choice(NamedTuple):
    """What of a site is shown."""

    site: Location
    kind: PlaceKind
    room_type: str | None

    @property
    def query(self) -> str:
        """The choice as an address has it."""
        return urlencode({"place": str(self.site.id), "kind": self.kind} | ({"type": self.room_type} if self.room_type else {}))


async def show_beds(ask: Ask) -> Response:
    """The board of a site; without a site, the question which."""
    return await _board(ask, frozenset())


async def show_tiles(ask: Ask) -> Response:
    """How the board stands now, for a page that shows it: it is told of those alone whom it does not know yet."""
    return await _board(ask, frozenset(ask.form.get("known", "").split()))


async def _board(ask: Ask, known: Collection[str]) -> Response:
    query = ask.request.query_params
    sites = await sites_of(ask)
    site = site_named(sites, query.get("place", ""))
    common: dict[str, Any] = {"sites": sites, "kinds": words.KINDS}
    if site is None:
        return ask.show("beds.html", site=None, **common)
    place = text_of(await ask.ctx.feed.place())  # before the board is read, so that no fact is missed in between
    counts = (await ask.ctx.rooms.count_places(ask.ctx.actor, CountPlaces(site_id=site.id))).items
    choice = _chosen(site, query, counts)
    found = await _places(ask, ListPlaces(site_id=site.id, kind=choice.kind, room_type=choice.room_type, whose=False, limit=PAGE_SIZE))
    names = await names_of(ask, found)
    found.sort(key=lambda each: (names.get(each.part_of_id, ""), names.get(each.room_type, ""), each.name))
    now, zone = ask.ctx.clock.now(), zone_of(site)
    wards = await _wards(ask, found[:TILES_MAX], names, known, now, zone)
    waiting = await bed_waiting.waiting_at(ask, site, names, known) if choice.kind == "bed" else None
    types = {each.room_type for each in counts if each.kind == choice.kind and each.room_type}
    return ask.show(
        "beds.html", site=site, place=place, choice=choice, wards=wards, more=max(0, len(found) - TILES_MAX),
        totals=_totals(counts, choice), types=sorted((names.get(each) or words.word_of(each), each) for each in types),
        kinds_told=[kind for kind, permission in WATCHED.items() if ask.ctx.actor.may(permission)],
        as_of=f"{now.astimezone(zone):%H:%M}", may_work=ask.ctx.actor.may(WORK), waiting=waiting,
        said=_said(query.get("done", ""), found), cancelled=bed_waiting.CANCELLED, **common,
    )  # fmt: skip


def _said(done: str, found: Sequence[Place]) -> str:
    """What was done last, as the address has it."""
    what, _, of = done.partition(".")
    name = next((each.name for each in found if str(each.id) == of), "")
    return words.DONE[what].format(name=name) if name and what in words.DONE else bed_waiting.SAID.get(done, "")


def _chosen(site: Location, query: Mapping[str, str], counts: Sequence[PlaceCount]) -> Choice:
    """What is asked for; beds where there are any."""
    kinds = {each.kind for each in counts}
    usual: PlaceKind = next((kind for kind in words.KINDS if kind in kinds), "bed")
    kind = next((one for one in words.KINDS if one == query.get("kind")), usual)
    room_type = next((each.room_type for each in counts if each.kind == kind and each.room_type == query.get("type")), None)
    return Choice(site, kind, room_type)


def _totals(counts: Sequence[PlaceCount], choice: Choice) -> Sequence[tuple[PlaceStatus, str, int]]:
    """How many stand how, of those that were asked for."""
    sums: Counter[PlaceStatus] = Counter()
    for each in counts:
        if each.kind == choice.kind and choice.room_type in (None, each.room_type):
            sums[each.status] += each.count
    return [(status, state, sums[status]) for status, state in words.STATES.items()]


async def _places(ask: Ask, query: ListPlaces) -> list[Place]:
    found: list[Place] = []
    for _ in range(PAGES_MAX):
        page = await ask.ctx.rooms.list_places(ask.ctx.actor, query)
        found += page.items
        if page.next is None:
            break
        query = msgspec.structs.replace(query, after=page.next)
    return found


async def names_of(ask: Ask, found: Sequence[Place]) -> dict[UUID | str | None, str]:
    """How parts of the house and types of places are called, by id and by code: of each type the directory's word at one of its places."""
    of_type = {each.room_type: each.id for each in found if each.room_type}
    ids = tuple(dict.fromkeys([*of_type.values(), *(each.part_of_id for each in found if each.part_of_id)]))[:NAMED_MAX]
    if not ids:
        return {}
    asked = FindEntries(resource_type="Location", ids=ids, limit=NAMED_MAX)
    known = {each.id: each for each in (await ask.ctx.directory.find_entries(ask.ctx.actor, asked)).locations}
    names: dict[UUID | str | None, str] = {each.id: each.name for each in known.values()}
    for code, place_id in of_type.items():
        entry = known.get(place_id)
        names[code] = (entry.room_type.display if entry and entry.room_type else "") or words.word_of(code)
    return names


async def _wards(
    ask: Ask, found: Sequence[Place], names: Mapping[UUID | str | None, str], known: Collection[str], now: datetime, zone: ZoneInfo
) -> list[Ward]:  # fmt: skip
    """The places under where they are and what they are, each with who is in it."""
    unknown = [each.id for each in found if each.status == "occupied" and words.key_of(each) not in known]
    told = {each.id: each for each in await _with_whom(ask, found[0].site_id, unknown)} if unknown and ask.ctx.actor.may(WORK) else {}
    patients = await names_of_patients(ask, (each.patient_id for each in told.values()))
    groups: defaultdict[str, list[Tile]] = defaultdict(list)
    for each in found:
        shown = told.get(each.id, each)
        ward = ", ".join(filter(None, (names.get(each.part_of_id), names.get(each.room_type))))
        groups[ward or "Elsewhere"].append(_tile(shown, patients, now, zone))
    return [Ward(name, tiles) for name, tiles in groups.items()]


async def _with_whom(ask: Ask, site_id: UUID, ids: Sequence[UUID]) -> Sequence[Place]:
    asked = [ListPlaces(site_id=site_id, ids=tuple(ids[at : at + IDS_MAX])) for at in range(0, len(ids), IDS_MAX)]
    return [place for each in asked for place in (await ask.ctx.rooms.list_places(ask.ctx.actor, each)).items]


def _tile(place: Place, patients: Mapping[UUID, str], now: datetime, zone: ZoneInfo) -> Tile:
    who = patients.get(place.patient_id, bed_waiting.UNNAMED) if place.patient_id else None
    return Tile(place, *state_of(place, now, zone), words.features_of(place), words.sensed(place), who)


def state_of(place: Place, now: datetime, zone: ZoneInfo) -> tuple[str, str, str]:
    """How it stands in words, its tag, and since when."""
    reason = f": {words.CLOSED[place.reason].lower()}" if place.reason else ""
    since = words.clock_of(place.since, now, zone) if place.since else ""
    return words.STATES[place.status] + reason, words.TAGS[place.status], since


async def show_bed(ask: Ask) -> Response:
    """One room or bed, and what can be done with it."""
    return await _shown(ask)


async def step(ask: Ask) -> Response:
    """One step of one place, as the page showed it; what somebody else did meanwhile stands, and is shown."""
    given = {"place_id": str(ask.id), "action": ask.form.get("action"), "reason": ask.form.get("reason", "other")}
    command = valid(StepPlace, given | {"expected_version": ask.version})
    try:
        place = await ask.ctx.rooms.step_place(ask.ctx.actor, command, ask.key)
    except (PlaceStepNotAllowed, PreconditionFailed):
        return await _shown(ask, 409, FASTER)
    except StatusNotAllowed:
        return await _shown(ask, 409, OVER)
    return ask.go(board_of(place, command.action))


async def set_precautions(ask: Ask) -> Response:
    """What the place is fit for."""
    given = {"place_id": str(ask.id), "precautions": words.ticked(ask.form), "expected_version": ask.version}
    command = valid(SetPrecautions, given)
    try:
        await ask.ctx.rooms.set_precautions(ask.ctx.actor, command, ask.key)
    except PreconditionFailed:
        return await _shown(ask, 409, FASTER)
    return ask.go(BED.format(id=ask.id))


def board_of(place: Place, done: str = "") -> str:
    """The board with this place on it."""
    query = {"place": str(place.site_id), "kind": place.kind} | ({"done": f"{done}.{place.id}"} if done else {})
    return f"{BEDS}?{urlencode(query)}#{place.id}"


async def _shown(ask: Ask, status: int = 200, error: str = "") -> Response:
    place = await ask.ctx.rooms.get_place(ask.ctx.actor, ask.id)
    site = next((each for each in await sites_of(ask) if each.id == place.site_id), None)
    names = await names_of(ask, [place])
    who = (await names_of_patients(ask, [place.patient_id])).get(place.patient_id, bed_waiting.UNNAMED) if place.patient_id else ""
    state, tag, since = state_of(place, ask.ctx.clock.now(), zone_of(site))
    may_work = ask.ctx.actor.may(WORK)
    return ask.show(
        "bed.html", status, place=place, board=board_of(place), where=names.get(place.part_of_id, ""), who=who, error=error,
        type=names.get(place.room_type, ""), equipment=", ".join(map(words.word_of, place.devices)), state=state, tag=tag, since=since,
        actions=[(each, words.LABELS[each]) for each in words.OFFERED[place.status]] if may_work else [], reasons=words.CLOSED,
        precautions=words.PRECAUTIONS, may_change=ask.ctx.actor.may(CHANGE), may_work=may_work,
    )  # fmt: skip


def clock_of_site(ask: Ask, site: Location, instant: datetime) -> str:
    """When it was by the site's clock."""
    return words.clock_of(instant, ask.ctx.clock.now(), zone_of(site))
