"""What HL7 v2 messages mean to us: appointments, patients, the work list, and what is forgotten."""

import asyncio
import dataclasses
from base64 import b64decode
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import msgspec
import pytest

from carewright.contracts.directory import Identifier
from carewright.contracts.encounters import Encounter, SearchEncounters
from carewright.contracts.hl7 import EarlierWaits, ListPatientMessages, NotHl7, UnknownMessage
from carewright.contracts.patients import ErasePatient, PatientErased
from carewright.contracts.permissions import ROLES
from carewright.contracts.records import ExportRecord
from carewright.hl7.handlers import erase_patient
from carewright.hl7.model.message import parse
from carewright.hl7.service import receive, work_list
from carewright.hl7.service.desk import LocalDesk
from carewright.hl7.service.keeping import dispose_messages, reseal_messages
from carewright.kernel.clock import SystemClock
from carewright.kernel.errors import BadInput, Forbidden
from carewright.patients.service.records import erase_patient as erase
from carewright.records.service.export import export_record
from carewright.roles import hl7 as commands
from carewright.roles.registry import SECTIONS
from tests.clinic import ZONE, ok, refused
from tests.hl7_sender import Sender, numbers, registered, said


async def test_an_appointment_is_booked_moved_and_cancelled_under_the_senders_own_id(sender: Sender) -> None:
    start = await sender.free()
    assert said(await sender.says(sender.siu("S12", "life", start))) == ("AA", "")
    booked = await sender.appointment("life")
    at = datetime.fromisoformat(booked["start"]).astimezone(ZONE)
    assert (at.strftime("%Y%m%d%H%M%S"), booked["status"]) == (start, "booked")
    later = await sender.free()
    assert said(await sender.says(sender.siu("S13", "life", later))) == ("AA", "")
    moved = await sender.appointment("life")
    assert (moved["id"], datetime.fromisoformat(moved["start"]).astimezone(ZONE).strftime("%Y%m%d%H%M%S")) == (booked["id"], later)
    assert said(await sender.says(sender.siu("S14", "life", later))) == ("AA", "")
    assert (await sender.appointment("life"))["version"] == moved["version"], "what says nothing new changes nothing"
    assert said(await sender.says(sender.siu("S15", "life"))) == ("AA", "")
    assert said(await sender.says(sender.siu("S15", "life"))) == ("AA", ""), "it is cancelled, which is what was wanted"
    cancelled = await sender.appointment("life")
    assert (cancelled["status"], cancelled["cancelation_reason"]) == ("cancelled", "other")


@pytest.mark.requirement("V2.siu")
@pytest.mark.parametrize(
    ("event", "status", "becomes"),
    [("S16", "", "cancelled"), ("S17", "", "entered-in-error"), ("S26", "", "noshow"), ("S14", "Noshow", "noshow"),
     ("S14", "Started", "checked-in"),
     ("S14", "Complete", "fulfilled"), ("S14", "Discontinued", "cancelled"),
     ("S14", "Deleted", "entered-in-error"), ("S14", "Overbook", "booked")],
)  # fmt: skip
async def test_a_state_becomes_ours(sender: Sender, event: str, status: str, becomes: str) -> None:
    own_id = f"state{event}{status}"
    assert said(await sender.says(sender.siu("S12", own_id, await sender.free()))) == ("AA", "")
    assert said(await sender.says(sender.siu(event, own_id, status=status))) == ("AA", "")
    assert (await sender.appointment(own_id))["status"] == becomes


@pytest.mark.parametrize(
    ("event", "more", "reason", "error"),
    [("S12", {"kind": "ODD"}, "hl7.unmapped", "103"), ("S12", {"start": "soon"}, "hl7.time", "102"),
     ("S12", {"start": ""}, "hl7.missing", "101"),
     ("S12", {"start": "20200101090000"}, "scheduling.outside_rules", "207"), ("S12", {"practitioner": "999"}, "hl7.unmapped", "103"),
     ("S12", {"status": "Waitlist"}, "hl7.by_hand", "207"), ("S12", {"status": "Strange"}, "hl7.unmapped", "103"),
     ("S15", {}, "hl7.unknown_appointment", "204"), ("S13", {}, "hl7.unknown_appointment", "204"),
     ("S24", {}, "hl7.unknown_appointment", "204"),
     ("S20", {}, "hl7.by_hand", "207"), ("O01", {"type": "ORM"}, "hl7.by_hand", "207"), ("O21", {"type": "OML"}, "hl7.by_hand", "207")],
)  # fmt: skip
async def test_what_does_not_fit_waits_with_its_reason(sender: Sender, event: str, more: dict[str, str], reason: str, error: str) -> None:
    given = {"start": await sender.free()} | more
    answer = await sender.says(sender.siu(event, f"odd{next(numbers)}", **given))
    assert said(answer) == ("AE", error)
    (last,) = (await work_list.list_waiting(sender.as_staff("scheduler")))[-1:]
    assert (last.reason, last.kind) == (reason, f"{given.get('type', 'SIU')}^{event}")


async def test_a_code_is_mapped_and_the_message_tried_again(sender: Sender) -> None:
    message = sender.siu("S12", "map", await sender.free(), kind="FOOT", practitioner="ADAMS", place="WARD")
    staff = sender.as_staff("scheduler")
    assert said(await sender.says(message)) == ("AE", "103")
    waiting = (await work_list.list_waiting(staff))[-1]
    assert waiting.about == "visit-type FOOT"
    assert (await work_list.replay(staff, waiting.id)).reason == "hl7.unmapped"
    await work_list.set_mapping(staff, "visit-type", "FOOT", sender.clinic.visit_type_id)
    assert (await work_list.replay(staff, waiting.id)).reason == "hl7.unmapped"
    await work_list.set_mapping(staff, "practitioner", "ADAMS", sender.clinic.practitioner_id)
    assert (await work_list.replay(staff, waiting.id)).status == "applied"
    assert (await sender.appointment("map"))["status"] == "booked"
    assert said(await sender.says(message)) == ("AA", "")
    with pytest.raises(UnknownMessage):
        await work_list.replay(staff, waiting.id)


async def test_the_work_list_is_worked_off_by_the_api(sender: Sender) -> None:
    assert said(await sender.says(sender.siu("S12", "api", await sender.free(), kind="API-KIND"))) == ("AE", "103")
    ask, listed = sender.whole.request, "/api/v1/hl7/messages"
    waiting = ok(await ask("scheduler", "GET", listed))["incoming"][-1]
    one = f"{listed}/{waiting['id']}"
    assert (waiting["reason"], waiting["about"]) == ("hl7.unmapped", "visit-type API-KIND")
    assert ok(await ask("administrator", "GET", one)) == waiting
    assert "SCH|Papi^US" in ok(await ask("scheduler", "GET", f"{one}/content"))["content"]
    refused(await ask("administrator", "GET", f"{one}/content"), 403, "kernel.forbidden")
    assert ok(await ask("scheduler", "POST", f"{one}/replay", json={})) == {
        "applied": False,
        "reason": "hl7.unmapped",
        "about": waiting["about"],
    }
    refused(await ask("scheduler", "POST", f"{one}/replay", json={"content": "no message"}), 400, "hl7.not_hl7")
    meaning = {"table": "visit-type", "code": "API-KIND", "target": sender.clinic.visit_type_id}
    assert ok(await ask("scheduler", "PUT", "/api/v1/hl7/mappings", json=meaning)) == meaning
    assert ok(await ask("scheduler", "POST", f"{one}/replay", json={}))["applied"]
    refused(await ask("scheduler", "POST", f"{one}/settle", json={"reason": "Booked by telephone"}), 404, "hl7.unknown_message")
    assert said(await sender.says(sender.siu("S20", "api-too"))) == ("AE", "207")
    other = f"{listed}/{ok(await ask('scheduler', 'GET', listed))['incoming'][-1]['id']}"
    assert ok(await ask("scheduler", "POST", f"{other}/settle", json={"reason": "Seen to by hand"}))["status"] == "settled"
    refused(await ask("front-desk", "GET", listed), 403, "kernel.forbidden")


async def test_messages_about_one_appointment_keep_their_order_on_the_work_list(sender: Sender) -> None:
    first, then = sender.siu("S12", "order", await sender.free(), kind="LATER"), sender.siu("S15", "order")
    staff = sender.as_staff("scheduler")
    assert [said(await sender.says(each))[0] for each in (first, then)] == ["AE", "AE"]
    booking, cancelling = (await work_list.list_waiting(staff))[-2:]
    assert cancelling.reason == "hl7.earlier_waits"
    with pytest.raises(EarlierWaits):
        await work_list.replay(staff, cancelling.id)
    edited = first.replace(b"LATER", sender.clinic.visit_type_id.encode())
    assert (await work_list.replay(staff, booking.id, edited)).status == "applied"
    assert (await work_list.replay(staff, cancelling.id)).status == "applied"
    assert (await sender.appointment("order"))["status"] == "cancelled"


async def test_messages_about_one_appointment_are_taken_one_after_the_other(sender: Sender) -> None:
    """Sent at once over several connections, in order: each comes after the one before it."""
    start = await sender.free()
    sent = [sender.siu("S12", "rush", start), sender.siu("S14", "rush", status="Started"), sender.siu("S14", "rush", status="Complete")]
    acting = await sender.acting()
    answers = await asyncio.gather(*(receive.receive(acting, each) for each in sent))
    assert [said(parse(each or b"")) for each in answers] == [("AA", "")] * 3
    assert (await sender.appointment("rush"))["status"] == "fulfilled"


async def test_two_who_want_one_time_get_it_once_and_the_other_waits(sender: Sender) -> None:
    start = await sender.free()
    answers = await asyncio.gather(*(sender.says(sender.siu("S12", f"race{each}", start)) for each in "ab"))
    assert sorted(said(each)[0] for each in answers) == ["AA", "AE"]


async def test_a_calendar_is_blocked_and_opened_again(sender: Sender) -> None:
    start = await sender.free()
    staff = sender.as_staff("scheduler")
    await work_list.set_mapping(staff, "practitioner", "BLOCKED", sender.clinic.practitioner_id)
    assert said(await sender.says(sender.siu("S23", "shut", start, practitioner="BLOCKED"))) == ("AA", "")
    assert said(await sender.says(sender.siu("S12", "shut-out", start)))[0] == "AE"
    assert said(await sender.says(sender.siu("S24", "shut"))) == ("AA", "")
    assert said(await sender.says(sender.siu("S12", "let-in", start))) == ("AA", "")


@pytest.mark.parametrize(
    "named",
    ["AIG|1|A|R3^Room three", "AIL|1|A|^R3^^SITE", "AIL|1|A|WARD7^^R3", "AIL|1|A|R3"],
    ids=["device", "room", "bed", "place"],
)  # fmt: skip
async def test_a_calendar_is_blocked_by_whatever_names_it(sender: Sender, named: str) -> None:
    """The table of calendars has it, or nobody does: a code that is not mapped is the one that is missed."""
    message = sender.siu("S23", f"by-{named[:3]}{len(named)}", await sender.free()) + f"{named}\r".encode()
    staff = sender.as_staff("scheduler")
    await work_list.set_mapping(staff, "calendar", "R3", None)
    assert said(await sender.says(message)) == ("AE", "103")
    kept = (await work_list.list_waiting(staff))[-1]
    assert kept.about.startswith("calendar ")
    await work_list.set_mapping(staff, "calendar", "R3", sender.clinic.practitioner_id)
    assert (await work_list.replay(staff, kept.id)).status == "applied"


async def test_a_block_of_several_is_for_a_person_to_decide(sender: Sender) -> None:
    message = sender.siu("S23", "two-shut", await sender.free(), practitioner="ONE") + b"AIP|2|A|TWO\r"
    assert said(await sender.says(message)) == ("AE", "207")
    assert (await sender.stored())[-1]["reason"] == "hl7.by_hand"


async def test_an_appointment_of_somebody_else_is_not_touched(sender: Sender) -> None:
    assert said(await sender.says(sender.siu("S12", "mine", await sender.free()))) == ("AA", "")
    assert said(await sender.says(sender.adt("A28", "somebody-else"))) == ("AA", "")
    answer = await sender.says(sender.siu("S15", "mine", mrn="somebody-else"))
    assert said(answer)[0] == "AE"
    assert (await sender.appointment("mine"))["status"] == "booked"


async def test_a_referral_that_a_message_names_is_kept(sender: Sender) -> None:
    assert said(await sender.says(sender.siu("S12", "ref", await sender.free(), order="ORD-77"))) == ("AA", "")
    assert (await sender.appointment("ref"))["based_on"] == "ORD-77"


@pytest.mark.parametrize("event", ["A01", "A02", "A03", "A04", "A08", "A28", "A31"])
async def test_a_patient_is_registered_and_changed(sender: Sender, event: str) -> None:
    mrn = f"adt{event}"
    assert said(await sender.says(sender.adt(event, mrn, phone="5550123"))) == ("AA", "")
    patient_id = await sender.patient(mrn)
    assert said(await sender.says(sender.adt(event, mrn, name="Neu^Nora", ids=f"{mrn}^^^HOSP^MR~{mrn}-2^^^OTHER^PI~123^^^SSA^SS"))) == (
        "AA",
        "",
    )
    ctx = await sender.acting()
    patient = await ctx.patients.get_patient(ctx.actor, patient_id)
    assert (patient.family, patient.given, patient.telecom[0].value) == ("Neu", ("Nora",), "5550123")
    assert [each.value for each in patient.identifiers] == [mrn, f"{mrn}-2"], "a social security number is not kept"


def pv1(number: str, kind: str = "I", place: str = "", doctor: str = "", start: str = "", end: str = "") -> str:
    """The segment of a visit."""
    fields = {2: kind, 3: place, 7: doctor, 19: f"{number}^^^HOSP^VN" if number else "", 44: start, 45: end}
    return "PV1|" + "|".join(fields.get(each, "") for each in range(1, 46)) + "\r"


async def visit(sender: Sender, number: str) -> Encounter | None:
    """The encounter of the sender's visit number."""
    ctx = await sender.acting()
    query = SearchEncounters(identifiers=(Identifier(system="urn:id:HOSP", value=number),))
    return next(iter((await ctx.flow.search_encounters(ctx.actor, query)).items), None)


async def test_a_visit_is_recorded_moved_ended_and_opened_again(sender: Sender) -> None:
    """Admission, transfer, discharge and its cancellation (HL7 v2.8.2, 3.3): one encounter, known by its number."""
    await work_list.set_mapping(sender.as_staff("scheduler"), "practitioner", "ATT7", sender.clinic.practitioner_id)

    async def told(event: str, **more: str) -> Encounter:
        answer = await sender.says(sender.adt(event, "stay", visit=pv1("V-stay", **more)))
        assert said(answer) == ("AA", ""), event
        found = await visit(sender, "V-stay")
        assert found is not None
        return found

    admitted = await told("A01", start="20261101080000", doctor="ATT7^Attila~NOBODY^Nemo")
    assert (admitted.status, admitted.encounter_class.code, admitted.patient_id) == ("in-progress", "IMP", await sender.patient("stay"))
    assert admitted.start == datetime(2026, 11, 1, 8, tzinfo=ZONE)
    assert [(str(each.practitioner_id), each.role and each.role.code) for each in admitted.participants] == [
        (sender.clinic.practitioner_id, "ATND")
    ]
    assert [str(each) for each in admitted.location_ids] == [sender.clinic.site_id]
    room = uuid4()
    await work_list.set_mapping(sender.as_staff("scheduler"), "calendar", "WARD^7^2", str(room))
    moved = await told("A02", place="WARD^7^2")
    assert (moved.id, moved.location_ids, moved.participants) == (admitted.id, (room,), admitted.participants)
    left = await told("A03", end="20261103120000")
    assert (left.status, left.end, left.start) == ("finished", datetime(2026, 11, 3, 12, tzinfo=ZONE), admitted.start)
    assert (await told("A08")).status == "finished", "a late change of the record opens nothing again"
    back = await told("A13")
    assert (back.status, back.end) == ("in-progress", None)
    assert (await told("A11")).status == "cancelled"
    assert said(await sender.says(sender.adt("A03", "stay", visit=pv1("V-stay")))) == ("AE", "207"), "what was cancelled does not end"
    (waiting,) = [each for each in await work_list.list_waiting(sender.as_staff("scheduler")) if each.kind == "ADT^A03"]
    assert waiting.reason == "flow.status_not_allowed"


async def test_a_visit_that_is_planned_begins_when_the_patient_comes(sender: Sender) -> None:
    for event, kind, status in (("A04", "P", "planned"), ("A04", "O", "in-progress"), ("A03", "O", "finished")):
        assert said(await sender.says(sender.adt(event, "plan", visit=pv1("V-plan", kind)))) == ("AA", "")
        found = await visit(sender, "V-plan")
        assert found is not None
        assert found.status == status


async def test_a_visit_of_somebody_else_is_not_touched_and_one_without_a_number_is_not_kept(sender: Sender) -> None:
    for number in ("V-own", ""):
        assert said(await sender.says(sender.adt("A01", "owner", visit=pv1(number)))) == ("AA", "")
    assert said(await sender.says(sender.adt("A11", "owner", visit=pv1("V-never")))) == ("AA", "")
    assert await visit(sender, "V-never") is None
    assert said(await sender.says(sender.adt("A08", "stranger", visit=pv1("V-own"))))[0] == "AE"
    assert (await sender.stored())[-1]["reason"] == "hl7.other_patient"


async def test_a_sender_that_may_not_record_visits_still_tells_of_patients(sender: Sender) -> None:
    scopes = tuple(sorted(ROLES["integration"] - {"flow.encounter.record"}))
    narrow = dataclasses.replace(sender, client_id=await registered(sender.whole, scopes))
    assert said(await narrow.says(narrow.adt("A01", "narrow", visit=pv1("V-narrow")))) == ("AA", "")
    assert await visit(sender, "V-narrow") is None


@pytest.mark.parametrize("event", ["A11", "A13"])
async def test_a_cancelled_admission_makes_nobody_a_patient(sender: Sender, event: str) -> None:
    assert said(await sender.says(sender.adt(event, f"never{event}"))) == ("AE", "204")
    assert said(await sender.says(sender.adt("A28", f"known{event}"))) == ("AA", "")
    assert said(await sender.says(sender.adt(event, f"known{event}"))) == ("AA", "")


async def test_who_is_one_person_is_for_people_to_decide(sender: Sender) -> None:
    for mrn in ("one", "two"):
        assert said(await sender.says(sender.adt("A28", mrn))) == ("AA", "")
    assert said(await sender.says(sender.adt("A08", "both", ids="one^^^HOSP~two^^^HOSP")))[0] == "AE"
    assert (await sender.stored())[-1]["reason"] == "hl7.ambiguous_patient"


async def test_a_sender_that_may_not_merge_waits_for_a_person_and_holds_up_nothing(sender: Sender) -> None:
    scopes = tuple(sorted(ROLES["integration"] - {"patients.merge"}))
    narrow = dataclasses.replace(sender, client_id=await registered(sender.whole, scopes))
    for mrn in ("stays", "goes"):
        assert said(await narrow.says(narrow.adt("A28", mrn))) == ("AA", "")
    assert said(await narrow.says(narrow.adt("A40", "stays", visit=mrg("goes")))) == ("AE", "207")
    assert (await sender.stored())[-1]["reason"] == "hl7.by_hand"
    assert await sender.patient("stays") != await sender.patient("goes")
    assert said(await narrow.says(narrow.adt("A28", "stays"))) == ("AA", ""), "nothing waits for what takes a person"


def mrg(*ids: str) -> str:
    return f"MRG|{'~'.join(f'{each}^^^HOSP^MR' for each in ids)}\r"


@pytest.mark.requirement("V2.a40")
async def test_two_records_become_one_and_are_known_by_the_numbers_of_both(sender: Sender) -> None:
    assert said(await sender.says(sender.adt("A28", "old-number", phone="2025550177"))) == ("AA", "")
    assert said(await sender.says(sender.siu("S12", "merged", await sender.free(), mrn="old-number"))) == ("AA", "")
    assert said(await sender.says(sender.adt("A28", "new-number"))) == ("AA", "")
    prior, stays = await sender.patient("old-number"), await sender.patient("new-number")
    message = sender.adt("A40", "new-number", visit=mrg("old-number"))
    assert said(await sender.says(message)) == ("AA", "")
    assert said(await sender.says(message)) == ("AA", ""), "the same message again"
    assert await sender.patient("old-number") == await sender.patient("new-number") == stays
    assert said(await sender.says(sender.adt("A40", "new-number", visit=mrg("old-number")))) == ("AA", ""), "told once more"
    ctx = await sender.acting()
    old = await ctx.patients.get_patient(ctx.actor, prior)
    assert (old.active, old.replaced_by) == (False, stays)
    assert said(await sender.says(sender.siu("S15", "merged", mrn="old-number"))) == ("AA", ""), "its appointment is the survivor's"
    assert (await sender.stored())[-1]["patient_id"] == stays


@pytest.mark.requirement("V2.a40")
async def test_a_merge_of_whom_we_do_not_know_leaves_the_right_numbers(sender: Sender) -> None:
    assert said(await sender.says(sender.adt("A40", "known-not", visit=mrg("never-known")))) == ("AA", "")
    assert await sender.patient("known-not") == await sender.patient("never-known"), "the one that is right is here, with both numbers"
    assert said(await sender.says(sender.adt("A28", "known-alone"))) == ("AA", "")
    alone = await sender.patient("known-alone")
    assert said(await sender.says(sender.adt("A40", "takes-over", visit=mrg("known-alone"), name="Neu^Nora"))) == ("AA", "")
    assert await sender.patient("takes-over") == await sender.patient("known-alone") == alone, "the only record we have becomes it"
    ctx = await sender.acting()
    assert (await ctx.patients.get_patient(ctx.actor, alone)).family == "Neu"


@pytest.mark.requirement("V2.a40")
async def test_one_message_may_merge_several_and_waits_where_they_are_more_than_two(sender: Sender) -> None:
    for mrn in ("a-old", "a-new", "b-old", "b-new", "c-old", "d-old", "c-new"):
        assert said(await sender.says(sender.adt("A28", mrn))) == ("AA", "")
    group = f"PID|1||b-new^^^HOSP^MR||Muster^Max||19800229|M\r{mrg('b-old')}"
    assert said(await sender.says(sender.adt("A40", "a-new", visit=mrg("a-old") + group))) == ("AA", "")
    for mrn in "ab":
        assert await sender.patient(f"{mrn}-old") == await sender.patient(f"{mrn}-new")
    assert await sender.patient("a-new") != await sender.patient("b-new")
    assert said(await sender.says(sender.adt("A40", "c-new", visit=mrg("c-old", "d-old"))))[0] == "AE"
    assert (await sender.stored())[-1]["reason"] == "hl7.ambiguous_patient"
    assert said(await sender.says(sender.adt("A40", "c-new"))) == ("AE", "101"), "nobody is named who would be merged"


@pytest.mark.requirement("V2.a40")
@pytest.mark.parametrize("event", ["A18", "A30", "A34"])
async def test_the_older_forms_of_a_merge_are_merges(sender: Sender, event: str) -> None:
    """HL7 v2.5.1, 3.3.18, 3.3.30 and 3.3.34: a PID with its MRG, and the prior record in MRG-4 where an old sender has it there."""
    for mrn in (f"{event}-old", f"{event}-new"):
        assert said(await sender.says(sender.adt("A28", mrn))) == ("AA", "")
    named = mrg(f"{event}-old") if event == "A18" else f"MRG||||{event}-old^^^HOSP^PI\r"
    assert said(await sender.says(sender.adt(event, f"{event}-new", visit=named))) == ("AA", "")
    assert await sender.patient(f"{event}-old") == await sender.patient(f"{event}-new")


async def test_what_was_seen_to_by_hand_waits_no_more_and_holds_up_nothing(sender: Sender) -> None:
    by_hand, staff = sender.siu("S20", "settled"), sender.as_staff("administrator")
    start = await sender.free()
    assert said(await sender.says(by_hand))[0] == "AE"
    assert said(await sender.says(sender.siu("S12", "settled", start)))[0] == "AE"
    first, second = (await work_list.list_waiting(staff))[-2:]
    await work_list.settle(staff, first.id, "Booked by telephone")
    assert said(await sender.says(by_hand)) == ("AA", "")
    assert (await work_list.replay(staff, second.id)).status == "applied"
    with pytest.raises(UnknownMessage):
        await work_list.settle(staff, first.id, "Booked by telephone")


async def test_the_work_list_is_for_whom_it_concerns(sender: Sender) -> None:
    assert said(await sender.says(sender.siu("S15", "whose")))[0] == "AE"
    waiting = (await work_list.list_waiting(sender.as_staff("administrator")))[-1]
    assert "Beispiel" in await work_list.read_message(sender.as_staff("scheduler"), waiting.id)
    with pytest.raises(Forbidden):
        await work_list.read_message(sender.as_staff("administrator"), waiting.id)
    for role in ("front-desk", "integration", "patient", "analyst"):
        with pytest.raises(Forbidden):
            await work_list.list_waiting(sender.as_staff(role))
    with pytest.raises(NotHl7):
        await work_list.replay(sender.as_staff("scheduler"), waiting.id, b"not a message")
    with pytest.raises(UnknownMessage):
        await work_list.read_message(sender.as_staff("scheduler"), uuid4())


async def test_what_was_said_before_the_patient_was_known_is_found_by_an_erasure(sender: Sender) -> None:
    early = sender.siu("S15", "too-early", mrn="early-bird")
    assert said(await sender.says(early)) == ("AE", "204")
    refused = sender.adt("A99", "early-bird")
    assert said(await sender.says(refused))[0] == "AR"
    of_another = sender.siu("S15", "too-early-too", mrn="another-bird")
    assert said(await sender.says(of_another)) == ("AE", "204")
    assert [row["patient_id"] for row in (await sender.stored())[-3:]] == [None] * 3
    assert said(await sender.says(sender.adt("A28", "early-bird"))) == ("AA", "")
    system = sender.whole.system
    officer = system.tokens.actor("privacy-officer", "tester", sender.whole.known.organization_id)
    acting = system.context("patients").acting(msgspec.structs.replace(officer, authenticated_at=SystemClock().now()))
    await erase(acting, ErasePatient(patient_id=await sender.patient("early-bird"), reason="Asked for it by letter"))
    async with asyncio.timeout(20):
        while (rows := {row["id"]: row for row in await sender.stored()}) and [row["content"] for row in rows.values()][-4:].count(
            None
        ) < 3:
            await sender.ctx.wake.wait(0.1, sender.ctx.wake.rung)
    kept = [(row["status"], row["content"] is None) for row in list(rows.values())[-4:]]
    assert kept == [("refused", True), ("refused", True), ("waiting", False), ("applied", True)], "of another is as it was"


async def test_what_was_said_and_told_of_a_patient_is_listed_for_an_export(sender: Sender) -> None:
    assert said(await sender.says(sender.adt("A28", "listed"))) == ("AA", "")
    assert said(await sender.says(sender.adt("A08", "listed", phone="2025550111"))) == ("AA", "")
    desk, patient_id = LocalDesk(sender.ctx), await sender.patient("listed")
    actor = sender.as_staff("scheduler").actor
    first = await desk.list_patient_messages(actor, ListPatientMessages(patient_id=patient_id, limit=1))
    rest = await desk.list_patient_messages(actor, ListPatientMessages(patient_id=patient_id, after=first.next))
    assert [(each.kind, each.is_told) for each in (*first.items, *rest.items)] == [("ADT^A28", False), ("ADT^A08", False)]
    assert "2025550111" in rest.items[0].content
    with pytest.raises(Forbidden):
        await desk.list_patient_messages(sender.as_staff("administrator").actor, ListPatientMessages(patient_id=patient_id))
    records = sender.whole.system.context("records")
    officer = sender.whole.system.tokens.actor("privacy-officer", "tester", sender.whole.known.organization_id)
    acting = records.acting(msgspec.structs.replace(officer, authenticated_at=SystemClock().now()))
    page = await export_record(acting, ExportRecord(patient_id=patient_id, after="documents~"))
    assert [each["type"]["text"] for each in page.items] == ["HL7 v2 ADT^A28", "HL7 v2 ADT^A08"]
    assert b64decode(page.items[1]["content"][0]["attachment"]["data"]).startswith(b"MSH|")


async def test_what_was_said_of_a_patient_who_is_erased_is_cleared(sender: Sender) -> None:
    assert said(await sender.says(sender.adt("A28", "gone"))) == ("AA", "")
    patient_id = await sender.patient("gone")
    ctx = await sender.acting()
    async with ctx.db.transaction() as tx:
        await erase_patient(ctx, tx, PatientErased(organization_id=ctx.actor.organization_id, patient_id=patient_id, version=2))
    assert [row["content"] for row in await sender.stored() if row["patient_id"] == patient_id] == [None]


async def test_old_messages_are_disposed_of_and_waiting_ones_stay(sender: Sender) -> None:
    assert said(await sender.says(sender.siu("S15", "stays")))[0] == "AE"
    system = sender.ctx.acting(msgspec.structs.replace(sender.ctx.system, organization_id=sender.whole.known.organization_id))
    assert await reseal_messages(system, UUID(int=0), 10) == []
    while await dispose_messages(system, system.clock.now() + timedelta(minutes=1), 50):
        pass
    assert {row["status"] for row in await sender.stored()} == {"waiting"}


async def test_the_work_list_is_kept_from_the_command_line(sender: Sender) -> None:
    """In a process of its own, beside the one that serves."""
    sections = {name: kind() for name, kind in SECTIONS.items()} | {
        "system": sender.whole.system.settings,
        "edge": sender.whole.system.edge,
    }
    tenant = sender.whole.known.organization_id
    assert tenant is not None
    message = sender.siu("S12", "command", await sender.free(), kind="COMMANDED")
    assert said(await sender.says(message)) == ("AE", "103")
    assert said(await sender.says(sender.siu("S20", "by-command")))[0] == "AE"
    waiting, other = (await commands.listed(sections, tenant))[-2:]
    assert commands.line_of(waiting).endswith("SIU^S12  hl7.unmapped visit-type COMMANDED")
    assert "Beispiel" in await commands.shown(sections, tenant, waiting.id)
    await commands.mapped(sections, tenant, "visit-type", "COMMANDED", sender.clinic.visit_type_id)
    assert await commands.replayed(sections, tenant, waiting.id, None) == "applied"
    await commands.settled(sections, tenant, other.id, "Booked by telephone")
    assert not {waiting.id, other.id} & {each.id for each in await commands.listed(sections, tenant)}
    assert (await sender.appointment("command"))["status"] == "booked"
    with pytest.raises(BadInput):
        await commands.mapped(sections, tenant, "no-such-table", "A", "B")
