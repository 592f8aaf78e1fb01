"""A payer said no: the desk books no such visit there any more, in every way to run the system, and whoever needs care gets it."""

from tests.clinic import ZONE, Json, ok, open_clinic, refused, register, until_known
from tests.system import System


async def test_a_denied_visit_is_not_booked_again_unless_it_is_urgent_or_somebody_says_why(system: System) -> None:
    clinic = await open_clinic(system, urgency_tiers=["P1", "P2"])
    patient = await register(system, "Abgelehnt")
    coverages = "/api/v1/coverages"
    policy = {"rule": "warn", "authorisation": "require", "time_zone": ZONE.key}
    ok(await system.request("administrator", "PUT", f"{coverages}/policies/{clinic.site_id}", json=policy))
    need = {"service_type": "62", "authorisation": {"procedure": "70551"}}
    kind = f"{coverages}/service-types/{clinic.visit_type_id}"
    ok(await system.request("administrator", "PUT", kind, json=need))
    assert ok(await system.request("front-desk", "GET", kind))["authorisation"] == {"payers": [], "procedure": "70551", "place": "22"}
    card = {"payer": {"name": "Numbat Mutual", "id": "60054"}, "member_id": "W1", "beneficiary": {"family": "Abgelehnt"}}
    ok(await system.request("front-desk", "POST", coverages, json={"patient_id": str(patient), "details": card}), 201)
    free = await clinic.free()
    booked = ok(await clinic.book(patient, free[0]), 201)
    visit = f"{coverages}/visits/{booked['id']}"
    shown = ok(await until_known(lambda: system.request("front-desk", "GET", visit)))
    assert shown["appointment_id"] == booked["id"]
    word = ok(await system.request("front-desk", "POST", f"{visit}/authorisation", json={"state": "denied"}))
    assert (word["state"], word["by_desk"]) == ("denied", True)
    await until_known(lambda: clinic.hold(patient, free[3]), 422)
    refused(await clinic.book(patient, free[4]), 422, "coverage.not_authorised")
    assert free[4] in await clinic.free()
    assert (await clinic.appointment(booked["id"]))["status"] == "booked", "what is booked stays, and is shown"
    shown = ok(await system.request("front-desk", "GET", visit))
    assert (shown["decision"], shown["missing"][-1]) == ("stop", "not-authorised")
    urgent: Json = {"time": clinic.picked(free[5], urgency="P1")}
    assert ok(await clinic.book(patient, free[5], **urgent), 201)["urgency"] == "P1"
    reason: Json = {"override": {"reason": "The patient pays."}}
    refused(await clinic.book(patient, free[6], **reason), 403, "kernel.forbidden")
    assert ok(await clinic.book(patient, free[6], role="scheduler", **reason), 201)["override_reason"] == "The patient pays."
    ok(await system.request("front-desk", "POST", f"{visit}/authorisation", json={"state": "certified", "number": "AUTH-77"}))
    await until_known(lambda: clinic.book(patient, free[7]), 201)
