"""The day board: a day of a site with its practitioners, rooms and devices as rows, kept up by itself, and nobody's name."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

from starlette.responses import Response

from carewright.console.http.board_layout import Span, clock, hours_of, lanes_of, span_of
from carewright.console.http.page import Ask, zone_of
from carewright.console.http.sites import site_named
from carewright.console.http.today import STATES, day_in, expected_at, expected_words
from carewright.contracts.board import Board, BoardRow, BoardVisit, InUse, ReadBoard, Stretch, Taken
from carewright.contracts.delays import ExpectedStart
from carewright.contracts.directory import ActorKind, FindServices, Location, ServiceSummary
from carewright.kernel.server_sent import text_of

BOARD = "/staff/board"
SEEN = "scheduling.appointment.any_patient"
MOVE = "scheduling.appointment.reschedule"
KINDS: Mapping[ActorKind, str] = {
    "practitioner": "Practitioners", "nurse": "Nurses", "technician": "Technicians", "room": "Rooms", "device": "Devices",
    "lab-bench": "Lab benches", "bed": "Beds",
}  # fmt: skip
USUAL: tuple[ActorKind, ...] = ("practitioner", "room", "device")
"""What is shown where no kind is asked for."""
ZOOMS = ("1", "2", "3", "4")
USUAL_ZOOM = "2"
CHOICES = ("place", "service", "kind", "zoom")
ROWS_MAX = 100
"""As many rows as a page has; the others are on further pages."""
SERVICES_MAX = 200
HELD = "Held"
MINUTE = timedelta(minutes=1)


class Piece(NamedTuple):
    """Working time, a block, or what a turn takes."""

    css: str
    words: str


class Block(NamedTuple):
    """An appointment in a row. `shift` is how many minutes after it begins the row is taken, less than none with a buffer before it.

    `expected` says when it begins, where that is later than booked.
    """

    visit: BoardVisit
    shift: int
    span: Span
    lane: int
    state: str
    is_late: bool
    expected: str
    expected_version: int

    @property
    def css(self) -> str:
        late = " visit--late" if self.is_late else ""
        return f"visit visit--{self.visit.status} {self.span.place} lane-{self.lane}{late}"


class Use(NamedTuple):
    """Time that a turn in a queue takes."""

    entry_id: UUID
    piece: Piece


class Row(NamedTuple):
    id: UUID
    name: str
    openings: Sequence[Piece]
    blocks: Sequence[Piece]
    uses: Sequence[Use]
    visits: Sequence[Block]

    @property
    def lanes(self) -> int:
        """How many lie above each other, at least one."""
        return max((each.lane for each in self.visits), default=0) + 1


class Part(NamedTuple):
    """A page of rows, from the one whose number is `first` on, counted from 0."""

    number: int
    first: int
    words: str
    href: str


class Day(NamedTuple):
    """The day that is asked for at its site, and what of it begins later than booked."""

    date: date
    zone: ZoneInfo
    now: datetime
    late: Mapping[UUID, ExpectedStart]

    @property
    def start(self) -> datetime:
        return datetime.combine(self.date, time.min, self.zone)

    @property
    def end(self) -> datetime:
        return datetime.combine(self.date + timedelta(days=1), time.min, self.zone)

    @property
    def minute(self) -> int | None:
        """The minute that it is; None on another day."""
        local = self.now.astimezone(self.zone)
        return local.hour * 60 + local.minute if local.date() == self.date else None

    def span(self, of: Taken | Stretch | InUse) -> Span:
        return span_of(of.start, of.end, self.date, self.zone)


async def show_board(ask: Ask) -> Response:
    """The board of a site's day; without a site, the question which."""
    query = ask.request.query_params
    ask.ctx.actor.require(SEEN)
    sites = (await ask.ctx.directory.find_sites(ask.ctx.actor)).items
    services = (await ask.ctx.directory.find_services(ask.ctx.actor, FindServices(limit=SERVICES_MAX))).items
    site = site_named(sites, query.get("place", ""))
    asked = day_in(query.get("day", ""))
    service = next((one for one in services if str(one.service.id) == query.get("service")), None)
    kind = next((one for one in KINDS if one == query.get("kind")), None)
    zoom = query.get("zoom", USUAL_ZOOM) if query.get("zoom") in ZOOMS else USUAL_ZOOM
    common: dict[str, Any] = {
        "sites": sites, "services": services, "asked": asked, "service": service, "kind": kind, "zoom": zoom, "kinds": KINDS,
    }  # fmt: skip
    if site is None:
        return ask.show("board.html", site=None, **common)
    place = text_of(await ask.ctx.feed.place())  # before the board is read, so that no fact is missed in between
    now, zone = ask.ctx.clock.now(), zone_of(site)
    day = Day(asked or now.astimezone(zone).date(), zone, now, await expected_at(ask, site.id))
    board = await ask.ctx.scheduling.read_board(ask.ctx.actor, _question(site, day, kind, service))
    rows = board.rows if kind else sorted(board.rows, key=lambda each: USUAL.index(each.kind))
    parts = parts_of(query, len(rows))
    part = next((each for each in parts if str(each.number) == query.get("part")), parts[0])
    shown = rows[part.first : part.first + ROWS_MAX]
    groups = _groups(board, shown, day)
    from_hour, until_hour = hours_of([*_spans(shown, groups, day), *map(day.span, board.in_use)])
    return ask.show(
        "board.html", site=site, day=day, place=place, groups=groups, part=part, parts=parts, from_hour=from_hour,
        until_hour=until_hour, hours=range(from_hour, until_hour), names=_names(services, service, board), states=STATES, held=HELD,
        may_move=ask.ctx.actor.may(MOVE), as_of=clock(now.astimezone(zone).hour * 60 + now.astimezone(zone).minute),
        at_now=Span(day.minute, day.minute).place if day.minute is not None else "", link=lambda step: _link(query, day, step), **common,
    )  # fmt: skip


def _question(site: Location, day: Day, kind: ActorKind | None, service: ServiceSummary | None) -> ReadBoard:
    kinds_of_visits = tuple(each.id for each in service.visit_types) if service else ()
    return ReadBoard(site_id=site.id, from_at=day.start, until_at=day.end, kinds=(kind,) if kind else USUAL, visit_type_ids=kinds_of_visits)


def _link(query: Mapping[str, str], day: Day, step: int) -> str:
    """The board of the day before or after, by the same choices; without a step, of today."""
    kept = {name: query[name] for name in CHOICES if query.get(name)}
    return f"{BOARD}?{urlencode(kept | ({'day': str(day.date + timedelta(days=step))} if step else {}))}"


def parts_of(query: Mapping[str, str], rows: int) -> list[Part]:
    """The pages of so many rows, of the same board; one where there are none."""
    kept = {name: query[name] for name in (*CHOICES, "day") if query.get(name)}
    firsts = enumerate(range(0, max(rows, 1), ROWS_MAX), 1)
    return [
        Part(number, first, f"Rows {first + 1} to {min(first + ROWS_MAX, rows)}", f"{BOARD}?{urlencode(kept | {'part': str(number)})}")
        for number, first in firsts
    ]


def _names(services: Iterable[ServiceSummary], service: ServiceSummary | None, board: Board) -> Mapping[UUID, str]:
    """How kinds of visits are called: of the service that is shown, or of all."""
    offered = {each.id: each.name for one in ([service] if service else services) for each in one.visit_types}
    return offered | {each.visit_type_id: each.visit_type_name for each in board.visits}


def _spans(rows: Sequence[BoardRow], groups: Iterable[tuple[str, list[Row]]], day: Day) -> Iterable[Span]:
    """When anybody works or is taken."""
    yield from (day.span(each) for row in rows for each in row.openings)
    yield from (each.span for _, found in groups for row in found for each in row.visits)


def _groups(board: Board, rows: Sequence[BoardRow], day: Day) -> list[tuple[str, list[Row]]]:
    """The rows under what they are."""
    visits: defaultdict[UUID, list[tuple[BoardVisit, Taken]]] = defaultdict(list)
    for each in board.visits:
        for taken in each.taken:
            visits[taken.actor_id].append((each, taken))
    uses: defaultdict[UUID, list[Use]] = defaultdict(list)
    for use in board.in_use:
        for schedule_id in use.schedule_ids:
            uses[schedule_id].append(Use(use.entry_id, *_pieces((use,), day)))
    return [
        (words, found)
        for kind, words in KINDS.items()
        if (found := [_row(row, visits[row.schedule_id], uses[row.schedule_id], day) for row in rows if row.kind == kind])
    ]


def _row(row: BoardRow, visits: Sequence[tuple[BoardVisit, Taken]], uses: Sequence[Use], day: Day) -> Row:
    visits = sorted(visits, key=lambda each: each[1].start)
    spans = [day.span(taken) for _, taken in visits]
    blocks = [_block(each, taken, span, lane, day) for (each, taken), span, lane in zip(visits, spans, lanes_of(spans), strict=True)]
    return Row(row.schedule_id, row.display, _pieces(row.openings, day), _pieces(row.blocks, day), uses, blocks)


def _block(visit: BoardVisit, taken: Taken, span: Span, lane: int, day: Day) -> Block:
    state, late = HELD if visit.expires_at else STATES[visit.status], day.late.get(visit.id)
    return Block(
        visit, (taken.start - visit.start) // MINUTE, span, lane, state, _is_late(visit, day),
        expected_words(late, day.zone) if late else "", late.version if late else 0,
    )  # fmt: skip


def _pieces(stretches: Sequence[Stretch | InUse], day: Day) -> list[Piece]:
    return [Piece(span.place, span.words) for span in map(day.span, stretches)]


def _is_late(visit: BoardVisit, day: Day) -> bool:
    """Whether somebody should be here by now and is not."""
    return visit.status == "booked" and day.minute is not None and visit.start < day.now
