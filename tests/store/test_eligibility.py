"""Asking payers: over real HTTP and by files, answers believed and lies not, at booking and again, cached for a day, kept and shown."""

import socket
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any, get_args
from uuid import UUID

import asyncpg
import msgspec
import pytest
from msgspec.structs import replace

from carewright.contracts.coverage import (
    CheckEligibility,
    Coverage,
    Eligibility,
    ListEligibilities,
    ListVisits,
    Missing,
    Payer,
    RecordCoverage,
    SetPolicy,
    SetServiceType,
    UnknownCoverage,
    UnknownEligibility,
    UnknownVisit,
    UpdateCoverage,
)
from carewright.contracts.directory import UrgencyTier
from carewright.contracts.patients import PatientErased
from carewright.contracts.scheduling import AppointmentBooked, AppointmentCancelled, AppointmentConfirmed, AppointmentRescheduled
from carewright.coverage import handlers, store
from carewright.coverage.clearing.drop import Drop
from carewright.coverage.clearing.port import NoAnswer, Nobody
from carewright.coverage.clearing.x12 import Account
from carewright.coverage.context import CoverageContext
from carewright.coverage.jobs import JOBS
from carewright.coverage.model.question import Answer, Question
from carewright.coverage.model.x12.codes import REJECT_OF
from carewright.coverage.service import checking, coverages, keeping, policies, visits
from carewright.coverage.service.picking_up import give_up, pick_up
from carewright.kernel import jobs
from carewright.kernel.context import Once
from carewright.kernel.errors import BadInput, Forbidden
from carewright.kernel.settings import StartFailed
from carewright.mock.eligibility.payer import answer_to
from tests.access_world import recorded
from tests.clearing_house import asking, house_at, houses_at, mock_clearing_house
from tests.samples import known_id
from tests.servers import MORNING, Contexts
from tests.store.test_coverage import ANNA, BEN, CARD, DEPENDENT

TODAY = MORNING.date()
SITE, VISIT = known_id(0x51), known_id(0x77)


class Payers:
    """Counts what it is asked, and answers by the made-up payer's rules at once."""

    def __init__(self) -> None:
        self.asked: list[Question] = []

    async def ask(self, question: Question) -> Answer | None:
        self.asked.append(question)
        if question.member_id.startswith("Z"):
            raise NoAnswer("payer-away")
        return Answer(traces=(question.trace,))


@pytest.fixture(scope="module")
async def place() -> AsyncIterator[str]:
    async with mock_clearing_house() as url:
        yield url


@pytest.fixture
async def desk(context: Contexts, place: str) -> CoverageContext:
    return asking(await context("coverage", "front-desk"), house_at(place))


async def covered(desk: CoverageContext, **changes: Any) -> Coverage:
    return await coverages.record_coverage(desk, RecordCoverage(patient_id=ANNA, details=replace(CARD, **changes)))


async def checked(desk: CoverageContext, coverage: Coverage, **more: Any) -> Eligibility:
    command = replace(CheckEligibility(coverage_id=coverage.id, service_type="98", serviced_on=TODAY), **more)
    return await checking.check_eligibility(desk, command)


@pytest.mark.requirement("X12.3")
async def test_the_desk_is_told_what_the_patient_pays(desk: CoverageContext) -> None:
    coverage = await covered(desk)
    found = await checked(desk, coverage)
    assert (found.outcome, found.standing, found.missing) == ("complete", "active", ())
    said = found.benefits
    assert (said.plan, said.copay_cents, said.coinsurance_percent) == ("GOLD PPO", 2500, 20.0)
    assert (said.deductible_cents, said.deductible_left_cents, said.begins_on) == (150_000, 40_000, date(2026, 1, 1))
    assert await checking.get_eligibility(desk, found.id) == found
    assert (await checking.list_eligibilities(desk, ListEligibilities(patient_id=ANNA))).items == (found,)


@pytest.mark.requirement("X12.4")
async def test_somebody_elses_plan_is_asked_about_the_patient(desk: CoverageContext) -> None:
    details = replace(DEPENDENT, member_id="W55")
    coverage = await coverages.record_coverage(desk, RecordCoverage(patient_id=ANNA, details=details))
    assert (await checked(desk, coverage)).standing == "active"


@pytest.mark.requirement("X12.5")
@pytest.mark.parametrize(
    ("member_id", "standing", "missing"),
    [
        ("N1", "unknown", ("subscriber",)), ("D1", "unknown", ("birth-date",)), ("X1", "inactive", ("not-enrolled",)),
        ("P1", "active", ("authorisation",)), ("Z1", "unknown", ("payer-away",)),
    ],
)  # fmt: skip
async def test_what_is_missing_is_told_in_a_word(desk: CoverageContext, member_id: str, standing: str, missing: tuple[str, ...]) -> None:
    found = await checked(desk, await covered(desk, member_id=member_id))
    assert (found.outcome, found.standing, found.missing) == ("complete", standing, missing)


@pytest.mark.requirement("X12.6")
@pytest.mark.parametrize("lie", ["trace", "member", "birth", "cut", "counts", "garbage", "kind"])
async def test_a_lie_is_not_believed(desk: CoverageContext, lie: str) -> None:
    async with mock_clearing_house("--lie", lie) as url:
        found = await checked(asking(desk, house_at(url)), await covered(desk))
    assert (found.outcome, found.standing, found.missing) == ("error", "unknown", ("bad-answer",))


async def test_who_is_away_once_is_asked_again_and_who_stays_away_is_away(desk: CoverageContext) -> None:
    coverage = await covered(desk)
    async with mock_clearing_house("--away", "3") as url:
        here = asking(desk, house_at(url))
        assert (await checked(here, coverage)).missing == ("payer-away",)
        assert (await checked(here, coverage)).standing == "active"


async def test_who_hangs_or_is_not_there_is_not_waited_for(desk: CoverageContext) -> None:
    coverage = await covered(desk)
    async with mock_clearing_house("--slow", "600") as url:
        found = await checked(asking(desk, house_at(url, answer_seconds=0.2)), coverage)
    gone = await checked(asking(desk, house_at(url)), coverage)
    assert (found.outcome, found.missing, gone.missing) == ("error", ("payer-away",), ("payer-away",))


async def test_who_takes_the_connection_and_says_nothing_is_not_waited_for(desk: CoverageContext) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/core"
        found = await checked(asking(desk, house_at(url, answer_seconds=0.2)), await covered(desk))
    assert found.missing == ("payer-away",)


async def test_an_address_that_is_no_clearing_house_is_no_answer(desk: CoverageContext, place: str) -> None:
    found = await checked(asking(desk, house_at(place.replace("/core", "/else"))), await covered(desk))
    assert (found.outcome, found.missing) == ("error", ("refused",))


async def test_the_same_question_is_asked_once_a_day_unless_it_is_to_be(context: Contexts, desk: CoverageContext) -> None:
    payers = Payers()
    here, coverage = asking(desk, payers), await covered(desk)
    first = await checked(here, coverage)
    assert await checked(here, coverage) == first
    assert (await checked(here, coverage, service_type="30")).id != first.id
    assert (await checked(here, coverage, again=True)).id != first.id
    changed = await coverages.update_coverage(desk, UpdateCoverage(coverage_id=coverage.id, details=replace(CARD, plan="New")))
    await checked(here, changed)
    context.clock.advance(days=1)
    await checked(here, changed)
    assert [each.service_type for each in payers.asked] == ["98", "30", "98", "98", "98"]


async def test_the_latest_answers_are_found_however_many_there_are(desk: CoverageContext) -> None:
    here, coverage = asking(desk, Payers()), await covered(desk)
    asked = [(await checked(here, coverage, again=True)).id for _ in range(4)]

    async def shown(**query: Any) -> tuple[list[UUID], UUID | None]:
        page = await checking.list_eligibilities(desk, ListEligibilities(patient_id=ANNA, limit=3, **query))
        return [each.id for each in page.items], page.next

    assert await shown() == (asked[:3], asked[2])
    assert await shown(latest=True) == (asked[:0:-1], None)


async def test_what_went_wrong_is_asked_again_and_a_key_asks_once(context: Contexts, desk: CoverageContext) -> None:
    payers = Payers()
    away = await covered(desk, member_id="Z1")
    for _ in range(2):
        await checked(asking(desk, payers), away)
    command = CheckEligibility(coverage_id=away.id, serviced_on=TODAY)
    keyed = asking(desk.acting(desk.actor, Once.of("k", command)), payers)
    assert await checking.check_eligibility(keyed, command) == await checking.check_eligibility(keyed, command)
    assert len(payers.asked) == 3
    assert len({each.trace for each in payers.asked}) == 3


async def test_a_payer_without_a_number_and_no_clearing_house_are_told(desk: CoverageContext) -> None:
    paper = await covered(desk, payer=Payer(name="Paper Only"))
    assert (await checked(desk, paper)).missing == ("payer",)
    assert (await checked(asking(desk, Nobody()), await covered(desk))).missing == ("no-clearing-house",)


async def test_a_patient_reads_their_own_and_asks_nothing(context: Contexts, desk: CoverageContext) -> None:
    coverage = await covered(desk)
    found = await checked(desk, coverage)
    own = desk.acting(context.actor("patient", patient_id=ANNA))
    other = desk.acting(context.actor("patient", patient_id=BEN))
    assert await checking.get_eligibility(own, found.id) == found
    with pytest.raises(UnknownEligibility):
        await checking.get_eligibility(other, found.id)
    for refused in (checked(own, coverage), checking.list_eligibilities(other, ListEligibilities(patient_id=ANNA))):
        with pytest.raises(Forbidden):
            await refused
    with pytest.raises(UnknownCoverage):
        await checking.check_eligibility(desk, CheckEligibility(coverage_id=known_id(9), serviced_on=TODAY))


async def test_nothing_that_a_payer_says_lies_open(desk: CoverageContext, database_url: str) -> None:
    found = await checked(desk, await covered(desk))
    connection = await asyncpg.connect(database_url)
    text = await connection.fetchval("SELECT e::text FROM coverage.eligibility e WHERE id = $1", found.id)
    await connection.close()
    for said in ("active", "GOLD", "2500", "60054", "Numbat", "W1234"):
        assert said not in text
        assert said.encode().hex() not in text
    assert await keeping.reseal_eligibilities(desk, known_id(0), 10) == []


# Visits


def booked(context: Contexts, start: datetime = MORNING + timedelta(days=1), urgency: UrgencyTier = "P2") -> AppointmentBooked:
    return AppointmentBooked(
        organization_id=context.organization_id, appointment_id=VISIT, version=1, status="booked", visit_type_id=known_id(2), site_id=SITE,
        patient_id=ANNA, start=start, end=start + timedelta(minutes=30), urgency=urgency,
    )  # fmt: skip


async def follow(context: Contexts, desk: CoverageContext, fact: AppointmentBooked) -> CoverageContext:
    """What the relay and the worker do when a visit was booked; delivered twice."""
    system = asking(await context.system("coverage"), desk.clearing_house)
    for _ in range(2):
        async with system.db.transaction() as tx:
            await handlers.ask_about_visit(system, tx, fact)
    await jobs.run_due(system, JOBS)
    return system


async def ruled(context: Contexts, desk: CoverageContext, rule: Any, zone: str = "UTC") -> None:
    admin = desk.acting(context.actor("administrator"))
    await policies.set_policy(admin, SetPolicy(site_id=SITE, rule=rule, time_zone=zone))
    assert (await policies.get_policy(admin, SITE)).rule == rule


async def test_a_booking_is_asked_about_by_itself(context: Contexts, desk: CoverageContext) -> None:
    coverage = await covered(desk)
    await follow(context, desk, booked(context))
    shown = await visits.get_visit(desk, VISIT)
    assert (shown.decision, shown.missing, shown.coverage) == ("proceed", (), coverage)
    assert shown.eligibility is not None
    assert (shown.eligibility.benefits.copay_cents, shown.eligibility.serviced_on) == (2500, TODAY + timedelta(days=1))
    assert len((await checking.list_eligibilities(desk, ListEligibilities(patient_id=ANNA))).items) == 1, "delivered twice, asked once"
    again = await visits.check_visit(desk, VISIT)
    assert again.eligibility is not None
    assert again.eligibility.id != shown.eligibility.id


def moved(fact: AppointmentBooked, **changes: Any) -> AppointmentRescheduled:
    return AppointmentRescheduled(**(msgspec.structs.asdict(fact) | {"version": fact.version + 1} | changes))


async def heard(system: CoverageContext, *facts: Any, handle: Any = handlers.ask_about_visit) -> None:
    for fact in facts:
        async with system.db.transaction() as tx:
            await handle(system, tx, fact)


async def test_a_visit_that_moves_is_asked_about_for_its_new_day(context: Contexts, desk: CoverageContext) -> None:
    payers, fact = Payers(), booked(context)
    await covered(desk)
    system = await follow(context, asking(desk, payers), fact)
    await heard(system, moved(fact, start=fact.start + timedelta(days=2)))
    shown = await visits.get_visit(desk, VISIT)
    assert (shown.missing, shown.eligibility) == (("waiting",), None), "what was said of the other day is not shown"
    await jobs.run_due(system, JOBS)
    await heard(system, moved(fact, start=fact.start + timedelta(days=2, hours=1), version=3))
    await jobs.run_due(system, JOBS)
    assert [each.serviced_on for each in payers.asked] == [TODAY + timedelta(days=1), TODAY + timedelta(days=3)], (
        "an hour later asks nobody"
    )
    assert (await visits.get_visit(desk, VISIT)).eligibility is not None


async def test_an_answer_about_the_day_before_the_move_does_not_count(context: Contexts, desk: CoverageContext) -> None:
    coverage, fact = await covered(desk), booked(context)
    system = await follow(context, desk, fact)
    before = await store.visit_by_id(desk.db, context.organization_id, VISIT)
    assert before is not None
    await heard(system, moved(fact, start=fact.start + timedelta(days=2)))
    await checking.asked(desk, coverage, "98", TODAY, again=True, visit=before)
    assert (await visits.get_visit(desk, VISIT)).missing == ("waiting",)


async def test_a_coverage_that_comes_or_changes_later_is_asked_about_for_the_visits_ahead(context: Contexts, desk: CoverageContext) -> None:
    payers, fact = Payers(), booked(context)
    system = await follow(context, asking(desk, payers), fact)
    assert (await visits.get_visit(desk, VISIT)).missing == ("coverage",)
    past = AppointmentBooked(**(msgspec.structs.asdict(fact) | {"appointment_id": known_id(0x78), "start": MORNING - timedelta(days=1)}))
    await heard(system, past)
    coverage = await covered(desk)
    await jobs.run_due(system, JOBS)
    payers.asked.clear()
    for plan in ("Silver", "Silver"):
        details = replace(CARD, plan=plan)
        await coverages.update_coverage(desk, UpdateCoverage(coverage_id=coverage.id, details=details))
        await jobs.run_due(system, JOBS)
    assert [each.serviced_on for each in payers.asked] == [TODAY + timedelta(days=1)], "the visit ahead, once for the change"
    shown = await visits.get_visit(desk, VISIT)
    assert shown.eligibility is not None
    assert shown.eligibility.coverage_version == 2


async def test_a_request_is_asked_about_once_it_is_accepted(context: Contexts, desk: CoverageContext) -> None:
    await covered(desk)
    system, fact = asking(await context.system("coverage"), desk.clearing_house), booked(context)
    await heard(system, moved(fact, status="pending"))
    with pytest.raises(UnknownVisit):
        await visits.get_visit(desk, VISIT)
    await heard(system, AppointmentConfirmed(**msgspec.structs.asdict(fact)))
    await jobs.run_due(system, JOBS)
    assert (await visits.get_visit(desk, VISIT)).decision == "proceed"


@pytest.mark.requirement("X12.7")
async def test_payers_are_asked_about_the_kind_of_service_that_is_set(context: Contexts, desk: CoverageContext) -> None:
    payers, admin = Payers(), desk.acting(context.actor("administrator"))
    await policies.set_service_type(admin, SetServiceType(visit_type_id=known_id(2), service_type="MH"))
    assert (await policies.get_service_type(admin, known_id(2))).service_type == "MH"
    assert (await policies.get_service_type(admin, known_id(3))).service_type == "98"
    await covered(desk)
    await follow(context, asking(desk, payers), booked(context))
    assert [each.service_type for each in payers.asked] == ["MH"]
    with pytest.raises(Forbidden):
        await policies.set_service_type(desk, SetServiceType(visit_type_id=known_id(2), service_type="98"))


async def test_the_desk_sees_the_visits_of_a_day_with_a_problem(context: Contexts, desk: CoverageContext) -> None:
    await covered(desk, member_id="N1")
    fact = booked(context)
    system = await follow(context, desk, fact)
    day = ListVisits(site_id=SITE, day=TODAY + timedelta(days=1))
    (shown,) = (await visits.list_visits(desk, day)).items
    assert (shown.appointment_id, shown.missing, shown.starts_at) == (VISIT, ("subscriber",), fact.start)
    assert shown.coverage is not None
    assert (await visits.list_visits(desk, replace(day, after=VISIT))).items == ()
    assert (await visits.list_visits(desk, ListVisits(site_id=SITE))).items == (), "today there is none"
    await ruled(context, desk, "allow")
    assert (await visits.list_visits(desk, day)).items == (), "nothing is to be done"
    await ruled(context, desk, "warn")
    cancelled = AppointmentCancelled(**(msgspec.structs.asdict(fact) | {"status": "cancelled"}))
    await heard(system, cancelled, handle=handlers.end_visit)
    assert (await visits.list_visits(desk, day)).items == ()
    with pytest.raises(UnknownVisit):
        await visits.check_visit(desk, VISIT)


async def test_who_works_elsewhere_sees_no_visits_of_a_site(desk: CoverageContext) -> None:
    elsewhere = desk.acting(replace(desk.actor, site_ids=frozenset({known_id(1)})))
    with pytest.raises(Forbidden):
        await visits.list_visits(elsewhere, ListVisits(site_id=SITE))


@pytest.mark.parametrize(
    ("rule", "urgency", "member_id", "decision"),
    [
        ("warn", "P2", "N1", "warn"), ("require", "P2", "N1", "stop"), ("allow", "P2", "N1", "proceed"), ("require", "P2", "W1", "proceed"),
        ("require", "P1", "N1", "warn"), ("require", "P0", "X1", "warn"), ("require", "P2", "P1", "stop"), ("require", "P0", None, "warn"),
        ("require", "P2", None, "stop"),
    ],
)  # fmt: skip
async def test_the_sites_rule_decides_and_never_stops_an_urgent_visit(
    context: Contexts, desk: CoverageContext, rule: str, urgency: UrgencyTier, member_id: str | None, decision: str
) -> None:
    await ruled(context, desk, rule)
    if member_id is not None:
        await covered(desk, member_id=member_id)
    await follow(context, desk, booked(context, urgency=urgency))
    assert (await visits.get_visit(desk, VISIT)).decision == decision


async def test_of_several_coverages_the_first_that_holds_that_day_is_asked(context: Contexts, desk: CoverageContext) -> None:
    await covered(desk, member_id="N-ENDED", ends_on=TODAY)
    second = await covered(desk, member_id="W-FIRST", order=1)
    await covered(desk, member_id="N-LATER", order=2)
    await covered(desk, member_id="N-GONE", status="cancelled")
    await follow(context, desk, booked(context))
    assert (await visits.get_visit(desk, VISIT)).coverage == second


async def test_the_day_of_a_visit_is_the_one_at_its_site(context: Contexts, desk: CoverageContext) -> None:
    await ruled(context, desk, "warn", "America/Chicago")
    await covered(desk)
    await follow(context, desk, booked(context, start=datetime.fromisoformat("2026-11-04T02:00:00Z")))
    shown = await visits.get_visit(desk, VISIT)
    assert shown.eligibility is not None
    assert shown.eligibility.serviced_on == date(2026, 11, 3)
    with pytest.raises(BadInput):
        await ruled(context, desk, "warn", "America/Nowhere")


async def test_a_payer_who_is_away_is_asked_again_later(context: Contexts, desk: CoverageContext, place: str) -> None:
    await covered(desk)
    async with mock_clearing_house("--away", "2") as url:
        system = await follow(context, asking(desk, house_at(url)), booked(context))
        assert (await visits.get_visit(desk, VISIT)).missing == ("payer-away",)
        context.clock.advance(minutes=1)
        await jobs.run_due(system, JOBS)
    assert (await visits.get_visit(desk, VISIT)).decision == "proceed"


async def test_of_an_erased_patient_no_visit_is_asked_about(context: Contexts, desk: CoverageContext) -> None:
    await checked(desk, await covered(desk))
    await follow(context, desk, booked(context))
    fact = PatientErased(organization_id=context.organization_id, patient_id=ANNA, version=2)
    async with desk.db.transaction() as tx:
        await handlers.erase_patient(desk, tx, fact)
    assert (await checking.list_eligibilities(desk, ListEligibilities(patient_id=ANNA))).items == ()
    await follow(context, desk, booked(context))
    for asked in (visits.get_visit, visits.check_visit):
        with pytest.raises(UnknownVisit):
            await asked(desk, VISIT)


async def test_what_was_asked_long_ago_is_disposed_of(context: Contexts, desk: CoverageContext) -> None:
    await covered(desk)
    await follow(context, desk, booked(context))
    assert await keeping.dispose_eligibilities(desk, MORNING - timedelta(days=1), 10) == 0
    assert await keeping.dispose_eligibilities(desk, MORNING + timedelta(days=2), 10) == 2
    assert {"coverage.eligibility.check", "coverage.eligibility.dispose"} <= {event for event, _, _ in await recorded(context)}


# Files


@pytest.fixture
async def filing(context: Contexts, tmp_path: Path) -> CoverageContext:
    return asking(await context("coverage", "front-desk"), Drop(tmp_path, Account("LAKESIDE", "HOUSE", "T")))


async def test_a_question_goes_out_as_a_file_and_its_answer_comes_as_one(
    context: Contexts, filing: CoverageContext, tmp_path: Path
) -> None:
    found = await checked(filing, await covered(filing))
    assert (found.outcome, found.missing) == ("queued", ("waiting",))
    (out,) = (tmp_path / "out").iterdir()
    assert "QUOKKALINE" not in out.name.upper()
    assert found.counts_until == datetime.combine(TODAY + timedelta(days=1), time(), UTC)
    answer = answer_to(out.read_text("ascii"))
    for name, text in (("answer.271", answer), ("again.271", answer), ("strange.txt", "hello"), (".half", "ISA")):
        (tmp_path / "in" / name).write_text(text)
    system = asking(await context.system("coverage"), filing.clearing_house)
    assert await pick_up(system) == 1
    done = await checking.get_eligibility(filing, found.id)
    assert (done.outcome, done.standing, done.benefits.copay_cents) == ("complete", "active", 2500)
    where = {name: sorted(each.name for each in (tmp_path / name).iterdir()) for name in ("in", "done", "unread")}
    assert where == {"in": [".half"], "done": ["again.271"], "unread": ["answer.271", "strange.txt"]}


async def test_a_file_that_lies_is_an_answer_that_is_none(context: Contexts, filing: CoverageContext, tmp_path: Path) -> None:
    found = await checked(filing, await covered(filing))
    (out,) = (tmp_path / "out").iterdir()
    (tmp_path / "in" / "lie.271").write_text(answer_to(out.read_text("ascii"), "member"))
    assert await pick_up(asking(await context.system("coverage"), filing.clearing_house)) == 1
    done = await checking.get_eligibility(filing, found.id)
    assert (done.outcome, done.missing) == ("error", ("bad-answer",))


async def test_a_file_that_does_not_come_is_not_waited_for_for_ever(context: Contexts, filing: CoverageContext) -> None:
    found = await checked(filing, await covered(filing))
    system = asking(await context.system("coverage"), filing.clearing_house)
    assert await give_up(system) == 0
    context.clock.advance(hours=1, seconds=1)
    assert await give_up(system) == 1
    assert (await checking.get_eligibility(filing, found.id)).missing == ("payer-away",)


async def test_each_payer_is_asked_through_the_clearing_house_that_reaches_them(
    context: Contexts, desk: CoverageContext, place: str, tmp_path: Path
) -> None:
    file, folder = tmp_path / "reaches.toml", tmp_path / "drop"
    file.write_text(f'[[reach]]\npayers = ["87726", "87727"]\nclearing_house = "drop"\ndrop_folder = "{folder}"\n')
    houses = houses_at(file, clearing_house="core", url=place)
    here = asking(desk, houses)
    by_file = await checked(here, await covered(desk, payer=Payer(name="Bilby Care", id="87727")))
    by_wire = await checked(here, await covered(desk))
    assert (by_file.outcome, by_wire.outcome) == ("queued", "complete")
    (out,) = (folder / "out").iterdir()
    (folder / "in" / "a.271").write_text(answer_to(out.read_text("ascii")))
    assert await pick_up(asking(await context.system("coverage"), houses)) == 1
    assert (await checking.get_eligibility(desk, by_file.id)).standing == "active"


@pytest.mark.parametrize(
    "text",
    [
        "no toml", "[[reach]]\npayers = []", '[[reach]]\nclearing_house = "core"', '[[reach]]\npayers = ["1"]\nurll = "x"',
        '[[reach]]\npayers = ["1"]\nclearing_house = "drop"', '[[reach]]\npayers = ["1", "1"]', None,
    ],
)  # fmt: skip
def test_a_file_of_clearing_houses_that_is_none_stops_the_start(text: str | None, tmp_path: Path) -> None:
    file = tmp_path / "reaches.toml"
    if text is not None:
        file.write_text(text)
    with pytest.raises(StartFailed):
        houses_at(file, clearing_house="core", url="http://127.0.0.1:1/core")


@pytest.mark.parametrize(
    "wrong",
    [
        {"url": ""}, {"sender": ""}, {"receiver": "X" * 16}, {"answer_seconds": 0.0}, {"password_file": "/nowhere/at/all"},
        {"url": "nowhere"},
    ],
)  # fmt: skip
def test_settings_that_reach_nobody_stop_the_start(wrong: dict[str, Any]) -> None:
    with pytest.raises(StartFailed):
        house_at(**({"url": "http://127.0.0.1:1/core"} | wrong))


def test_the_words_of_the_tables_are_those_of_the_contract() -> None:
    assert set(REJECT_OF.values()) <= set(get_args(Missing))
