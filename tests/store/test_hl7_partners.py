"""Telling others in HL7 v2: who hears of what, in which order, once, whatever they answer and whenever they are there."""

import asyncio
import ssl
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest

from carewright.contracts.hl7 import Partner, SetMapping, SettleMessage, UnknownMessage, UnknownPartner
from carewright.contracts.patients import PatientErased
from carewright.hl7 import sending, store
from carewright.hl7.handlers import erase_patient
from carewright.hl7.model.message import Message, parse
from carewright.hl7.model.replies import Reply
from carewright.hl7.service import keeping, partners, send, unsent
from carewright.hl7.service.desk import LocalDesk
from carewright.hl7.settings import Hl7Settings
from carewright.kernel.errors import BadInput, Forbidden, Unavailable
from carewright.kernel.http.outgoing import Outgoing
from carewright.kernel.settings import StartFailed
from carewright.kernel.sql import Query
from carewright.roles import hl7 as commands
from carewright.roles.registry import SECTIONS
from tests.certificates import Authority
from tests.clinic import ok
from tests.hl7_partner import decided, fields, outgoing, partner, telling
from tests.hl7_sender import Sender, said

PID = Query("test.pid", "SELECT pg_backend_pid() AS pid")
WAITS = Query(
    "test.waits",
    "SELECT EXISTS (SELECT FROM pg_locks l WHERE NOT l.granted AND $1::int = ANY(pg_blocking_pids(l.pid))) AS waits",
)
STATUS, START, FILLER = ("SCH", 25), ("SCH", 11), ("SCH", 2)


async def booked(sender: Sender) -> tuple[UUID, str]:
    """A patient and their appointment, made at the desk."""
    answer = await sender.says(sender.adt("A28", mrn := f"D-{uuid4().hex[:8]}"))
    assert said(answer) == ("AA", "")
    patient_id, starts = await sender.patient(mrn), await sender.clinic.free()
    return patient_id, ok(await sender.clinic.book(patient_id, starts[-1]), 201)["id"]


async def test_a_partner_hears_what_becomes_of_an_appointment_in_order(sender: Sender) -> None:
    async with partner() as listening, telling(sender, listening):
        _, appointment_id = await booked(sender)
        starts = await sender.clinic.free()
        ok(await sender.clinic.step(appointment_id, "reschedule", {"time": sender.clinic.picked(starts[-1])}))
        ok(await sender.clinic.step(appointment_id, "cancel", {"reason": "pat"}))
        heard = await listening.hears(3)
    assert fields(heard, STATUS, ("SCH", 6)) == [("S12", "Booked", "S12"), ("S13", "Booked", "S13"), ("S15", "Cancelled", "pat")]
    assert {each.text("SCH", 2) for each in heard} == {appointment_id}
    assert heard[0].text("SCH", 11, 4) != heard[1].text("SCH", 11, 4)
    assert len({each.control_id for each in heard}) == 3
    assert heard[0].text("AIP", 3, 2), "whom the patient sees"


async def test_the_steps_of_the_day_are_told(sender: Sender) -> None:
    async with partner() as listening, telling(sender, listening):
        _, first = await booked(sender)
        _, second = await booked(sender)
        _, third = await booked(sender)
        for appointment_id, *steps in ((first, "arrived", "checked-in", "fulfilled"), (second, "noshow"), (third, "entered-in-error")):
            for step in steps:
                ok(await sender.clinic.step(appointment_id, "status", {"status": step}))
        heard = await listening.hears(7)
    told = {each: [row[:2] for row in fields(heard, STATUS, FILLER) if row[2] == each] for each in (first, second, third)}
    assert told == {
        first: [("S12", "Booked"), ("S14", "Started"), ("S14", "Complete")],
        second: [("S12", "Booked"), ("S26", "Noshow")],
        third: [("S12", "Booked"), ("S17", "Deleted")],
    }


async def test_who_did_it_is_not_told_and_hears_of_its_own_by_its_own_ids(sender: Sender) -> None:
    async with partner() as listening, partner() as other, telling(sender, other), telling(sender, listening, client_id=sender.client_id):
        assert said(await sender.says(sender.siu("S12", "echo", await sender.free()))) == ("AA", "")
        appointment = await sender.appointment("echo")
        await other.hears(1)
        starts = await sender.clinic.free()
        ok(await sender.clinic.step(appointment["id"], "reschedule", {"time": sender.clinic.picked(starts[-1])}))
        heard = await listening.hears(1)
        await other.hears(2)
    assert fields(heard, ("SCH", 1), ("SCH", 2)) == [("S13", "Pecho", "Fecho")]
    assert fields(other.heard, FILLER) == [("S12", appointment["id"]), ("S13", appointment["id"])]


async def test_who_is_told_from_now_on_hears_of_earlier_appointments_as_new(sender: Sender) -> None:
    async with partner() as earlier, telling(sender, earlier):
        _, living = await booked(sender)
        _, ended = await booked(sender)
        await earlier.hears(2)
    async with partner() as listening, telling(sender, listening) as told:
        starts = await sender.clinic.free()
        ok(await sender.clinic.step(ended, "cancel", {"reason": "pat"}))
        ok(await sender.clinic.step(living, "reschedule", {"time": sender.clinic.picked(starts[-1])}))
        await listening.hears(1)
        assert [row["event"] for row in await outgoing(sender, told)] == ["S12"]


async def test_what_is_refused_comes_again_and_then_waits_and_holds_up_its_own_alone(
    sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(send, "PAUSES", (timedelta(0), timedelta(0)))
    desk, reader = sender.as_staff("administrator"), sender.as_staff("scheduler")
    async with partner() as listening, telling(sender, listening) as told:
        listening.answers = ["MSA|AE|{}\rERR|||103^Table value not found|E|||Who is Muster?", "MSA|AR|{}", "MSA|AE|{}\rERR|||103"]
        _, refused = await booked(sender)
        await decided(sender, told, 1, "waiting")
        ok(await sender.clinic.step(refused, "cancel", {"reason": "pat"}))
        _, other = await booked(sender)
        heard = await listening.hears(4)
        assert [each.text("SCH", 2) for each in heard] == [refused] * 3 + [other]
        assert len({each.control_id for each in heard[:3]}) == 1
        (waits,) = [each for each in await unsent.list_unsent(reader) if each.partner_id == told.id]
        assert (waits.event, waits.reason, waits.refusals) == ("S12", "AE-103", 3)
        assert "Muster" in (await unsent.read_unsent(reader, waits.id)).content
        await partners.set_partner_code(desk, told.id, "visit-type", sender.clinic.visit_type_id, "CHECK")
        await unsent.resend(reader, waits.id)
        heard = await listening.hears(6)
    assert fields(heard[4:], ("AIS", 3)) == [("S12", "CHECK"), ("S15", "CHECK")]
    assert heard[4].control_id == heard[0].control_id


async def test_what_a_partner_said_is_for_whoever_may_read_messages(sender: Sender, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(send, "PAUSES", ())
    reader = sender.as_staff("scheduler")
    async with partner() as listening, telling(sender, listening) as told:
        listening.answers = ["MSA|AR|{}|Who is Muster?"]
        _, appointment_id = await booked(sender)
        (row,) = await decided(sender, told, 1, "waiting")
        assert (await unsent.read_unsent(reader, row["id"])).said == "Who is Muster?"
        assert "Muster" not in repr(await unsent.list_unsent(reader))
        for role in ("front-desk", "integration", "privacy-officer"):
            with pytest.raises(Forbidden):
                await unsent.list_unsent(sender.as_staff(role))
        with pytest.raises(Forbidden):
            await unsent.read_unsent(sender.as_staff("administrator"), row["id"])
        ok(await sender.clinic.step(appointment_id, "cancel", {"reason": "pat"}))
        await unsent.drop(reader, row["id"])
        assert fields(await listening.hears(2)) == [("S12",), ("S15",)]
        with pytest.raises(UnknownMessage):
            await unsent.resend(reader, row["id"])


async def test_a_partner_that_is_away_misses_nothing(sender: Sender, monkeypatch: pytest.MonkeyPatch) -> None:
    """Away, then hanging up before it answers, then taking the same message again."""
    monkeypatch.setattr(sending, "AWAY_SECONDS", (0.05,))
    async with partner() as listening:
        port = listening.port
    async with telling(sender, listening) as told:
        _, appointment_id = await booked(sender)
        ok(await sender.clinic.step(appointment_id, "cancel", {"reason": "pat"}))
        async with partner(port=port) as back:
            back.answers = [""]
            heard = await back.hears(3)
            await decided(sender, told, 2, "accepted")
    assert [each.kind[1] for each in heard] == ["S12", "S12", "S15"]
    assert heard[0] == heard[1], "the same message, by the same control id"


async def test_late_answers_to_others_are_passed_over_and_silence_is_no_answer(sender: Sender) -> None:
    async with partner() as listening:
        told = Partner(id=uuid4(), name="Told", address=f"mllp://127.0.0.1:{listening.port}")
        hasty, line = (sending.Lines(Hl7Settings(message_seconds=each), Outgoing()).to(told) for each in (0.2, 20.0))
        raw = (Path(__file__).parents[1] / "unit" / "hl7" / "announced.hl7").read_bytes()
        listening.answers = ["MSA|AA|OTHER"]
        with pytest.raises(Unavailable):
            await hasty.ask(raw, "0123456789abcdef0123")
        listening.answers = ["MSA|AA|OTHER\r\x1c\r\x0bMSH|^~\\&|E\rMSA|AA|{}"]
        assert (await line.ask(raw, "0123456789abcdef0123")).reason == ""
        line.close()


async def test_a_partner_is_spoken_to_over_tls_with_our_certificate(sender: Sender, tmp_path: Path) -> None:
    authority, other = Authority(tmp_path, "partners"), Authority(tmp_path, "others")
    server, ours = authority.sign("server"), authority.sign("carewright")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(server.certificate, server.key)
    context.load_verify_locations(authority.file)
    context.verify_mode = ssl.CERT_REQUIRED
    raw = (Path(__file__).parents[1] / "unit" / "hl7" / "announced.hl7").read_bytes()
    async with partner(context) as listening:
        told = Partner(id=uuid4(), name="Told", address=f"mllps://localhost:{listening.port}")
        files: dict[str, Any] = {"partner_certificate_file": str(ours.certificate), "partner_key_file": str(ours.key)}
        for trusted, fits in ((authority, True), (other, False)):
            line = sending.Lines(Hl7Settings(partner_authority_file=str(trusted.file), **files), Outgoing()).to(told)
            if fits:
                assert (await line.ask(raw, "0123456789abcdef0123")).reason == ""
            else:
                with pytest.raises(Unavailable):
                    await line.ask(raw, "0123456789abcdef0123")
            line.close()
        assert listening.names == ["carewright"]
    with pytest.raises(StartFailed):
        sending.Lines(Hl7Settings(partner_authority_file=str(tmp_path / "none.crt")), Outgoing())


async def test_a_message_goes_by_http_as_well(sender: Sender, monkeypatch: pytest.MonkeyPatch) -> None:
    """To our own address, by which another Carewright takes it."""

    async def fetch(method: str, url: str, *, content: bytes = b"", headers: dict[str, str] | None = None) -> Any:
        return await sender.whole.client.request(method, url, content=content, headers=headers)

    requests = Outgoing()
    monkeypatch.setattr(requests, "fetch", fetch)
    line = sending.Lines(Hl7Settings(), requests).to(Partner(id=uuid4(), name="Told", address="https://inside.test/hl7/v2"))
    raw = (Path(__file__).parents[1] / "unit" / "hl7" / "announced.hl7").read_bytes()
    token = sender.whole.signed((await sender.acting()).actor)
    assert (await line.ask(raw, "0123456789abcdef0123", token)).reason.startswith("AE")
    with pytest.raises(Unavailable):
        await line.ask(raw, "another", token)
    with pytest.raises(Unavailable):
        await line.ask(raw, "0123456789abcdef0123")
    line.close()


@dataclass
class Heard:
    """A way to a partner that takes everything, and what was shown on it."""

    shown: list[tuple[Message, str | None]] = field(default_factory=list)

    async def ask(self, content: bytes, control_id: str, token: str | None = None) -> Reply:
        assert parse(content).control_id == control_id
        self.shown.append((parse(content), token))
        return Reply()

    def close(self) -> None:
        """Nothing is open."""


async def test_a_partner_is_told_otherwise_once_it_is_changed(sender: Sender) -> None:
    admin, partner_id = sender.as_staff("administrator"), uuid4()
    tests = Partner(id=partner_id, name="Told", address="https://ehr.example.org/hl7", version="2.4", processing="T")
    await partners.add_partner(admin, tests, "first-token")
    try:
        changed = await partners.change_partner(admin, partner_id, {"processing": "P", "version": "2.5.1", "receiving_facility": "H"})
        assert changed == msgspec.structs.replace(tests, processing="P", version="2.5.1", receiving_facility="H")
        assert changed in await partners.list_partners(admin)
        sender.ctx.told.forget(sender.ctx.actor.organization_id)
        admin.told.forget(admin.actor.organization_id)
        _, appointment_id = await booked(sender)
        system = sender.ctx.working_in(admin.actor.organization_id)
        line = Heard()
        async with asyncio.timeout(30):
            while not line.shown:
                await send.send_next(system, changed, line)
                await sender.ctx.wake.wait(0.1, sender.ctx.wake.rung)
        ((message, token),) = line.shown
        assert (message.text("MSH", 11), message.text("MSH", 12), message.text("MSH", 6), token) == ("P", "2.5.1", "H", "first-token")
        for shown in ("other-token", ""):
            await partners.change_partner(admin, partner_id, {}, shown)
            ok(await sender.clinic.step(appointment_id, "reschedule", {"time": sender.clinic.picked((await sender.clinic.free())[-1])}))
            before = len(line.shown)
            async with asyncio.timeout(30):
                while len(line.shown) == before:
                    await send.send_next(system, changed, line)
                    await sender.ctx.wake.wait(0.1, sender.ctx.wake.rung)
            assert line.shown[-1][1] == (shown or None)
        assert await keeping.reseal_partners(system, UUID(int=0), 10) == []
        for wrong in ({"version": "3"}, {"address": "nowhere"}, {"charset": "none"}):
            with pytest.raises(BadInput):
                await partners.change_partner(admin, partner_id, wrong)
        for address, secret in (("https://ehr.example.org/hl7", "two words"), ("mllp://127.0.0.1:2575", "a-token")):
            with pytest.raises(BadInput):
                await partners.change_partner(admin, partner_id, {"address": address}, secret)
        with pytest.raises(UnknownPartner):
            await partners.change_partner(admin, uuid4(), {"processing": "D"})
        with pytest.raises(Forbidden):
            await partners.change_partner(sender.as_staff("scheduler"), partner_id, {"processing": "D"})
    finally:
        await partners.stop_partner(admin, partner_id)
    with pytest.raises(UnknownPartner):
        await partners.change_partner(admin, partner_id, {"processing": "D"})


async def test_a_token_is_shown_at_the_place_that_it_was_given_for_alone(sender: Sender) -> None:
    admin = sender.as_staff("administrator")
    cipher = await admin.cipher()
    told = Partner(id=uuid4(), name="Told", address="https://ehr.example.org/hl7")
    await partners.add_partner(admin, told, "kept")
    try:
        for address, token, shown in (
            ("https://EHR.example.org:443/other", None, "kept"), ("https://ehr.example.org:8443/other", None, None),
            ("https://new.example.org/hl7", "its-own", "its-own"), ("mllps://new.example.org:2575", None, None),
            ("https://new.example.org/hl7", None, None),
        ):  # fmt: skip
            changed = await partners.change_partner(admin, told.id, {"address": address}, token)
            assert await store.partner_token(admin.db, cipher, changed) == shown
        await partners.change_partner(admin, told.id, {}, "its-own")
        assert await store.partner_token(admin.db, cipher, told) is None, "of whoever still speaks to the old address"
    finally:
        await partners.stop_partner(admin, told.id)


async def test_a_partner_that_is_stopped_meanwhile_is_not_changed(sender: Sender) -> None:
    admin = sender.as_staff("administrator")
    told = Partner(id=uuid4(), name="Told", address="https://ehr.example.org/hl7")
    await partners.add_partner(admin, told)
    async with admin.db.transaction() as tx:
        assert await store.stop_partner(tx, admin.actor.organization_id, told.id, admin.clock.now()) == 0
        changing = asyncio.create_task(partners.change_partner(admin, told.id, {"processing": "T"}))
        async with asyncio.timeout(30):
            (mine,) = await tx.fetch(PID)
            while not any(row["waits"] for row in await admin.db.fetch(WAITS, mine["pid"])):
                pass
    with pytest.raises(UnknownPartner):
        await changing


async def test_two_systems_of_ours_understand_each_other(sender: Sender) -> None:
    """What we send is understood by our own listener, codes mapped: it wants the time that was booked."""
    desk = sender.as_staff("administrator")
    async with partner() as listening, telling(sender, listening) as told:
        for table, ours in (("visit-type", sender.clinic.visit_type_id), ("practitioner", sender.clinic.practitioner_id)):
            await partners.set_partner_code(desk, told.id, table, ours, ours)
        await booked(sender)
        (heard,) = await listening.hears(1)
        await decided(sender, told, 1, "accepted")
    told_id = (await outgoing(sender, told))[0]["id"]
    raw = (await unsent.read_unsent(sender.as_staff("scheduler"), told_id)).content.replace("\n", "\r").encode()
    assert heard.text("AIS", 3) == sender.clinic.visit_type_id
    assert said(await sender.says(raw)) == ("AE", "207"), "understood: the time is taken, by this very appointment"
    assert (await sender.stored())[-1]["reason"] in ("scheduling.patient_busy", "scheduling.time_not_free")


@pytest.mark.parametrize(
    "address",
    ["ehr:2575", "mllp://ehr.example.org:2575", "mllps://ehr.example.org", "http://ehr.example.org/hl7", "ftp://ehr.example.org",
     "mllps://who@ehr.example.org:2575", "mllps://ehr.example.org:99999", "https://[::1/hl7"],
)  # fmt: skip
async def test_an_address_in_the_clear_or_of_nobody_is_refused(sender: Sender, address: str) -> None:
    with pytest.raises(BadInput):
        await partners.add_partner(sender.as_staff("administrator"), Partner(id=uuid4(), name="Told", address=address))


async def test_partners_are_for_administrators(sender: Sender) -> None:
    told = Partner(id=uuid4(), name="Told", address="mllps://ehr.example.org:2575")
    for role in ("scheduler", "front-desk", "integration"):
        with pytest.raises(Forbidden):
            await partners.add_partner(sender.as_staff(role), told)
        with pytest.raises(Forbidden):
            await partners.list_partners(sender.as_staff(role))
    desk = sender.as_staff("administrator")
    with pytest.raises(BadInput):
        await partners.add_partner(desk, msgspec.structs.replace(told, charset="EBCDIC"))
    with pytest.raises(UnknownPartner):
        await partners.stop_partner(desk, told.id)
    with pytest.raises(UnknownPartner):
        await partners.set_partner_code(desk, told.id, "site", "a", "b")
    with pytest.raises(BadInput):
        await partners.set_partner_code(desk, told.id, "no-table", "a", "b")


async def test_what_was_told_of_a_patient_is_erased_resealed_and_disposed_of(sender: Sender) -> None:
    ctx = await sender.acting()
    async with partner() as listening, telling(sender, listening) as told:
        patient_id, _ = await booked(sender)
        await booked(sender)
        await decided(sender, told, 2, "accepted")
        async with ctx.db.transaction() as tx:
            await erase_patient(ctx, tx, PatientErased(organization_id=ctx.actor.organization_id, patient_id=patient_id, version=2))
        assert [row["content"] is None for row in await outgoing(sender, told)] == [True, False]
        system = sender.ctx.acting(msgspec.structs.replace(sender.ctx.system, organization_id=ctx.actor.organization_id))
        for reseal in (keeping.reseal_outgoing, keeping.reseal_links):
            assert await reseal(system, UUID(int=0), 10) == []
        soon = system.clock.now() + timedelta(minutes=1)
        while await keeping.dispose_outgoing(system, soon, 50):
            pass
        assert len(await outgoing(sender, told)) == 2, "until the appointment is over we must know that it was told"
        while await keeping.dispose_outgoing(system, soon + timedelta(days=400), 50):
            pass
        assert await outgoing(sender, told) == []


async def test_partners_are_kept_from_the_command_line(sender: Sender, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(send, "PAUSES", ())
    sections = {name: kind() for name, kind in SECTIONS.items()} | {
        "system": sender.whole.system.settings,
        "edge": sender.whole.system.edge,
    }
    tenant = sender.whole.known.organization_id
    assert tenant is not None
    async with partner() as listening:
        listening.answers = ["MSA|AR|{}", "MSA|AR|{}"]
        given: dict[str, Any] = {
            "name": "EHR",
            "address": f"mllp://127.0.0.1:{listening.port}",
            "version": "2.4",
            "receiving_facility": "H",
            "processing": "T",
        }
        partner_id = await commands.partner_added(sections, tenant, given)
        with pytest.raises(StartFailed):
            await commands.partner_added(sections, tenant, given | {"version": "3"})
        with pytest.raises(StartFailed):
            await commands.partner_added(sections, tenant, given | {"processing": "X"})
        (line,) = [commands.line_of_partner(each) for each in await commands.partners_listed(sections, tenant) if each.id == partner_id]
        assert "2.4   T " in line
        changed = await commands.partner_changed(sections, tenant, partner_id, {"receiving_facility": "H2"})
        assert (changed.receiving_facility, changed.version) == ("H2", "2.4")
        given["receiving_facility"] = "H2"
        await asyncio.sleep(sending.LOOK_SECONDS)
        sender.ctx.told.forget(tenant)
        _, appointment_id = await booked(sender)
        told = Partner(id=partner_id, **given)
        (row,) = await decided(sender, told, 1, "waiting")
        (line,) = [commands.line_of_unsent(each) for each in await commands.unsent_listed(sections, tenant) if each.id == row["id"]]
        assert "SIU^S12 AR" in line
        await commands.partner_mapped(sections, tenant, partner_id, "visit-type", sender.clinic.visit_type_id, "CHECK")
        await commands.resent(sections, tenant, row["id"])
        heard = await listening.hears(2)
        assert {each.text("MSH", 11) for each in heard} == {"T"}
        await decided(sender, told, 1, "waiting")
        assert "CHECK" in await commands.unsent_shown(sections, tenant, row["id"])
        await commands.dropped(sections, tenant, row["id"])
        ok(await sender.clinic.step(appointment_id, "cancel", {"reason": "pat"}))
        await listening.hears(3)
        assert await commands.partner_stopped(sections, tenant, partner_id) == 0


async def test_the_staffs_pages_ask_for_the_work_list(sender: Sender, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways, by the Protocol: what waits and why, read, mapped, corrected, seen to; sent again, or given up."""
    monkeypatch.setattr(send, "PAUSES", ())
    desk, scheduler = LocalDesk(sender.ctx), sender.as_staff("scheduler").actor
    async with partner() as listening, telling(sender, listening) as told:
        listening.answers = ["MSA|AR|{}|Who is Muster?", "MSA|AR|{}"]
        assert said(await sender.says(sender.siu("S12", "desk", await sender.free(), kind="DESK")))[0] == "AE"
        await booked(sender)
        (row,) = await decided(sender, told, 1, "waiting")
        waiting = await desk.list_messages(scheduler)
        incoming, outgoing_one = waiting.incoming[-1], next(each for each in waiting.outgoing if each.id == row["id"])
        assert (incoming.reason, incoming.about, outgoing_one.reason) == ("hl7.unmapped", "visit-type DESK", "AR")
        assert (await desk.read_unsent(scheduler, row["id"])).said == "Who is Muster?"
        assert await desk.get_message(scheduler, incoming.id) == incoming
        assert (await desk.replay_message(scheduler, incoming.id)).reason == "hl7.unmapped"
        content = (await desk.read_message(scheduler, incoming.id)).replace("5550100", "5550199")
        await desk.set_mapping(scheduler, SetMapping(table="visit-type", code="DESK", target=sender.clinic.visit_type_id))
        assert (await desk.replay_message(scheduler, incoming.id, content)).applied
        with pytest.raises(UnknownMessage):
            await desk.settle_message(scheduler, SettleMessage(message_id=incoming.id, reason="Booked by telephone"))
        await desk.resend_message(scheduler, row["id"])
        await listening.hears(2)
        await decided(sender, told, 1, "waiting")
        await desk.drop_message(scheduler, row["id"])
    assert (await sender.appointment("desk"))["status"] == "booked"
