"""What is free for a practitioner and a room within 31 days? Asked of the demonstration hospital in three ways, beside a lower bound.

In process: the use case. Over HTTP: the whole server, one connection. By plain SQL: the same starts from the same data. The bound is the
bytes of bitmap such a search must read, divided by the memory bandwidth measured here.
"""

import statistics
import time
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg

from bench.availability import memory_bandwidth
from bench.serving import Client, server
from bench.world import Ground
from carewright.contracts.starts import FindTimes
from carewright.roles.lifecycle import System
from carewright.scheduling.context import SchedulingContext
from carewright.scheduling.live import Kind
from carewright.scheduling.service.find import find_times
from carewright.scheduling.service.picking import Wish, requirements_of

DAYS = 31
PAGE = 50
ROUNDS = 5
SQL_QUESTIONS = 8
SQL = """
    WITH starts AS MATERIALIZED (
        SELECT s AS starts_at, s + $5::interval AS ends_at FROM generate_series(
            to_timestamp(ceil(extract(epoch FROM $3::timestamptz) / $6) * $6), $4::timestamptz, make_interval(secs => $6)) s
    ), first AS MATERIALIZED (
        SELECT id FROM scheduling.schedule WHERE organization_id = $1 AND kind = $7 AND codes @> $8::text[] AND $2 = ANY (site_ids)
    ), second AS MATERIALIZED (
        SELECT id FROM scheduling.schedule WHERE organization_id = $1 AND kind = $9 AND codes @> $10::text[] AND $2 = ANY (site_ids)
    )
    SELECT starts_at FROM starts t
    WHERE EXISTS (
        SELECT FROM first s JOIN scheduling.opening o ON o.organization_id = $1 AND o.schedule_id = s.id AND o.site_id = $2
            AND o.starts_at <= t.starts_at AND o.ends_at >= t.ends_at
        WHERE NOT EXISTS (SELECT FROM scheduling.claim c WHERE c.organization_id = $1 AND c.schedule_id = s.id
                          AND tstzrange(c.starts_at, c.ends_at) && tstzrange(t.starts_at, t.ends_at)))
      AND EXISTS (
        SELECT FROM second s JOIN scheduling.opening o ON o.organization_id = $1 AND o.schedule_id = s.id AND o.site_id = $2
            AND o.starts_at <= t.starts_at AND o.ends_at >= t.ends_at
        WHERE NOT EXISTS (SELECT FROM scheduling.claim c WHERE c.organization_id = $1 AND c.schedule_id = s.id
                          AND tstzrange(c.starts_at, c.ends_at) && tstzrange(t.starts_at, t.ends_at)))
    ORDER BY starts_at
"""


async def measure(started: System, ground: Ground, organization_id: UUID, dsn: str, told: Any) -> list[dict[str, Any]]:
    """A row for each way of asking."""
    base: SchedulingContext = started.context("scheduling")
    context = base.acting(started.tokens.actor("front-desk", "bench", organization_id))
    calendars = await context.calendars()
    kinds = [
        kind for kind in calendars.visit_types.values() if sorted(each.kind for each in kind.value.requirements) == ["practitioner", "room"]
    ]
    questions = [_question(context, kind, min(kind.value.rules.site_ids or calendars.sites)) for kind in kinds]
    told(f"find, {len(questions)} questions of the demonstration hospital")
    inside, found = await _inside(context, questions)
    over_http = await _over_http(ground, dsn, started, organization_id, list(map(_path, questions)))
    by_fhir = await _over_http(ground, dsn, started, organization_id, [_fhir_path(context, each) for each in questions])
    by_sql, differ = await _by_sql(dsn, context, kinds, questions)
    bound = _bound(calendars, kinds, questions)
    plain = _row("plain SQL, starts only", by_sql, None) | {"answers_that_differ": differ}
    rows = [
        _row("in process, first 50 with actors chosen", inside, found / len(questions)),
        _row("over HTTP, the same", over_http, found / len(questions)),
        _row("over HTTP, FHIR $find, counted", by_fhir, found / len(questions)),
        plain,
        {"how": "lower bound: bytes read / bandwidth", "p50_ms": 1e3 * bound},
    ]
    for row in rows:
        row["to_bound"] = row["p50_ms"] / (1e3 * bound)
        row["to_sql"] = row["p50_ms"] / plain["p50_ms"]
    return rows


def _question(context: SchedulingContext, kind: Kind, site_id: UUID) -> FindTimes:
    return FindTimes(visit_type_id=kind.value.id, site_id=site_id, until_at=context.clock.now() + timedelta(days=DAYS), limit=PAGE)


async def _inside(context: SchedulingContext, questions: list[FindTimes]) -> tuple[list[float], int]:
    for question in questions:
        await find_times(context, question)
    seconds, found = [], 0
    for number in range(ROUNDS * len(questions)):
        began = time.perf_counter()
        page = await find_times(context, questions[number % len(questions)])
        seconds.append(time.perf_counter() - began)
        found += len(page.items)
    return seconds, found // ROUNDS


async def _over_http(ground: Ground, dsn: str, started: System, organization_id: UUID, paths: list[str]) -> list[float]:
    """Seconds for each question, over one kept connection."""
    token = started.tokens.issue(started.tokens.actor("front-desk", "bench", organization_id), timedelta(hours=1))
    async with server(ground, dsn) as (port, _), Client.of(port, token) as client:
        seconds = []
        for round_ in range(ROUNDS + 1):
            for path in paths:
                began = time.perf_counter()
                await client.get(path)
                if round_:
                    seconds.append(time.perf_counter() - began)
        return seconds


def _path(question: FindTimes) -> str:
    until = _until(question)
    return f"/api/v1/availability?visit_type_id={question.visit_type_id}&site_id={question.site_id}&limit={PAGE}&until_at={until}"


def _fhir_path(context: SchedulingContext, question: FindTimes) -> str:
    """IHE's $find, which counts all there are too."""
    start = context.clock.now().isoformat(timespec="seconds").replace("+00:00", "Z")
    return (
        f"/fhir/R4/Appointment/$find?start={start}&end={_until(question)}&visit-type={question.visit_type_id}"
        f"&location-reference=Location/{question.site_id}&_count={PAGE}"
    )


def _until(question: FindTimes) -> str:
    return question.until_at.isoformat(timespec="seconds").replace("+00:00", "Z") if question.until_at else ""


async def _by_sql(dsn: str, context: SchedulingContext, kinds: list[Kind], questions: list[FindTimes]) -> tuple[list[float], int]:
    """Seconds a question, and how many gave other starts than ours: the comparison is only fair if none did."""
    seconds, differ = [], 0
    connection = await asyncpg.connect(dsn)
    try:
        plain = [(kind, question) for kind, question in zip(kinds, questions, strict=True) if _is_plain(kind)]
        for kind, question in plain[:SQL_QUESTIONS]:
            arguments = _sql_arguments(context, kind, question)
            began = time.perf_counter()
            rows = await connection.fetch(SQL, *arguments, timeout=300)
            seconds.append(time.perf_counter() - began)
            ours = await find_times(context, question)
            differ += [row["starts_at"] for row in rows][: len(ours.items)] != [slot.start for slot in ours.items]
    finally:
        await connection.close()
    return seconds, differ


def _is_plain(kind: Kind) -> bool:
    """Whether the SQL above asks the same: everybody is needed from the start to the end, without buffers."""
    return all(
        need.offset_minutes == need.buffer_before_minutes == need.buffer_after_minutes == 0
        and need.duration_minutes == kind.value.duration_minutes
        for need in kind.value.requirements
    )


def _sql_arguments(context: SchedulingContext, kind: Kind, question: FindTimes) -> tuple[Any, ...]:
    needs = sorted(kind.value.requirements, key=lambda need: need.kind)
    return (
        context.actor.organization_id, question.site_id, context.clock.now(), question.until_at,
        timedelta(minutes=kind.value.duration_minutes),
        float(60 * kind.value.rules.grid_minutes), needs[0].kind, list(needs[0].codes), needs[1].kind, list(needs[1].codes),
    )  # fmt: skip


def _bound(calendars: Any, kinds: list[Kind], questions: list[FindTimes]) -> float:
    words = -(-DAYS * 288 // 64)
    sizes = [
        8 * words * sum(len(each.candidates) for each in requirements_of(calendars, kind, Wish(question.site_id)))
        for kind, question in zip(kinds, questions, strict=True) if question.site_id
    ]  # fmt: skip
    return statistics.median(sizes) / memory_bandwidth()


def _row(how: str, seconds: list[float], found: float | None) -> dict[str, Any]:
    ordered = sorted(seconds)
    row = {"how": how, "p50_ms": 1e3 * statistics.median(ordered), "p95_ms": 1e3 * ordered[int(len(ordered) * 0.95)]}
    return row | ({"found": found} if found is not None else {})
