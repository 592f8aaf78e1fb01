"""Services of others, asked by CDS Hooks before a booking: a real server that answers, hangs and lies. Each test names its source.

Source: CDS Hooks 2.0 (https://cds-hooks.hl7.org/2.0/) and the hook `appointment-book` 1.0.
"""

import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from carewright.cds.service import connecting
from carewright.cds.service.connecting import SERVICES_MAX, reseal_services
from carewright.cds.settings import CdsSettings
from carewright.contracts.cds import AddService, AskedService, ServiceNotAdded, ServiceNotOffered, UnknownAskedService
from carewright.fhir.model.validating import issues_of
from carewright.fhir.store import r4_definitions
from carewright.kernel.errors import Forbidden
from carewright.kernel.http.outgoing import AddressRefused
from carewright.kernel.privacy.cipher import SealedElsewhere
from carewright.kernel.sql import Query
from tests.cds_side import CdsService, Json, cds_service
from tests.clinic import Clinic, ok, open_clinic, refused, register
from tests.whole_system import ORIGIN, Inside, inside

HOOK = "/cds-services/visits"
FEEDBACK = f"{HOOK}/feedback"
OFFERED: Json = {
    "hook": "appointment-book", "id": "visits", "description": "Anything else to do?",
    "prefetch": {"who": "Patient/{{context.patientId}}", "conditions": "Condition?patient={{context.patientId}}"},
}  # fmt: skip
CARD: Json = {
    "uuid": "4e0a3a1e-3283-4575-ab82-028d55fe2719", "summary": "A referral is missing.", "indicator": "warning",
    "source": {"label": "Numbat Mutual"}, "selectionBehavior": "any",
    "suggestions": [{"label": "Ask for one", "uuid": "s-1", "actions": [
        {"type": "create", "description": "A Task", "resource": {"resourceType": "Task"}},
    ]}],
    "overrideReasons": [{"code": "refused", "system": "urn:payer", "display": "The patient refused"}],
    "links": [
        {"label": "Why", "url": "https://payer.example.org/why", "type": "absolute"},
        {"label": "An app", "url": "https://payer.example.org/launch", "type": "smart"},
        {"label": "A trap", "url": "javascript:alert(1)", "type": "absolute"},
    ],
}  # fmt: skip
ENTRIES = Query("test.tell_entries", "SELECT body FROM kernel.audit_entry WHERE organization_id = $1 AND body LIKE $2 ORDER BY id")
ROW = Query("test.service_row", "SELECT * FROM cds.service WHERE id = $1")
SEALED = Query("test.service_sealed", "UPDATE cds.service SET key = $2 WHERE id = $1")


@pytest.fixture(scope="module")
async def payer() -> AsyncIterator[CdsService]:
    async with cds_service() as made:
        yield made


@pytest.fixture(scope="module")
async def whole(database_url: str, tmp_path_factory: pytest.TempPathFactory, payer: CdsService) -> AsyncIterator[Inside]:
    data, settings = tmp_path_factory.mktemp("cds"), CdsSettings(public_url=ORIGIN, answer_seconds=1.0)
    async with inside(database_url, data, uuid4(), origins=payer.address, cds=settings) as running:
        yield running


@pytest.fixture(scope="module")
async def clinic(whole: Inside) -> Clinic:
    return await open_clinic(whole)


def desk(whole: Inside, role: str = "administrator") -> Any:
    context = whole.system.context("cds")
    return context.acting(whole.system.tokens.actor(role, "tester", whole.known.organization_id))


@pytest.fixture
async def asked(whole: Inside, payer: CdsService, clinic: Clinic) -> AsyncIterator[AskedService]:
    payer.answers = {"/cds-services": (200, {"services": [OFFERED]}), HOOK: (200, {"cards": []}), FEEDBACK: (200, {})}
    payer.content_type = "application/json"
    command = AddService(name="payer", base=payer.address, service="visits", site_ids=(UUID(clinic.site_id),))
    made = await connecting.add_service(desk(whole), command)
    payer.heard.clear()
    yield made
    await connecting.remove_service(desk(whole), "payer")


async def ask(clinic: Clinic, patient: UUID, start: str, role: str = "front-desk") -> httpx.Response:
    body = {"patient_id": str(patient), "time": clinic.picked(start)}
    return await clinic.system.request(role, "POST", "/api/v1/cds/advice", json=body)


async def said(clinic: Clinic) -> Json:
    """What the one service said of a booking that could be made; then the booking is made."""
    patient, start = await register(clinic.system), (await clinic.free())[0]
    (one,) = ok(await ask(clinic, patient, start))["items"]
    ok(await clinic.book(patient, start), 201)
    found: Json = one
    return found


@pytest.mark.requirement("HOOKS.11")
async def test_a_service_is_called_as_the_specification_says(clinic: Clinic, asked: AskedService, payer: CdsService, whole: Inside) -> None:
    """Calling a CDS Service; hook appointment-book, Context; Prefetch: what was asked for, and no more; Trusting CDS Clients: the JWT."""
    patient, start = await register(clinic.system, "Quokkaline"), (await clinic.free())[0]
    for _ in range(2):
        assert ok(await ask(clinic, patient, start))["items"] == [
            {"service_id": str(asked.id), "name": "payer", "cards": [], "error": None}
        ]
    first, second = (each.body for each in payer.at(HOOK))
    assert (first["hook"], set(first)) == ("appointment-book", {"hook", "hookInstance", "context", "prefetch"})
    assert UUID(first["hookInstance"]) != UUID(second["hookInstance"])
    assert (first["context"]["patientId"], set(first["context"])) == (str(patient), {"userId", "patientId", "appointments"})
    assert first["context"]["userId"].startswith("Practitioner/")
    assert first["context"]["userId"] == second["context"]["userId"]
    (proposed,) = (each["resource"] for each in first["context"]["appointments"]["entry"])
    assert (proposed["status"], proposed["start"]) == ("proposed", start)
    assert not list(issues_of(r4_definitions(), proposed))
    assert (set(first["prefetch"]), first["prefetch"]["who"]["id"]) == ({"who"}, str(patient))
    await proved(payer, whole, asked)


async def proved(payer: CdsService, whole: Inside, asked: AskedService) -> None:
    """The JWT of each call holds under the key at its `jku`, is for that address, and is another each time."""
    tokens = [each.headers["authorization"].removeprefix("Bearer ") for each in payer.at(HOOK)]
    keys = ok(await whole.client.get(f"/cds/keys/{asked.id}"))["keys"]
    assert [set(key) for key in keys] == [{"kty", "crv", "x", "y", "use", "alg", "kid"}]
    read = [jwt.decode(each, ECKey.import_key(keys[0]), algorithms=["ES384"]) for each in tokens]
    for each in read:
        assert each.header == {"alg": "ES384", "typ": "JWT", "kid": keys[0]["kid"], "jku": f"{ORIGIN}/cds/keys/{asked.id}"}
        assert (each.claims["iss"], each.claims["aud"]) == (ORIGIN, payer.address + HOOK)
        assert each.claims["iat"] < each.claims["exp"] <= each.claims["iat"] + 300
    assert read[0].claims["jti"] != read[1].claims["jti"]
    assert (await whole.client.get(f"/cds/keys/{uuid4()}")).status_code == 404


@pytest.mark.requirement("HOOKS.12")
async def test_cards_are_shown_as_text_and_pages_over_https(clinic: Clinic, asked: AskedService, payer: CdsService) -> None:
    """Card Attributes; Security and Safety: a service could embed dangerous suggestions or links."""
    payer.answers[HOOK] = (200, {"cards": [CARD], "systemActions": [{"type": "delete", "resourceId": "Patient/1"}]})
    (card,) = (await said(clinic))["cards"]
    assert card == {
        "id": CARD["uuid"], "indicator": "warning", "summary": "A referral is missing.", "detail": "", "source": "Numbat Mutual",
        "suggestions": [{"label": "Ask for one", "id": "s-1"}], "links": ["https://payer.example.org/why"],
        "override_reasons": [{"code": "refused", "system": "urn:payer", "display": "The patient refused"}],
    }  # fmt: skip
    payer.answers[HOOK] = (200, {"cards": [CARD | {"selectionBehavior": None}]})
    assert (await said(clinic))["cards"][0]["suggestions"] == []


LIES: dict[str, tuple[Any, str]] = {
    "hangs": ((200, None), "too-slow"),
    "is broken": ((500, {"cards": [CARD]}), "status-500"),
    "lacks data": ((412, {"resourceType": "OperationOutcome"}), "status-412"),
    "redirects": ((302, {}), "kernel.address_refused"),
    "says nothing": ((200, b""), "bad-answer"),
    "says HTML": ((200, b"<html>"), "bad-answer"),
    "says a list": ((200, []), "bad-answer"),
    "has no cards": ((200, {}), "bad-answer"),
    "has cards in words": ((200, {"cards": "none"}), "bad-answer"),
    "has a card without source": ((200, {"cards": [{"summary": "x", "indicator": "info"}]}), "bad-answer"),
    "invents an indicator": ((200, {"cards": [CARD | {"indicator": "hard-stop"}]}), "bad-answer"),
    "does not end its sentence": ((200, {"cards": [CARD | {"summary": "x" * 141}]}), "bad-answer"),
    "has a thousand cards": ((200, {"cards": [CARD] * 1000}), "bad-answer"),
    "nests": ((200, b'{"cards":' + b"[" * 100_000), "bad-answer"),
    "says too much": ((200, b" " * (1024 * 1024 + 1)), "kernel.upstream_refused"),
}  # fmt: skip


@pytest.mark.requirement("HOOKS.13")
@pytest.mark.parametrize("lie", LIES)
async def test_whatever_a_service_does_the_visit_is_booked(clinic: Clinic, asked: AskedService, payer: CdsService, lie: str) -> None:
    """Rule of the issue: a service that hangs or lies never stops a booking."""
    payer.answers[HOOK], error = LIES[lie]
    assert await said(clinic) == {"service_id": str(asked.id), "name": "payer", "cards": [], "error": error}


@pytest.mark.requirement("HOOKS.13")
async def test_an_answer_of_another_type_is_none(clinic: Clinic, asked: AskedService, payer: CdsService) -> None:
    payer.content_type = "text/html"
    assert (await said(clinic))["error"] == "bad-answer"


@pytest.mark.requirement("HOOKS.14")
async def test_what_became_of_a_card_is_told_to_its_service(clinic: Clinic, asked: AskedService, payer: CdsService) -> None:
    """Feedback: accepted names the suggestion, overridden may carry the reason that was chosen."""
    told = {"service_id": str(asked.id), "card_id": CARD["uuid"]}

    async def send(**more: str) -> Json:
        found: Json = ok(await clinic.system.request("front-desk", "POST", "/api/v1/cds/feedback", json=told | more))
        return found

    assert [await send(accepted="s-1"), await send(reason="refused", reason_system="urn:payer"), await send()] == [{"taken": True}] * 3
    sent = [each.body["feedback"][0] for each in payer.at(FEEDBACK)]
    assert all(each.pop("outcomeTimestamp") and each.pop("card") == CARD["uuid"] for each in sent)
    assert sent == [
        {"outcome": "accepted", "acceptedSuggestions": [{"id": "s-1"}]},
        {"outcome": "overridden", "overrideReason": {"reason": {"code": "refused", "system": "urn:payer"}}},
        {"outcome": "overridden"},
    ]
    payer.answers[FEEDBACK] = (500, {})
    assert await send() == {"taken": False}
    other = await clinic.system.request("front-desk", "POST", "/api/v1/cds/feedback", json=told | {"service_id": str(uuid4())})
    refused(other, 404, "cds.unknown_asked_service")


async def test_a_service_is_asked_at_its_sites_and_about_what_is_free(clinic: Clinic, asked: AskedService, whole: Inside) -> None:
    elsewhere = await open_clinic(whole)
    patient = await register(whole)
    start = (await elsewhere.free())[0]
    assert ok(await ask(elsewhere, patient, start)) == {"items": []}
    ok(await elsewhere.book(patient, start), 201)
    refused(await ask(elsewhere, patient, start), 409, "scheduling.time_not_free")
    assert (await ask(clinic, patient, start, "nurse")).status_code == 403


async def test_whom_a_service_was_told_of_is_in_the_journal(clinic: Clinic, asked: AskedService, whole: Inside, payer: CdsService) -> None:
    """Rule of the issue: audited, also where the service fails; no name and no card in the log."""
    payer.answers[HOOK] = (500, {})
    patient, start = await register(clinic.system, "Quokkaline"), (await clinic.free())[0]
    ok(await ask(clinic, patient, start))
    told = await whole.system.context("audit").db.fetch(ENTRIES, whole.known.organization_id, f"%cds.appointment.tell%{patient}%")
    (entry,) = (json.loads(row["body"]) for row in told)
    assert entry["entities"] == [{"type": "Endpoint", "id": str(asked.id)}]


async def test_a_service_is_added_where_it_offers_itself(whole: Inside, asked: AskedService, payer: CdsService) -> None:
    """Discovery; the guard of outgoing requests."""
    admin = desk(whole)

    async def add(**more: Any) -> AskedService:
        wished = {"name": f"s-{uuid4().hex[:8]}", "base": payer.address, "service": "visits"} | more
        return await connecting.add_service(admin, AddService(**wished))

    assert (asked.address, asked.prefetch) == (payer.address + HOOK, ("who",))
    with pytest.raises(ServiceNotAdded):
        await add(name="payer")
    with pytest.raises(ServiceNotOffered):
        await add(service="another")
    with pytest.raises(AddressRefused):
        await add(base="http://10.0.0.1")
    with pytest.raises(Forbidden):
        await connecting.list_services(desk(whole, "front-desk"))
    payer.answers["/cds-services"] = (200, {"services": [OFFERED | {"hook": "patient-view"}]})
    with pytest.raises(ServiceNotOffered):
        await add()
    payer.answers["/cds-services"] = (200, {"services": [OFFERED]})
    more = [await add() for _ in range(SERVICES_MAX - 1)]
    with pytest.raises(ServiceNotAdded):
        await add()
    for each in more:
        await connecting.remove_service(admin, each.name)
    assert await connecting.list_services(admin) == (asked,)
    with pytest.raises(UnknownAskedService):
        await connecting.remove_service(admin, "nobody")


async def test_our_key_is_sealed_and_moves_with_the_keys(whole: Inside, asked: AskedService) -> None:
    admin = desk(whole)
    row = await admin.db.fetch_one(ROW, asked.id)
    assert row is not None
    assert b'"d"' not in row["key"]
    assert await reseal_services(admin, UUID(int=0), 100) == []
    await admin.db.execute(SEALED, asked.id, b"\x01\x00\xff" + row["key"][3:])
    with pytest.raises(SealedElsewhere):  # it was looked at: a version that nobody has sealed it
        await reseal_services(admin, UUID(int=0), 100)
    await admin.db.execute(SEALED, asked.id, row["key"])
