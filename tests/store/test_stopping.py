"""What a payer's no stops is told to scheduling: what counts today, by each site's rule, and anew whenever any of it changes."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from carewright.contracts.coverage import (
    Authorisation,
    AuthorisationNeed,
    AuthorisationsPage,
    InvalidAuthorisation,
    ListAuthorisations,
    RecordAuthorisation,
    RecordCoverage,
    SetPolicy,
    SetServiceType,
    StoppedVisits,
    UnknownVisit,
    UpdateCoverage,
    VisitsStopped,
)
from carewright.contracts.patients import PatientErased, PatientMerged
from carewright.contracts.scheduling import AppointmentCancelled, AppointmentHeld
from carewright.coverage import handlers, store
from carewright.coverage.context import CoverageContext
from carewright.coverage.jobs import JOBS
from carewright.coverage.service import authorisations, coverages, keeping, policies, visits
from carewright.kernel import jobs, merges
from carewright.kernel.errors import Forbidden
from tests.clearing_house import asking, house_at, mock_clearing_house
from tests.samples import known_id
from tests.servers import MORNING, Contexts, facts_of
from tests.store.test_coverage import ANNA, BEN, CARD
from tests.store.test_eligibility import SITE, VISIT, Payers, booked, checked, covered, follow, heard, ruled

TODAY = MORNING.date()
KIND = known_id(2)
"""The visit type of `booked`."""


@pytest.fixture(scope="module")
async def place() -> AsyncIterator[str]:
    async with mock_clearing_house() as url:
        yield url


@pytest.fixture
async def desk(context: Contexts, place: str) -> CoverageContext:
    return asking(await context("coverage", "front-desk"), house_at(place))


async def told(desk: CoverageContext) -> tuple[StoppedVisits, ...] | None:
    """What scheduling was told last; None where it was told nothing."""
    facts = await stops_told(desk)
    return facts[-1].stops if facts else None


async def stops_told(desk: CoverageContext) -> list[VisitsStopped]:
    return [each for each in await facts_of(desk) if isinstance(each, VisitsStopped)]


async def needing(context: Contexts, desk: CoverageContext, **need: Any) -> None:
    """Visits of that kind are to be authorised before."""
    admin = desk.acting(context.actor("administrator"))
    await policies.set_service_type(admin, SetServiceType(visit_type_id=KIND, service_type="98", authorisation=AuthorisationNeed(**need)))


async def said(desk: CoverageContext, state: Any, **more: Any) -> Authorisation:
    """The desk writes down what the payer said."""
    return await authorisations.record_authorisation(desk, RecordAuthorisation(appointment_id=VISIT, state=state, **more))


async def test_who_is_not_covered_that_day_is_not_booked_for_that_day(context: Contexts, desk: CoverageContext) -> None:
    await ruled(context, desk, "require", "America/Chicago")
    found = await checked(desk, await covered(desk, member_id="X1"))
    assert found.standing == "inactive"
    (stop,) = await told(desk) or ()
    assert (stop.site_id, stop.why, stop.visit_type_ids, stop.all_but) == (SITE, "not-covered", (), True)
    assert (stop.starts_from.astimezone(UTC), stop.counts_until) == (
        datetime(2026, 11, 2, 6, tzinfo=UTC), datetime(2026, 11, 3, tzinfo=UTC),
    )  # fmt: skip
    assert stop.starts_before == stop.starts_from + timedelta(days=1)


@pytest.mark.parametrize(("rule", "member_id"), [("warn", "X1"), ("allow", "X1"), ("require", "W1"), ("require", "N1"), ("require", "Z1")])
async def test_nothing_is_stopped_without_a_no_and_a_rule(context: Contexts, desk: CoverageContext, rule: str, member_id: str) -> None:
    await ruled(context, desk, rule)
    await checked(desk, await covered(desk, member_id=member_id))
    assert await told(desk) is None


async def test_it_follows_the_coverages_the_rules_and_the_kinds_of_visits(context: Contexts, desk: CoverageContext) -> None:
    coverage = await covered(desk, member_id="X1")
    await checked(desk, coverage)
    assert await told(desk) is None
    system = asking(await context.system("coverage"), desk.clearing_house)

    async def settled() -> list[tuple[Any, ...]]:
        await jobs.run_due(system, JOBS)
        return [(each.visit_type_ids, each.all_but) for each in await told(desk) or ()]

    await ruled(context, desk, "require")
    assert await settled() == [((), True)]
    admin = desk.acting(context.actor("administrator"))
    await policies.set_service_type(admin, SetServiceType(visit_type_id=KIND, service_type="MH"))
    assert await settled() == [((KIND,), True)], "about that kind it was not asked"
    await checked(desk, coverage, service_type="MH")
    assert await settled() == [((KIND,), True), ((KIND,), False)]
    await coverages.update_coverage(desk, UpdateCoverage(coverage_id=coverage.id, details=replace(CARD, member_id="X1", plan="Other")))
    assert await settled() == [], "it is recorded otherwise now: the answer counts no more"
    await ruled(context, desk, "require")
    assert len(await stops_told(desk)) == 4, "who has no stops is told of none"


async def test_the_coverage_that_pays_first_decides(context: Contexts, desk: CoverageContext) -> None:
    await ruled(context, desk, "require")
    await checked(desk, await covered(desk, member_id="X1", order=2))
    assert await told(desk)
    await covered(desk, member_id="W1", order=1)
    assert await told(desk) == ()


async def test_a_payer_is_asked_while_the_patient_decides(context: Contexts, desk: CoverageContext) -> None:
    payers = Payers()
    system = asking(await context.system("coverage"), payers)
    held = AppointmentHeld(
        **(msgspec.structs.asdict(booked(context)) | {"status": "pending", "expires_at": MORNING + timedelta(minutes=5)})
    )
    await covered(desk)
    await heard(system, held, handle=handlers.ask_about_hold)
    await jobs.run_due(system, JOBS)
    assert payers.asked == [], "nothing stops there: the visit is asked about once it is booked"
    await ruled(context, desk, "require")
    await heard(system, replace(held, urgency="P1"), handle=handlers.ask_about_hold)
    await jobs.run_due(system, JOBS)
    assert payers.asked == [], "nothing stops an urgent visit"
    await heard(system, held, held, handle=handlers.ask_about_hold)
    await jobs.run_due(system, JOBS)
    await follow(context, asking(desk, payers), booked(context))
    assert [(each.service_type, each.serviced_on) for each in payers.asked] == [("98", TODAY + timedelta(days=1))], "asked once in all"


# Authorisations


async def test_a_visit_that_needs_it_is_shown_until_somebody_authorised_it(context: Contexts, desk: CoverageContext) -> None:
    await covered(desk)
    await needing(context, desk)
    await follow(context, desk, booked(context))
    shown = await visits.get_visit(desk, VISIT)
    assert (shown.decision, shown.missing, shown.needs_authorisation, shown.authorisation) == ("warn", ("authorisation",), True, None)
    pended = await said(desk, "pended")
    shown = await visits.get_visit(desk, VISIT)
    assert (shown.missing, shown.authorisation) == (("authorisation-pending",), pended)
    certified = await said(desk, "certified", number="AUTH-77", valid_until=TODAY + timedelta(days=30))
    shown = await visits.get_visit(desk, VISIT)
    assert (shown.decision, shown.missing, shown.authorisation) == ("proceed", (), certified)
    page = await authorisations.list_authorisations(desk, ListAuthorisations(patient_id=ANNA, limit=1))
    assert (page.items, page.next) == ((pended,), pended.id)
    rest = await authorisations.list_authorisations(desk, ListAuthorisations(patient_id=ANNA, after=page.next))
    assert rest == AuthorisationsPage(items=(certified,))


async def test_what_was_authorised_for_other_days_or_by_another_payer_does_not_count(context: Contexts, desk: CoverageContext) -> None:
    coverage = await covered(desk)
    await needing(context, desk)
    await follow(context, desk, booked(context))
    await said(desk, "certified", number="A1", valid_until=TODAY)
    assert (await visits.get_visit(desk, VISIT)).missing == ("authorisation",), "the visit is tomorrow"
    await said(desk, "certified", number="A2")
    assert (await visits.get_visit(desk, VISIT)).missing == ()
    await coverages.update_coverage(
        desk, UpdateCoverage(coverage_id=coverage.id, details=replace(CARD, payer=replace(CARD.payer, id="99999")))
    )  # fmt: skip
    assert (await visits.check_visit(desk, VISIT)).missing == ("authorisation",)


@pytest.mark.parametrize(("payers", "needs"), [((), True), (("60054",), True), (("00001",), False)])
async def test_only_some_payers_may_want_it(context: Contexts, desk: CoverageContext, payers: tuple[str, ...], needs: bool) -> None:
    await covered(desk)
    await needing(context, desk, payers=payers)
    await follow(context, desk, booked(context))
    assert (await visits.get_visit(desk, VISIT)).needs_authorisation is needs


async def test_a_payer_that_says_it_wants_to_be_asked_first_is_believed(context: Contexts, desk: CoverageContext) -> None:
    await covered(desk, member_id="P1")
    await follow(context, desk, booked(context))
    assert (await visits.get_visit(desk, VISIT)).missing == ("authorisation",)
    await said(desk, "certified", number="A1")
    assert (await visits.get_visit(desk, VISIT)).decision == "proceed"


@pytest.mark.parametrize(
    ("rule", "of_authorisations", "urgency", "decision"),
    [
        ("warn", None, "P2", "warn"), ("require", None, "P2", "stop"), ("warn", "require", "P2", "stop"), ("require", "warn", "P2", "warn"),
        ("require", "allow", "P2", "proceed"), ("require", "require", "P1", "warn"), ("require", "require", "P0", "warn"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("state", [None, "pended", "denied"])
async def test_the_sites_rule_about_authorisations_decides(
    context: Contexts, desk: CoverageContext, rule: Any, of_authorisations: Any, urgency: Any, decision: str, state: str | None
) -> None:
    admin = desk.acting(context.actor("administrator"))
    await policies.set_policy(admin, SetPolicy(site_id=SITE, rule=rule, time_zone="UTC", authorisation=of_authorisations))
    assert (await policies.get_policy(admin, SITE)).authorisation == of_authorisations
    await covered(desk)
    await needing(context, desk)
    await follow(context, desk, booked(context, urgency=urgency))
    if state is not None:
        await said(desk, state)
    assert (await visits.get_visit(desk, VISIT)).decision == decision


async def test_a_denial_stops_visits_of_its_kind_until_the_payer_says_otherwise_or_a_month_is_over(
    context: Contexts, desk: CoverageContext
) -> None:
    await ruled(context, desk, "require")
    await covered(desk)
    await needing(context, desk)
    await follow(context, desk, booked(context))
    denial = await said(desk, "denied")
    (stop,) = await told(desk) or ()
    assert (stop.why, stop.visit_type_ids, stop.all_but, stop.starts_before) == ("not-authorised", (KIND,), False, None)
    assert stop.counts_until == MORNING + timedelta(days=30)
    other = replace(booked(context, start=MORNING + timedelta(days=5)), appointment_id=known_id(0x78))
    await follow(context, desk, other)
    shown = await visits.get_visit(desk, known_id(0x78))
    assert (shown.decision, shown.missing, shown.authorisation) == ("stop", ("not-authorised",), denial), "booked with a reason, and shown"
    await said(desk, "certified", number="A1")
    assert await told(desk) == ()


async def test_what_the_desk_writes_down_is_looked_at(context: Contexts, desk: CoverageContext) -> None:
    with pytest.raises(UnknownVisit):
        await said(desk, "denied")
    fact = booked(context)
    system = await follow(context, desk, fact)
    with pytest.raises(InvalidAuthorisation) as refused:
        await said(desk, "denied")
    assert refused.value.facts == {"field": "appointment_id"}, "nobody pays"
    await covered(desk)
    for field, given in (("number", {}), ("valid_until", {"number": "A", "valid_from": TODAY, "valid_until": TODAY - timedelta(days=1)})):
        with pytest.raises(InvalidAuthorisation) as refused:
            await said(desk, "certified", **given)
        assert refused.value.facts == {"field": field}
    other = desk.acting(context.actor("patient", patient_id=BEN))
    for forbidden in (said(other, "denied"), authorisations.list_authorisations(other, ListAuthorisations(patient_id=ANNA))):
        with pytest.raises(Forbidden):
            await forbidden
    await heard(system, AppointmentCancelled(**(msgspec.structs.asdict(fact) | {"status": "cancelled"})), handle=handlers.end_visit)
    with pytest.raises(UnknownVisit):
        await said(desk, "denied")


async def test_of_an_erased_patient_nothing_is_left_and_scheduling_is_told(context: Contexts, desk: CoverageContext) -> None:
    await ruled(context, desk, "require")
    await covered(desk)
    await follow(context, desk, booked(context))
    await said(desk, "denied")
    assert await told(desk)
    fact = PatientErased(organization_id=context.organization_id, patient_id=ANNA, version=2)
    await heard(desk, fact, handle=handlers.erase_patient)
    assert await told(desk) == ()
    assert (await authorisations.list_authorisations(desk, ListAuthorisations(patient_id=ANNA))).items == ()


@pytest.mark.parametrize("rule", ["require", "warn"])
async def test_after_a_merge_the_survivor_is_looked_at_again_and_nobody_else(context: Contexts, desk: CoverageContext, rule: str) -> None:
    """Whether the old record had stops or none: what stops the survivor follows from what it was given."""
    organization_id = context.organization_id
    system = asking(await context.system("coverage"), desk.clearing_house)
    await ruled(context, desk, rule)
    await jobs.run_due(system, JOBS)
    await covered(desk)
    await follow(context, desk, booked(context))
    await said(desk, "denied")
    other = RecordCoverage(patient_id=known_id(0xC), details=replace(CARD, member_id="X2"))
    await checked(desk, await coverages.record_coverage(desk, other))
    async with desk.db.transaction() as tx:
        await store.put_policy(tx, organization_id, SetPolicy(site_id=SITE, rule="require", time_zone="UTC"))
        await merges.note_merged(tx, organization_id, ANNA, BEN, context.clock.now())
    already = len(await stops_told(desk))
    await heard(desk, PatientMerged(organization_id=organization_id, patient_id=BEN, prior_id=ANNA), handle=handlers.take_over)
    await jobs.run_due(system, JOBS)
    fresh = (await stops_told(desk))[already:]
    assert [(each.patient_id, bool(each.stops)) for each in fresh] == [(ANNA, False)] * (rule == "require") + [(BEN, True)]


async def test_what_was_authorised_long_ago_is_disposed_of(context: Contexts, desk: CoverageContext) -> None:
    await covered(desk)
    await follow(context, desk, booked(context))
    await said(desk, "denied")
    assert await keeping.dispose_eligibilities(desk, MORNING + timedelta(days=9), 10) == 3
    assert (await authorisations.list_authorisations(desk, ListAuthorisations(patient_id=ANNA))).items == ()
