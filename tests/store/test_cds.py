"""Our CDS Hooks service, asked by clients that sign their requests. Each test names the section of the specification it is from.

Source: CDS Hooks 2.0 (https://cds-hooks.hl7.org/2.0/) and the hook `appointment-book` 1.0.
"""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import msgspec
import pytest
from joserfc.jwk import ECKey, RSAKey

from carewright.access.service.accounts import disable_account
from carewright.access.service.clients import register_client
from carewright.access.settings import AccessSettings
from carewright.contracts.callers import IssuerTaken
from carewright.contracts.clients import PublicKey, RegisterClient
from carewright.contracts.permissions import ROLES
from carewright.coverage.settings import CoverageSettings
from carewright.fhir.model.validating import issues_of
from carewright.fhir.store import r4_definitions
from carewright.kernel.clock import SystemClock
from carewright.kernel.sql import Query
from tests.cds_side import CdsService, Json, Signer, cds_service
from tests.clearing_house import SET, mock_clearing_house
from tests.clinic import Clinic, ok, open_clinic, register
from tests.whole_system import ORIGIN, Inside, inside

SERVICE = "/cds-services/appointment-book"
FEEDBACK = f"{SERVICE}/feedback"
HERE = ORIGIN + SERVICE
SCOPES = tuple(sorted(ROLES["integration"]))
ENTRIES = Query("test.cds_entries", "SELECT body FROM kernel.audit_entry WHERE organization_id = $1 AND body LIKE $2 ORDER BY id")


@pytest.fixture(scope="module")
async def web() -> AsyncIterator[CdsService]:
    """Where a client publishes its keys."""
    async with cds_service() as made:
        yield made


@pytest.fixture(scope="module")
async def whole(database_url: str, tmp_path_factory: pytest.TempPathFactory, web: CdsService) -> AsyncIterator[Inside]:
    async with mock_clearing_house() as house:
        settings = CoverageSettings(clearing_house="core", url=house, **SET)
        data, public = tmp_path_factory.mktemp("cds"), AccessSettings(public_url=ORIGIN)
        async with inside(database_url, data, uuid4(), origins=web.address, access=public, coverage=settings) as running:
            yield running


@pytest.fixture(scope="module")
async def clinic(whole: Inside) -> Clinic:
    return await open_clinic(whole)


@dataclass
class Ehr:
    """A registered client."""

    whole: Inside
    signer: Signer
    id: UUID

    async def post(self, path: str, body: Any, token: str | None = None, **headers: str) -> httpx.Response:
        bearer = token or self.signer.token(ORIGIN + path)
        return await self.whole.client.post(path, json=body, headers={"Authorization": f"Bearer {bearer}"} | headers)

    async def cards(self, body: Json) -> list[Json]:
        found: list[Json] = ok(await self.post(SERVICE, body))["cards"]
        return found


def administrator(whole: Inside) -> Any:
    access = whole.system.context("access")
    admin = whole.system.tokens.actor("administrator", "tester", whole.known.organization_id)
    return access.acting(msgspec.structs.replace(admin, authenticated_at=SystemClock().now()))


async def ehr_of(whole: Inside, scopes: tuple[str, ...] = SCOPES, keys_address: str | None = None, **more: Any) -> Ehr:
    signer = Signer(f"https://{uuid4()}.example.org/", **more)
    known = {name: value for name, value in signer.public().items() if name in PublicKey.__struct_fields__}
    keys = () if keys_address else (msgspec.convert(known, PublicKey),)
    command = RegisterClient(name="EHR", scopes=scopes, keys=keys, keys_address=keys_address, issuer=signer.issuer)
    return Ehr(whole, signer, (await register_client(administrator(whole), command)).id)


@pytest.fixture(scope="module")
async def ehr(whole: Inside) -> Ehr:
    return await ehr_of(whole)


def wish(clinic: Clinic, start: str, minutes: int = 30, **more: Any) -> Json:
    """A proposed Appointment."""
    end = datetime.fromisoformat(start) + timedelta(minutes=minutes)
    actors = (f"Practitioner/{clinic.practitioner_id}", f"Location/{clinic.site_id}")
    return {
        "resourceType": "Appointment", "id": "wish-1", "status": "proposed", "start": start, "end": end.isoformat(),
        "serviceType": [{"coding": [{"system": "urn:carewright:visit-type", "code": clinic.visit_type_id}]}],
        "participant": [{"actor": {"reference": each}, "status": "needs-action"} for each in actors],
    } | more  # fmt: skip


def call(patient: UUID | str, *appointments: Json, **more: Any) -> Json:
    context = {"userId": "Practitioner/their-own", "patientId": str(patient), "appointments": bundle(appointments)}
    return {"hook": "appointment-book", "hookInstance": str(uuid4()), "context": context} | more


def bundle(appointments: tuple[Json, ...]) -> Json:
    return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": each} for each in appointments]}


def topics(cards: list[Json]) -> list[tuple[str, str]]:
    return [(each["source"]["topic"]["code"], each["indicator"]) for each in cards]


async def insure(clinic: Clinic, patient: UUID, member: str = "A123456789") -> str:
    details = {
        "payer": {"name": "Numbat Mutual", "id": "60054"}, "member_id": member, "starts_on": "2026-01-01",
        "beneficiary": {"family": "Beispiel", "given": ["Test"], "birth_on": "1980-02-29", "gender": "female"},
    }  # fmt: skip
    body = {"patient_id": str(patient), "details": details}
    return str(ok(await clinic.system.request("front-desk", "POST", "/api/v1/coverages", json=body), 201)["id"])


@pytest.mark.requirement("HOOKS.1")
async def test_anybody_may_see_which_services_there_are(whole: Inside) -> None:
    """Discovery: `hook`, `description` and `id` are required."""
    (offered,) = ok(await whole.client.get("/cds-services"))["services"]
    assert (offered["hook"], offered["id"]) == ("appointment-book", "appointment-book")
    assert offered["description"]
    assert offered["prefetch"] == {"patient": "Patient/{{context.patientId}}"}


@pytest.mark.requirement("HOOKS.2")
async def test_nothing_is_said_of_a_time_that_can_be_had_and_is_paid_for(clinic: Clinic, ehr: Ehr) -> None:
    """CDS Service Response: without decision support, 200 and an empty array."""
    patient, start = await register(clinic.system), (await clinic.free())[0]
    coverage = await insure(clinic, patient)
    ok(await clinic.system.request(
        "front-desk", "POST", f"/api/v1/coverages/{coverage}/eligibility", json={"serviced_on": start[:10], "service_type": "98"}
    ))  # fmt: skip
    assert await ehr.cards(call(patient, wish(clinic, start))) == []


@pytest.mark.requirement("HOOKS.3")
async def test_a_time_that_is_taken_is_told_with_other_times_that_can_be_booked(clinic: Clinic, ehr: Ehr) -> None:
    """Card Attributes, Suggestion, Action: an `update` holds the resource in its entirety."""
    patient, starts = await register(clinic.system), await clinic.free()
    ok(await clinic.book(await register(clinic.system), starts[0]), 201)
    asked = wish(clinic, starts[0], comment="with a stick")
    cards = await ehr.cards(call(patient, asked))
    assert topics(cards) == [("time", "critical"), ("coverage", "warning")]
    for each in cards:
        assert UUID(each["uuid"]).version == 7
        assert 0 < len(each["summary"]) < 140
        assert each["source"]["label"] == "Carewright"
        assert all(reason["display"] for reason in each["overrideReasons"])
    assert (cards[0]["selectionBehavior"], len(cards[0]["suggestions"])) == ("at-most-one", 3)
    for each in cards[0]["suggestions"]:
        (action,) = each["actions"]
        moved = action["resource"]
        assert (action["type"], moved["comment"], moved["id"]) == ("update", "with a stick", "wish-1")
        assert not list(issues_of(r4_definitions(), moved))
    other = cards[0]["suggestions"][0]["actions"][0]["resource"]["start"]
    ok(await clinic.book(patient, other), 201)


@pytest.mark.requirement("HOOKS.3")
async def test_a_time_outside_opening_hours_is_told_as_such(clinic: Clinic, ehr: Ehr) -> None:
    """Rule of ours: what is in the way is said, where the calendar tells it."""
    night = f"{(await clinic.free())[0][:10]}T02:00:00Z"
    cards = await ehr.cards(call(await register(clinic.system), wish(clinic, night)))
    assert "outside opening hours" in cards[0]["summary"]
    assert cards[0]["suggestions"]


@pytest.mark.requirement("HOOKS.3")
async def test_another_appointment_of_the_patient_at_that_time_is_told(clinic: Clinic, ehr: Ehr, whole: Inside) -> None:
    """Rule of ours; the visit type need not be one that we know."""
    patient, start = await register(clinic.system), (await clinic.free())[0]
    ok(await clinic.book(patient, start), 201)
    elsewhere = {key: value for key, value in wish(clinic, start).items() if key not in ("serviceType", "participant")}
    cards = await ehr.cards(call(patient, elsewhere))
    assert topics(cards) == [("patient-busy", "warning"), ("coverage", "warning")]
    assert "suggestions" not in cards[0]
    other_place = await open_clinic(whole)
    cards = await ehr.cards(call(patient, wish(other_place, start)))
    assert topics(cards)[0] == ("patient-busy", "warning")
    assert all(each["actions"][0]["resource"]["start"] != start for each in cards[0]["suggestions"])


@pytest.mark.requirement("HOOKS.3")
async def test_who_pays_is_told_as_far_as_somebody_said_it(clinic: Clinic, ehr: Ehr) -> None:
    """Rule of ours: nobody, not asked yet, denied."""
    patient, start = await register(clinic.system), (await clinic.free())[0]
    said = [await ehr.cards(call(patient, wish(clinic, start)))]
    coverage = await insure(clinic, patient, "X123456789")
    said.append(await ehr.cards(call(patient, wish(clinic, start))))
    ok(await clinic.system.request(
        "front-desk", "POST", f"/api/v1/coverages/{coverage}/eligibility", json={"serviced_on": start[:10], "service_type": "98"}
    ))  # fmt: skip
    said.append(await ehr.cards(call(patient, wish(clinic, start))))
    assert [topics(each) for each in said] == [[("coverage", "warning")], [("coverage", "info")], [("coverage", "warning")]]
    assert "not covered" in said[2][0]["summary"]


@pytest.mark.requirement("HOOKS.4")
async def test_a_patient_whom_we_do_not_know_by_their_id_is_known_by_an_identifier(clinic: Clinic, ehr: Ehr) -> None:
    """HTTP Status Codes: 412 where what is needed was not prefetched."""
    known = {"family": "Nummer", "given": ["Test"], "identifiers": [{"system": "urn:ehr:mrn", "value": str(uuid4())}]}
    patient = UUID(ok(await clinic.system.request("front-desk", "POST", "/api/v1/patients", json=known), 201)["id"])
    start = (await clinic.free())[0]
    ok(await clinic.book(patient, start), 201)
    body = call("their-1288992", wish(clinic, start))
    answer = await ehr.post(SERVICE, body)
    assert (answer.status_code, answer.json()["resourceType"]) == (412, "OperationOutcome")
    prefetched = {"patient": {"resourceType": "Patient", "id": "their-1288992", "identifier": known["identifiers"]}}
    assert ("patient-busy", "warning") in topics(await ehr.cards(body | {"prefetch": prefetched}))


BAD: dict[str, Callable[[Ehr], str]] = {
    "no JWT": lambda _: "abc",
    "signed with another key": lambda it: it.signer.token(HERE, key=ECKey.generate_key("P-384", {"kid": "c-1"}, private=True)),
    "another algorithm": lambda it: it.signer.token(
        HERE, head={"alg": "ES256"}, key=ECKey.generate_key("P-256", {"kid": "c-1"}, private=True)
    ),
    "an unknown issuer": lambda it: it.signer.token(HERE, iss="https://nobody.example.org/"),
    "no issuer": lambda it: it.signer.token(HERE, iss=None),
    "for another service": lambda it: it.signer.token("https://cds.example.org/cds-services/some-service"),
    "for discovery": lambda it: it.signer.token(f"{ORIGIN}/cds-services"),
    "for two": lambda it: it.signer.token(HERE, aud=[HERE, "https://cds.example.org/"]),
    "over": lambda it: it.signer.token(HERE, exp=1422568860),
    "for years": lambda it: it.signer.token(HERE, exp=4102444800),
    "no iat": lambda it: it.signer.token(HERE, iat=None),
    "no jti": lambda it: it.signer.token(HERE, jti=None),
    "no typ": lambda it: it.signer.token(HERE, head={"typ": None}),
    "keys elsewhere": lambda it: it.signer.token(HERE, head={"jku": "https://nobody.example.org/jwks.json"}),
}  # fmt: skip


@pytest.mark.requirement("HOOKS.5")
@pytest.mark.parametrize("bad", BAD)
async def test_who_does_not_prove_who_they_are_is_told_nothing(ehr: Ehr, bad: str) -> None:
    """Trusting CDS Clients: an allow list of `iss` and `jku`, no symmetric algorithm, required claims, `aud` the endpoint."""
    answer = await ehr.post(SERVICE, call(uuid4()), BAD[bad](ehr))
    assert answer.status_code == 401, answer.text
    assert answer.json()["resourceType"] == "OperationOutcome"


@pytest.mark.requirement("HOOKS.5")
async def test_a_signature_serves_once_and_a_client_that_was_disabled_is_out(ehr: Ehr, whole: Inside) -> None:
    """Trusting CDS Clients: `jti` protects against replay."""
    once = ehr.signer.token(HERE)
    assert [(await ehr.post(SERVICE, call(uuid4()), once)).status_code for _ in range(2)] == [200, 401]
    leaving = await ehr_of(whole)
    await disable_account(administrator(whole), leaving.id)
    assert (await leaving.post(SERVICE, call(uuid4()))).status_code == 401
    assert (await whole.client.post(SERVICE, json=call(uuid4()))).status_code == 401


@pytest.mark.requirement("HOOKS.5")
async def test_keys_are_those_at_the_registered_address(whole: Inside, web: CdsService) -> None:
    """Trusting CDS Clients: `jku` names the JWK Set; RS384 as well as ES384."""
    address = f"{web.address}/jwks.json"
    signing = await ehr_of(whole, keys_address=address, key=RSAKey.generate_key(2048, {"kid": "c-1"}, private=True))
    web.answers["/jwks.json"] = (200, {"keys": [signing.signer.public()]})
    token = signing.signer.token(HERE, head={"jku": address})
    assert ok(await signing.post(SERVICE, call(uuid4()), token)) == {"cards": []}
    assert len(web.at("/jwks.json")) == 1


async def test_an_issuer_is_one_client(whole: Inside, ehr: Ehr) -> None:
    command = RegisterClient(name="Twin", scopes=SCOPES, keys_address="https://ehr.example.org/keys.json", issuer=ehr.signer.issuer)
    with pytest.raises(IssuerTaken):
        await register_client(administrator(whole), command)


@pytest.mark.requirement("HOOKS.6")
async def test_what_a_client_may_not_read_nothing_is_said_of(clinic: Clinic, whole: Inside) -> None:
    """Security and Safety: no more than the caller is authorised to."""
    patient, start = await register(clinic.system), (await clinic.free())[0]
    ok(await clinic.book(patient, start), 201)
    blind = await ehr_of(whole, ("cds.advise", "scheduling.find", "directory.read"))
    assert topics(await blind.cards(call(patient, wish(clinic, start)))) == [("time", "critical")]
    nobody = await ehr_of(whole, ("scheduling.find",))
    answer = await nobody.post(SERVICE, call(patient, wish(clinic, start)))
    assert (answer.status_code, answer.json()["resourceType"]) == (403, "OperationOutcome")


WRONG: dict[str, Json] = {
    "another hook": {"hook": "patient-view"},
    "no instance": {"hookInstance": "x"},
    "no patient": {"context": {"userId": "Practitioner/1", "appointments": bundle(())}},
    "no Bundle": {"context": {"userId": "Practitioner/1", "patientId": str(uuid4()), "appointments": {"resourceType": "Appointment"}}},
    "a list": {"context": {"userId": "Practitioner/1", "patientId": str(uuid4()), "appointments": []}},
    "another resource": {"context": call(uuid4(), {"resourceType": "Patient"})["context"]},
    "a time without zone": {"context": call(uuid4(), {"resourceType": "Appointment", "start": "2026-01-01", "end": 5})["context"]},
    "too many": {"context": call(uuid4(), *[{"resourceType": "Appointment"}] * 21)["context"]},
}  # fmt: skip


@pytest.mark.requirement("HOOKS.7")
@pytest.mark.parametrize("wrong", WRONG)
async def test_what_is_no_call_of_the_hook_is_refused(ehr: Ehr, wrong: str) -> None:
    """Calling a CDS Service: required fields; Returning OperationOutcome."""
    answer = await ehr.post(SERVICE, call(uuid4()) | WRONG[wrong])
    assert (answer.status_code, answer.json()["resourceType"]) == (400, "OperationOutcome"), answer.text


@pytest.mark.requirement("HOOKS.7")
async def test_another_service_is_none(ehr: Ehr) -> None:
    """Calling a CDS Service: `{baseUrl}/cds-services/{service.id}`."""
    answer = await ehr.post("/cds-services/some-service", call(uuid4()), ehr.signer.token(HERE))
    assert (answer.status_code, answer.json()["issue"][0]["details"]["coding"][0]["code"]) == (404, "cds.unknown_service")


@pytest.mark.requirement("HOOKS.8")
async def test_what_became_of_a_card_is_in_the_journal_beside_it(clinic: Clinic, ehr: Ehr, whole: Inside) -> None:
    """Feedback: `accepted` names its suggestions, `overridden` may say why."""
    patient, starts = await register(clinic.system), await clinic.free()
    ok(await clinic.book(await register(clinic.system), starts[0]), 201)
    card = (await ehr.cards(call(patient, wish(clinic, starts[0]))))[0]
    at, reason = "2026-11-26T10:05:31Z", {"reason": card["overrideReasons"][0], "userComment": "Quokkaline said so"}
    taken = {"card": card["uuid"], "outcome": "accepted", "outcomeTimestamp": at}
    given = [
        taken | {"acceptedSuggestions": [{"id": card["suggestions"][0]["uuid"]}]},
        taken | {"outcome": "overridden", "overrideReason": reason},
    ]
    ok(await ehr.post(FEEDBACK, {"feedback": given}))
    ok(await ehr.post(FEEDBACK, {"feedback": given}, ehr.signer.token(HERE)))
    assert (await ehr.post(FEEDBACK, {"feedback": [taken]})).status_code == 400
    assert (await ehr.post(FEEDBACK, {"feedback": [taken | {"outcome": "ignored"}]})).status_code == 400
    context = whole.system.context("audit")
    told = await context.db.fetch(ENTRIES, whole.known.organization_id, f"%{card['uuid']}%")
    events = [msgspec.json.decode(row["body"])["event"] for row in told]
    assert sorted(events) == ["cds.appointment.advise", *["cds.card.accept"] * 2, *["cds.card.override"] * 2]
    assert msgspec.json.decode(told[0]["body"])["patient_id"] == str(patient)
    assert not any("Quokkaline" in row["body"] for row in told)
