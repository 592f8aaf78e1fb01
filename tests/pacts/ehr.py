"""What our EHR connector needs of an EHR: of one with Epic's habits, of one with Oracle Health's, and of a plain FHIR R4 server.

The client is `carewright.ehr.service`: its own questions, tokens, pages and writes. Only which practitioner of theirs is which of ours is
told to it, since no database is asked here. Whoever verifies says in the states where their FHIR is (`base`, a path), and who is there.
"""

import json
import re
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from types import SimpleNamespace
from typing import Any, cast
from unittest.mock import patch
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
import pytest
from joserfc.jwk import ECKey
from pact import Pact, generate, match
from pact.interaction import HttpInteraction
from pact.match.matcher import AbstractMatcher

from carewright.contracts.ehr import MASTERS, Connection, NotUnderstood, ProfileName
from carewright.contracts.scheduling import Appointment, Participant
from carewright.ehr import store
from carewright.ehr.model.paying import Policy, said_of
from carewright.ehr.model.profiles import PROFILES
from carewright.ehr.model.reading import Person, Place, Visit, instant, read
from carewright.ehr.model.subscribing import subscription
from carewright.ehr.service.asking import ASSERTION_TYPE, FHIR, SCOPE, SUBSCRIBING, Ehr
from carewright.ehr.service.booking import book, found_again
from carewright.ehr.service.hooking import Hook
from carewright.ehr.service.pushing import Seen
from carewright.ehr.service.work import NOT_FOUND, Work
from carewright.ehr.settings import EhrSettings
from carewright.ehr.store import Keyed
from carewright.kernel.clock import SystemClock
from carewright.kernel.errors import Unavailable
from carewright.kernel.http.outgoing import Outgoing
from carewright.kernel.ids import Ids
from carewright.kernel.retries import RetryBudget
from tests.pacts.contract import Contract, Json, formed, from_state

REGISTERED = "Carewright is registered and has a token"
PRACTITIONER = "a practitioner with a number"
PATIENT = "a patient with a number"
BOOKED = "a patient has appointments, more than a page of them"
EXPECTED = "a practitioner has appointments"
FREE = "a practitioner has a free time"
WHOLE = "a patient wants a time with a practitioner at a place"
WANTED = "a patient wants a time that is free"
PROPOSED = "a time is proposed to a patient"
CHANGEABLE = "an appointment is booked"
COVERED = "somebody pays for a patient"
SUBSCRIBED = "Carewright has a subscription"
ENDPOINT, ENDS_AT = "https://carewright.example/ehr-hooks/00000000-0000-0000-0000-000000000001", datetime(2099, 1, 1, tzinfo=UTC)
NUMBER, MRN = "http://hl7.org/fhir/sid/us-npi|9000000000", "urn:oid:2.999.1.1|100000"
START = datetime(2026, 12, 1, 9, tzinfo=UTC)
WINDOW = timedelta(days=14)
FROM, UNTIL, SOON = instant(START), instant(START + WINDOW), instant(START + timedelta(minutes=5))
ID = r"[A-Za-z0-9\-.]{1,64}"
INSTANT = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)"
STATUSES = r"proposed|pending|booked|arrived|fulfilled|cancelled|noshow|entered-in-error|checked-in|waitlist"
JSON, FORM, PATCH = "application/json", "application/x-www-form-urlencoded", "application/json-patch+json"
VISIT_TYPE = UUID(int=11)
OURS = Appointment(
    id=UUID("019a0000-0000-7000-8000-000000000001"), status="booked", visit_type_id=VISIT_TYPE, visit_type_name="Follow-up",
    service_name="Family medicine", site_id=UUID(int=12), site_name="North Clinic", time_zone="UTC", patient_id=UUID(int=13), start=START,
    end=START + timedelta(minutes=30), created_at=START,
    participants=(Participant(kind="practitioner", actor_id=UUID(int=14), claimed_from=START, claimed_to=START + timedelta(minutes=30)),),
)  # fmt: skip
COMMENT = f"Carewright {OURS.id}"
PLACES = {"base": "/R4", "operations": "/STU3"}
"""Where FHIR is, and where operations are, in the examples."""


# ------------------------------------------------------------------------------------------------------------- what is asked
class Asked:
    """Interactions of one contract, each given that we are registered."""

    def __init__(self, pact: Pact) -> None:
        self._pact = pact

    def asking(self, what: str, *states: str) -> HttpInteraction:
        interaction = self._pact.upon_receiving(what)
        for state in (REGISTERED, *states):
            interaction.given(state)
        return interaction

    def get(self, what: str, place: str, query: Sequence[tuple[str, Any]], *states: str, example: str = "") -> HttpInteraction:
        """A FHIR read or search, with our token."""
        asked = self.asking(what, *states).with_request("GET", path("base", place, example))
        return with_token(asked).with_header("Accept", FHIR).with_query_parameters(query)

    def post(self, what: str, base: str, place: str, body: Json, *states: str) -> HttpInteraction:
        """A FHIR create or operation."""
        asked = with_token(self.asking(what, *states).with_request("POST", path(base, place)))
        return asked.with_header("Accept", FHIR).with_body(body, FHIR)

    def on_subscription(self, what: str, method: str, body: Json | None = None) -> HttpInteraction:
        """One that we have is read, written anew or taken away."""
        place = path("base", "/Subscription/${subscription}", "/Subscription/h-1")
        asked = with_token(self.asking(what, SUBSCRIBED).with_request(method, place)).with_header("Accept", FHIR)
        return asked.with_body(body, FHIR) if body else asked

    def patch(self, what: str, version: AbstractMatcher[str] | str) -> HttpInteraction:
        """An appointment is cancelled, of one version."""
        asked = self.asking(what, CHANGEABLE).with_request("PATCH", path("base", "/Appointment/${appointment}", "/Appointment/a-1"))
        steps = json.dumps([{"op": "replace", "path": "/status", "value": "cancelled"}])
        return with_token(asked).with_header("Accept", FHIR).with_header("If-Match", version).with_body(steps, PATCH)


def path(base: str, place: str, example: str = "") -> AbstractMatcher[str]:
    """Below a place that the state names: where their FHIR is, or where operations are."""
    named = re.sub(r"\\\$\\{\w+\\}", lambda _: ID, re.escape(place))
    return from_state(f"${{{base}}}{place}", PLACES[base] + (example or place), f"/.*{named}$")


def with_token(interaction: HttpInteraction) -> HttpInteraction:
    return interaction.with_header("Authorization", from_state("Bearer ${token}", "Bearer a-token", "Bearer .+"))


def define_sign_in(asked: Asked, scope: str = SCOPE) -> None:
    """SMART App Launch 2.2: the configuration, then a token by private_key_jwt."""
    place = asked.asking("where tokens are given").with_request("GET", path("base", "/.well-known/smart-configuration"))
    endpoint = match.like("http://ehr.example/token", generator=generate.mock_server_url(r".*(/token)$", "http://ehr.example/token"))
    place.with_header("Accept", JSON).will_respond_with(200).with_body({"token_endpoint": endpoint}, JSON)
    token = asked.asking("a token").with_request("POST", from_state("${token_path}", "/token", r"/.*"))
    form = {
        "grant_type": "client_credentials", "scope": scope, "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": from_state("${assertion}", "e30.e30.c2ln", r"[\w-]+\.[\w-]+\.[\w-]+"),
    }  # fmt: skip
    token.with_header("Accept", JSON).with_body(form, FORM).will_respond_with(200)
    token.with_body({"access_token": formed("a-token", r".+"), "expires_in": match.number(3600)}, JSON)


# ----------------------------------------------------------------------------------------------------------- what is answered
def reference(kind: str, id_: str) -> Any:
    return formed(f"{kind}/{id_}", f"{kind}/{ID}")


def person(kind: str, number: str) -> Json:
    """As far as we keep it: who it is, by which numbers, and what they are called."""
    system, _, value = number.partition("|")
    named = {"family": formed("Adler", r".+"), "given": match.each_like(match.like("Ada"))}
    return {
        "resourceType": kind, "id": formed("p-1", ID), "active": match.boolean(True),
        "gender": formed("female", r"\w+"),
        "name": match.each_like(named),
        "identifier": match.each_like({"system": match.like(system), "value": match.like(value)}),
    }  # fmt: skip


def visit(**more: Any) -> Json:
    """Who comes when, to whom, for what."""
    coding = {"system": match.like("urn:oid:2.999.2"), "code": match.like("11")}
    people = [{"actor": {"reference": reference("Patient", "p-1")}}, {"actor": {"reference": reference("Practitioner", "d-1")}}]
    return {
        "resourceType": "Appointment", "id": formed("a-1", ID), "status": formed("booked", STATUSES),
        "start": formed(FROM, INSTANT), "end": formed(UNTIL, INSTANT),
        "serviceType": match.each_like({"coding": match.each_like(coding)}), "participant": match.array_containing(people),
    } | more  # fmt: skip


def bundle(resource: Json, **more: Any) -> Json:
    """Among whatever else is in the page, at least one such resource."""
    return {"resourceType": "Bundle", "entry": match.array_containing([{"resource": resource}])} | more


def answered(interaction: HttpInteraction, body: Json, headers: Json | None = None) -> None:
    interaction.will_respond_with(200)
    for name, value in (headers or {}).items():
        interaction.with_header(name, value)
    interaction.with_body(body, FHIR)


def define_coverage(asked: Asked) -> None:
    """Who pays: the payer by name, the member's number, and what the patient is to whoever has the plan."""
    relation = {"system": match.like("http://terminology.hl7.org/CodeSystem/subscriber-relationship"), "code": match.like("self")}
    held = {
        "resourceType": "Coverage", "id": formed("c-1", ID), "status": formed("active", r"active|cancelled|draft|entered-in-error"),
        "beneficiary": {"reference": reference("Patient", "p-1")}, "subscriberId": formed("M100000", r".+"),
        "relationship": {"coding": match.each_like(relation)}, "payor": match.each_like({"display": formed("North Health Plan", r".+")}),
        "period": {"start": formed("2020-01-01", r"\d{4}-\d\d-\d\d.*")},
    }  # fmt: skip
    answered(asked.get("who pays for a patient", "/Coverage", [("patient", from_state("${patient}", "p-1", ID))], COVERED), bundle(held))


async def use_coverage(work: Work) -> None:
    (found,) = [read(each, Policy) async for each in work.ehr.search("Coverage", {"patient": "p-1"})]
    said = said_of(found, ZoneInfo("UTC"))
    assert (said["payer"].name, said["member_id"], said["relationship"], said["status"]) == (
        "North Health Plan",
        "M100000",
        "self",
        "active",
    )


# --------------------------------------------------------------------------------------------------------------------- Epic
def define_epic(pact: Pact) -> None:
    asked = Asked(pact)
    define_sign_in(asked)
    found = asked.get(
        "a practitioner by number", "/Practitioner", [("identifier", from_state("${practitioner_number}", NUMBER))], PRACTITIONER
    )
    answered(found, bundle(person("Practitioner", NUMBER)))
    found = asked.get("a patient by number", "/Patient", [("identifier", from_state("${patient_number}", MRN))], PATIENT)
    answered(found, bundle(born(person("Patient", MRN))))
    whose = ("patient", from_state("${patient}", "p-1", ID))
    further = match.like(
        "http://ehr.example/R4/Appointment?sessionID=2",
        generator=generate.mock_server_url(r".*(/R4/Appointment\?.*)$", "http://ehr.example/R4/Appointment?sessionID=2"),
    )
    link = match.array_containing([{"relation": "next", "url": further}])
    answered(
        asked.get("a patient's appointments", "/Appointment", [whose, ("date", f"ge{FROM}"), ("date", f"lt{UNTIL}")], BOOKED),
        bundle(visit(), link=link),
    )
    page = [("sessionID", from_state("${page}", "2"))]
    answered(asked.get("the next page of them", "/Appointment", page, BOOKED), bundle(visit(id=formed("a-2", ID))))
    answered(asked.get("one appointment", "/Appointment/${appointment}", [], BOOKED, example="/Appointment/a-1"), visit())
    define_coverage(asked)
    wanted = [{"name": "startTime", "valueDateTime": FROM}, {"name": "endTime", "valueDateTime": SOON}]
    wanted.append(referring("practitioner", from_state("Practitioner/${practitioner}", "Practitioner/d-1", f"Practitioner/{ID}")))
    found = asked.post("what can be proposed", "operations", "/Appointment/$find", parameters(wanted), FREE)
    answered(found, bundle({"resourceType": "Appointment", "id": formed("x-1", ID), "start": formed(FROM, INSTANT)}))
    taken: list[Json] = [
        referring("patient", from_state("Patient/${patient}", "Patient/p-1", f"Patient/{ID}")),
        referring("appointment", from_state("Appointment/${proposal}", "Appointment/x-1", f"Appointment/{ID}")),
        {"name": "appointmentNote", "valueString": COMMENT},
    ]
    made = asked.post("a proposal is taken", "operations", "/Appointment/$book", parameters(taken), PROPOSED)
    answered(made, bundle({"resourceType": "Appointment", "id": formed("a-9", ID)}))


def parameters(listed: list[Json]) -> Json:
    return {"resourceType": "Parameters", "parameter": listed}


def referring(name: str, to: AbstractMatcher[str]) -> Json:
    return {"name": name, "valueReference": {"reference": to}}


def born(patient: Json) -> Json:
    return patient | {"birthDate": formed("1980-02-29", r"\d{4}-\d\d-\d\d")}


async def use_epic(address: str) -> None:
    work = working(address, "epic")
    (practitioner,) = [read(each, Person) async for each in work.ehr.search("Practitioner", {"identifier": NUMBER})]
    assert (practitioner.official.family, practitioner.given, len(practitioner.identifiers)) == ("Adler", ("Ada",), 1)
    (patient,) = [read(each, Person) async for each in work.ehr.search("Patient", {"identifier": MRN})]
    assert patient.birth_on is not None
    found = [
        read(each, Visit)
        async for each in work.ehr.search("Appointment", [("patient", "p-1"), ("date", f"ge{FROM}"), ("date", f"lt{UNTIL}")])
    ]
    assert ([each.id for each in found], found[0].start_at, found[0].actors("Patient")) == (["a-1", "a-2"], START, ["p-1"])
    assert read(await work.ehr.read("Appointment", "a-1"), Visit).codes()
    await use_coverage(work)
    assert await booked(work) == "a-9"


# ------------------------------------------------------------------------------------------------------------ Oracle Health
def define_oracle(pact: Pact) -> None:
    asked = Asked(pact)
    define_sign_in(asked)
    answered(
        asked.get("all practitioners", "/Practitioner", [("active", "true"), ("_count", "50")]), bundle(person("Practitioner", NUMBER))
    )
    place = {
        "resourceType": "Location",
        "id": formed("l-1", ID),
        "name": match.like("North Clinic"),
        "status": match.like("active"),
    }
    answered(asked.get("all buildings", "/Location", [("-physicalType", "bu"), ("_count", "50")]), bundle(place))
    answered(asked.get("one patient", "/Patient/${patient}", [], PATIENT, example="/Patient/p-1"), born(person("Patient", MRN)))
    whose = [("practitioner", from_state("${practitioner}", "d-1", ID)), ("date", f"ge{FROM}"), ("date", f"lt{UNTIL}")]
    answered(asked.get("a practitioner's appointments", "/Appointment", whose, EXPECTED), bundle(visit()))
    define_coverage(asked)
    tag = {"ETag": formed('W/"1"', r'(W/)?".+"')}
    one = asked.get("one appointment and its version", "/Appointment/${appointment}", [], CHANGEABLE, example="/Appointment/a-1")
    answered(one, visit(), tag)
    changed = asked.patch("it is cancelled", from_state("${version}", 'W/"1"')).will_respond_with(200)
    changed.with_header("ETag", formed('W/"2"', r'(W/)?".+"'))
    same = [("patient", from_state("${patient}", "p-1", ID)), ("date", f"ge{FROM}"), ("date", f"lt{SOON}")]
    asked.get("a patient's appointments at that time", "/Appointment", same, WANTED).will_respond_with(200).with_body(
        {"resourceType": "Bundle"}, FHIR
    )
    free = [
        ("service-type", from_state("${kind}", "11")),
        ("schedule.actor", from_state("Practitioner/${practitioner}", "Practitioner/d-1", f"Practitioner/{ID}")),
        ("start", f"ge{FROM}"), ("start", f"lt{SOON}"),
    ]  # fmt: skip
    slot = {"resourceType": "Slot", "id": formed("s-1", ID), "start": formed(FROM, INSTANT)}
    answered(asked.get("free time of a practitioner", "/Slot", free, FREE), bundle(slot))
    body = {
        "resourceType": "Appointment", "status": "booked", "comment": COMMENT,
        "slot": [{"reference": from_state("Slot/${slot}", "Slot/s-1", f"Slot/{ID}")}],
        "participant": [{"actor": {"reference": from_state("Patient/${patient}", "Patient/p-1", f"Patient/{ID}")}, "status": "accepted"}],
    }  # fmt: skip
    made = asked.post("an appointment is made in a free slot", "base", "/Appointment", body, WANTED).will_respond_with(201)
    made.with_header("Location", formed("/R4/Appointment/a-9", f".*/Appointment/{ID}(/_history/.*)?"))


def define_overtaken(pact: Pact) -> None:
    Asked(pact).patch("it is cancelled as it was before", 'W/"999999"').will_respond_with(409)


async def use_oracle(address: str) -> None:
    work = working(address, "oracle")
    (practitioner,) = [read(each, Person) async for each in work.ehr.search("Practitioner", {"active": "true", "_count": "50"})]
    (place,) = [read(each, Place) async for each in work.ehr.search("Location", {"-physicalType": "bu", "_count": "50"})]
    assert (practitioner.active, place.status) == (True, "active")
    assert read(await work.ehr.read("Patient", "p-1"), Person).birth_on is not None
    asked = [("practitioner", "d-1"), ("date", f"ge{FROM}"), ("date", f"lt{UNTIL}")]
    (found,) = [read(each, Visit) async for each in work.ehr.search("Appointment", asked)]
    assert found.actors("Practitioner") == ["d-1"]
    await use_coverage(work)
    seen = Seen(work, "a-1", (await work.ehr.read_version("Appointment", "a-1"))[1])
    await seen.patch({"/status": "cancelled"})
    assert seen.version == 'W/"2"'
    assert await found_again(work, OURS, "p-1") is None
    assert await booked(work) == "a-9"


# -------------------------------------------------------------------------------------------------------- plain FHIR R4
def define_plain(pact: Pact) -> None:
    asked = Asked(pact)
    define_sign_in(asked, SCOPE + SUBSCRIBING)
    answered(
        asked.get("all practitioners", "/Practitioner", [("active", "true"), ("_count", "50")]), bundle(person("Practitioner", NUMBER))
    )
    answered(asked.get("one patient", "/Patient/${patient}", [], PATIENT, example="/Patient/p-1"), born(person("Patient", MRN)))
    whose = [("practitioner", from_state("${practitioner}", "d-1", ID)), ("date", f"ge{FROM}"), ("date", f"lt{UNTIL}")]
    answered(asked.get("a practitioner's appointments", "/Appointment", whose, EXPECTED), bundle(visit()))
    define_coverage(asked)
    tag = {"ETag": formed('W/"1"', r'(W/)?".+"')}
    one = asked.get("one appointment and its version", "/Appointment/${appointment}", [], CHANGEABLE, example="/Appointment/a-1")
    answered(one, visit(), tag)
    changed = asked.patch("it is cancelled", from_state("${version}", 'W/"1"')).will_respond_with(200)
    changed.with_header("ETag", formed('W/"2"', r'(W/)?".+"'))
    who = (("Patient", "patient", "p-1"), ("Practitioner", "practitioner", "d-1"), ("Location", "place", "l-1"))
    actors = [from_state(f"{kind}/${{{name}}}", f"{kind}/{id_}", f"{kind}/{ID}") for kind, name, id_ in who]
    body = {
        "resourceType": "Appointment", "status": "booked", "start": FROM, "end": instant(OURS.end), "comment": COMMENT,
        "serviceType": [{"coding": [{"system": "urn:oid:2.999.2", "code": "11"}]}],
        "participant": [{"actor": {"reference": each}, "status": "accepted"} for each in actors],
    }  # fmt: skip
    made = asked.post("an appointment is made by itself", "base", "/Appointment", body, WHOLE).will_respond_with(201)
    made.with_header("Location", formed("/R4/Appointment/a-9", f".*/Appointment/{ID}(/_history/.*)?"))
    define_subscription(asked)


def define_subscription(asked: Asked) -> None:
    """Made, read, found by where it leads, written anew, and taken away (HL7 FHIR R4, subscription.html)."""
    wanted = subscription(ENDPOINT, "secret", ENDS_AT, None)
    made = asked.post("a subscription is made", "base", "/Subscription", wanted).will_respond_with(201)
    made.with_header("Location", formed("/R4/Subscription/h-1", f".*/Subscription/{ID}(/_history/.*)?"))
    kept = {
        "resourceType": "Subscription", "id": formed("h-1", ID), "status": formed("active", "requested|active|error|off"),
        "end": formed(instant(ENDS_AT), INSTANT), "channel": {"endpoint": match.like(ENDPOINT)},
    }  # fmt: skip
    answered(asked.on_subscription("how a subscription stands", "GET"), kept)
    answered(asked.get("subscriptions that lead to us", "/Subscription", [("url", ENDPOINT)], SUBSCRIBED), bundle(kept))
    again = wanted | {"id": from_state("${subscription}", "h-1", ID)}
    asked.on_subscription("a subscription is written anew", "PUT", again).will_respond_with(200)
    asked.on_subscription("a subscription is taken away", "DELETE").will_respond_with(204)


async def use_plain(address: str) -> None:
    work = working(address, "r4")
    (practitioner,) = [read(each, Person) async for each in work.ehr.search("Practitioner", {"active": "true", "_count": "50"})]
    assert practitioner.active
    assert read(await work.ehr.read("Patient", "p-1"), Person).birth_on is not None
    asked = [("practitioner", "d-1"), ("date", f"ge{FROM}"), ("date", f"lt{UNTIL}")]
    (found,) = [read(each, Visit) async for each in work.ehr.search("Appointment", asked)]
    assert found.actors("Practitioner") == ["d-1"]
    await use_coverage(work)
    seen = Seen(work, "a-1", (await work.ehr.read_version("Appointment", "a-1"))[1])
    await seen.patch({"/status": "cancelled"})
    assert seen.version == 'W/"2"'
    assert await booked(work) == "a-9"
    hook = Hook(work.ehr)
    assert await hook.put(ENDPOINT, "secret", ENDS_AT, None) == "h-1"
    told = await hook.read("h-1")
    assert told is not None
    assert (told.status, told.end, told.channel.endpoint) == ("active", ENDS_AT, ENDPOINT)
    assert await hook.found(ENDPOINT) == ["h-1"]
    assert await hook.put(ENDPOINT, "secret", ENDS_AT, "h-1") == "h-1"
    await hook.delete("h-1")


# --------------------------------------------------------------------------------------------------------------- the client
def working(address: str, profile: ProfileName) -> Work:
    """Our connector at work for a connection with that address; it has a key, and no token yet."""
    clock = SystemClock()
    key = ECKey.generate_key("P-384", {"kid": "ours-1"}, private=True)
    connection = Connection(
        id=UUID(int=1), name="theirs", profile=profile, base=f"{address}/R4", client_id="carewright", patient_system="urn:oid:2.999.1.1",
        masters=MASTERS, codes={"urn:oid:2.999.2|11" if profile == "r4" else "11": VISIT_TYPE}, public_key={},
    )  # fmt: skip
    known: Any = SimpleNamespace(
        outgoing=Outgoing([address]),
        settings=EhrSettings(),
        clock=clock,
        ids=Ids(clock),
        access_tokens={},
        db=None,
        retries=defaultdict(partial(RetryBudget, "ehr")),
    )
    secret = msgspec.json.encode(key.as_dict(private=True))
    return Work(known, cast("Any", None), Ehr(known, Keyed(connection=connection, key=secret)), START)


def with_known_token(address: str) -> Work:
    """The same, with a token."""
    work = working(address, "oracle")
    work.ctx.access_tokens[work.connection.id] = ("a-token", work.ctx.clock.monotonic_seconds() + 3600)
    return work


async def booked(work: Work) -> str | None:
    """What an appointment of ours is called there, once it is booked."""

    async def theirs(*asked: Any) -> str:
        return {"Practitioner": "d-1", "Location": "l-1"}[asked[3]]

    with patch.object(store, "theirs_of", theirs):
        return await book(work, OURS, "p-1")


def define_gone(pact: Pact) -> None:
    Asked(pact).get("an appointment that is not there", "/Appointment/none", []).will_respond_with(404)


async def use_gone(address: str) -> None:
    """What is not there any more is told apart from what cannot be read."""
    with pytest.raises(NotUnderstood) as refused:
        await with_known_token(address).ehr.read("Appointment", "none")
    assert refused.value.facts["status_code"] in NOT_FOUND


async def use_overtaken(address: str) -> None:
    """A version that is not theirs any more is refused in a way that we understand: read it again."""
    work = with_known_token(address)
    body = msgspec.json.encode([{"op": "replace", "path": "/status", "value": "cancelled"}])
    with pytest.raises(Unavailable, match="Somebody else changed it"):
        await work.ehr.ask("PATCH", f"{work.connection.base}/Appointment/a-1", body, {"Content-Type": PATCH, "If-Match": 'W/"999999"'})


R4 = Contract("carewright-ehr", "r4", ((define_plain, use_plain), (define_gone, use_gone)))
EPIC = Contract("carewright-ehr", "epic", ((define_epic, use_epic), (define_gone, use_gone)))
ORACLE = Contract("carewright-ehr", "oracle", ((define_oracle, use_oracle), (define_gone, use_gone), (define_overtaken, use_overtaken)))
assert {"epic", "oracle", "r4"} == set(PROFILES), "a profile without a contract"
