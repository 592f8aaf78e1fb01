"""Subscriptions with real receivers. Tests name their source: Inferno's subscriptions kit (server), the backport, Standard Webhooks."""

import asyncio
import base64
import hashlib
import hmac
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import httpx
import msgspec
import pytest

from carewright.access.service.clients import register_client
from carewright.contracts.clients import RegisterClient
from carewright.contracts.patients import PatientErased
from carewright.contracts.permissions import ROLES
from carewright.contracts.subscriptions import TOPIC, TOPICS
from carewright.fhir.model.subscribing import read_subscription
from carewright.fhir.model.validating import issues_of
from carewright.fhir.store import r4_definitions
from carewright.kernel.clock import ManualClock, SystemClock
from carewright.kernel.errors import Forbidden
from carewright.kernel.privacy.cipher import SealedElsewhere
from carewright.kernel.sql import Query
from carewright.subscriptions import store
from carewright.subscriptions.handlers import erase_patient
from carewright.subscriptions.jobs import forget_events
from carewright.subscriptions.model.trying import TAKEN
from carewright.subscriptions.service import subscribing
from carewright.subscriptions.service.keeping import reseal_subscriptions
from carewright.subscriptions.settings import SubscriptionsSettings
from tests.clinic import Clinic, Json, ok, open_clinic, register
from tests.receiver import Heard, Receiver, receiving
from tests.whole_system import Inside, inside

FHIR = "/fhir/R4"
BACKPORT = "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition"
SCOPES = tuple(sorted(ROLES["integration"]))
SETTINGS = SubscriptionsSettings(retry_seconds=0.05, retry_seconds_max=0.2)
SECONDS_MAX = 30
ENTRIES = Query(
    "test.entries",
    "SELECT id FROM kernel.audit_entry WHERE organization_id = $1 AND patient_id = $2 AND body LIKE '%subscriptions.event.tell%'",
)
ROW = Query("test.row", "SELECT * FROM subscriptions.subscription WHERE id = $1")
NUMBERS = Query("test.numbers", "SELECT number FROM subscriptions.event WHERE subscription_id = $1")
SEALED = Query("test.sealed", "UPDATE subscriptions.subscription SET target = $2 WHERE id = $1")


@pytest.fixture(scope="module")
async def receivers() -> AsyncIterator[list[Receiver]]:
    async with receiving() as first, receiving() as second:
        yield [first, second]


@pytest.fixture(scope="module")
async def whole(database_url: str, tmp_path_factory: pytest.TempPathFactory, receivers: list[Receiver]) -> AsyncIterator[Inside]:
    allowed = ",".join(each.address for each in receivers)
    data = tmp_path_factory.mktemp("subscriptions")
    async with inside(database_url, data, uuid4(), origins=allowed, subscriptions=SETTINGS) as running:
        yield running


@pytest.fixture(scope="module")
async def clinic(whole: Inside) -> Clinic:
    return await open_clinic(whole)


@pytest.fixture
async def receiver(receivers: list[Receiver]) -> Receiver:
    for each in receivers:
        each.answer, each.location = 200, ""
        each.heard.clear()
    return receivers[0]


class Subscriber:
    """Another system, registered, with a token of its own."""

    def __init__(self, whole: Inside, token: str, id_: UUID) -> None:
        self.whole, self._token, self.id = whole, token, id_

    async def ask(self, method: str, path: str, body: Json | None = None) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self._token}"}
        return await self.whole.client.request(method, FHIR + path, headers=headers, json=body)

    async def subscribes(self, body: Json) -> Json:
        made: Json = ok(await self.ask("POST", "/Subscription", body), 201)
        return made

    async def active(self, body: Json, receiver: Receiver) -> Json:
        """A subscription whose receiver has confirmed it."""
        made = await self.subscribes(body)
        await receiver.until(lambda it: any(each.said("subscription").endswith(made["id"]) for each in it.told("handshake")))
        await self.until(made, "active")
        return made

    async def until(self, made: Json, status: str) -> Json:
        async with asyncio.timeout(SECONDS_MAX):
            while True:
                now: Json = ok(await self.ask("GET", f"/Subscription/{made['id']}"))
                if now["status"] == status:
                    return now
                await asyncio.sleep(0.02)


async def subscriber_of(whole: Inside, scopes: tuple[str, ...] = SCOPES, site_ids: tuple[UUID, ...] = ()) -> Subscriber:
    access = whole.system.context("access")
    admin = whole.system.tokens.actor("administrator", "tester", whole.known.organization_id)
    acting = access.acting(msgspec.structs.replace(admin, authenticated_at=SystemClock().now()))
    command = RegisterClient(name="Receiver", scopes=scopes, keys_address="https://ehr.example.org/keys.json", site_ids=site_ids)
    id_ = (await register_client(acting, command)).id
    actor = await whole.system.context("subscriptions").access.actor_of_client(access.actor, id_)
    return Subscriber(whole, whole.signed(actor), id_)


@pytest.fixture
async def subscriber(whole: Inside) -> AsyncIterator[Subscriber]:
    made = await subscriber_of(whole)
    yield made
    for each in ok(await made.ask("GET", "/Subscription")).get("entry", []):
        ok(await made.ask("DELETE", f"/Subscription/{each['resource']['id']}"))


def wanted(receiver: Receiver, content: str = "id-only", topic: str = f"{TOPIC}/appointment-change", **more: Any) -> Json:
    """A Subscription as the backport has it; `filters` narrow it, `channel` is merged in."""
    filters = [{"url": f"{BACKPORT}/backport-filter-criteria", "valueString": each} for each in more.pop("filters", ())]
    channel = {
        "type": "rest-hook", "endpoint": f"{receiver.address}/told", "payload": "application/fhir+json",
        "header": ["Authorization: Bearer abc"],
        "_payload": {"extension": [{"url": f"{BACKPORT}/backport-payload-content", "valueCode": content}]},
    } | more.pop("channel", {})  # fmt: skip
    made = {"resourceType": "Subscription", "status": "requested", "reason": "to keep up", "criteria": topic, "channel": channel} | more
    return made | ({"_criteria": {"extension": filters}} if filters else {})


@pytest.mark.requirement("SUBS.1")
async def test_it_begins_requested_and_is_active_once_the_receiver_took_a_handshake(subscriber: Subscriber, receiver: Receiver) -> None:
    """Inferno creation_response_conformance, handshake_conformance."""
    made = await subscriber.subscribes(wanted(receiver))
    assert made["status"] == "requested"
    await receiver.until(lambda it: it.told("handshake"))
    heard = receiver.told("handshake")[0]
    assert (heard.said("status"), heard.said("events-since-subscription-start"), heard.events) == ("requested", "0", [])
    assert heard.said("subscription").endswith(f"Subscription/{made['id']}")
    now = await subscriber.until(made, "active")
    assert (now["criteria"], now["channel"]["endpoint"]) == (made["criteria"], f"{receiver.address}/told")
    assert "abc" not in str(now), "a receiver's own secrets are not shown again"


@pytest.mark.requirement("SUBS.2")
@pytest.mark.parametrize("content", ["empty", "id-only", "full-resource"])
async def test_a_change_is_told_in_the_form_of_its_payload(
    clinic: Clinic, subscriber: Subscriber, receiver: Receiver, content: str
) -> None:
    """Inferno empty_conformance, id_only_conformance, full_resource_conformance, notification_conformance."""
    await subscriber.active(wanted(receiver, content), receiver)
    booked = ok(await clinic.book(await register(clinic.system), (await clinic.free())[0]), 201)
    await receiver.until(lambda it: it.told())
    heard = receiver.told()[0]
    bundle, address = heard.bundle, f"Appointment/{booked['id']}"
    assert (bundle["type"], heard.said("status"), heard.said("events-since-subscription-start")) == ("history", "active", "1")
    assert bundle["entry"][0]["request"]["url"].endswith("/$status")
    assert all({"request", "response", "fullUrl"} <= each.keys() for each in bundle["entry"])
    assert [each["event-number"] for each in heard.events] == ["1"]
    assert [(each.expression, each.text) for each in issues_of(r4_definitions(), bundle) if each.severity == "error"] == []
    rest = bundle["entry"][1:]
    if content == "empty":
        assert (rest, "focus" in heard.events[0], heard.said("topic")) == ([], False, None)
        return
    assert heard.events[0]["focus"].endswith(address)
    assert [each["fullUrl"].endswith(address) for each in rest] == [True]
    assert [each.get("resource", {}).get("id") for each in rest] == [booked["id"] if content == "full-resource" else None]


@pytest.mark.requirement("SUBS.3")
async def test_it_is_sent_with_the_headers_asked_for_and_signed(clinic: Clinic, subscriber: Subscriber, receiver: Receiver) -> None:
    """Inferno notification_header_verification; Standard Webhooks, symmetric signatures: HMAC-SHA256 of id.timestamp.body."""
    made = await subscriber.active(wanted(receiver), receiver)
    secret = next(each["valueString"] for each in made["extension"] if each["url"] == "urn:carewright:webhook-secret")
    heard = receiver.told("handshake")[0]
    assert (heard.headers["content-type"], heard.headers["authorization"]) == ("application/fhir+json", "Bearer abc")
    assert signatures(heard) == [signature(heard, secret)]
    assert "extension" not in ok(await subscriber.ask("GET", f"/Subscription/{made['id']}")), "the secret is told once"


async def test_what_happens_to_one_appointment_is_told_in_order_and_only_to_whom_it_concerns(
    clinic: Clinic, subscriber: Subscriber, receiver: Receiver
) -> None:
    """Backport: numbers without a gap; filters; topics for create, update and cancel."""
    patient, other = await register(clinic.system), await register(clinic.system)
    asked = wanted(receiver, filters=[f"Appointment?patient=Patient/{patient}"], channel={"endpoint": f"{receiver.address}/one"})
    await subscriber.active(asked, receiver)
    cancels = wanted(receiver, topic=f"{TOPIC}/appointment-cancel", filters=[f"Appointment?patient=Patient/{patient}"])
    await subscriber.active(cancels, receiver)
    starts = await clinic.free()
    ok(await clinic.book(other, starts[0]), 201)
    booked = ok(await clinic.book(patient, starts[1]), 201)
    ok(await clinic.step(booked["id"], "reschedule", {"time": clinic.picked(starts[2])}))
    ok(await clinic.step(booked["id"], "cancel", {"reason": "pat"}))

    def numbers(topic: str) -> list[str]:
        return [event["event-number"] for each in receiver.told() if each.said("topic").endswith(topic) for event in each.events]

    await receiver.until(lambda _: len(numbers("change")) == 3 and len(numbers("cancel")) == 1)
    assert (numbers("change"), numbers("cancel")) == (["1", "2", "3"], ["1"])


async def test_a_receiver_that_fails_gets_everything_later_and_delays_no_other(
    clinic: Clinic, subscriber: Subscriber, receiver: Receiver, receivers: list[Receiver]
) -> None:
    """Rule of the issue: hangs, redirects, lies, is away: nothing lost, others not delayed."""
    failing, fine = receivers
    made = await subscriber.active(wanted(failing, channel={"extension": [maximum(1)]}), failing)
    await subscriber.active(wanted(fine), fine)
    for number, (answer, location) in enumerate(((500, ""), (302, f"{fine.address}/elsewhere"), (0, ""), (-1, "")), 1):
        failing.answer, failing.location = answer, location
        ok(await clinic.book(await register(clinic.system), (await clinic.free())[0]), 201)
        await fine.until(partial(has_events, number))
    assert (await subscriber.until(made, "error"))["error"]
    assert len(fine.told("handshake")) == 1, "nothing follows a redirect"
    failing.answer, failing.location = 200, ""
    await failing.until(lambda it: len(it.numbers()) == 4)
    assert failing.numbers() == [1, 2, 3, 4]
    assert "error" not in await subscriber.until(made, "active")


def has_events(number: int, receiver: Receiver) -> bool:
    return len(receiver.numbers()) == number


def maximum(count: int) -> Json:
    return {"url": f"{BACKPORT}/backport-max-count", "valuePositiveInt": count}


@pytest.mark.requirement("SUBS.4")
async def test_a_quiet_subscription_has_a_heartbeat(subscriber: Subscriber, receiver: Receiver, whole: Inside) -> None:
    """Inferno heartbeat_conformance."""
    period = {"url": f"{BACKPORT}/backport-heartbeat-period", "valueUnsignedInt": 10}
    made = await subscriber.active(wanted(receiver, channel={"extension": [period]}), receiver)
    later = datetime.now(UTC) - timedelta(seconds=1)
    rush = Query("test.rush", "UPDATE subscriptions.subscription SET due_at = $2 WHERE id = $1 AND due_at > $2")
    await whole.system.context("subscriptions").db.execute(rush, UUID(made["id"]), later)
    await receiver.until(lambda it: it.told("heartbeat"))
    heard = receiver.told("heartbeat")[0]
    assert (heard.said("status"), heard.events, len(heard.bundle["entry"])) == ("active", [], 1)


@pytest.mark.requirement("SUBS.5")
async def test_its_state_is_told_and_it_ends_when_it_is_deleted(subscriber: Subscriber, receiver: Receiver, clinic: Clinic) -> None:
    """Inferno status_invocation; backport $status."""
    made = await subscriber.active(wanted(receiver), receiver)
    state = ok(await subscriber.ask("GET", f"/Subscription/{made['id']}/$status"))
    assert (state["type"], state["entry"][0]["resource"]["resourceType"]) == ("searchset", "Parameters")
    said = {each["name"]: each for each in state["entry"][0]["resource"]["parameter"]}
    assert (said["type"]["valueCode"], said["status"]["valueCode"]) == ("query-status", "active")
    stranger = await subscriber_of(clinic.system)  # type: ignore[arg-type]  # it is one that runs inside
    assert (await stranger.ask("GET", f"/Subscription/{made['id']}")).status_code == 404
    assert (await stranger.ask("DELETE", f"/Subscription/{made['id']}")).status_code == 404
    found = ok(await subscriber.ask("GET", "/Subscription?status=active"))
    assert [each["resource"]["id"] for each in found["entry"]] == [made["id"]]
    ok(await subscriber.ask("DELETE", f"/Subscription/{made['id']}"))
    assert (await subscriber.ask("GET", f"/Subscription/{made['id']}")).status_code == 404


UNSUPPORTED: list[tuple[str, Json]] = [
    ("reject_subscription_topic", {"topic": "http://example.org/no-such-topic"}),
    ("reject_subscription_filter", {"filters": ["Appointment?colour=blue"]}),
    ("reject_subscription_filter", {"filters": ["Encounter?patient=Patient/1"]}),
    ("reject_subscription_channel_type", {"channel": {"type": "email"}}),
    ("reject_subscription_channel_endpoint", {"channel": {"endpoint": "http://10.0.0.1/told"}}),
    ("reject_subscription_channel_endpoint", {"channel": {"endpoint": "ftp://example.org/told"}}),
    ("reject_subscription_channel_endpoint", {"channel": {"endpoint": "https://user:word@example.org/told"}}),
    ("reject_subscription_payload_type", {"channel": {"payload": "application/fhir+xml"}}),
    ("reject_subscription_channel_payload_combo", {"content": "everything"}),
    ("reject_subscription_cross_version_extension", {"_criteria": {"extension": [
        {"url": "http://hl7.org/fhir/5.0/StructureDefinition/extension-Subscription.filterBy", "valueString": "x"}
    ]}}),
    ("a header of ours", {"channel": {"header": ["Webhook-Signature: v1,forged"]}}),
    ("an end that is over", {"end": "2020-01-01T00:00:00Z"}),
]  # fmt: skip


@pytest.mark.requirement("SUBS.6")
@pytest.mark.parametrize(("source", "more"), UNSUPPORTED, ids=[f"{number}-{name}" for number, (name, _) in enumerate(UNSUPPORTED)])
async def test_what_is_not_supported_is_refused(subscriber: Subscriber, receiver: Receiver, source: str, more: Json) -> None:
    """Inferno, group subscription_rejection; the parameter names the test."""
    assert source
    answer = await subscriber.ask("POST", "/Subscription", wanted(receiver, **more))
    assert 400 <= answer.status_code < 500, answer.text
    assert answer.json()["resourceType"] == "OperationOutcome"


@pytest.mark.requirement("SUBS.7")
async def test_the_capability_statement_names_profile_and_topics(subscriber: Subscriber) -> None:
    """Inferno cs_conformance, topic_discovery."""
    statement = ok(await subscriber.ask("GET", "/metadata"))
    one = next(each for each in statement["rest"][0]["resource"] if each["type"] == "Subscription")
    assert f"{BACKPORT}/backport-subscription" in one["supportedProfile"]
    assert {each["valueCanonical"] for each in one["extension"]} == set(TOPICS)


async def test_nothing_is_told_without_the_right_to_read_it(clinic: Clinic, receiver: Receiver, whole: Inside) -> None:
    """Rule of the issue: only with the rights the subscriber's account has at the moment of sending."""
    elsewhere = await subscriber_of(whole, site_ids=(UUID((await open_clinic(whole)).site_id),))
    made = await elsewhere.active(wanted(receiver, "full-resource"), receiver)
    ok(await clinic.book(await register(clinic.system), (await clinic.free())[0]), 201)
    await receiver.until(lambda it: it.told())
    heard = receiver.told()[0]
    assert ([set(each) for each in heard.events], len(heard.bundle["entry"])) == ([{"event-number", "timestamp"}], 1)
    ok(await elsewhere.ask("DELETE", f"/Subscription/{made['id']}"))
    desk = await whole.request("front-desk", "POST", f"{FHIR}/Subscription", json=wanted(receiver))
    assert desk.status_code == 403


async def test_who_may_not_read_what_a_topic_is_about_cannot_subscribe_to_it(whole: Inside, receiver: Receiver) -> None:
    blind = await subscriber_of(whole, ("subscriptions.subscribe",))
    context = whole.system.context("subscriptions")
    actor = await context.access.actor_of_client(context.actor, blind.id)
    with pytest.raises(Forbidden):
        await subscribing.subscribe(context.acting(actor), read_subscription(wanted(receiver), "http://inside.test/fhir/R4"))


async def test_a_client_that_was_disabled_is_told_nothing_more(clinic: Clinic, receiver: Receiver, whole: Inside) -> None:
    leaving = await subscriber_of(whole)
    made = await leaving.active(wanted(receiver), receiver)
    disable = Query("test.disable", "UPDATE access.account SET disabled_at = now() WHERE id = $1")
    await whole.system.context("access").db.execute(disable, leaving.id)
    ok(await clinic.book(await register(clinic.system), (await clinic.free())[0]), 201)
    state = Query("test.state", "SELECT status, error FROM subscriptions.subscription WHERE id = $1")
    async with asyncio.timeout(SECONDS_MAX):
        while True:
            row = await whole.system.context("subscriptions").db.fetch_one(state, UUID(made["id"]))
            if row["status"] == "off":
                break
            await asyncio.sleep(0.02)
    assert (row["error"], receiver.told(subscription_id=made["id"])) == ("rights", [])


async def test_whom_it_was_told_of_is_in_the_journal(clinic: Clinic, subscriber: Subscriber, receiver: Receiver, whole: Inside) -> None:
    """Telling another system of somebody is on record, for that person."""
    await subscriber.active(wanted(receiver, topic=f"{TOPIC}/patient-change"), receiver)
    told = await register(clinic.system)
    await receiver.until(lambda it: any(str(told) in event["focus"] for each in it.told() for event in each.events))
    context = whole.system.context("audit")
    async with asyncio.timeout(SECONDS_MAX):
        while not await context.db.fetch(ENTRIES, whole.known.organization_id, told):  # noqa: ASYNC110  (the journal is a table)
            await asyncio.sleep(0.02)


async def test_what_is_still_to_be_told_of_an_erased_patient_names_nobody(
    clinic: Clinic, subscriber: Subscriber, receiver: Receiver, whole: Inside
) -> None:
    """Numbers keep no gap: the event is told without its focus."""
    patient = await register(clinic.system)
    asked = wanted(receiver, "full-resource", filters=[f"Appointment?patient=Patient/{patient}"])
    made = await subscriber.active(asked, receiver)
    receiver.answer = 503
    ok(await clinic.book(patient, (await clinic.free())[0]), 201)
    await subscriber.until(made, "error")
    context = whole.system.context("subscriptions")
    tenant = context.acting(msgspec.structs.replace(context.actor, organization_id=whole.known.organization_id))
    async with tenant.db.transaction() as tx:
        await erase_patient(tenant, tx, PatientErased(organization_id=tenant.actor.organization_id, patient_id=patient, version=2))
    before = receiver.asked
    await receiver.until(lambda it: it.asked > before + 1)  # one may have been on its way
    receiver.answer = 200
    await receiver.until(lambda it: it.told())
    heard = receiver.told()[0]
    assert ([int(each["event-number"]) for each in heard.events], [set(each) for each in heard.events]) == (
        [1],
        [{"event-number", "timestamp"}],
    )
    assert str(patient) not in heard.body.decode()


async def test_addresses_and_secrets_are_sealed_and_move_with_the_keys(subscriber: Subscriber, receiver: Receiver, whole: Inside) -> None:
    made = await subscriber.active(wanted(receiver), receiver)
    context = whole.system.context("subscriptions")
    tenant = context.acting(msgspec.structs.replace(context.actor, organization_id=whole.known.organization_id))
    row = await tenant.db.fetch_one(ROW, UUID(made["id"]))
    assert row is not None
    assert not any(word in str(dict(row)) for word in (receiver.address, "Bearer abc"))
    assert await reseal_subscriptions(tenant, UUID(int=0), 100) == []
    await tenant.db.execute(SEALED, UUID(made["id"]), b"\x01\x00\xff" + row["target"][3:])
    with pytest.raises(SealedElsewhere):  # it was looked at: a version that nobody has sealed it
        await reseal_subscriptions(tenant, UUID(int=0), 100)
    await tenant.db.execute(SEALED, UUID(made["id"]), row["target"])


async def test_what_was_taken_is_forgotten_in_time_and_what_waits_is_not(
    clinic: Clinic, subscriber: Subscriber, receiver: Receiver, whole: Inside
) -> None:
    made = await subscriber.active(wanted(receiver), receiver)
    ok(await clinic.book(await register(clinic.system), (await clinic.free())[0]), 201)
    await receiver.until(lambda it: it.numbers() == [1])
    receiver.answer = 503
    ok(await clinic.book(await register(clinic.system), (await clinic.free())[0]), 201)
    await subscriber.until(made, "error")
    context = whole.system.context("subscriptions")
    await forget_events(replace(context, clock=ManualClock(datetime.now(UTC) + timedelta(days=8))))
    assert [row["number"] for row in await context.db.fetch(NUMBERS, UUID(made["id"]))] == [2]


def told_of(bundle: Json) -> list[int]:
    """The numbers of the events in a Bundle."""
    parameters = bundle["entry"][0]["resource"]["parameter"]
    parts = [each["part"] for each in parameters if each["name"] == "notification-event"]
    return [int(part["valueString"]) for each in parts for part in each if part["name"] == "event-number"]


@pytest.mark.requirement("SUBS.8")
async def test_events_are_told_once_more_from_a_number_through_another(clinic: Clinic, subscriber: Subscriber, receiver: Receiver) -> None:
    """Backport $events: eventsSinceNumber and eventsUntilNumber are inclusive; a notification Bundle of type query-event."""
    made = await subscriber.active(wanted(receiver), receiver)
    for _ in range(3):
        ok(await clinic.book(await register(clinic.system), (await clinic.free())[0]), 201)
    await receiver.until(lambda it: it.numbers() == [1, 2, 3])

    async def recalled(query: str = "", status: int = 200) -> Json:
        found: Json = ok(await subscriber.ask("GET", f"/Subscription/{made['id']}/$events{query}"), status)
        return found

    bundle = await recalled("?eventsSinceNumber=2&eventsUntilNumber=3")
    said = {each["name"]: each for each in bundle["entry"][0]["resource"]["parameter"]}
    assert (bundle["type"], said["type"]["valueCode"], said["status"]["valueCode"]) == ("history", "query-event", "active")
    assert (told_of(bundle), len(bundle["entry"]), "resource" in bundle["entry"][1]) == ([2, 3], 3, False)
    assert not list(issues_of(r4_definitions(), bundle))
    assert [told_of(await recalled(query)) for query in ("", "?eventsSinceNumber=4", "?eventsUntilNumber=1")] == [[1, 2, 3], [], [1]]
    whole = await recalled("?content=full-resource&eventsSinceNumber=3")
    assert whole["entry"][1]["resource"]["resourceType"] == "Appointment"
    assert len((await recalled("?content=empty"))["entry"]) == 1
    await recalled("?eventsSinceNumber=two", 422)
    await recalled("?content=everything", 422)
    asked = {"resourceType": "Parameters", "parameter": [{"name": "eventsSinceNumber", "valueString": "3"}]}
    assert told_of(ok(await subscriber.ask("POST", f"/Subscription/{made['id']}/$events", asked))) == [3]
    stranger = await subscriber_of(clinic.system)  # type: ignore[arg-type]  # it is one that runs inside
    assert (await stranger.ask("GET", f"/Subscription/{made['id']}/$events")).status_code == 404


async def test_who_is_kept_to_another_site_is_recalled_numbers_alone(clinic: Clinic, receiver: Receiver, whole: Inside) -> None:
    elsewhere = await subscriber_of(whole, site_ids=(UUID((await open_clinic(whole)).site_id),))
    made = await elsewhere.active(wanted(receiver), receiver)
    ok(await clinic.book(await register(clinic.system), (await clinic.free())[0]), 201)
    await receiver.until(lambda it: it.told())
    bundle = ok(await elsewhere.ask("GET", f"/Subscription/{made['id']}/$events?content=full-resource"))
    assert (told_of(bundle), len(bundle["entry"])) == ([1], 1)
    ok(await elsewhere.ask("DELETE", f"/Subscription/{made['id']}"))


@pytest.mark.requirement("SUBS.8")
async def test_a_change_begins_anew_and_loses_nothing(
    clinic: Clinic, subscriber: Subscriber, receiver: Receiver, receivers: list[Receiver]
) -> None:
    """R4 update; backport: the channel's new address is asked for its consent before anything is told there."""
    first, second = receivers
    made = await subscriber.active(wanted(first), first)
    first.answer = 500
    ok(await clinic.book(await register(clinic.system), (await clinic.free())[0]), 201)
    failing = await subscriber.until(made, "error")
    moved = wanted(second, "full-resource", id=made["id"], status=failing["status"])
    changed = ok(await subscriber.ask("PUT", f"/Subscription/{made['id']}", moved))
    assert (changed["status"], changed["channel"]["endpoint"]) == ("requested", f"{second.address}/told")
    assert "extension" not in changed, "the secret stays, and is not told again"
    await second.until(lambda it: it.numbers() == [1])
    kinds = [each.said("type") for each in second.heard]
    assert (kinds[0], second.told()[0].bundle["entry"][1]["resource"]["resourceType"]) == ("handshake", "Appointment")
    wrong = moved | {"criteria": "http://example.org/no-such-topic"}
    assert (await subscriber.ask("PUT", f"/Subscription/{made['id']}", wrong)).status_code == 422
    stranger = await subscriber_of(clinic.system)  # type: ignore[arg-type]  # it is one that runs inside
    assert (await stranger.ask("PUT", f"/Subscription/{made['id']}", moved)).status_code == 405, "to others it does not exist"


async def test_a_change_by_who_has_not_seen_the_last_one_is_refused(subscriber: Subscriber, receiver: Receiver, whole: Inside) -> None:
    """R4, managing resource contention: If-Match."""
    made = await subscriber.active(wanted(receiver), receiver)
    asked = f"/Subscription/{made['id']}"
    headers = {"Authorization": f"Bearer {subscriber._token}", "If-Match": 'W/"1"'}  # the handshake made it 2
    stale = await whole.client.put(FHIR + asked, headers=headers, json=wanted(receiver, id=made["id"]))
    assert (stale.status_code, stale.json()["resourceType"]) == (412, "OperationOutcome")
    version = ok(await subscriber.ask("GET", asked))["meta"]["versionId"]
    fresh = headers | {"If-Match": f'W/"{version}"'}
    ok(await whole.client.put(FHIR + asked, headers=fresh, json=wanted(receiver, id=made["id"])))


async def test_a_turn_of_an_earlier_version_changes_nothing(subscriber: Subscriber, receiver: Receiver, whole: Inside) -> None:
    """Found by thought: the former address answers after the change, and must not confirm the new one."""
    made = await subscriber.active(wanted(receiver), receiver)
    context = whole.system.context("subscriptions")
    tenant = context.acting(msgspec.structs.replace(context.actor, organization_id=whole.known.organization_id))
    standing = await store.for_sending(tenant.db, await tenant.cipher(), UUID(made["id"]))
    assert standing is not None
    receiver.answer = 500
    ok(await subscriber.ask("PUT", f"/Subscription/{made['id']}", wanted(receiver, id=made["id"])))
    one = standing.subscription
    late = await store.finish_turn(tenant.db, tenant.actor.organization_id, one, TAKEN, 0, datetime.now(UTC), confirmed=True)
    assert (late, (await subscriber.until(made, "error"))["status"]) == (False, "error")


async def test_while_a_secret_is_exchanged_both_sign(clinic: Clinic, subscriber: Subscriber, receiver: Receiver, whole: Inside) -> None:
    """Standard Webhooks, Webhook headers: several signatures, delimited by spaces, for secret rotation without downtime."""
    body = wanted(receiver)
    made = await subscriber.subscribes(body)
    former = made["extension"][0]["valueString"]
    await subscriber.until(made, "active")
    newer = ok(await subscriber.ask("POST", f"/Subscription/{made['id']}/$rotate-secret"))["extension"][0]["valueString"]
    assert newer != former
    ok(await clinic.book(await register(clinic.system), (await clinic.free())[0]), 201)
    await receiver.until(lambda it: it.told())
    assert signatures(receiver.told()[0]) == [signature(receiver.told()[0], newer), signature(receiver.told()[0], former)]
    context = whole.system.context("subscriptions")
    tenant = context.acting(msgspec.structs.replace(context.actor, organization_id=whole.known.organization_id))
    standing = await store.for_sending(tenant.db, await tenant.cipher(), UUID(made["id"]))
    assert standing is not None
    assert len(standing.target.secrets(datetime.now(UTC) + timedelta(hours=25))) == 1
    stranger = await subscriber_of(whole)
    assert (await stranger.ask("POST", f"/Subscription/{made['id']}/$rotate-secret")).status_code == 404


def signatures(heard: Heard) -> list[str]:
    return heard.headers["webhook-signature"].split(" ")


def signature(heard: Heard, secret: str) -> str:
    """As a receiver computes it."""
    content = f"{heard.headers['webhook-id']}.{heard.headers['webhook-timestamp']}.".encode() + heard.body
    key = base64.b64decode(secret.removeprefix("whsec_"))
    return "v1," + base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
