"""Payers asked to agree beforehand, over real HTTP: by X12 278, by Da Vinci PAS, by files; decided, pended and asked again, lied to."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from msgspec.structs import replace

from carewright.contracts.coverage import Authorisation, ListAuthorisations, Payer, RecordCoverage, VisitCoverage, VisitsStopped
from carewright.contracts.patients import PatientErased
from carewright.coverage import handlers, store
from carewright.coverage.clearing.drop import Drop
from carewright.coverage.clearing.port import NoAnswer, Reviewer
from carewright.coverage.clearing.x12 import Account
from carewright.coverage.context import CoverageContext
from carewright.coverage.jobs import JOBS
from carewright.coverage.model.question import Decision, Request, Review
from carewright.coverage.service import authorisations, coverages, keeping, policies, visits
from carewright.coverage.service.picking_up import pick_up
from carewright.coverage.service.reviewing import inquire_due
from carewright.kernel import jobs
from carewright.kernel.settings import StartFailed
from carewright.mock.eligibility.server import Faults, House
from tests.clearing_house import asking, house_at, mock_clearing_house, reviewer_at
from tests.samples import known_id
from tests.servers import MORNING, Contexts, facts_of
from tests.store.test_coverage import ANNA, CARD, DEPENDENT
from tests.store.test_eligibility import VISIT, booked, covered, heard, ruled
from tests.store.test_stopping import KIND, needing

TOMORROW = MORNING.date() + timedelta(days=1)
WAYS = ("x12", "pas")
VERSIONS = count(1000)
"""Of the visit: a job that waits to ask once more, of an earlier test, is about another one."""


def by(way: str, url: str, **more: Any) -> Reviewer:
    """Who asks for agreements at the made-up payer's, one way or the other."""
    if way == "x12":
        return reviewer_at(clearing_house="core", url=url, authorisations="x12", **more)
    return reviewer_at(authorisations="pas", pas_url=url.replace("/core", "/fhir"), **more)


@pytest.fixture(scope="module")
async def place() -> AsyncIterator[str]:
    async with mock_clearing_house() as url:
        yield url


@pytest.fixture(autouse=True)
async def nothing_due_of_others(database_url: str) -> None:
    """What earlier tests left pended is not asked about here."""
    connection = await asyncpg.connect(database_url)
    await connection.execute("UPDATE coverage.authorisation SET inquire_at = NULL")
    await connection.close()


@pytest.fixture(params=WAYS)
async def desk(context: Contexts, place: str, request: pytest.FixtureRequest) -> CoverageContext:
    return asking(await context("coverage", "front-desk"), house_at(place), by(request.param, place))


@pytest.fixture
async def plain(context: Contexts, place: str) -> CoverageContext:
    """A desk that nobody gave a way to ask for agreements yet."""
    return asking(await context("coverage", "front-desk"), house_at(place))


def with_reviewer(desk: CoverageContext, reviewer: Reviewer) -> CoverageContext:
    return asking(desk, desk.clearing_house, reviewer)


async def shown(context: Contexts, desk: CoverageContext, **more: Any) -> VisitCoverage:
    """A visit that needs an agreement, as the desk sees it once it was booked and asked about."""
    await needing(context, desk, procedure="70551")
    system = asking(await context.system("coverage"), desk.clearing_house, desk.reviewer_of(""))
    await heard(system, replace(booked(context, **more), version=next(VERSIONS)))
    await jobs.run_due(system, JOBS)
    return await visits.get_visit(desk, VISIT)


async def words_of(desk: CoverageContext) -> tuple[Authorisation, ...]:
    return (await authorisations.list_authorisations(desk, ListAuthorisations(patient_id=ANNA))).items


async def test_a_payer_that_agrees_says_its_number_and_for_how_long(context: Contexts, desk: CoverageContext) -> None:
    await covered(desk)
    found = await shown(context, desk)
    word = found.authorisation
    assert word is not None
    assert (found.decision, found.missing, word.state, word.by_desk) == ("proceed", (), "certified", False)
    assert word.number.startswith("AUTH-")
    assert (word.valid_from, word.valid_until) == (TOMORROW, TOMORROW + timedelta(days=60))
    assert (await visits.check_visit(desk, VISIT)).authorisation == word, "what was agreed to is not asked for again"
    assert await words_of(desk) == (word,)


async def test_somebody_elses_plan_is_asked_about_the_patient(context: Contexts, desk: CoverageContext) -> None:
    await coverages.record_coverage(desk, RecordCoverage(patient_id=ANNA, details=replace(DEPENDENT, member_id="W55")))
    found = await shown(context, desk)
    assert found.authorisation is not None
    assert found.authorisation.state == "certified"


@pytest.mark.parametrize(
    ("member_id", "state", "missing"),
    [
        ("R1", "denied", ("not-authorised",)), ("H1", "pended", ("authorisation-pending",)), ("M1", "partial", ("partly-authorised",)),
        ("N1", "unknown", ("subscriber",)), ("Z1", "unknown", ("payer-away",)),
    ],
)  # fmt: skip
async def test_whatever_a_payer_decides_is_told_in_a_word(
    context: Contexts, desk: CoverageContext, member_id: str, state: str, missing: tuple[str, ...]
) -> None:
    await covered(desk, member_id=member_id)
    found = await shown(context, desk)
    assert found.authorisation is not None
    assert (found.authorisation.state, found.missing) == (state, missing)
    assert found.decision == "warn"


async def test_a_denial_of_the_payers_stops_the_next_booking(context: Contexts, desk: CoverageContext) -> None:
    await ruled(context, desk, "require")
    await covered(desk, member_id="R1")
    assert (await shown(context, desk)).decision == "stop"
    told = [each for each in await facts_of(desk) if isinstance(each, VisitsStopped)][-1]
    assert [(each.why, each.visit_type_ids) for each in told.stops] == [("not-authorised", (KIND,))]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("lie", ["trace", "garbage", "cut", "kind"])
async def test_a_lie_is_not_believed(context: Contexts, plain: CoverageContext, way: str, lie: str) -> None:
    await covered(plain)
    async with mock_clearing_house("--lie", lie) as url:
        found = await shown(context, with_reviewer(plain, by(way, url)))
    assert found.authorisation is not None
    assert (found.authorisation.state, found.missing) == ("unknown", ("bad-answer",))


@pytest.mark.parametrize("way", WAYS)
async def test_who_is_away_is_asked_again_and_by_the_same_number(context: Contexts, plain: CoverageContext, way: str) -> None:
    await covered(plain)
    async with mock_clearing_house("--away", "1") as url:
        desk = with_reviewer(plain, by(way, url))
        found = await shown(context, desk)
        assert found.missing == ("payer-away",)
        context.clock.advance(minutes=1)
        await jobs.run_due(asking(await context.system("coverage"), desk.clearing_house, desk.reviewer_of("")), JOBS)
    first, second = await words_of(plain)
    assert (first.state, second.state) == ("unknown", "certified")


@pytest.mark.parametrize("way", WAYS)
async def test_who_hangs_is_not_waited_for(context: Contexts, plain: CoverageContext, way: str) -> None:
    await covered(plain)
    async with mock_clearing_house("--slow", "600") as url:
        found = await shown(context, with_reviewer(plain, by(way, url, answer_seconds=0.2)))
    assert found.missing == ("payer-away",)


class Deciding:
    """Pends, and says of each inquiry what it is told to."""

    can_inquire = True

    def __init__(self, *answers: str | None) -> None:
        self.requests: list[Request] = []
        self.inquired: list[str] = []
        self.answers = list(answers)

    async def review(self, request: Request) -> Review | None:
        self.requests.append(request)
        return Review(traces=(request.trace,), decisions=(Decision(action="A4", number="PEND-1"),))

    async def inquire(self, request: Request, number: str) -> Review | None:
        self.inquired.append(number)
        action = self.answers.pop(0)
        if action == "away":
            raise NoAnswer("payer-away")
        return None if action is None else Review(traces=(request.trace,), decisions=(Decision(action=action, number="AUTH-1"),))


async def test_what_was_pended_is_asked_about_until_it_is_decided(context: Contexts, plain: CoverageContext) -> None:
    payer = Deciding("away", None, "A4", "CT", "A3")
    desk = with_reviewer(plain, payer)
    await covered(desk)
    assert (await shown(context, desk)).missing == ("authorisation-pending",)
    system = asking(await context.system("coverage"), desk.clearing_house, payer)
    assert await inquire_due(system) == 0, "not at once"
    for minutes, asked in ((15, 1), (29, 1), (1, 2), (60, 3), (120, 4), (239, 4), (1, 5)):
        context.clock.advance(minutes=minutes)
        await inquire_due(system)
        assert len(payer.inquired) == asked, f"after {minutes} minutes more"
    assert payer.inquired == ["PEND-1", "PEND-1", "PEND-1", "AUTH-1", "AUTH-1"]
    assert (await visits.get_visit(desk, VISIT)).missing == ("not-authorised",)
    context.clock.advance(days=3)
    assert await inquire_due(system) == 0, "it is decided"


async def test_the_desk_may_ask_at_once_about_what_was_pended(context: Contexts, plain: CoverageContext) -> None:
    payer = Deciding("A4", "A1")
    desk = with_reviewer(plain, payer)
    await covered(desk)
    await shown(context, desk)
    assert (await visits.check_visit(desk, VISIT)).missing == ("authorisation-pending",)
    assert (await visits.check_visit(desk, VISIT)).missing == ()
    assert len(payer.requests) == 1, "a case is opened once"


async def test_the_made_up_payer_agrees_when_it_is_asked_again(context: Contexts, plain: CoverageContext, place: str) -> None:
    desk = with_reviewer(plain, by("pas", place))
    await covered(desk, member_id="H-AGAIN")
    assert (await shown(context, desk)).missing == ("authorisation-pending",)
    await visits.check_visit(desk, VISIT)
    found = await visits.check_visit(desk, VISIT)
    assert found.authorisation is not None
    assert (found.missing, found.authorisation.state, found.authorisation.number[:5]) == ((), "certified", "AUTH-")


async def test_what_is_pended_for_a_month_is_left_to_the_desk(context: Contexts, plain: CoverageContext) -> None:
    payer = Deciding(*[None] * 100)
    desk = with_reviewer(plain, payer)
    await covered(desk)
    await shown(context, desk)
    system = asking(await context.system("coverage"), desk.clearing_house, payer)
    for _ in range(80):
        context.clock.advance(hours=12)
        await inquire_due(system)
    asked = len(payer.inquired)
    assert 60 <= asked <= 70
    context.clock.advance(days=9)
    assert await inquire_due(system) == 0


async def test_a_visit_that_moves_beyond_what_was_agreed_to_is_asked_anew(context: Contexts, plain: CoverageContext, place: str) -> None:
    desk = with_reviewer(plain, by("pas", place))
    await covered(desk)
    before = (await shown(context, desk)).authorisation
    within = (await shown(context, desk, start=MORNING + timedelta(days=9))).authorisation
    after = (await shown(context, desk, start=MORNING + timedelta(days=90))).authorisation
    assert before is not None
    assert after is not None
    assert within == before
    assert (after.id == before.id, after.valid_from) == (False, MORNING.date() + timedelta(days=90))


async def test_nobody_is_asked_where_nobody_can_be(context: Contexts, plain: CoverageContext, place: str) -> None:
    await covered(plain)
    assert (await shown(context, plain)).missing == ("authorisation",)
    await coverages.record_coverage(
        plain, RecordCoverage(patient_id=ANNA, details=replace(CARD, payer=Payer(name="Paper Only"), member_id="P77", order=1))
    )  # fmt: skip
    assert await words_of(plain) == ()
    desk = with_reviewer(plain, by("x12", place))
    assert "authorisation" not in (await visits.check_visit(desk, VISIT)).missing


async def test_who_does_not_pay_at_all_is_not_asked_to_agree(context: Contexts, desk: CoverageContext) -> None:
    await covered(desk, member_id="X1")
    assert (await shown(context, desk)).missing == ("not-enrolled", "authorisation")
    assert await words_of(desk) == ()


async def test_by_files_the_answer_comes_later(context: Contexts, plain: CoverageContext, tmp_path: Path) -> None:
    drop = Drop(tmp_path, Account("LAKESIDE", "HOUSE", "T"))
    desk = asking(plain, drop, drop)
    await covered(desk)
    found = await shown(context, desk)
    assert found.missing == ("waiting",) or "authorisation-pending" in found.missing
    (asked,) = (tmp_path / "out").glob("*.278")
    house = House(Faults())
    (tmp_path / "in" / "later.278").write_bytes(house._payload(asked.read_text()).encode())
    system = asking(await context.system("coverage"), drop, drop)
    assert await pick_up(system) == 1
    assert [each.state for each in await words_of(desk)] == ["certified"]
    (tmp_path / "in" / "again.278").write_bytes(house._payload(asked.read_text()).encode())
    assert await pick_up(system) == 0
    assert [each.name for each in (tmp_path / "unread").iterdir()] == ["again.278"]


async def test_of_two_requests_that_are_one_the_newest_gets_the_answer(context: Contexts, plain: CoverageContext, tmp_path: Path) -> None:
    """Two who look at a visit at once ask the same: one trace, pended twice."""
    drop = Drop(tmp_path, Account("LAKESIDE", "HOUSE", "T"))
    desk = asking(plain, drop, drop)
    await covered(desk)
    await shown(context, desk)
    (first,) = await words_of(desk)
    cipher = await desk.cipher()
    waiting = await store.request_waiting(desk.db, cipher, first.id)
    assert waiting is not None
    async with desk.db.transaction() as tx:
        await store.insert_authorisation(tx, cipher, replace(first, id=desk.ids.new()), waiting[1], None)
    (asked,) = (tmp_path / "out").glob("*.278")
    (tmp_path / "in" / "later.278").write_bytes(House(Faults())._payload(asked.read_text()).encode())
    assert await pick_up(asking(await context.system("coverage"), drop, drop)) == 1
    assert [each.state for each in await words_of(desk)] == ["pended", "certified"]


async def test_nothing_of_it_lies_open_and_erasure_forgets_it(context: Contexts, plain: CoverageContext, database_url: str) -> None:
    payer = Deciding("A1")
    desk = with_reviewer(plain, payer)
    await covered(desk)
    await shown(context, desk)
    connection = await asyncpg.connect(database_url)
    text = await connection.fetchval("SELECT a::text FROM coverage.authorisation a WHERE patient_id = $1", ANNA)
    await connection.close()
    for said in ("PEND-1", "60054", "Numbat", "W1234", "70551"):
        assert said not in text
        assert said.encode().hex() not in text
    assert await keeping.reseal_authorisations(desk, known_id(0), 10) == []
    fact = PatientErased(organization_id=context.organization_id, patient_id=ANNA, version=2)
    await heard(desk, fact, handle=handlers.erase_patient)
    context.clock.advance(hours=1)
    system = asking(await context.system("coverage"), desk.clearing_house, payer)
    assert await inquire_due(system) == 0
    assert payer.inquired == []


@pytest.mark.parametrize(
    "settings",
    [
        {"authorisations": "x12"}, {"authorisations": "pas"},
        {"authorisations": "pas", "pas_url": "https://payer", "pas_token_file": "/no"},
        {"authorisations": "pas", "pas_url": "https://payer", "provider_npi": ""},
    ],
)  # fmt: skip
def test_a_way_that_is_not_set_up_whole_stops_the_start(settings: dict[str, Any]) -> None:
    with pytest.raises(StartFailed):
        reviewer_at(**settings)


async def test_the_token_is_read_each_time_and_one_that_is_gone_is_told(context: Contexts, plain: CoverageContext, tmp_path: Path) -> None:
    file = tmp_path / "token"
    told: list[str] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        told.extend(line for line in head.decode().split("\r\n") if line.lower().startswith("authorization"))
        writer.write(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    base = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/fhir"
    file.write_text("first\n")
    desk = with_reviewer(plain, reviewer_at(authorisations="pas", pas_url=base, pas_token_file=str(file)))
    await covered(desk)
    assert (await shown(context, desk)).missing == ("refused",)
    file.write_text("second\n")
    await visits.check_visit(desk, VISIT)
    file.unlink()
    assert (await visits.check_visit(desk, VISIT)).missing == ("refused",)
    server.close()
    await server.wait_closed()
    assert [line.partition(" ")[2] for line in told] == ["Bearer first", "Bearer second"]


async def test_policies_keep_where_it_is_done(context: Contexts, plain: CoverageContext) -> None:
    await needing(context, plain, procedure="70551", place="11", payers=("60054",))
    kept = await policies.get_service_type(plain.acting(context.actor("administrator")), KIND)
    assert kept.authorisation is not None
    assert (kept.authorisation.place, kept.authorisation.procedure) == ("11", "70551")
