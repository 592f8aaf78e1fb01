"""IHE ITI.Scheduling, transaction by transaction (https://profiles.ihe.net/ITI/Scheduling); the ids are those of docs/conformance.txt."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.balp import faults_of
from tests.clinic import Clinic, Json, at, ok, register, tomorrow
from tests.fhir_asking import FHIR, VISIT_TYPES, hold, operate, outcome, parameters, proposals, searched, shown, shown_outcomes
from tests.http.officer import OFFICER, found

requirement = pytest.mark.requirement


async def booked(clinic: Clinic, patient: str) -> Json:
    made: Json = ok(await operate(clinic, "book", body_of((await proposals(clinic))["entry"][0]["resource"], patient)))
    appointment: Json = made["entry"][0]["resource"]
    return appointment


def body_of(proposal: Json, patient: str, **more: Any) -> Json:
    return parameters(
        appointment__reference={"reference": f"Appointment/{proposal['id']}"}, patient__reference={"reference": patient}, **more
    )


@requirement("ITI-115.8")
async def test_find_takes_a_specialty_a_place_and_practitioners_by_preference(clinic: Clinic) -> None:
    start = datetime.fromisoformat((await clinic.free())[0])
    service = ok(await clinic.system.request("front-desk", "GET", f"{FHIR}/HealthcareService/{clinic.service_id}"))
    coding = service["specialty"][0]["coding"][0]
    asked = {
        "start": start.isoformat(), "end": (start + timedelta(days=1)).isoformat(), "visit-type": clinic.visit_type_id,
        "specialty": f"{coding['system']}|{coding['code']}", "location-reference": f"Location/{clinic.site_id}",
        "practitioner": f"Practitioner/{clinic.practitioner_id}",
    }  # fmt: skip
    found = ok(await clinic.system.request("front-desk", "GET", f"{FHIR}/Appointment/$find", params=asked))
    assert found["total"] > 0
    codes = {one["resource"]["serviceType"][0]["coding"][0]["code"] for one in found["entry"]}
    assert codes == {clinic.visit_type_id}


@requirement("ITI-115.9")
async def test_find_says_which_of_its_parameters_it_did_not_heed(clinic: Clinic) -> None:
    found = await found_by(clinic, _count="1", **{"insurance-reference": "Coverage/1"}, reason="a cough")
    (told,) = shown_outcomes(found)
    assert [issue["diagnostics"].split(":")[0] for issue in told["issue"]] == ["reason", "insurance-reference"]
    assert "cough" not in str(told), "what was sent is not said again"


async def found_by(clinic: Clinic, **more: str | list[str]) -> Json:
    start = datetime.fromisoformat((await clinic.free())[0])
    asked = {"start": start.isoformat(), "end": (start + timedelta(days=1)).isoformat(), "visit-type": clinic.visit_type_id} | more
    found: Json = ok(await clinic.system.request("front-desk", "GET", f"{FHIR}/Appointment/$find", params=asked))
    return found


@requirement("ITI-115.9", "ITI-115.11")
async def test_find_takes_several_places_and_parts_of_addresses(clinic: Clinic) -> None:
    everywhere = (await found_by(clinic))["total"]
    elsewhere = "Location/019a0000-0000-7000-8000-00000000beef"
    both = await found_by(clinic, **{"location-reference": [elsewhere, f"Location/{clinic.site_id}"]})
    assert both["total"] == everywhere > 0
    assert (await found_by(clinic, **{"location-string": "Atlantis"}))["total"] == 0


@requirement("ITI-117.9")
async def test_who_is_new_is_registered_as_their_visit_is_booked(clinic: Clinic) -> None:
    """ITI-117: `patient-resource` tells the patient as the client knows them; whoever is known already is not registered again."""
    described = {
        "resourceType": "Patient", "name": [{"family": "Kookaburra", "given": ["Kay"]}], "birthDate": "1971-02-03",
        "telecom": [{"system": "email", "value": "kay@example.org"}],
    }  # fmt: skip
    patients = []
    for proposal in (await proposals(clinic))["entry"][:2]:
        reference = {"reference": f"Appointment/{proposal['resource']['id']}"}
        body = parameters(appointment__reference=reference, patient__resource=described)
        made = ok(await operate(clinic, "book", body))["entry"][0]["resource"]
        patients += [each["actor"]["reference"] for each in made["participant"] if each["actor"]["reference"].startswith("Patient/")]
    assert len(patients) == 2
    assert len(set(patients)) == 1
    read = ok(await clinic.system.request("front-desk", "GET", f"{FHIR}/{patients[0]}"))
    assert read["name"][0]["family"] == "Kookaburra"


@requirement("ITI-116.4")
async def test_a_held_appointment_keeps_everybody_whom_it_needs(clinic: Clinic) -> None:
    """The practitioner is the needed resource: neither our own API nor a plain write gets them either."""
    first, second = await register(clinic.system), await register(clinic.system)
    proposal = (await proposals(clinic))["entry"][0]["resource"]
    await hold(clinic, f"Patient/{first}", proposal)
    assert (await clinic.book(second, proposal["start"])).status_code == 409
    person = {"actor": {"reference": f"Patient/{second}"}, "status": "accepted"}
    sent = {key: proposal[key] for key in ("resourceType", "serviceType", "start", "end")} | {
        "status": "booked", "participant": [*proposal["participant"], person]
    }  # fmt: skip
    answer = await clinic.system.request("front-desk", "POST", f"{FHIR}/Appointment", json=sent)
    assert (answer.status_code, answer.json()["resourceType"]) == (409, "OperationOutcome")


@requirement("ITI-116.3", "ITI-117.5")
async def test_what_fails_is_an_operation_outcome_and_nothing_else(clinic: Clinic) -> None:
    patient = f"Patient/{await register(clinic.system)}"
    proposal = (await proposals(clinic))["entry"][0]["resource"]
    await hold(clinic, patient, proposal)
    for operation in ("hold", "book"):
        issue = outcome(await operate(clinic, operation, body_of(proposal, patient)), 409, "fhir.time_gone")
        assert (issue["severity"], issue["code"]) == ("fatal", "not-found")


@requirement("ITI-117.7")
async def test_a_comment_given_to_book_is_kept(clinic: Clinic) -> None:
    patient = f"Patient/{await register(clinic.system)}"
    proposal = (await proposals(clinic))["entry"][0]["resource"]
    commented = parameters(appointment__reference={"reference": f"Appointment/{proposal['id']}"}, patient__reference={"reference": patient})
    commented["parameter"].append({"name": "comment", "valueString": "by the window"})
    made = ok(await operate(clinic, "book", commented))["entry"][0]["resource"]
    read = await clinic.system.request("physician", "GET", f"{FHIR}/Appointment/{made['id']}")
    assert ok(read)["comment"] == "by the window"


@requirement("ITI-118.5")
async def test_whoever_takes_part_is_included(clinic: Clinic) -> None:
    patient = f"Patient/{await register(clinic.system)}"
    await booked(clinic, patient)
    everybody = await searched(clinic, "Appointment", patient=patient, _include="Appointment:actor")
    assert set(shown(everybody, "include")) >= {f"Practitioner/{clinic.practitioner_id}", f"Location/{clinic.site_id}", patient}
    for code, place in (("practitioner", f"Practitioner/{clinic.practitioner_id}"), ("location", f"Location/{clinic.site_id}")):
        assert shown(await searched(clinic, "Appointment", patient=patient, _include=f"Appointment:{code}"), "include") == [place]


@requirement("ITI-118.6")
@pytest.mark.parametrize("name", ["patient.identifier", "practitioner.identifier", "identifier"])
async def test_an_identifier_of_a_system_nobody_knows_finds_nothing(clinic: Clinic, name: str) -> None:
    found = await searched(clinic, "Appointment", **{name: "urn:oid:1.2.3.4.5.6|12345"})
    assert (found["type"], found["total"], found.get("entry", [])) == ("searchset", 0, [])


@requirement("ITI-118.7")
async def test_the_parameters_of_the_table_narrow_a_search(clinic: Clinic) -> None:
    patient = f"Patient/{await register(clinic.system)}"
    made = await booked(clinic, patient)
    whole = {"patient": patient, "status": "booked", "practitioner": f"Practitioner/{clinic.practitioner_id}",
             "location": f"Location/{clinic.site_id}", "date": f"ge{made['start']}"}  # fmt: skip
    assert shown(await searched(clinic, "Appointment", **whole)) == [f"Appointment/{made['id']}"]
    nobody = "019a0000-0000-7000-8000-00000000beef"
    for name, other in {"status": "cancelled", "practitioner": f"Practitioner/{nobody}", "location": f"Location/{nobody}",
                        "date": f"lt{made['start']}"}.items():  # fmt: skip
        assert shown(await searched(clinic, "Appointment", **(whole | {name: other}))) == [], name


@requirement("ITI-118.8")
async def test_the_statement_names_the_formats_and_parameters_that_the_profile_requires(clinic: Clinic) -> None:
    statement = ok(await clinic.system.request(None, "GET", f"{FHIR}/metadata"))
    assert {"application/fhir+xml", "application/fhir+json"} <= set(statement["format"])
    (appointments,) = [one for one in statement["rest"][0]["resource"] if one["type"] == "Appointment"]
    assert {"read", "search-type"} <= {each["code"] for each in appointments["interaction"]}
    wanted = {"_id", "identifier", "patient", "date", "specialty", "appointment-type", "practitioner"}
    assert wanted <= {each["name"] for each in appointments["searchParam"]}


@requirement("ITI-116.7", "ITI-117.8", "ITI-118.9")
@pytest.mark.parametrize(("event", "action"), [("hold", "C"), ("book", "U"), ("search", "E")])
async def test_what_is_done_stands_in_the_audit_log_in_balps_form(clinic: Clinic, event: str, action: str) -> None:
    patient = await register(clinic.system)
    held = await hold(clinic, f"Patient/{patient}", (await proposals(clinic))["entry"][0]["resource"])
    ok(await operate(clinic, "book", parameters(appointment__reference={"reference": f"Appointment/{held['id']}"})))
    await searched(clinic, "Appointment", patient=f"Patient/{patient}")
    (entry, *_) = await found(clinic.system, patient_id=str(patient), event=f"scheduling.appointment.{event}")
    assert (entry["action"], entry["outcome"]) == (action, "success")
    assert faults_of(ok(await clinic.system.request(OFFICER, "GET", f"/api/v1/audit/events/{entry['id']}"))) == []


@requirement("ITI-115.7")
async def test_who_looks_for_a_patients_time_is_recorded_and_a_patient_looks_for_themselves_alone(clinic: Clinic) -> None:
    patient, other = await register(clinic.system), await register(clinic.system)
    await proposals(clinic, 1, patient__reference={"reference": f"Patient/{patient}"})
    (entry,) = await found(clinic.system, patient_id=str(patient), event="fhir.appointment.find")
    assert (entry["action"], entry["outcome"]) == ("E", "success")
    asked = {
        "start": tomorrow(),
        "end": at(tomorrow(), days=1),
        "visit-type": clinic.visit_type_id,
        "patient-reference": f"Patient/{other}",
    }
    answer = await clinic.system.request("patient", "GET", f"{FHIR}/Appointment/$find", params=asked, patient_id=patient)
    assert answer.status_code == 403, answer.text


@requirement("ITI-115.6")
async def test_a_visit_type_by_its_code_alone_or_with_its_system_finds_the_same(clinic: Clinic) -> None:
    start = datetime.fromisoformat((await clinic.free())[0])
    asked = {"start": start.isoformat(), "end": (start + timedelta(days=1)).isoformat(), "_count": "3"}
    found = [
        ok(await clinic.system.request("front-desk", "GET", f"{FHIR}/Appointment/$find", params=asked | {"visit-type": code}))
        for code in (clinic.visit_type_id, f"{VISIT_TYPES}|{clinic.visit_type_id}")
    ]
    assert found[0]["total"] == found[1]["total"] > 0
