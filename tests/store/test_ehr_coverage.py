"""Who pays, as an EHR has it: recorded here once, believed as the masters say, and never silently overwritten."""

from typing import Any
from uuid import UUID

import pytest

from carewright.contracts.coverage import Coverage
from carewright.contracts.ehr import TAKEN, Master
from tests.clinic import ok
from tests.ehr_side import Sides, both_sides, ehr_system
from tests.whole_system import Inside

__all__ = ["ehr_system"]
SELF, SPOUSE, SELF_PAID = "100000", "100002", "100004"
"""Whose number has which plan in every made-up EHR."""


async def expected(sides: Sides, number: str) -> UUID:
    """A patient of both with a visit here, whom Epic's habits let us ask about."""
    (theirs,) = await sides.search("Patient", identifier=f"urn:oid:2.999.1.1|{number}")
    patient_id = await sides.with_number(number, theirs["name"][0]["family"], birth_on=theirs["birthDate"])
    ok(await sides.clinic.book(patient_id, (await sides.clinic.free())[-1]), 201)
    return patient_id


async def coverages(sides: Sides, patient_id: UUID) -> list[Any]:
    return list(ok(await sides.whole.request("front-desk", "GET", f"/api/v1/coverages?patient_id={patient_id}"))["items"])


async def change(sides: Sides, coverage: Any, **more: Any) -> None:
    """The desk changes what a coverage says."""
    details = {name: coverage[name] for name in Coverage.__struct_fields__ if name in coverage} | more
    body = {name: value for name, value in details.items() if name not in ("id", "patient_id", "version", "updated_at")}
    ok(await sides.whole.request("front-desk", "PUT", f"/api/v1/coverages/{coverage['id']}", json=body))


async def test_every_plan_of_the_patients_of_both_is_recorded_once(ehr_system: Inside) -> None:
    async with both_sides(ehr_system, "oracle") as sides:
        pulled = await sides.pull()
        assert pulled.ended_by is None
        linked = (await sides.reconcile()).linked
        assert 0 < linked["Coverage"] == pulled.counts["Coverage new"]
        assert linked["Coverage"] + pulled.counts["Coverage passed"] == linked["Patient"]
        assert not [what for what in (await sides.pull()).counts if what.startswith("Coverage")], "nobody asks twice within the hours"
        again = await sides.set(coverage_hours=0).pull()
        assert again.counts["Coverage agreed"] == linked["Coverage"]
        assert "Coverage new" not in again.counts


async def test_a_plan_is_as_they_have_it_with_our_patient_as_its_beneficiary(ehr_system: Inside) -> None:
    async with both_sides(ehr_system, "epic") as sides:
        patient_id = await expected(sides, SPOUSE)
        assert (await sides.pull()).counts["Coverage new"] == 1
        (found,) = await coverages(sides, patient_id)
        assert (found["payer"]["name"], found["member_id"], found["plan"]) == ("North Health Plan", "M100002", "Standard")
        assert (found["relationship"], found["subscriber"]["given"], found["starts_on"]) == ("spouse", ["Robin"], "2020-01-01")
        assert found["beneficiary"]["family"] == "Castor"


async def test_whoever_pays_themselves_has_no_plan(ehr_system: Inside) -> None:
    async with both_sides(ehr_system, "epic") as sides:
        patient_id = await expected(sides, SELF_PAID)
        assert (await sides.pull()).counts["Coverage passed"] == 1
        assert await coverages(sides, patient_id) == []
        assert "Coverage ehr.unmapped" not in await sides.reasons()


@pytest.mark.parametrize(
    ("master", "plan", "reason"), [("theirs", "Standard", TAKEN), ("ours", "Gold", "ehr.differs"), ("newest", "Gold", "ehr.differs")]
)
async def test_a_plan_that_differs_is_changed_or_not_but_never_silently(ehr_system: Inside, master: Master, plan: str, reason: str) -> None:
    """Under `newest` the desk spoke last."""
    async with both_sides(ehr_system, "epic", masters={"Coverage": master}) as sides:
        patient_id = await expected(sides, SELF)
        body = {"payer": {"name": "north health plan", "id": "60054"}, "member_id": "m-100000", "beneficiary": {"family": "Written"}}
        details = body | {"plan": "Gold", "starts_on": "2020-01-01"}
        ok(
            await sides.whole.request("front-desk", "POST", "/api/v1/coverages", json={"patient_id": str(patient_id), "details": details}),
            201,
        )
        pulled = await sides.pull()
        assert "Coverage new" not in pulled.counts
        (found,) = await coverages(sides, patient_id)
        assert (found["plan"], found["payer"]["id"], found["beneficiary"]["family"]) == (plan, "60054", "Written")
        (difference,) = [each for each in (await sides.reconcile()).differences if each.kind == "Coverage"]
        assert (difference.reason, str(difference.ours), difference.elements) == (reason, found["id"], ("plan",))


async def test_where_we_are_master_nobody_has_a_plan_because_they_say_so(ehr_system: Inside) -> None:
    async with both_sides(ehr_system, "epic", masters={"Coverage": "ours"}) as sides:
        patient_id = await expected(sides, SELF)
        await sides.pull()
        assert await coverages(sides, patient_id) == []
        assert (await sides.reasons())["Coverage ehr.only_theirs"] == 1
