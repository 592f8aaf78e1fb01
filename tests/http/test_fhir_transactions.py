"""Transactions that change several resources, against a running system: all of it, or nothing of it."""

import asyncio
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from tests.clinic import Clinic, Json, ok, register
from tests.fhir_asking import FHIR, outcome
from tests.http.test_fhir_bundles import booked_of, entry, send, told, wanted
from tests.http.test_fhir_coverages import card
from tests.http.test_fhir_orders import order
from tests.http.test_fhir_writes import SYSTEM, number_of, person

WRITTEN_WITH = """
SELECT (SELECT array_agg(DISTINCT topic) FROM kernel.outbox WHERE xid = o.xid) AS topics,
       (SELECT array_agg(DISTINCT body::jsonb ->> 'event') FROM kernel.audit_entry WHERE xid = o.xid) AS deeds
FROM kernel.outbox o WHERE topic = 'patients.patient.changed.v1' AND subject = $1
"""
"""What was written by the transaction that made a patient."""
FORBIDDEN = """
SELECT count(*) FROM kernel.audit_entry
WHERE body::jsonb ->> 'event' = 'patients.patient.register' AND body::jsonb ->> 'outcome' = 'refused'
"""
LEFT = "SELECT (SELECT count(*) FROM orders.request), (SELECT count(*) FROM coverage.coverage)"
"""What nobody writes but who is told to: patients are copied about in the background."""


def name() -> str:
    return f"urn:uuid:{uuid4()}"


def of(kind: str, made: Json, who: str) -> Json:
    """An order or a coverage whose patient is referred to as `who`."""
    return made | {kind: {"reference": who}}


async def newcomer(clinic: Clinic, number: int = 0) -> list[Json]:
    """Somebody new with a coverage, an order, and a visit that is based on the order; what refers comes before what is referred to."""
    who, what = name(), name()
    visit = await wanted(clinic, who, number) | {"basedOn": [{"reference": what}]}
    return [
        entry("POST", "Appointment", visit), entry("POST", "Coverage", of("beneficiary", card(uuid4()), who)),
        entry("POST", "ServiceRequest", of("subject", order(uuid4()), who), what), entry("POST", "Patient", person(), who),
    ]  # fmt: skip


def ids(bundle: Json) -> list[str]:
    return [each["resource"]["id"] for each in bundle["entry"]]


@pytest.mark.requirement("R4.transaction")
async def test_a_newcomer_is_registered_insured_referred_and_booked_at_once(
    clinic: Clinic, database: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    """R4 http.html#trules: references between entries by fullUrl become ids, whatever the order of the entries; reads come last."""
    sent = await newcomer(clinic)
    bundle = ok(await send(clinic, "transaction", entry("GET", f"Patient?{number_of(sent[3]['resource'])}"), *sent))
    assert told(bundle) == ["200", "201", "201", "201", "201"]
    found, visit, coverage, referral, patient = (each["resource"] for each in bundle["entry"])
    where = f"Patient/{patient['id']}"
    assert [each["resource"]["id"] for each in found["entry"]] == [patient["id"]], "what is read is read after the writes"
    assert (coverage["beneficiary"]["reference"], referral["subject"]["reference"]) == (where, where)
    assert {"reference": f"ServiceRequest/{referral['id']}"}.items() <= visit["basedOn"][0].items()
    assert [each["id"] for each in await booked_of(clinic, where)] == [visit["id"]]
    (row,) = await database.fetch(WRITTEN_WITH, UUID(patient["id"]))
    assert {"orders.request.recorded.v1", "scheduling.appointment.booked.v1"} <= set(row["topics"])
    deeds = {"patients.patient.register", "coverage.coverage.record", "orders.request.record", "scheduling.appointment.book"}
    assert deeds <= set(row["deeds"])


async def test_a_refusal_of_one_entry_undoes_all_before_it(clinic: Clinic, database: "asyncpg.Connection[asyncpg.Record]") -> None:
    """R4 transaction: all or nothing, and the refusal says which entry it was."""
    left, free = await database.fetchrow(LEFT), await clinic.free()
    sent = await newcomer(clinic)
    spoilt = sent[0]["resource"] | {"status": "fulfilled"}
    refused = await send(clinic, "transaction", *sent, entry("POST", "Appointment", spoilt))
    assert outcome(refused, 422, "fhir.invalid_element")["expression"] == ["Bundle.entry[4].resource.status"]
    twice = await send(clinic, "transaction", *sent, entry("POST", "Appointment", sent[0]["resource"]))
    assert outcome(twice, 409, "scheduling.time_not_free")["expression"] == ["Bundle.entry[4]"]
    missing = await send(clinic, "transaction", *sent, entry("GET", f"Patient/{uuid4()}"))
    assert outcome(missing, 404, "patients.unknown_patient")["expression"] == ["Bundle.entry[4]"]
    assert await database.fetchrow(LEFT) == left
    assert ok(await clinic.system.request("front-desk", "GET", f"{FHIR}/Patient?{number_of(sent[3]['resource'])}"))["total"] == 0
    assert await clinic.free() == free, "the time that was taken for a moment is free again"
    assert told(ok(await send(clinic, "transaction", *sent))) == ["201"] * 4, "and can be had"


async def test_who_may_do_one_thing_of_two_does_neither_and_is_in_the_journal(
    clinic: Clinic, database: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    """What is undone takes no refusal with it."""
    before, left = await database.fetchval(FORBIDDEN), await database.fetchrow(LEFT)
    new = person()
    sent = [entry("POST", "ServiceRequest", order(clinic.system.patient_id)), entry("POST", "Patient", new)]
    refused = await send(clinic, "transaction", *sent, role="physician")
    assert outcome(refused, 403, "kernel.forbidden")["expression"] == ["Bundle.entry[1]"]
    assert (await database.fetchval(FORBIDDEN), await database.fetchrow(LEFT)) == (before + 1, left)
    assert ok(await clinic.system.request("front-desk", "GET", f"{FHIR}/Patient?{number_of(new)}"))["total"] == 0


async def test_under_one_key_it_is_done_once(clinic: Clinic) -> None:
    sent, key = await newcomer(clinic), str(uuid4())
    once, again = [ok(await send(clinic, "transaction", *sent, key=key)) for _ in range(2)]
    assert ids(once) == ids(again)


@pytest.mark.requirement("R4.transaction")
async def test_references_by_criteria_lead_to_the_one_that_meets_them(clinic: Clinic) -> None:
    """R4 http.html#trules, conditional references: exactly one match, or the transaction fails."""
    known = ok(await clinic.system.request("front-desk", "POST", f"{FHIR}/Patient", json=person()), 201)
    who = f"Patient?{number_of(known)}"
    sent = [
        entry("POST", "Coverage", of("beneficiary", card(uuid4()), who)),
        entry("POST", "ServiceRequest", of("subject", order(uuid4()), who)),
    ]
    bundle = ok(await send(clinic, "transaction", *sent))
    assert bundle["entry"][0]["resource"]["beneficiary"]["reference"] == f"Patient/{known['id']}"
    assert bundle["entry"][1]["resource"]["subject"]["reference"] == f"Patient/{known['id']}"
    nobody = entry("POST", "Coverage", of("beneficiary", card(uuid4()), f"Patient?identifier={SYSTEM}|{uuid4().hex}"))
    refused = await send(clinic, "transaction", sent[1], nobody)
    assert outcome(refused, 412, "fhir.not_selective")["expression"] == ["Bundle.entry[1]"]


async def test_updates_by_criteria_are_decided_before_anything_is_done(clinic: Clinic) -> None:
    """R4 http.html#trules: where two entries come to change the same resource the transaction fails."""
    known = ok(await clinic.system.request("front-desk", "POST", f"{FHIR}/Patient", json=person()), 201)
    nameless = {key: value for key, value in known.items() if key not in ("id", "meta")} | {"gender": "other"}
    who = name()
    bundle = ok(await send(
        clinic, "transaction",
        entry("POST", "Coverage", of("beneficiary", card(uuid4()), who)), entry("PUT", f"Patient?{number_of(known)}", nameless, who),
    ))  # fmt: skip
    assert told(bundle) == ["201", "200"]
    assert bundle["entry"][0]["resource"]["beneficiary"]["reference"] == f"Patient/{known['id']}"
    assert bundle["entry"][1]["resource"]["gender"] == "other"
    twice = await send(
        clinic, "transaction", entry("PUT", f"Patient/{known['id']}", known), entry("PUT", f"Patient?{number_of(known)}", nameless)
    )
    assert outcome(twice, 422, "fhir.invalid_element")["expression"] == ["Bundle.entry[1].request.url"]


async def test_what_cannot_be_one_transaction_is_refused(clinic: Clinic) -> None:
    patient = await register(clinic.system)
    asked = {"resourceType": "CoverageEligibilityRequest"}
    refused = await send(
        clinic, "transaction", entry("POST", "Coverage", card(patient)), entry("POST", "CoverageEligibilityRequest", asked)
    )
    assert outcome(refused, 422, "fhir.not_atomic")["expression"] == ["Bundle.entry[1].request"]
    one, other = name(), name()
    circle = await send(
        clinic, "transaction", entry("POST", "ServiceRequest", of("subject", order(patient), other), one),
        entry("POST", "Coverage", of("beneficiary", card(patient), one), other),
    )  # fmt: skip
    assert outcome(circle, 422, "fhir.invalid_element")["expression"] == ["Bundle.entry[0].resource"]


@pytest.mark.requirement("R4.transaction")
async def test_what_is_there_already_may_refer_to_each_other_in_a_circle(clinic: Clinic) -> None:
    """R4 http.html#trules: references between entries, whatever the order; what is put by its id or its criteria has its address."""
    known = ok(await clinic.system.request("integration", "POST", f"{FHIR}/Patient", json=person()), 201)
    one, other = name(), name()
    patient = known | {"extension": [{"url": "urn:test:in", "valueReference": {"reference": other}}]}
    group = {"resourceType": "Group", "type": "person", "actual": True, "member": [{"entity": {"reference": one}}]}
    for address in (f"Patient/{known['id']}", f"Patient?{number_of(known)}"):
        bundle = ok(await send(
            clinic, "transaction", entry("POST", "Group", group, other), entry("PUT", address, patient, one), role="integration"
        ))  # fmt: skip
        assert told(bundle) == ["201", "200"]
        assert bundle["entry"][0]["resource"]["member"] == [{"entity": {"reference": f"Patient/{known['id']}"}}]


async def test_transactions_that_meet_in_opposite_orders_all_get_through(clinic: Clinic) -> None:
    """Each changes two records, half of them the one first and half the other, while single updates change both."""
    made = [ok(await clinic.system.request("front-desk", "POST", f"{FHIR}/Patient", json=person()), 201) for _ in range(2)]

    def changed(one: Json, number: int) -> Json:
        return one | {"name": [{"family": f"Bilby {number}"}]}

    async def both(number: int) -> Any:
        entries = [entry("PUT", f"Patient/{one['id']}", changed(one, number)) for one in made]
        return await send(clinic, "transaction", *(entries if number % 2 else reversed(entries)))

    async def single(number: int) -> Any:
        one = made[number % 2]
        return await clinic.system.request("front-desk", "PUT", f"{FHIR}/Patient/{one['id']}", json=changed(one, number))

    answers = await asyncio.gather(*(both(number) for number in range(8)), *(single(number) for number in range(8)))
    assert [each.status_code for each in answers] == [200] * 16
    now = [ok(await clinic.system.request("front-desk", "GET", f"{FHIR}/Patient/{one['id']}")) for one in made]
    assert {each["meta"]["versionId"] for each in now} <= {str(version) for version in range(2, 14)}


async def test_two_newcomers_in_one_transaction_get_two_times(clinic: Clinic) -> None:
    """What one entry took the next one does not find free, though nobody else sees it yet."""
    bundle = ok(await send(clinic, "transaction", *await newcomer(clinic, 0), *await newcomer(clinic, 1)))
    visits = [each["resource"] for each in bundle["entry"] if each["resource"]["resourceType"] == "Appointment"]
    assert len({each["start"] for each in visits}) == 2
    starts = {datetime.fromisoformat(each["start"]).astimezone(UTC) for each in visits}
    assert not starts & {datetime.fromisoformat(each) for each in await clinic.free()}
