"""Other people's calendars in a running hospital: their busy times close ours, follow them, and call nothing off."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from carewright.calendars.context import CalendarsContext
from carewright.calendars.service import busy, sources
from carewright.calendars.service.busy import Outcome
from carewright.calendars.service.keeping import reseal_sources
from carewright.contracts.calendars import CalendarNotFetched, CalendarNotUnderstood, UnknownSource
from carewright.contracts.scheduling import UnknownSchedule
from carewright.kernel.clock import ManualClock, SystemClock
from carewright.kernel.errors import BadInput, Forbidden, Unavailable
from carewright.kernel.http.outgoing import AddressRefused, Outgoing
from carewright.roles import calendars as commands
from carewright.roles.registry import SECTIONS
from tests.clinic import Clinic, ok, open_clinic, register
from tests.whole_system import Inside

SECRET = "https://calendar.example.org/private-7f3a/busy.ics"
BROKEN = "the other side of this test broke"


@pytest.fixture
async def clinic(whole: Inside) -> Clinic:
    return await open_clinic(whole)


class Elsewhere:
    """The other calendar, as its server answers for it."""

    def __init__(self) -> None:
        self.content, self.status, self.asked = calendar(), 200, 0

    def answer(self, _: httpx.Request) -> httpx.Response:
        self.asked += 1
        return httpx.Response(self.status, content=self.content)


@pytest.fixture
def elsewhere() -> Elsewhere:
    return Elsewhere()


@pytest.fixture
def ctx(whole: Inside, elsewhere: Elsewhere) -> CalendarsContext:
    """Calendars, asked by an administrator, with a way out that ends at `elsewhere`."""

    async def public(_: str, __: int) -> list[str]:
        return ["93.184.216.34"]

    assert whole.known.organization_id
    outgoing = Outgoing(lookup=public, inner=httpx.MockTransport(elsewhere.answer))
    base: CalendarsContext = whole.system.context("calendars")
    admin = whole.system.tokens.actor("administrator", "tester", whole.known.organization_id)
    return replace(base.acting(admin), outgoing=outgoing)


def calendar(*starts: str, minutes: int = 30) -> bytes:
    """A calendar that is busy for so long from each of `starts` on."""
    events = [
        f"BEGIN:VEVENT\r\nUID:{at}\r\nDTSTART:{datetime.fromisoformat(at).astimezone(UTC):%Y%m%dT%H%M%SZ}\r\nDURATION:PT{minutes}M\r\nEND:VEVENT\r\n"
        for at in starts
    ]
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{''.join(events)}END:VCALENDAR\r\n".encode()


async def added(ctx: CalendarsContext, clinic: Clinic, address: str | None = None) -> UUID:
    return (await sources.add_source(ctx, UUID(clinic.practitioner_id), "Europe/Berlin", address)).id


def outcome(blocked: int = 0, opened: int = 0, unchanged: int = 0, hit: int = 0) -> Outcome:
    return Outcome(blocked=blocked, opened=opened, unchanged=unchanged, hit=hit)


async def test_blocks_are_made_moved_and_removed_as_the_other_calendar_changes(ctx: CalendarsContext, clinic: Clinic) -> None:
    free = await clinic.free()
    source = await added(ctx, clinic)
    assert await busy.read_source(ctx, source, calendar(free[0], free[4])) == outcome(blocked=2)
    assert {free[0], free[4]} & set(await clinic.free()) == set()
    assert await busy.read_source(ctx, source, calendar(free[0], free[4])) == outcome(unchanged=2)
    assert await busy.read_source(ctx, source, calendar(free[0], free[6])) == outcome(blocked=1, opened=1, unchanged=1)
    now_free = await clinic.free()
    assert free[4] in now_free
    assert free[6] not in now_free
    assert await busy.read_source(ctx, source, calendar(free[0], free[4])) == outcome(blocked=1, opened=1, unchanged=1), "the same again"
    assert await busy.drop_source(ctx, source) == outcome(opened=2)
    assert {free[0], free[4], free[6]} <= set(await clinic.free())
    with pytest.raises(UnknownSource):
        await busy.read_source(ctx, source, calendar())


async def test_a_booked_appointment_stays_and_is_listed_until_somebody_decides(
    ctx: CalendarsContext, clinic: Clinic, whole: Inside
) -> None:
    start = (await clinic.free())[2]
    one = ok(await clinic.book(await register(whole), start), 201)
    source = await added(ctx, clinic)
    assert await busy.read_source(ctx, source, calendar(start)) == outcome(blocked=1, hit=1)
    assert (await clinic.appointment(one["id"]))["status"] == "booked"
    assert [str(each.appointment_id) for each in await busy.list_conflicts(ctx, source)] == [one["id"]]
    ok(await clinic.step(one["id"], "cancel", {}))
    assert await busy.list_conflicts(ctx, source) == []


async def test_what_cannot_be_read_changes_nothing_and_its_code_is_kept(ctx: CalendarsContext, clinic: Clinic, database: Any) -> None:
    free = await clinic.free()
    source = await added(ctx, clinic)
    await busy.read_source(ctx, source, calendar(free[0]))
    with pytest.raises(CalendarNotUnderstood):
        await busy.read_source(ctx, source, calendar(free[0], free[3])[:-10])
    assert free[0] not in await clinic.free()
    [shown] = [each for each in await sources.list_sources(ctx) if each.id == source]
    assert shown.error == "calendars.not_understood"
    failed = "SELECT count(*) FROM kernel.audit_entry WHERE body LIKE '%calendars.source.read%' AND body LIKE '%calendars.not_understood%'"
    assert await database.fetchval(failed) == 1
    await busy.read_source(ctx, source, calendar(free[0]))
    assert [each.error for each in await sources.list_sources(ctx) if each.id == source] == [None]


async def test_an_address_is_asked_when_it_is_due_and_lies_sealed(
    ctx: CalendarsContext, clinic: Clinic, elsewhere: Elsewhere, whole: Inside, database: Any
) -> None:
    free = await clinic.free()
    source = await added(ctx, clinic, SECRET)
    hour, two = (SystemClock().now() + timedelta(hours=hours) for hours in (1, 2))  # later than the system's own timer looks
    await database.execute("UPDATE calendars.source SET due_at = $2 WHERE id = $1", source, hour)
    row = await database.fetchrow("SELECT * FROM calendars.source WHERE id = $1", source)
    assert b"7f3a" not in row["address"]
    base = replace(whole.system.context("calendars"), outgoing=ctx.outgoing, clock=ManualClock(two))
    elsewhere.content = calendar(free[1])
    assert await busy.read_due(base) == 1
    assert free[1] not in await clinic.free()
    assert (await busy.read_due(base), elsewhere.asked) == (0, 1), "not due yet"
    later = replace(base, clock=ManualClock(two + timedelta(minutes=16)))
    elsewhere.status = 503
    assert await busy.read_due(later) == 1
    assert free[1] not in await clinic.free(), "whoever does not answer is still busy"
    assert [each.error for each in await sources.list_sources(ctx) if each.id == source] == ["calendars.not_fetched"]
    assert await reseal_sources(base.working_in(ctx.actor.organization_id), UUID(int=0), 10) == []
    await busy.drop_source(ctx, source)


async def test_a_read_that_breaks_midway_goes_on_and_blocks_nothing_twice(ctx: CalendarsContext, clinic: Clinic, database: Any) -> None:
    free = await clinic.free()
    source = await added(ctx, clinic)

    class Breaks:
        """Scheduling, which answers once and then not."""

        def __init__(self, inner: Any) -> None:
            self.inner, self.left = inner, 1

        def __getattr__(self, name: str) -> Any:
            if name == "block_time":
                self.left -= 1
                if self.left < 0:
                    raise Unavailable(BROKEN)
            return getattr(self.inner, name)

    with pytest.raises(Unavailable):
        await busy.read_source(replace(ctx, scheduling=Breaks(ctx.scheduling)), source, calendar(free[0], free[4]))
    await database.execute("UPDATE calendars.blocked SET block_id = NULL WHERE source_id = $1", source)  # as if it died before it knew
    assert await busy.read_source(ctx, source, calendar(free[0])) == outcome(opened=1, unchanged=1)
    counted = "SELECT count(*) FROM scheduling.block WHERE schedule_id = $1"
    assert await database.fetchval(counted, UUID(clinic.practitioner_id)) == 1
    assert free[4] in await clinic.free()


async def test_the_command_line_adds_reads_lists_and_drops(ctx: CalendarsContext, clinic: Clinic, whole: Inside) -> None:
    free = await clinic.free()
    one = ok(await clinic.book(await register(whole), free[3]), 201)
    sections = {name: kind() for name, kind in SECTIONS.items()} | {"system": whole.system.settings, "edge": whole.system.edge}
    place = sections, ctx.actor.organization_id
    source = await commands.added(*place, UUID(clinic.practitioner_id), "Europe/Berlin", None)
    assert await commands.read(*place, source, calendar(free[3], free[6])) == (
        "2 blocked, 0 opened, 0 unchanged; 1 appointments stand in the new"
    )
    [line] = [each for each in await commands.listed(*place) if str(source) in each]
    assert line.endswith(": well")
    assert [each.split()[-1] for each in await commands.conflicts(*place, source)] == [one["id"]]
    assert (await commands.dropped(*place, source)).startswith("0 blocked, 2 opened")


@pytest.mark.parametrize("address", ["http://calendar.example.org/a.ics", "ftp://calendar.example.org/a.ics", "file:///etc/passwd"])
async def test_only_https_is_asked(ctx: CalendarsContext, clinic: Clinic, address: str) -> None:
    with pytest.raises(BadInput):
        await added(ctx, clinic, address)


async def test_who_may_not_change_calendars_and_what_is_no_calendar_is_refused(
    ctx: CalendarsContext, clinic: Clinic, whole: Inside, elsewhere: Elsewhere
) -> None:
    nurse = ctx.acting(whole.system.tokens.actor("nurse", "tester", ctx.actor.organization_id))
    with pytest.raises(Forbidden):
        await added(nurse, clinic)
    with pytest.raises(UnknownSchedule):
        await sources.add_source(ctx, uuid4(), "Europe/Berlin", None)
    with pytest.raises(BadInput):
        await sources.add_source(ctx, UUID(clinic.practitioner_id), "Berlin", None)
    with pytest.raises(AddressRefused):
        await added(ctx, clinic, "https://127.0.0.1:8080/a.ics")
    with pytest.raises(CalendarNotFetched):
        await busy.read_source(ctx, await added(ctx, clinic))
    assert elsewhere.asked == 0
