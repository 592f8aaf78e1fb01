"""EHR connections against a made-up EHR as a process: what is pulled, who wins, and what a bad day does."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from carewright.contracts.ehr import TAKEN, AddConnection, ConnectionExists, Master, PullRunning, UnknownConnection
from carewright.contracts.patients import PatientErased
from carewright.ehr import store
from carewright.ehr.handlers import erase_patient
from carewright.ehr.service.connections import add_connection, list_connections
from carewright.ehr.service.keeping import reseal_connections, reseal_links
from carewright.ehr.service.pulling import pull
from carewright.kernel.errors import Forbidden
from carewright.kernel.http import outgoing
from carewright.mock.ehr.made_up import MRN
from carewright.roles import ehr as commands
from tests.clinic import ok
from tests.ehr_side import Sides, both_sides, ehr_system
from tests.whole_system import Inside

__all__ = ["ehr_system"]
PULLS_MAX = 40


def starts(appointments: Iterable[Any]) -> list[datetime]:
    """Of theirs, which are JSON, and of ours."""
    return sorted(datetime.fromisoformat(each["start"]) if isinstance(each, dict) else each.start for each in appointments)


async def test_a_pull_brings_what_they_have_and_a_second_one_nothing(ehr_system: Inside) -> None:
    async with both_sides(ehr_system, "oracle") as sides:
        pulled = await sides.pull()
        assert pulled.ended_by is None
        theirs, ours = await sides.theirs(), await sides.ours()
        assert starts(ours) == starts(theirs) != []
        reasons = await sides.reasons()
        assert reasons["Practitioner ehr.only_theirs"] == 3
        assert reasons["Location ehr.only_theirs"] == 1
        again = await sides.pull()
        assert again.counts["Appointment agreed"] == len(theirs)
        assert "Appointment new" not in again.counts
        assert await sides.reasons() == reasons
        assert (await sides.reconcile()).only_ours == ()
        assert [each.version for each in await sides.ours()] == [each.version for each in ours]


async def test_what_they_moved_or_cancelled_is_moved_and_cancelled_here_and_on_record(ehr_system: Inside) -> None:
    async with both_sides(ehr_system, "oracle") as sides:
        await sides.pull()
        moved, cancelled, *_ = await sides.theirs()
        query = {"service-type": "11,12", "schedule.actor": moved["participant"][1]["actor"]["reference"]}
        free = await sides.search("Slot", **query, start=f"ge{moved['start']}")
        await sides.patch(moved, "/slot", [{"reference": f"Slot/{free[-1]['id']}"}])
        await sides.patch(cancelled, "/status", "cancelled")
        await sides.pull()
        assert datetime.fromisoformat(free[-1]["start"]) in starts(await sides.ours())
        assert starts(await sides.ours("cancelled")) == [datetime.fromisoformat(cancelled["start"])]
        assert (await sides.reasons())[f"Appointment {TAKEN}"] == 2
        assert (await sides.pull()).counts["Appointment agreed"] > 2


async def test_where_we_are_master_theirs_is_only_put_on_record(ehr_system: Inside) -> None:
    async with both_sides(ehr_system, "oracle", masters={"Appointment": "ours"}) as sides:
        await sides.pull()
        before = starts(await sides.ours())
        await sides.patch((await sides.theirs())[0], "/status", "cancelled")
        await sides.pull()
        assert starts(await sides.ours()) == before
        assert (await sides.reasons())["Appointment ehr.differs"] == 1


@pytest.mark.parametrize(("master", "family", "reason"), [("theirs", "Adler", TAKEN), ("ours", "Adlerson", "ehr.differs")])
async def test_a_patient_who_differs_is_changed_or_not_but_never_silently(
    ehr_system: Inside, master: Master, family: str, reason: str
) -> None:
    async with both_sides(ehr_system, "epic", masters={"Patient": master}) as sides:
        theirs = await patient_at(sides, "100000")
        patient_id = await sides.with_number("100000", "Adlerson", birth_on=theirs["birthDate"])
        ok(await sides.clinic.book(patient_id, (await sides.clinic.free())[0]), 201)
        await sides.pull()
        found = ok(await sides.whole.request("front-desk", "GET", f"/api/v1/patients/{patient_id}"))
        assert found["family"] == family
        (difference,) = [each for each in (await sides.reconcile()).differences if each.kind == "Patient"]
        assert (difference.reason, difference.ours) == (reason, patient_id)
        assert "family" in difference.elements


async def test_a_number_alone_makes_nobody_the_same_person(ehr_system: Inside) -> None:
    async with both_sides(ehr_system, "epic") as sides:
        patient_id = await sides.with_number("100000", "Somebody", birth_on="1901-01-01")
        ok(await sides.clinic.book(patient_id, (await sides.clinic.free())[0]), 201)
        await sides.pull()
        assert (await sides.reasons())["Patient ehr.other_person"] == 1
        assert (await sides.reconcile()).linked.get("Patient") is None


async def test_epics_appointments_are_found_by_the_patients_who_are_expected_here(ehr_system: Inside) -> None:
    async with both_sides(ehr_system, "epic") as sides:
        theirs = await patient_at(sides, "100000")
        patient_id = await sides.with_number("100000", theirs["name"][0]["family"], birth_on=theirs["birthDate"])
        ok(await sides.clinic.book(patient_id, (await sides.clinic.free())[-1]), 201)
        pulled = await sides.pull()
        assert pulled.ended_by is None
        known = await sides.search("Appointment", patient=theirs["id"], date=f"ge{datetime.now(UTC):%Y-%m-%d}")
        seen = sum(count for what, count in pulled.counts.items() if what.startswith("Appointment "))
        assert seen >= len([each for each in known if datetime.fromisoformat(each["start"]) > datetime.now(UTC)])
        assert (await sides.reconcile()).linked["Patient"] == 1


async def patient_at(sides: Sides, number: str) -> Any:
    """Theirs, by number."""
    (found,) = await sides.search("Patient", identifier=f"{MRN}|{number}")
    return found


async def test_pages_without_end_end_and_nothing_of_them_is_lost(ehr_system: Inside) -> None:
    async with both_sides(ehr_system, "oracle", "--endless-pages") as sides:
        pulled = await sides.pull()
        assert pulled.ended_by == "ehr.pages_without_end"
        assert pulled.counts["Practitioner ehr.only_theirs"] == 3
        assert pulled.counts["Appointment new"] == len(await sides.ours()) > 0
        assert (
            await store.next_to_ask(
                sides.ctx.db,
                await sides.ctx.cipher(),
                sides.connection.id,
                "Practitioner",
                sides.ctx.clock.now() - timedelta(minutes=1),
                10,
            )
            == []
        ), "whoever was asked is not asked first again"


async def test_lies_are_passed_over_and_the_truth_among_them_kept(ehr_system: Inside) -> None:
    async with both_sides(ehr_system, "oracle", "--lie") as sides:
        pulled = await sides.pull()
        assert pulled.ended_by is None
        assert pulled.counts["Practitioner misread"] > 0
        assert pulled.counts["Appointment new"] == len(await sides.ours()) > 0


async def test_an_ehr_that_breaks_now_and_then_is_read_to_its_end_over_several_pulls(ehr_system: Inside) -> None:
    """Its requests are counted over all pulls, so that each breaks somewhere else; what it is told meanwhile may meet a break too."""
    async with both_sides(ehr_system, "oracle", "--fail-every", "12") as sides:
        pulls = [await sides.pull()]
        while {each.ended_by for each in pulls} != {"kernel.unavailable", None} or pulls[-1].ended_by:
            assert len(pulls) < PULLS_MAX, pulls
            pulls.append(await sides.pull())
        assert pulls[-1].counts["Appointment agreed"] == len(await sides.ours()) > 0


async def test_an_ehr_that_hangs_or_wants_its_rest_ends_the_pull(ehr_system: Inside, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outgoing, "SECONDS_MAX", 0.3)
    async with both_sides(ehr_system, "oracle", "--slow", "30") as sides:
        assert (await sides.pull()).ended_by == "kernel.unavailable"
    monkeypatch.undo()
    async with both_sides(ehr_system, "oracle", "--requests-per-minute", "1") as sides:
        assert (await sides.pull()).ended_by == "kernel.unavailable"
        assert (await list_connections(sides.ctx))[0].pulled_at is not None


async def test_one_asks_at_a_time(ehr_system: Inside) -> None:
    async with both_sides(ehr_system, "oracle") as sides:
        now = sides.ctx.clock.now()
        organization_id = sides.ctx.actor.organization_id
        assert await store.claim_asking(sides.ctx.db, organization_id, sides.connection.id, now, now.replace(year=now.year + 1))
        with pytest.raises(PullRunning):
            await sides.pull()


async def test_who_may_not_and_what_is_not_there(ehr_system: Inside) -> None:
    async with both_sides(ehr_system, "oracle") as sides:
        nurse = sides.ctx.acting(sides.whole.system.tokens.actor("nurse", "tester", sides.ctx.actor.organization_id))
        with pytest.raises(Forbidden):
            await pull(nurse, sides.connection.name)
        with pytest.raises(UnknownConnection):
            await pull(sides.ctx, "other")
        wished = AddConnection(name=sides.connection.name, profile="epic", base="https://ehr.example.org/r4", client_id="us")
        with pytest.raises(ConnectionExists):
            await add_connection(sides.ctx, wished)
        stranger = sides.ctx.acting(sides.whole.system.tokens.actor("administrator", "tester", uuid4()))
        assert await list_connections(stranger) == ()


async def test_the_report_names_nobody_and_what_is_kept_is_sealed(ehr_system: Inside) -> None:
    async with both_sides(ehr_system, "oracle") as sides:
        pulled = await sides.pull()
        shown = "\n".join(
            [*commands.lines_of_pull(pulled), *commands.lines_of(await sides.reconcile()), commands.line_of(sides.connection)]
        )
        for each in await sides.search("Practitioner", active="true"):
            assert each["name"][0]["family"] not in shown
            assert each["id"] not in shown
        assert '"d"' not in commands.keys_of(sides.connection)
        cipher = await sides.ctx.cipher()
        assert await reseal_links(sides.ctx, uuid4(), 10) == await reseal_connections(sides.ctx, uuid4(), 10) == []
        assert cipher.current


async def test_an_erased_patient_is_nobodys_at_the_ehr(ehr_system: Inside) -> None:
    async with both_sides(ehr_system, "oracle") as sides:
        await sides.pull()
        patient_id = (await sides.ours())[0].patient_id
        before = (await sides.reconcile()).linked["Patient"]
        event = PatientErased(organization_id=sides.ctx.actor.organization_id, patient_id=patient_id, version=2)
        async with sides.ctx.db.transaction() as tx:
            await erase_patient(sides.ctx, tx, event)
        assert (await sides.reconcile()).linked["Patient"] == before - 1
