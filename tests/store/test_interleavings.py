"""Two and three sessions at the ledger at once, in every order.

Each pair of operations works on one cell: a physician, a room and a few appointments that nobody else touches. The sessions are processes
of their own with their own live copies, which know of the cell's appointments or, where two exchange their times, do not.

What is covered:

- Two sessions: every order of all steps, for all pairs of the 13 operations, an operation with itself included. A step is a statement that
  takes a lock, waits for one or reads what others may write, and each commit. Statements that only write rows that nobody else can see or
  lock before the commit (the event, the appointment's row once it is locked, hours and openings of a locked calendar) run on with the step
  before them: they commute with every step of the others, so no order is lost.
- Three sessions: (A, A, B) and (A, B, B) for all pairs, and (A, A, A), with two steps a session: all its statements, and its commit. An
  operation of several transactions has a commit for each.
- Sessions that do the same are interchangeable, so the second of them never begins before the first.

After each run: nobody was locked out; no two claims overlap; an appointment holds all its claims or none; the operations that were
acknowledged have an order, one after another, in which a plain model accepts each of them, reports the same hits, and ends in
the state found; each refused one would be refused by that model at some point of that order, and has left neither an appointment nor an
event; each appointment's events count up without a gap to the version stored, and agree with every answer given.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
import pytest

from carewright.contracts.scheduling import Appointment, BookAppointment, HoldTime
from carewright.kernel.db import Database
from carewright.kernel.errors import Refusal
from carewright.kernel.ids import Ids
from carewright.kernel.sql import Query
from carewright.scheduling.model.appointment import claims_of
from carewright.scheduling.service import book
from tests.interleaving import GatedDatabase, Run, Session, Turns, Work, run_in_order
from tests.samples import known_id
from tests.scheduling_cell import (
    FIRST,
    KEPT,
    OPERATIONS,
    PATIENTS,
    SECOND,
    WANTED,
    Cell,
    Found,
    Part,
    accounted_for,
    context_of,
    do,
    parts_of,
    setting_of,
)
from tests.scheduling_world import MONDAY, Process, World, invent, processes_on, store_world

COMMUTES = frozenset({
    "save_appointment", "append_events", "insert_appointments", "insert_block", "save_hours", "delete_openings", "insert_openings",
    "keep_version", "raise_calendar_version", "claims_of_appointment", "live_holds_of_patient", "has_earlier_visit", "block_schedule",
})  # fmt: skip
CELLS = 100
SESSIONS_MAX = 3
AFTER_EXPIRY = timedelta(seconds=700)
BACKEND = Query("test.backend", "SELECT pg_backend_pid() AS pid")
FOUND = Query("test.found", """
WITH mine AS (SELECT id, status, starts_at, expires_at, version, value FROM scheduling.appointment
              WHERE organization_id = $1 AND patient_id = ANY($2)),
     claims AS (SELECT schedule_id, lane, starts_at, ends_at, appointment_id FROM scheduling.claim
                WHERE organization_id = $1 AND (schedule_id = ANY($3) OR schedule_id = ANY($2))),
     events AS (SELECT payload, actor, topic FROM kernel.outbox WHERE xid >= $4::text::xid8 AND organization_id = $1)
SELECT (SELECT json_agg(mine) FROM mine)::text, (SELECT json_agg(claims) FROM claims)::text, (SELECT json_agg(events) FROM events)::text,
       pg_snapshot_xmin(pg_current_snapshot())::text
""")  # fmt: skip
NOTHING_HELD = """
WITH gone AS (DELETE FROM scheduling.appointment WHERE expires_at IS NOT NULL RETURNING organization_id, id)
DELETE FROM scheduling.claim c USING gone g WHERE c.organization_id = g.organization_id AND c.appointment_id = g.id
"""


def every_step(own: frozenset[UUID], name: str, args: Sequence[Any], before: str | None) -> bool:
    """`own` are the patients of whom only this session knows."""
    if name == "claim_time" and before == "release_claims":
        return False  # the last step of a move: on time that is its own already
    if name in ("claim_time", "taken_lanes") and own.issuperset(args[1]):
        return False
    return before is None or name not in COMMUTES


def only_the_first(own: frozenset[UUID], name: str, args: Sequence[object], before: str | None) -> bool:
    return before is None


class Ground:
    """Sessions on one database, and cells to use up."""

    def __init__(self, desk: Process, others: Sequence[Process], sessions: Sequence[Session], monitor: Any, ids: Ids) -> None:
        self.desk = desk
        self.others = others
        self.sessions = sessions
        self.monitor = monitor
        self._ids = ids
        self._world: World | None = None
        self._used = 0
        self._since = "0"

    async def cell(self) -> Cell:
        if self._world is None or self._used == CELLS:
            self._world = await store_world(self.desk, invent(self._ids, physicians=CELLS, rooms=CELLS, patients=CELLS * PATIENTS))
            self._used = 0
            for process in (self.desk, *self.others):
                await process.live.of(self._world.organization_id)
        self._used += 1
        return Cell(self._world, self._used - 1)

    async def prepare(self, parts: Sequence[Part]) -> Cell:
        """A cell with its appointments. The sessions' copies show them, unless two are to exchange their times."""
        self.desk.clock.instant = MONDAY
        cell, wanted = await self.cell(), setting_of(parts)
        unseen = {"asked", "booked"} if any(part.operation == "exchange" for part in parts) else set()
        for number, (name, start) in enumerate({"asked": FIRST, "booked": SECOND, "held": KEPT, "in the way": WANTED}.items()):
            if name in wanted:
                cell.appointments[name] = made = await self._book(name, cell, start, cell.patient(number))
                for process in self.others:
                    copy = await process.live.of(cell.world.organization_id)
                    claims = [] if name in unseen else list(claims_of(made))
                    copy.take(claims)
                    copy.note_hold(made.id, made.expires_at, tuple(claims))
        if any(part.operation == "expire" for part in parts):
            self.desk.clock.instant = MONDAY + AFTER_EXPIRY
        return cell

    async def _book(self, name: str, cell: Cell, start: datetime, patient_id: UUID) -> Appointment:
        role = "scheduler" if name == "booked" else "patient"
        ctx = self.desk.acting(role, cell.world, patient_id=patient_id, subject="desk")
        if name in ("held", "in the way"):
            return await book.hold_time(ctx, HoldTime(time=cell.at(start), patient_id=patient_id))
        return await book.book_appointment(ctx, BookAppointment(time=cell.at(start), patient_id=patient_id))

    async def found(self, cell: Cell) -> Found:
        row = await self.monitor.fetchrow(
            FOUND.text, cell.world.organization_id, cell.patients, [cell.physician, cell.room], self._since
        )  # fmt: skip
        *found, self._since = row
        appointments, claims, events = (msgspec.json.decode(column) if column else [] for column in found)
        if any(each["expires_at"] for each in appointments):
            await self.monitor.execute(NOTHING_HELD)
        # A vacuum's transaction may have let in events of the run before.
        mine = {str(each) for each in (*cell.patients, cell.physician)}
        return Found(appointments, claims, [each for each in events if mine & {*_texts(each["payload"])}])


@pytest.fixture(scope="module")
async def ground(database_url: str) -> AsyncIterator[Ground]:
    async with AsyncExitStack() as stack:
        db = await Database.connect(database_url, "carewright_scheduling", 2)
        stack.push_async_callback(db.close)
        desk, *others = processes_on(db, 1 + SESSIONS_MAX)
        sessions = []
        for number in range(SESSIONS_MAX):
            own = await Database.connect(database_url, "carewright_scheduling", 1)
            stack.push_async_callback(own.close)
            gated = GatedDatabase(own, partial(every_step, frozenset[UUID]()))
            others[number] = others[number].on(gated)
            row = await own.of(known_id(1)).fetch_one(BACKEND)
            assert row is not None
            sessions.append(Session(gated, row["pid"]))
        monitor = await asyncpg.connect(database_url, server_settings={"timezone": "UTC"})
        stack.push_async_callback(monitor.close)
        yield Ground(desk, others, sessions, monitor, desk.ids)


Policy = Callable[[frozenset[UUID], str, Sequence[Any], str | None], bool]


async def explore(ground: Ground, operations: Sequence[str], gating: Policy) -> None:
    """Run the operations in every order."""
    parts = parts_of(operations)
    sessions = ground.sessions[: len(parts)]
    turns = Turns(sessions, ground.monitor)
    twins = [_twin(part, parts) for part in parts]
    prefix: list[int] | None = []
    while prefix is not None:
        cell = await ground.prepare(parts)
        for session in sessions:
            session.database.gating = partial(gating, cell.own)
        works = [_work(part, ground.others[part.session], cell) for part in parts]
        run = await run_in_order(turns, sessions, works, prefix, twins)
        await _ensure_right(ground, parts, run, cell)
        prefix = run.next_prefix()


def _texts(payload: dict[str, Any]) -> list[str]:
    return [value for value in payload.values() if isinstance(value, str)]


def _twin(part: Part, parts: Sequence[Part]) -> int | None:
    """The last session before this one that does the same, if there is one."""
    return next((other.session for other in parts[: part.session][::-1] if other.operation == part.operation), None)


def _work(part: Part, process: Process, cell: Cell) -> Work:
    async def work(_: GatedDatabase) -> object:
        return await do(part, context_of(part, process, cell), cell)

    return work


async def _ensure_right(ground: Ground, parts: Sequence[Part], run: Run, cell: Cell) -> None:
    found = await ground.found(cell)
    expired = any(part.operation == "expire" for part in parts)
    try:
        assert all(outcome.status < 500 for outcome in run.outcomes if isinstance(outcome, Refusal)), "a fault on our side"
        found.ensure_no_overlap()
        found.ensure_all_claims_or_none()
        found.ensure_told(parts, run.outcomes)
        assert accounted_for(parts, run.outcomes, cell, found, expired=expired), "no order of the operations explains this"
    except AssertionError as fault:
        answers = [outcome.code if isinstance(outcome, Refusal) else type(outcome).__name__ for outcome in run.outcomes]
        fault.add_note(f"{[part.operation for part in parts]} in the order {' '.join(run.steps)} answered {answers}")
        raise


@pytest.mark.parametrize("first", OPERATIONS)
async def test_two_sessions_in_every_order(ground: Ground, first: str) -> None:
    for second in OPERATIONS[OPERATIONS.index(first) :]:
        await explore(ground, [first, second], every_step)


@pytest.mark.parametrize("first", OPERATIONS)
async def test_three_sessions_in_every_order_of_work_and_commit(ground: Ground, first: str) -> None:
    for second in OPERATIONS[OPERATIONS.index(first) :]:
        for operations in {(first, first, second), (first, second, second)}:
            await explore(ground, operations, only_the_first)
