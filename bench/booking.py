"""Booking of practitioner, nurse and room by N clients on disjoint resources, beside pgbench with the same statement.

Both send the statement of `scheduling.book_appointment` to the same server with durable commits: claims of four schedules (the patient's
time is one), the appointment, its event, its audit entry and the caller's key. Both act as scheduling's role within one tenant, under the
same policies and settings of the session. pgbench is PostgreSQL's own load generator, in C, with prepared statements.
"""

import asyncio
import os
import re
import statistics
import time
from datetime import datetime, timedelta
from typing import Any

import msgspec

from bench.world import KINDS, MINUTES, ORGANIZATION, SITE, VISIT_TYPE, Ground, actor_id, clinic, context_of, patient_id, system
from carewright.contracts.scheduling import Appointment, BookAppointment, PickedTime
from carewright.kernel import audit, migrate
from carewright.kernel.context import Once
from carewright.kernel.db import session_settings
from carewright.kernel.errors import Refusal
from carewright.kernel.memory import set_aside
from carewright.kernel.sql import Query
from carewright.scheduling.context import SchedulingContext
from carewright.scheduling.model.appointment import began_as
from carewright.scheduling.service.book import book_appointment
from carewright.scheduling.store import Q, entry_of

CLIENTS = (1, 8, 32)
ROUNDS = 3
SECONDS = 5.0
PEOPLE = 32
KEY = b"\0" * 32


async def measure(ground: Ground, told: Any) -> list[dict[str, Any]]:
    """A row for each number of clients: our rate, pgbench's, their ratio, refusals. Medians over rounds that take turns."""
    dsn = await ground.database("booking")
    rows = []
    async with system(ground, dsn) as started:
        await clinic(started, PEOPLE, PEOPLE)
        context = context_of(started)
        calendars = await context.calendars()
        set_aside()
        first = calendars.index.horizon.origin + timedelta(days=2)
        ours = Ours(context, first, PEOPLE)
        await ours.run(1, 0.1)
        theirs = _Pgbench(ground, dsn, first + timedelta(days=45), await _stored(context))
        for clients in CLIENTS:
            pairs = []
            for number in range(ROUNDS):
                told(f"booking with {clients} clients, round {number + 1} of {ROUNDS}")
                await ours.run(clients, 1.0)
                mine = await ours.run(clients, SECONDS)
                rate = await theirs.run(clients, SECONDS)
                pairs.append((mine[0], rate, mine[0] / rate, mine[1]))
            rows.append(
                {
                    "clients": clients,
                    "bookings_per_second": statistics.median(pair[0] for pair in pairs),
                    "pgbench_per_second": statistics.median(pair[1] for pair in pairs),
                    "ratio": statistics.median(pair[2] for pair in pairs),
                    "refused": sum(pair[3] for pair in pairs),
                }
            )
    return rows


async def _stored(context: SchedulingContext) -> tuple[str, str, str]:
    """An appointment and its event as they are stored, and an entry of the journal as ours are, in JSON."""
    query = Query("bench.stored", """
        SELECT a.value::text AS body, o.payload::text AS fact FROM scheduling.appointment a JOIN kernel.outbox o ON o.subject = a.id LIMIT 1
    """)  # fmt: skip
    row = await context.db.fetch_one(query)
    if row is None:
        raise RuntimeError("nothing was booked")
    stored = msgspec.json.decode(row["body"], type=Appointment)
    return row["body"], row["fact"], audit.body_of(entry_of(context, began_as(stored), "C", stored))


class Ours:
    """Clients of the use case in this process. Client n books its own three actors, five minutes after five minutes."""

    def __init__(self, context: SchedulingContext, first: datetime, people: int) -> None:
        self._context = context
        self._next = [first] * people
        self._booked = 0
        self._refused = 0

    async def run(self, clients: int, seconds: float) -> tuple[float, int]:
        """Bookings a second, and how many were refused."""
        self._booked = self._refused = 0
        started = time.perf_counter()
        await asyncio.gather(*(self._client(number, started + seconds) for number in range(clients)))
        return self._booked / (time.perf_counter() - started), self._refused

    async def _client(self, number: int, until: float) -> None:
        actors, patient = tuple(actor_id(kind, number) for kind in KINDS), patient_id(number)
        while time.perf_counter() < until:
            start = self._next[number]
            self._next[number] = start + timedelta(minutes=MINUTES)
            time_ = PickedTime(visit_type_id=VISIT_TYPE, site_id=SITE, start=start, actor_ids=actors)
            context = self._context.acting(self._context.actor, Once(f"{number} {start.isoformat()}", KEY))
            try:
                await book_appointment(context, BookAppointment(patient_id=patient, time=time_))
                self._booked += 1
            except Refusal:
                self._refused += 1


class _Pgbench:
    """pgbench on the same statement: appointment, event and entry as one of our bookings stored them, the rest made from a counter."""

    def __init__(self, ground: Ground, dsn: str, first: datetime, stored: tuple[str, str, str]) -> None:
        self._ground = ground
        self._dsn = dsn
        self._first = first
        self._stored = stored
        self._offset = 0

    async def run(self, clients: int, seconds: float) -> float:
        """Transactions a second. Raises when one failed: the comparison is with bookings that succeed."""
        script = self._ground.data / "book.sql"
        script.write_text(self._script())
        bodies = [word for name, value in zip(("body", "fact", "entry"), self._stored, strict=True) for word in ("-D", f"{name}={value}")]
        options = {"-M": "prepared", "-f": str(script), "-c": clients, "-j": min(clients, 2), "-T": int(seconds), "-D": f"n={self._offset}"}
        words = [str(word) for option in options.items() for word in option]
        process = await asyncio.create_subprocess_exec(
            self._ground.program("pgbench"),
            "-n",
            *bodies,
            *words,
            self._dsn,
            env=os.environ | {"PGOPTIONS": _options_of_session()},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        printed = (await process.communicate())[0].decode()
        rate = re.search(r"^tps = ([0-9.]+)", printed, re.MULTILINE)
        done = re.search(r"actually processed: (\d+)", printed)
        failed = re.search(r"failed transactions: (\d+)", printed)
        if process.returncode or rate is None or done is None or (failed and int(failed[1])):
            raise RuntimeError(f"pgbench did not finish cleanly:\n{printed}")
        self._offset += int(done[1]) + 1
        return float(rate[1])

    def _script(self) -> str:
        number = "lpad(:client_id::text, 12, '0')"
        ids = [f"('5000000{index}-0000-7000-8000-' || {number})::uuid" for index in range(len(KINDS))]
        patient = f"('60000000-0000-7000-8000-' || {number})::uuid"
        start = f"('{self._first.isoformat()}'::timestamptz + :n * interval '{MINUTES} minutes')"
        end = f"({start} + interval '{MINUTES} minutes')"
        schedules = ", ".join([*ids, patient])
        appointment = "('70000000-0000-7000-8000-' || lpad((:client_id * 10000000 + :n)::text, 12, '0'))::uuid"
        length = MINUTES * 60_000_000
        values = {
            1: f"'{ORGANIZATION}'::uuid", 2: appointment, 3: f"ARRAY[{', '.join(ids)}]", 4: "ARRAY[1, 1, 1]",
            5: f"ARRAY[{schedules}]", 6: "ARRAY[0, 0, 0, 0]", 7: f"ARRAY[{', '.join([str(length)] * 4)}]",
            8: "'booked'", 9: patient, 10: start, 11: end, 12: f"'{VISIT_TYPE}'::uuid", 13: "NULL::timestamptz", 14: ":body::jsonb",
            25: "gen_random_uuid()", 26: ":entry", 15: "NULL::bytea", 16: "gen_random_uuid()", 17: "'scheduling.appointment.booked.v1'",
            18: ":fact::jsonb", 19: "now()", 20: "gen_random_uuid()", 21: "'pgbench'", 22: "NULL::text",
            23: "(:client_id || ' ' || :n)", 24: "decode(repeat('00', 32), 'hex')", 27: "NULL::bytea", 28: "convert_to(:body, 'UTF8')",
            29: "NULL::uuid", 30: "gen_random_uuid()", 31: "NULL::text",
        }  # fmt: skip
        return "\\set n :n + 1\n" + re.sub(r"\$(\d+)", lambda match: values[int(match[1])], Q.book_appointment.text) + ";\n"


def _options_of_session() -> str:
    """The settings of our connections, and the tenant they stand in, as libpq takes them."""
    settings = session_settings(migrate.role_of("scheduling")) | {"carewright.organization_id": str(ORGANIZATION)}
    return " ".join(f"-c {name}={value.replace(' ', chr(92) + ' ')}" for name, value in settings.items())
