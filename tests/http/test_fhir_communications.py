"""Communications through FHIR: what patients were told, to staff and to themselves; a code to sign in with is shown to nobody."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from carewright.contracts.permissions import ROLES
from tests.clinic import Clinic, Json, ok, register
from tests.fhir_asking import FHIR, in_form, outcome, shown
from tests.http.test_fhir_encounters import another, asked

CODE = "04711234"
PHONE = "+1 312 555 0147"
SENT_SECONDS_MAX = 15
VALUES = {"sign_in_code": {"hospital": "Lakeside", "code": CODE, "minutes": "10"}, "passkey_added": {"hospital": "Lakeside"}}


async def tell(clinic: Clinic, patient: UUID, template: str) -> str:
    """A message to a patient's telephone; its id, once it went out or was given up."""
    notice = {
        "template": template, "recipient": {"kind": "patient", "id": str(patient)}, "channel": "sms", "contact": PHONE,
        "values": VALUES[template], "until_at": (datetime.now(UTC) + timedelta(minutes=10)).isoformat(),
    }  # fmt: skip
    id_ = str(await clinic.system.as_system("notifications", "notify", notice=notice))
    async with asyncio.timeout(SENT_SECONDS_MAX):
        while ok(await asked(clinic.system, f"Communication/{id_}"))["status"] not in ("completed", "not-done"):  # noqa: ASYNC110  (no Event)
            await asyncio.sleep(0.05)  # another process sets no asyncio.Event
    return id_


@pytest.fixture(scope="module")
async def told(clinic: Clinic) -> Json:
    """A patient who was told of a passkey, and sent a code."""
    patient = await register(clinic.system, "Wombat")
    return {"patient": patient, "notice": await tell(clinic, patient, "passkey_added"), "code": await tell(clinic, patient, "sign_in_code")}


async def test_a_message_is_a_communication_of_r4_in_json_and_xml(clinic: Clinic, told: Json) -> None:
    """FHIR R4 Communication: status, category, medium, subject, recipient, sent, payload."""
    one = await in_form(clinic.system, f"Communication/{told['notice']}")
    assert (one["status"], one["medium"][0]["coding"][0]["code"]) == ("completed", "sms")
    assert one["category"][0]["coding"][0]["code"] == "notification"
    assert one["subject"] == one["recipient"][0] == {"reference": f"Patient/{told['patient']}"}
    assert "Lakeside: a passkey was added" in one["payload"][0]["contentString"]
    assert datetime.fromisoformat(one["sent"]) > datetime.now(UTC) - timedelta(minutes=10)
    assert PHONE not in str(one)


async def test_a_code_is_shown_to_nobody(clinic: Clinic, told: Json) -> None:
    """Whoever may read that it was sent, by whatever address, reads no code: not the patient either, who has it on their telephone."""
    for role in sorted(set(ROLES) - {"proxy"}):
        for query in (
            f"Communication/{told['code']}",
            f"Communication?patient=Patient/{told['patient']}",
            f"Communication?_id={told['code']}",
        ):
            answer = await asked(clinic.system, query, role, told["patient"])
            assert CODE not in answer.text, f"{role}: {query}"
    one = await in_form(clinic.system, f"Communication/{told['code']}")
    assert (one["meta"]["security"][0]["code"], "payload" in one) == ("REDACTED", False)


async def test_communications_are_searched_by_what_is_kept_of_them(clinic: Clinic, told: Json) -> None:
    """R4's parameters of Communication: patient, subject, recipient, status, category, medium, sent; chains and includes."""
    patient, both = f"patient=Patient/{told['patient']}", {f"Communication/{told[each]}" for each in ("notice", "code")}
    for query in (
        patient, f"subject=Patient/{told['patient']}", f"recipient=Patient/{told['patient']}", f"_id={told['notice']},{told['code']}",
        f"{patient}&category=notification", f"{patient}&status=completed", f"{patient}&medium=urn:carewright:channel|sms",
        f"{patient}&sent=ge2026-01-01", f"{patient}&patient.family=Wombat",
    ):  # fmt: skip
        assert set(shown(ok(await asked(clinic.system, f"Communication?{query}")))) == both, query
    for query in (
        f"{patient}&status=not-done", f"{patient}&medium=email", f"{patient}&sent=lt2026-01-01", f"{patient}&received=ge2026-01-01",
        f"recipient=Practitioner/{told['patient']}&{patient}", f"patient=Patient/{uuid4()}", "_id=x",
    ):  # fmt: skip
        assert shown(ok(await asked(clinic.system, f"Communication?{query}"))) == [], query
    page = ok(await asked(clinic.system, f"Communication?{patient}&_include=Communication:patient"))
    assert shown(page, "include") == [f"Patient/{told['patient']}"]
    page = ok(await asked(clinic.system, f"Patient?_id={told['patient']}&_revinclude=Communication:patient"))
    assert set(shown(page, "include")) == both
    outcome(await asked(clinic.system, "Communication?status=completed"), 422, "fhir.search_too_wide")
    statement = ok(await clinic.system.request(None, "GET", f"{FHIR}/metadata"))
    (served,) = [each for each in statement["rest"][0]["resource"] if each["type"] == "Communication"]
    assert {each["code"] for each in served["interaction"]} == {"read", "search-type"}


@pytest.mark.parametrize("role", sorted(set(ROLES) - {"patient", "proxy"}))
async def test_a_role_sees_messages_if_the_table_of_permissions_lets_it(clinic: Clinic, told: Json, role: str) -> None:
    for query in (f"Communication/{told['notice']}", f"Communication?patient=Patient/{told['patient']}"):
        answer = await asked(clinic.system, query, role)
        assert answer.status_code == (200 if "notifications.communication.read" in ROLES[role] else 403), f"{role}: {answer.text}"


async def test_a_patient_sees_their_own_and_nobody_elses(clinic: Clinic, told: Json) -> None:
    other, stranger = await register(clinic.system), another(clinic.system)
    assert len(shown(ok(await asked(clinic.system, "Communication", "patient", told["patient"])))) == 2
    outcome(await asked(clinic.system, f"Communication/{told['notice']}", "patient", other), 404, "fhir.unknown_id")
    outcome(await asked(stranger, f"Communication/{told['notice']}"), 404, "fhir.unknown_id")
    for query in (f"_id={told['notice']}", f"patient=Patient/{told['patient']}", f"recipient=Patient/{told['patient']}"):
        assert shown(ok(await asked(clinic.system, f"Communication?{query}", "patient", other))) == [], query
        assert shown(ok(await asked(stranger, f"Communication?{query}"))) == [], query
