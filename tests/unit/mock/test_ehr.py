"""The made-up EHR keeps the habits of the two it stands for, and breaks as it is told to."""

from typing import Any

import pytest

from carewright.mock.ehr.answers import Asked
from carewright.mock.ehr.faults import Faults
from carewright.mock.ehr.made_up import MRN, PRACTITIONERS
from carewright.mock.ehr.oracle import ORACLE
from tests.unit.mock.ehr import ORIGIN, Client, Connect, connect

__all__ = ["connect"]
WORKING_DAYS, VISITS_A_DAY = 10, 16
BOTH = ("epic", "oracle")
WEEK = [("start", "ge2026-11-26T00:00:00Z"), ("start", "lt2026-12-03T00:00:00Z")]
PATCH = {"content_type": "application/json-patch+json"}


def found(bundle: Any, mode: str = "match") -> list[Any]:
    return [entry["resource"] for entry in bundle["entry"] if entry["search"]["mode"] == mode]


def patients(client: Client) -> list[str]:
    numbers = ",".join(f"{MRN}|{100_000 + number}" for number in range(10))
    return [f"Patient/{each['id']}" for each in found(client.search("Patient", identifier=numbers))]


def free(client: Client) -> list[Any]:
    answer = client.fhir("GET", "Slot", [("service-type", "11"), *WEEK])
    assert answer.body is not None
    return found(answer.body)


def booking(slot: str, patient: str) -> Any:
    who = {"actor": {"reference": patient}, "status": "accepted"}
    return {"resourceType": "Appointment", "status": "booked", "slot": [{"reference": slot}], "participant": [who]}


def booked(client: Client) -> tuple[str, str]:
    """A new appointment's place and its version."""
    answer = client.fhir("POST", "Appointment", body=booking(f"Slot/{free(client)[0]['id']}", patients(client)[0]))
    assert (answer.status, answer.body) == (201, None)
    return answer.headers["Location"].removeprefix(ORACLE.base + "/"), answer.headers["ETag"]


@pytest.mark.parametrize("profile", BOTH)
def test_a_seed_makes_the_same_clinic_and_another_another(connect: Connect, profile: str) -> None:
    one, same, other = (list(connect(profile, seed=seed).ehr.records.all("Appointment")) for seed in (1, 1, 2))
    assert one == same != other
    assert len(list(connect(profile).ehr.records.all("Slot"))) == PRACTITIONERS * WORKING_DAYS * VISITS_A_DAY
    assert one


@pytest.mark.parametrize(
    ("profile", "kind", "query", "status"),
    [
        ("epic", "Appointment", {}, 400), ("epic", "Appointment", {"practitioner": "1", "date": "2026-11-26"}, 400),
        ("epic", "Appointment", {"patient": "1"}, 200), ("epic", "Slot", {"service-type": "11"}, 404),
        ("epic", "Practitioner", {"active": "true"}, 400), ("oracle", "Practitioner", {"active": "true"}, 200),
        ("oracle", "Appointment", {"practitioner": "1"}, 400), ("oracle", "Appointment", {"practitioner": "1", "date": "2026-11-26"}, 200),
        ("oracle", "Appointment", {"practitioner": "1", "patient": "1", "date": "2026-11-26"}, 400),
        ("oracle", "Appointment", {"patient": "1", "date": "tomorrow"}, 400), ("oracle", "Slot", {"service-type": "11"}, 400),
    ],
)  # fmt: skip
def test_a_search_needs_what_their_documents_say(connect: Connect, profile: str, kind: str, query: dict[str, str], status: int) -> None:
    assert connect(profile).fhir("GET", kind, query.items()).status == status


def test_epic_warns_of_a_parameter_among_the_results_and_oracle_refuses_it(connect: Connect) -> None:
    query = {"identifier": f"{MRN}|100000", "_lastUpdated": "ge2026-01-01"}
    bundle = connect("epic").search("Patient", **query)
    assert [each["resourceType"] for each in found(bundle, "outcome")] == ["OperationOutcome"]
    assert (len(found(bundle)), bundle["total"]) == (1, 1)
    assert connect("oracle").fhir("GET", "Patient", query.items()).status == 400


def test_pages_follow_each_other_behind_words_that_say_nothing(connect: Connect) -> None:
    client = connect("oracle")
    whole, seen = {each["id"] for each in free(client)}, []
    answer = client.fhir("GET", "Slot", [("service-type", "11"), *WEEK, ("_count", "7")])
    while answer.body is not None:
        assert len(found(answer.body)) <= 7
        seen += [each["id"] for each in found(answer.body)]
        links = answer.body["link"]
        if not links:
            break
        answer = client.follow(links[0]["url"])
    assert sorted(set(seen) | whole) == sorted(seen)
    assert client.follow(f"{ORIGIN}{ORACLE.base}/Slot?-pageContext=guessed").status == 400


def test_oracle_gives_no_more_than_a_page_holds(connect: Connect) -> None:
    bundle = connect("oracle", patients=200).search("Slot", **{"service-type": "11", "start": "ge2026-11-26", "_count": "9999"})
    assert len(found(bundle)) == ORACLE.count_max < bundle["total"]


def test_a_slot_is_booked_once_and_given_back_when_the_appointment_is_cancelled(connect: Connect) -> None:
    client = connect("oracle")
    slot = f"Slot/{free(client)[0]['id']}"
    place, version = booked(client)
    assert client.fhir("POST", "Appointment", body=booking(slot, patients(client)[1])).status == 422
    step = [{"op": "replace", "path": "/status", "value": "cancelled"}]
    answer = client.fhir("PATCH", place, body=step, if_match=version, **PATCH)
    assert (answer.status, answer.body) == (200, None)
    assert answer.headers["ETag"] != version
    assert f"Slot/{free(client)[0]['id']}" == slot


@pytest.mark.parametrize(
    ("headers", "step", "status"),
    [
        ({}, ("/status", "checked-in"), 412), ({"if_match": 'W/"9"'}, ("/status", "checked-in"), 409),
        ({"if_match": 'W/"0"', "content_type": "application/json"}, ("/status", "checked-in"), 415),
        ({"if_match": 'W/"0"'}, ("/status", "fulfilled"), 422), ({"if_match": 'W/"0"'}, ("/start", "2026-11-26T09:00:00Z"), 422),
        ({"if_match": 'W/"0"'}, ("/status", "checked-in"), 200),
    ],
)  # fmt: skip
def test_oracle_patches_one_version_in_the_order_of_its_statuses(
    connect: Connect, headers: dict[str, str], step: tuple[str, str], status: int
) -> None:
    client = connect("oracle")
    place, _ = booked(client)
    body = [{"op": "replace", "path": step[0], "value": step[1]}]
    assert client.fhir("PATCH", place, body=body, **{**PATCH, **headers}).status == status


def test_another_slot_in_a_patch_is_another_time(connect: Connect) -> None:
    client = connect("oracle")
    place, version = booked(client)
    before, slot = client.fhir("GET", place).body, free(client)[0]
    step = [{"op": "replace", "path": "/slot", "value": [{"reference": f"Slot/{slot['id']}"}]}]
    assert client.fhir("PATCH", place, body=step, if_match=version, **PATCH).status == 200
    after = client.fhir("GET", place).body
    assert before is not None
    assert after is not None
    assert (after["start"], after["participant"][0]) == (slot["start"], before["participant"][0])


def test_epic_books_what_it_proposed_and_no_second_time(connect: Connect) -> None:
    client = connect("epic")
    operations = client.ehr.profile.operations
    window = [{"name": "startTime", "valueDateTime": "2026-11-27T00:00:00Z"}, {"name": "endTime", "valueDateTime": "2026-11-28T00:00:00Z"}]
    asked = {"resourceType": "Parameters", "parameter": [*window, {"name": "color", "valueString": "blue"}]}
    proposed = client.ask("POST", f"{operations}/Appointment/$find", body=asked).body
    assert len(found(proposed, "outcome")) == 1
    chosen, patient = found(proposed)[0], patients(client)[0]
    references = {"appointment": f"Appointment/{chosen['id']}", "patient": patient}
    book = {"resourceType": "Parameters", "parameter": [{"name": n, "valueReference": {"reference": r}} for n, r in references.items()]}
    answer = client.ask("POST", f"{operations}/Appointment/$book", body=book)
    (made,) = found(answer.body)
    assert (made["status"], made["start"], made["participant"][0]["actor"]["reference"]) == ("booked", chosen["start"], patient)
    assert client.ask("POST", f"{operations}/Appointment/$book", body=book).status == 400
    assert made["id"] in {each["id"] for each in found(client.search("Appointment", patient=patient))}


@pytest.mark.parametrize(
    "changed",
    [{"aud": ORIGIN}, {"exp": 1}, {"exp": 9_999_999_999}, {"jti": ""}, {"iss": "other"}, {"head": {"kid": ""}}, {"head": {"kid": "other"}}],
    ids=str,
)  # fmt: skip
@pytest.mark.parametrize("profile", BOTH)
def test_an_assertion_that_is_not_quite_right_gets_no_token(connect: Connect, profile: str, changed: dict[str, Any]) -> None:
    client = connect(profile)
    assert client.prove(**({"jti": "two"} | changed)).body == {"error": "invalid_client", "error_description": None}


def test_an_assertion_is_good_once_and_a_token_for_its_time(connect: Connect) -> None:
    client = connect("oracle")
    assert client.prove(jti="one").status == 400
    assert client.prove(jti="two").status == 200
    client.clock.advance(seconds=ORACLE.token_seconds)
    assert client.fhir("GET", "Practitioner", [("active", "true")]).status == 401


def test_too_many_requests_are_told_how_long_to_wait(connect: Connect) -> None:
    client = connect("oracle", requests_per_minute=2)
    answers = [client.fhir("GET", "Practitioner", [("active", "true")]) for _ in range(3)]
    assert [answer.status for answer in answers] == [200, 200, 429]
    client.clock.advance(seconds=int(answers[2].headers["Retry-After"]))
    assert client.fhir("GET", "Practitioner", [("active", "true")]).status == 200


def test_faults_do_what_they_say(connect: Connect) -> None:
    query = [("active", "true"), ("_count", "3")]
    endless = connect("oracle", faults=Faults(endless_pages=True))
    answer = endless.fhir("GET", "Practitioner", query)
    for _ in range(5):
        assert answer.body is not None
        answer = endless.follow(answer.body["link"][0]["url"])
    assert answer.status == 200
    failing = connect("oracle", faults=Faults(fails_every=2))
    assert [failing.fhir("GET", "Practitioner", query).status for _ in range(4)] == [200, 500, 200, 500]
    told = connect("oracle", faults=Faults(lies=True)).fhir("GET", "Practitioner", query).body
    assert told is not None
    assert told["total"] > len(told["entry"])
    assert {"Basic", "Practitioner"} == {each["resourceType"] for each in found(told)}


@pytest.mark.parametrize("profile", BOTH)
def test_whatever_is_served_is_in_the_capability_statement_and_nothing_else(connect: Connect, profile: str) -> None:
    client = connect(profile)
    said = client.fhir("GET", "metadata").body
    assert said is not None
    served = {each["type"]: {code["code"] for code in each["interaction"]} for each in said["rest"][0]["resource"]}
    for kind in ("Patient", "Practitioner", "Location", "Appointment", "Slot", "Schedule", "Encounter"):
        codes = served.get(kind, set())
        assert (client.fhir("GET", f"{kind}/none").body or {})["issue"][0]["code"] == ("not-found" if "read" in codes else "not-supported")
        assert (client.fhir("GET", kind).status == 400) == ("search-type" in codes)
        assert (client.fhir("POST", kind, body={}).status == 422) == ("create" in codes)


@pytest.mark.parametrize("body", [b"", b"[", b"[]", b'{"resourceType": 7}', b"\xff"])
def test_nonsense_is_refused(connect: Connect, body: bytes) -> None:
    epic, oracle = connect("epic"), connect("oracle")
    for client, path in ((epic, f"{epic.ehr.profile.operations}/Appointment/$find"), (oracle, f"{ORACLE.base}/Appointment")):
        asked = Asked(method="POST", path=path, headers={"authorization": f"Bearer {client.token}"}, body=body)
        assert client.ehr.answer(asked).status in (400, 422)
