"""Coverage: recorded once, changed by its version, seen by whom it concerns, sealed, erased, disposed of."""

import asyncio
from datetime import date, timedelta
from typing import Any

import asyncpg
import pytest
from msgspec.structs import replace

from carewright.contracts.coverage import (
    AlreadyRecorded,
    Coverage,
    CoverageDetails,
    Insured,
    InvalidCoverage,
    ListCoverages,
    PatientGone,
    Payer,
    RecordCoverage,
    UnknownCoverage,
    UpdateCoverage,
)
from carewright.contracts.patients import PatientErased
from carewright.contracts.records import LiftHold, SetHold
from carewright.coverage import handlers
from carewright.coverage.service import coverages, keeping
from carewright.kernel.context import Context, Once
from carewright.kernel.errors import BadInput, Forbidden, PreconditionFailed
from carewright.kernel.privacy.cipher import SealedElsewhere
from carewright.records.service import rules as records
from tests.access_world import recorded
from tests.samples import known_id
from tests.servers import Contexts

ANNA, BEN = known_id(0xA), known_id(0xB)
CARD = CoverageDetails(
    payer=Payer(name="Numbat Mutual", id="60054"), member_id="W1234 56789", plan="Gold PPO", group="G-77",
    beneficiary=Insured(family="Quokkaline", given=("Anna",), birth_on=date(1980, 2, 29), gender="female"),
    starts_on=date(2026, 1, 1),
)  # fmt: skip
DEPENDENT = replace(CARD, relationship="child", subscriber=Insured(family="Quokkaline", given=("Bert",)))


@pytest.fixture
async def desk(context: Contexts) -> Context:
    return await context("coverage", "front-desk")


@pytest.fixture
async def card(desk: Context) -> Coverage:
    return await coverages.record_coverage(desk, RecordCoverage(patient_id=ANNA, details=CARD))


def theirs(context: Contexts, desk: Context, role: str = "patient") -> Context:
    return desk.acting(context.actor(role, patient_id=ANNA))


async def test_what_is_recorded_is_read_listed_and_changed(desk: Context, card: Coverage) -> None:
    assert await coverages.get_coverage(desk, card.id) == card
    changed = await coverages.update_coverage(
        desk, UpdateCoverage(coverage_id=card.id, details=replace(DEPENDENT, order=2), expected_version=1)
    )
    assert (changed.version, changed.subscriber, changed.order) == (2, DEPENDENT.subscriber, 2)
    other = await coverages.record_coverage(desk, RecordCoverage(patient_id=ANNA, details=replace(CARD, payer=Payer(name="Bilby Care"))))
    first = await coverages.list_coverages(desk, ListCoverages(patient_id=ANNA, limit=1))
    rest = await coverages.list_coverages(desk, ListCoverages(patient_id=ANNA, after=first.next))
    assert (first.items, rest.items, rest.next) == ((changed,), (other,), None)
    assert (await coverages.list_coverages(desk, ListCoverages(ids=(other.id, known_id(1))))).items == (other,)


async def row_of(database_url: str, card: Coverage) -> Any:
    """Which transaction wrote the row last."""
    connection = await asyncpg.connect(database_url)
    try:
        return await connection.fetchval("SELECT xmin::text FROM coverage.coverage WHERE id = $1", card.id)
    finally:
        await connection.close()


async def test_the_same_again_changes_nothing_and_an_old_version_is_refused(desk: Context, card: Coverage, database_url: str) -> None:
    before = await row_of(database_url, card)
    assert await coverages.update_coverage(desk, UpdateCoverage(coverage_id=card.id, details=CARD)) == card
    assert await row_of(database_url, card) == before, "nothing is written again"
    with pytest.raises(PreconditionFailed):
        await coverages.update_coverage(desk, UpdateCoverage(coverage_id=card.id, details=DEPENDENT, expected_version=2))


async def test_a_key_does_its_work_once(desk: Context) -> None:
    command = RecordCoverage(patient_id=ANNA, details=CARD)
    keyed = desk.acting(desk.actor, Once.of("key", command))
    assert await coverages.record_coverage(keyed, command) == await coverages.record_coverage(keyed, command)


async def test_a_patient_has_a_coverage_once_however_the_member_is_written(desk: Context, card: Coverage) -> None:
    twin = replace(CARD, member_id="w123456789")
    with pytest.raises(AlreadyRecorded):
        await coverages.record_coverage(desk, RecordCoverage(patient_id=ANNA, details=twin))
    assert (await coverages.record_coverage(desk, RecordCoverage(patient_id=BEN, details=CARD))).patient_id == BEN
    wrong = replace(CARD, status="entered-in-error")
    await coverages.update_coverage(desk, UpdateCoverage(coverage_id=card.id, details=wrong))
    right = await coverages.record_coverage(desk, RecordCoverage(patient_id=ANNA, details=twin))
    with pytest.raises(AlreadyRecorded):
        await coverages.update_coverage(desk, UpdateCoverage(coverage_id=card.id, details=CARD))
    assert right.version == 1


async def test_of_two_who_become_the_same_at_once_one_is_refused(desk: Context, card: Coverage) -> None:
    other = await coverages.record_coverage(desk, RecordCoverage(patient_id=ANNA, details=replace(CARD, member_id="OTHER1")))
    same = replace(CARD, member_id="THIRD1")
    done = await asyncio.gather(
        coverages.update_coverage(desk, UpdateCoverage(coverage_id=card.id, details=same)),
        coverages.update_coverage(desk, UpdateCoverage(coverage_id=other.id, details=same)),
        coverages.record_coverage(desk, RecordCoverage(patient_id=ANNA, details=same)),
        return_exceptions=True,
    )
    assert sorted(type(each).__name__ for each in done) == ["AlreadyRecorded", "AlreadyRecorded", "Coverage"]


@pytest.mark.parametrize(
    ("details", "field"),
    [
        (replace(CARD, relationship="spouse"), "subscriber"),
        (replace(CARD, subscriber=CARD.beneficiary), "subscriber"),
        (replace(CARD, ends_on=date(2025, 12, 31)), "ends_on"),
        (replace(CARD, beneficiary=Insured(family=" ")), "beneficiary"),
        (replace(CARD, beneficiary=Insured(family="X", birth_on=date(2030, 1, 1))), "beneficiary"),
        (replace(DEPENDENT, subscriber=Insured(family="A\nB")), "subscriber"),
        (replace(CARD, plan="Gold\x00"), "payer"),
    ],
)
async def test_what_breaks_a_rule_is_refused_by_its_field(desk: Context, details: CoverageDetails, field: str) -> None:
    with pytest.raises(InvalidCoverage) as refusal:
        await coverages.record_coverage(desk, RecordCoverage(patient_id=ANNA, details=details))
    assert refusal.value.facts == {"field": field}


async def test_a_patient_sees_their_own_and_nobody_elses(context: Contexts, desk: Context, card: Coverage) -> None:
    own, other = theirs(context, desk), await coverages.record_coverage(desk, RecordCoverage(patient_id=BEN, details=CARD))
    assert await coverages.get_coverage(own, card.id) == card
    assert (await coverages.list_coverages(own, ListCoverages())).items == (card,)
    assert (await coverages.list_coverages(own, ListCoverages(ids=(card.id, other.id)))).items == (card,)
    with pytest.raises(UnknownCoverage):
        await coverages.get_coverage(own, other.id)
    for refused in (
        coverages.list_coverages(own, ListCoverages(patient_id=BEN)),
        coverages.record_coverage(own, RecordCoverage(patient_id=ANNA, details=CARD)),
        coverages.update_coverage(own, UpdateCoverage(coverage_id=card.id, details=CARD)),
        coverages.get_coverage(theirs(context, desk, "physician"), card.id),
    ):
        with pytest.raises(Forbidden):
            await refused
    with pytest.raises(BadInput):
        await coverages.list_coverages(desk, ListCoverages())


async def test_nothing_of_a_card_lies_open_in_the_database(context: Contexts, card: Coverage, database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    text = await connection.fetchval("SELECT string_agg(c::text, ' ') FROM coverage.coverage c WHERE id = $1", card.id)
    await connection.close()
    assert str(card.id) in text
    for said in ("60054", "Numbat", "W1234", "Quokkaline", "Gold", "G-77", "1980"):
        assert said not in text
        assert said.encode().hex() not in text


async def test_what_is_known_of_an_erased_patient_goes_and_nothing_comes_late(context: Contexts, desk: Context, card: Coverage) -> None:
    fact = PatientErased(organization_id=context.organization_id, patient_id=ANNA, version=2)
    for _ in range(2):  # delivered at least once
        async with desk.db.transaction() as tx:
            await handlers.erase_patient(desk, tx, fact)
    assert (await coverages.list_coverages(desk, ListCoverages(ids=(card.id,)))).items == ()
    with pytest.raises(PatientGone):
        await coverages.record_coverage(desk, RecordCoverage(patient_id=ANNA, details=CARD))
    assert "coverage.coverage.erase" in [event for event, _, _ in await recorded(context)]


async def test_what_ended_long_ago_is_disposed_of_unless_a_hold_covers_it(context: Contexts, desk: Context, card: Coverage) -> None:
    async def kept(**changes: Any) -> Coverage:
        details = replace(CARD, **changes)
        return await coverages.record_coverage(desk, RecordCoverage(patient_id=BEN, details=details))

    ended = await kept(member_id="OLD1", ends_on=date(2026, 1, 31))
    fresh = await kept(member_id="NEW1", ends_on=date(2026, 10, 31))
    before = context.clock.now() - timedelta(days=30)
    keeper = await context("kernel", "privacy-officer")
    hold = await records.set_hold(keeper, SetHold(patient_id=BEN, reason="Ames v. Lakeside Hospital"))
    assert await keeping.dispose_coverages(desk, before, 10) == 0
    await records.lift_hold(keeper, LiftHold(hold_id=hold.id, reason="Settled"))
    assert await keeping.dispose_coverages(desk, before, 10) == 1
    left = (await coverages.list_coverages(desk, ListCoverages(ids=(card.id, ended.id, fresh.id)))).items
    assert [each.id for each in left] == [card.id, fresh.id]


async def test_a_rotation_seals_them_anew(desk: Context, card: Coverage, database_url: str) -> None:
    assert await keeping.reseal_coverages(desk, known_id(0), 10) == [], "nothing here is due for rotation"
    connection = await asyncpg.connect(database_url)
    older = "UPDATE coverage.coverage SET content = '\\x010000'::bytea || substring(content FROM 4) WHERE id = $1"
    await connection.execute(older, card.id)
    await connection.close()
    with pytest.raises(SealedElsewhere):
        await keeping.reseal_coverages(desk, known_id(0), 10)
