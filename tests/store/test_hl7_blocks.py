"""Telling others in HL7 v2 of time that is closed, and open again: who hears of it, in which order, once, and by which ids."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import msgspec
import pytest

from carewright.contracts.hl7 import Partner, UnknownMessage
from carewright.contracts.hours import BlockChange, BlockTime
from carewright.contracts.scheduling import ScheduleChanged
from carewright.hl7.handlers import tell_of_block
from carewright.hl7.model.message import parse
from carewright.hl7.model.when import stamp_of
from carewright.hl7.service import keeping, partners, send, unsent, work_list
from tests.hl7_partner import decided, fields, outgoing, partner, telling
from tests.hl7_sender import Sender, said

STATUS, FILLER = ("SCH", 25), ("SCH", 2)


def practitioner_time(sender: Sender, days: int = 0) -> BlockTime:
    """An hour of whom the practice has, in some weeks: what is closed stands in nobody's way."""
    start = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(days=60 + days)
    schedule_id = UUID(sender.clinic.practitioner_id)
    return BlockTime(schedule_id=schedule_id, start=start, end=start + timedelta(hours=1), reason="A secret of Dr. Muster")


async def blocked(sender: Sender, days: int = 0) -> UUID:
    desk = sender.as_staff("administrator")
    found = (await desk.scheduling.block_time(desk.actor, practitioner_time(sender, days))).block_id
    assert found is not None
    return found


async def opened(sender: Sender, block_id: UUID) -> None:
    desk = sender.as_staff("administrator")
    await desk.scheduling.unblock_time(desk.actor, block_id)


@pytest.mark.requirement("V2.blocks")
async def test_a_partner_hears_that_time_is_closed_and_open_again(sender: Sender) -> None:
    wanted = practitioner_time(sender)
    async with partner() as listening, telling(sender, listening) as told:
        block_id = await blocked(sender)
        await opened(sender, block_id)
        heard = await listening.hears(2)
        rows = await decided(sender, told, 2, "accepted")
        assert fields(heard, STATUS, FILLER, ("RGS", 2)) == [("S23", "Blocked", str(block_id), "A"), ("S24", "", str(block_id), "D")]
        for message in heard:
            assert message.text("SCH", 11, 4) == stamp_of(wanted.start)
            assert message.text("SCH", 11, 5) == stamp_of(wanted.end)
            assert [each.name for each in message.segments] == ["MSH", "SCH", "RGS", "AIP"], "nobody's appointment, nowhere else"
        assert [row["patient_id"] for row in rows] == [None, None]
        for row in rows:
            assert "Muster" not in (await unsent.read_unsent(sender.as_staff("scheduler"), row["id"])).content, "why stays here"
        system = sender.ctx.working_in(sender.as_staff("scheduler").actor.organization_id)
        assert await keeping.reseal_outgoing(system, UUID(int=0), 10) == []
        while await keeping.dispose_outgoing(system, system.clock.now() + timedelta(minutes=1), 50):
            pass
        assert len(await outgoing(sender, told)) == 2, "until its time is over"
        while await keeping.dispose_outgoing(system, system.clock.now() + timedelta(days=90), 50):
            pass
        assert await outgoing(sender, told) == []


@pytest.mark.requirement("V2.blocks")
async def test_a_block_of_a_partner_comes_not_back_to_it_and_is_opened_by_its_own_ids(sender: Sender) -> None:
    await work_list.set_mapping(sender.as_staff("scheduler"), "practitioner", "ECHO", sender.clinic.practitioner_id)
    start = practitioner_time(sender, 1).start.strftime("%Y%m%d%H%M%S+0000")
    async with (
        partner() as listening, partner() as other, telling(sender, other), telling(sender, listening, client_id=sender.client_id) as told,
    ):  # fmt: skip
        assert said(await sender.says(sender.siu("S23", "shut-echo", start, practitioner="ECHO"))) == ("AA", "")
        (closed,) = await other.hears(1)
        block_id = UUID(closed.text(*FILLER))
        await opened(sender, block_id)
        heard = await listening.hears(1)
        await other.hears(2)
        assert fields(heard, ("SCH", 1), ("SCH", 2)) == [("S24", "Pshut-echo", "Fshut-echo")]
        assert fields(other.heard, FILLER) == [("S23", str(block_id)), ("S24", str(block_id))]
        for event in ("S23", "S24"):
            assert said(await sender.says(sender.siu(event, "shut-own", start, practitioner="ECHO"))) == ("AA", "")
        await other.hears(4)
        assert [row["event"] for row in await outgoing(sender, told)] == ["S24"], "what it opened itself it is not told"


@pytest.mark.requirement("V2.blocks")
async def test_of_time_that_it_never_knew_to_be_closed_a_partner_hears_nothing(sender: Sender) -> None:
    async with partner() as earlier, telling(sender, earlier):
        block_id = await blocked(sender, 2)
        await earlier.hears(1)
        async with partner() as listening, telling(sender, listening) as told:
            await opened(sender, block_id)
            await earlier.hears(2)
            later = await blocked(sender, 3)
            assert fields(await listening.hears(1), FILLER) == [("S23", str(later))]
            assert [row["event"] for row in await outgoing(sender, told)] == ["S23"]
            await opened(sender, later)


@pytest.mark.requirement("V2.blocks")
async def test_a_block_that_a_partner_does_not_take_waits_and_holds_up_its_end_alone(
    sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(send, "PAUSES", ())
    reader = sender.as_staff("scheduler")
    async with partner() as listening, telling(sender, listening) as told:
        listening.answers = ["MSA|AE|{}", "MSA|AE|{}"]
        first = await blocked(sender, 4)
        (row,) = await decided(sender, told, 1, "waiting")
        await opened(sender, first)
        other = await blocked(sender, 4)
        second = await decided(sender, told, 2, "waiting")
        assert [each["event"] for each in second] == ["S23", "S23"]
        await unsent.resend(reader, row["id"])
        assert fields(await listening.hears(4), FILLER)[2:] == [("S23", str(first)), ("S24", str(first))]
        await unsent.drop(reader, second[1]["id"])
        with pytest.raises(UnknownMessage):
            await unsent.drop(reader, second[1]["id"])
        await opened(sender, other)
        assert fields(await listening.hears(5), FILLER)[4:] == [("S24", str(other))]


async def test_a_change_of_a_calendar_that_is_told_twice_is_one_message(sender: Sender) -> None:
    ctx = sender.ctx.working_in(sender.as_staff("scheduler").actor.organization_id)
    told = Partner(id=uuid4(), name="Told", address="https://ehr.example.org/hl7")
    await partners.add_partner(sender.as_staff("administrator"), told)
    try:
        block = BlockChange(id=uuid4(), start=ctx.clock.now(), end=ctx.clock.now() + timedelta(hours=1), is_open=False)
        changed = ScheduleChanged(
            organization_id=ctx.actor.organization_id, schedule_id=UUID(sender.clinic.practitioner_id), calendar_version=3, block=block
        )
        for event in (changed, changed, msgspec.structs.replace(changed, block=None)):
            async with ctx.db.transaction() as tx:
                await tell_of_block(ctx, tx, event)
        assert [row["event"] for row in await outgoing(sender, told)] == ["S23"]
    finally:
        await partners.stop_partner(sender.as_staff("administrator"), told.id)


@pytest.mark.requirement("V2.blocks")
async def test_two_systems_of_ours_understand_each_others_blocks(sender: Sender) -> None:
    desk, reader = sender.as_staff("administrator"), sender.as_staff("scheduler")
    async with partner() as listening, telling(sender, listening) as told:
        await partners.set_partner_code(desk, told.id, "practitioner", sender.clinic.practitioner_id, sender.clinic.practitioner_id)
        await opened(sender, await blocked(sender, 5))
        rows = await decided(sender, told, 2, "accepted")
        closes, opens = [(await unsent.read_unsent(reader, row["id"])).content.replace("\n", "\r").encode() for row in rows]
        assert said(await sender.says(closes)) == ("AA", "")
        (_, _, again) = await listening.hears(3)
        assert again.kind[1] == "S23"
        assert again.text("SCH", 11, 4) == parse(closes).text("SCH", 11, 4)
        assert said(await sender.says(opens)) == ("AA", "")
        assert fields(await listening.hears(4), FILLER)[3:] == [("S24", again.text(*FILLER))]
