"""An appointment of both that an EHR does not list any more: read by its id, and dealt with as the masters say."""

from datetime import datetime
from uuid import UUID

import pytest

from carewright.contracts.ehr import TAKEN, Master
from carewright.ehr import store
from carewright.ehr.service import visits
from carewright.ehr.service.pushing import push
from carewright.ehr.store import NewLink
from tests.clinic import ok
from tests.ehr_side import Sides, both_sides, ehr_system
from tests.whole_system import Inside

__all__ = ["ehr_system"]


async def with_one_that_is_gone(sides: Sides) -> UUID:
    """An appointment of ours whose counterpart there is no more."""
    stranger = await sides.with_number("999999", "Stranger")
    booked = ok(await sides.clinic.book(stranger, (await sides.clinic.free())[0]), 201)
    link = NewLink(
        id=sides.ctx.ids.new(), connection_id=sides.connection.id, kind="Appointment", theirs="1", ours=UUID(booked["id"]),
        patient_id=stranger, start_at=datetime.fromisoformat(booked["start"]),
    )  # fmt: skip
    async with sides.ctx.db.transaction() as tx:
        assert await store.put_link(tx, await sides.ctx.cipher(), link, sides.ctx.clock.now())
    return UUID(booked["id"])


@pytest.mark.parametrize(("master", "cancelled", "reason"), [
    ("theirs", True, TAKEN), ("newest", False, "ehr.gone_there"), ("ours", False, "ehr.gone_there"),
])  # fmt: skip
async def test_what_is_gone_there_goes_here_only_where_they_are_always_believed(
    ehr_system: Inside, master: Master, cancelled: bool, reason: str
) -> None:
    async with both_sides(ehr_system, "oracle", masters={"Appointment": master}) as sides:
        gone = await with_one_that_is_gone(sides)
        pulled = await sides.pull()
        assert (pulled.ended_by, pulled.counts["Appointment gone"]) == (None, 1)
        assert (gone in [each.id for each in await sides.ours("cancelled")]) is cancelled
        if cancelled:
            assert await push(sides.ctx, sides.connection.name, gone) is None
        differing = [each.reason for each in (await sides.reconcile()).differences if each.ours == gone]
        assert reason in differing


async def test_when_more_are_gone_than_people_cancel_nothing_is_cancelled(ehr_system: Inside, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visits, "GONE_MAX", 0)
    async with both_sides(ehr_system, "oracle", masters={"Appointment": "theirs"}) as sides:
        await with_one_that_is_gone(sides)
        await sides.pull()
        assert await sides.ours("cancelled") == []


async def test_what_moved_out_of_the_time_that_is_asked_for_is_moved_here(ehr_system: Inside) -> None:
    async with both_sides(ehr_system, "oracle") as sides:
        await sides.pull()
        moved = (await sides.theirs())[0]
        query = {"service-type": "11,12", "schedule.actor": moved["participant"][1]["actor"]["reference"]}
        free = await sides.search("Slot", **query, start=f"ge{moved['start']}")
        await sides.patch(moved, "/slot", [{"reference": f"Slot/{free[-1]['id']}"}])
        await sides.set(window_days=6).pull()
        assert datetime.fromisoformat(free[-1]["start"]) in [each.start for each in await sides.ours()]
