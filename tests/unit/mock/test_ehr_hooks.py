"""Subscriptions of the made-up plain EHR (HL7 FHIR R4, subscription.html): active a moment later, told of changes, off at their end."""

from typing import Any

import pytest

from carewright.mock.ehr.hooks import Hooks
from tests.unit.mock.ehr import Client, Connect, connect

__all__ = ["connect"]
END = "2026-11-27T12:00:00Z"


def wanted(**changed: Any) -> Any:
    channel = {"type": "rest-hook", "endpoint": "http://ours.test/ehr-hooks/1", "header": ["Authorization: Bearer secret"]}
    return {
        "resourceType": "Subscription", "status": "requested", "reason": "To hear of it", "criteria": "Appointment?", "end": END,
        "channel": channel,
    } | changed  # fmt: skip


def subscribed(client: Client, **changed: Any) -> str:
    answer = client.fhir("POST", "Subscription", body=wanted(**changed))
    assert answer.status == 201, answer
    return answer.headers["Location"].rpartition("/")[2]


def status_of(client: Client, id_: str) -> Any:
    answer = client.fhir("GET", f"Subscription/{id_}")
    return answer.body["status"] if answer.body and answer.status == 200 else answer.status


def change(client: Client) -> None:
    one = next(client.ehr.records.all("Appointment"))
    headers = {"content_type": "application/json-patch+json", "if_match": client.ehr.records.version("Appointment", one["id"])}
    step = {"op": "replace", "path": "/comment", "value": "changed"}
    assert client.fhir("PATCH", f"Appointment/{one['id']}", body=[step], **headers).status == 200


def waiting(hooks: Hooks) -> list[str]:
    return [hooks.queue.get_nowait() for _ in range(hooks.queue.qsize())]


def test_what_is_requested_is_active_a_moment_later_and_told_of_changes(connect: Connect) -> None:
    client = connect("r4")
    answer = client.fhir("POST", "Subscription", body=wanted())
    assert answer.body is not None
    assert (answer.status, answer.body["status"]) == (201, "requested")
    id_ = answer.body["id"]
    assert status_of(client, id_) == "active"
    change(client)
    assert waiting(client.ehr.hooks) == [id_]
    assert client.ehr.hooks.request(id_) == ("http://ours.test/ehr-hooks/1", {"Authorization": "Bearer secret"})
    assert [each["resource"]["id"] for each in client.search("Subscription", url="http://ours.test/ehr-hooks/1")["entry"]] == [id_]
    assert client.search("Subscription", url="http://ours.test/ehr-hooks/2")["entry"] == []


def test_another_type_is_not_told(connect: Connect) -> None:
    client = connect("r4")
    subscribed(client, criteria="Slot?")
    change(client)
    assert waiting(client.ehr.hooks) == []


def test_it_is_off_when_its_end_has_come_and_when_somebody_turns_it_off(connect: Connect) -> None:
    client = connect("r4")
    ended, off = subscribed(client), subscribed(client)
    assert client.fhir("PUT", f"Subscription/{off}", body=wanted(status="off")).status == 200
    change(client)
    assert waiting(client.ehr.hooks) == [ended]
    client.clock.advance(days=1)
    answer = client.prove(jti="two")
    assert answer.body is not None
    client.token = answer.body["access_token"]
    assert [status_of(client, each) for each in (ended, off)] == ["off", "off"]
    change(client)
    assert waiting(client.ehr.hooks) == []


def test_what_nobody_took_is_in_error_until_it_is_requested_again(connect: Connect) -> None:
    client = connect("r4")
    id_ = subscribed(client)
    client.ehr.hooks.give_up(id_, "Nobody took it.")
    assert (status_of(client, id_), client.ehr.hooks.request(id_)) == ("error", None)
    assert client.fhir("PUT", f"Subscription/{id_}", body=wanted()).status == 200
    assert status_of(client, id_) == "active"


def test_what_was_deleted_is_gone(connect: Connect) -> None:
    client = connect("r4")
    id_ = subscribed(client)
    assert client.fhir("DELETE", f"Subscription/{id_}").status == 204
    assert (status_of(client, id_), client.fhir("DELETE", f"Subscription/{id_}").status) == (404, 404)
    change(client)
    assert waiting(client.ehr.hooks) == []


@pytest.mark.parametrize("wrong", [
    {"status": "active"}, {"criteria": "everything"}, {"channel": {"type": "email", "endpoint": "http://a.test"}}, {"reason": None},
    {"end": "2026-11-26T11:00:00Z"}, {"end": "2026-11-27T12:00:00"},
])  # fmt: skip
def test_what_is_no_request_is_refused(connect: Connect, wrong: Any) -> None:
    assert connect("r4").fhir("POST", "Subscription", body=wanted(**wrong)).status == 422


@pytest.mark.parametrize("profile", ["epic", "oracle"])
def test_the_vendors_have_no_subscriptions(connect: Connect, profile: str) -> None:
    client = connect(profile)
    assert client.fhir("POST", "Subscription", body=wanted()).status == 404
    assert client.fhir("GET", "Subscription/1").status == 404
