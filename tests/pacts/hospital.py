"""A running hospital, brought to where the contracts of our pages want it: who asks, and what there is."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import msgspec

from carewright.contracts.permissions import ALL, ROLES, SYSTEM
from carewright.kernel.authz import Actor, Tokens
from carewright.kernel.clock import SystemClock
from carewright.kernel.token_keys import TokenKeys
from carewright.portal.context import HOST
from carewright.roles.installation import token_key_file
from tests.authenticator import Authenticator
from tests.clinic import Clinic, Json, ok, until_known
from tests.pacts import pages
from tests.staff_browser import staff_signed_in
from tests.system import System

LIFETIME = timedelta(minutes=5)
SEALED_SECONDS_MAX = 20
STAFF = {
    pages.DESK: "front-desk", pages.NURSE: "nurse", pages.OFFICER: "privacy-officer", pages.ADMINISTRATOR: "administrator",
    pages.SCHEDULER: "scheduler",
}  # fmt: skip
COVERED = msgspec.to_builtins(pages.DETAILS)


class Hospital:
    """`clinic` is a practice where nobody else books. Each question is asked by somebody, with whom its states begin."""

    def __init__(self, system: System, clinic: Clinic) -> None:
        self._system, self._clinic = system, clinic
        self._signer = Tokens(TokenKeys.of_file(token_key_file(system.data)), SystemClock(), ROLES | {SYSTEM: ALL})
        self._staff: dict[str, Actor] = {}
        self._device, self._client_id = Authenticator(), ""
        self._origin = system.address_of("/").replace("127.0.0.1", "localhost")
        self._asker, self._patient, self._entry = "", UUID(int=0), ""
        self._states: dict[str, Callable[[], Awaitable[Json]]] = {
            pages.PORTAL: self._portal, pages.CONSOLE: self._portal, pages.PROCESS: self._process, pages.PATIENT_ASKS: self._patient_asks,
            **dict.fromkeys(STAFF, self._staff_asks), pages.PATIENT: self._a_patient, pages.CODE_SENT: self._code_sent,
            pages.CLINIC: self._practice, pages.FREE_TIME: self._free_time, pages.HOLD: self._hold, pages.APPOINTMENT: self._appointment,
            pages.OFFER: self._offer,
            pages.VISIT: self._visit, pages.CONSENT_OFFERED: self._consent_offered, pages.CONSENT_GIVEN: self._consent_given,
            pages.FEED: self._feed, pages.MESSAGE_SAID: self._message_said, pages.COVERAGE: self._coverage,
            pages.ELIGIBILITY: self._eligibility,
            pages.REVIEW: self._review, pages.INCIDENT: self._incident,
            pages.PASSKEY_MADE: self._passkey_made, pages.PASSKEY: self._passkey, pages.PASSKEY_USED: self._passkey_used,
            pages.APP: self._app, pages.APP_LET_IN: self._app_let_in, pages.WAITING: self._waiting, pages.QUARANTINE: self._quarantine,
            pages.QUEUE_OPEN: self._queue_open, pages.TURN: self._turn, pages.TURN_CALLED: self._turn_called,
            pages.ENCOUNTER: self._encounter, pages.SEALED: self._sealed, pages.TWO_SESSIONS: self._two_sessions,
        }  # fmt: skip

    async def state(self, name: str, _: Json) -> Json:
        if name in (pages.PORTAL, pages.CONSOLE, pages.PROCESS, pages.PATIENT_ASKS, *STAFF):
            self._asker = name
        return await self._states[name]()

    # --- who asks -------------------------------------------------------------------------------------------------------------
    def _speaking_for(self, actor: Actor) -> Json:
        return {"token": self._signer.issue(actor, LIFETIME), "key": str(uuid4()), "subject": actor.subject}

    async def _process(self) -> Json:
        return self._speaking_for(self._ourselves())

    async def _portal(self) -> Json:
        host = self._ourselves()
        narrow = msgspec.structs.replace(host, permissions=host.permissions & HOST)
        return self._speaking_for(narrow) | {"organization_id": str(host.organization_id)}

    def _ourselves(self) -> Actor:
        assert self._system.known.organization_id is not None
        return self._signer.actor(SYSTEM, "system", self._system.known.organization_id)

    async def _patient_asks(self) -> Json:
        known = await self._a_patient()
        return self._speaking_for(await self._signed_in(self._patient)) | known | {"soon": _later(timedelta(days=30))}

    async def _staff_asks(self) -> Json:
        return self._speaking_for(await self._member(STAFF[self._asker])) | {"today": f"{datetime.now(UTC):%Y-%m-%d}"}

    async def _member(self, account: str) -> Actor:
        if account not in self._staff:
            self._staff[account] = await self._staff_signed_in(account)
        return self._staff[account]

    async def _staff_signed_in(self, account: str) -> Actor:
        browser = await staff_signed_in(self._system, account)
        async with aclosing(browser.client):
            return await self._actor_of(browser.client.cookies["carewright_staff"])

    async def _signed_in(self, patient: UUID) -> Actor:
        return await self._actor_of(await self._system.session(patient))

    async def _actor_of(self, token: str) -> Actor:
        return msgspec.convert(await self._system.as_system("access", "actor_of", token=token), Actor)

    async def _ask(self, actor: Actor, module: str, method: str, **arguments: Any) -> Any:
        """What a door answers somebody."""
        base = self._system.addresses.get(module) or next(iter(self._system.addresses.values()))
        headers = {"Authorization": f"Bearer {self._signer.issue(actor, LIFETIME)}"}
        return ok(await self._system.client.post(f"{base}/internal/v1/{module}/{method}", json=arguments, headers=headers))

    # --- what there is --------------------------------------------------------------------------------------------------------
    async def _a_patient(self) -> Json:
        phone = f"+1 555 {uuid4().int % 10**7:07d}"
        body = {
            "family": pages.FAMILY, "given": ["Pat"], "birth_on": f"{pages.BORN}", "gender": "female", "language": "en",
            "telecom": [{"system": "phone", "value": phone}],
        }  # fmt: skip
        self._patient = UUID(ok(await self._system.request("front-desk", "POST", "/api/v1/patients", json=body), 201)["id"])
        return {"patient_id": str(self._patient), "phone": phone, "family": pages.FAMILY}

    async def _code_sent(self) -> Json:
        command = {"patient_id": str(self._patient), "contact_system": "phone", "binding": pages.BINDING}
        sent = await self._system.as_system("access", "start_code", command=command)
        return {"code_id": sent["id"], "code": sent["code"]}

    async def _two_sessions(self) -> Json:
        if self._asker in STAFF:
            return {"session_id": str((await self._staff_signed_in(STAFF[self._asker])).session_id)}
        token = await self._system.session(self._patient)
        return {"session_id": str((await self._actor_of(token)).session_id), "session_token": token}

    async def _practice(self) -> Json:
        one = self._clinic
        return {
            "site_id": one.site_id,
            "service_id": one.service_id,
            "visit_type_id": one.visit_type_id,
            "practitioner_id": one.practitioner_id,
        }

    async def _free_time(self) -> Json:
        free = await self._clinic.free()
        return await self._practice() | {"start": free[0], "later": free[-1]}

    async def _hold(self) -> Json:
        times = await self._free_time()
        held = ok(await self._clinic.hold(self._patient, times["start"]), 201)
        return times | {"appointment_id": held["id"]}

    async def _offer(self) -> Json:
        booked = await self._appointment()
        body = {"appointment_id": booked["appointment_id"], "start": booked["later"]}
        return booked | {"offer_id": ok(await self._system.request("scheduler", "POST", "/api/v1/offers", json=body), 201)["id"]}

    async def _appointment(self) -> Json:
        times = await self._free_time()
        booked = ok(await self._clinic.book(self._patient, times["start"]), 201)
        return times | {"appointment_id": booked["id"]}

    async def _visit(self) -> Json:
        """Coverage hears of an appointment a moment later."""
        known = await self._appointment()
        path = f"/api/v1/coverages/visits/{known['appointment_id']}"
        await until_known(lambda: self._system.request("front-desk", "GET", path))
        await self._ask(await self._member("front-desk"), "coverages", "check_visit", appointment_id=known["appointment_id"])
        return known | {"day": known["start"][:10]}

    async def _consent_offered(self) -> Json:
        asker = self._patient
        known = await self._a_patient()
        given = await self._given(await self._signed_in(self._patient))
        self._patient = asker
        return {"consent_code": given["code"], "phone": known["phone"]}

    async def _consent_given(self) -> Json:
        return {"consent_id": (await self._given(await self._signed_in(self._patient)))["consent"]["id"]}

    async def _given(self, patient: Actor) -> Any:
        command = {"relationship": "spouse", "scope": "book", "until_at": _later(timedelta(days=30))}
        return await self._ask(patient, "access", "give_consent", command=command)

    async def _feed(self) -> Json:
        made = await self._ask(await self._signed_in(self._patient), "calendarfeeds", "make_feed", command={})
        return {"feed_id": made["feed"]["id"]}

    async def _message_said(self) -> Json:
        notice = {
            "template": "sign_in_call_us", "recipient": {"kind": "patient", "id": str(self._patient)}, "channel": "sms",
            "contact": "+1 555 0100", "language": "en", "values": {"hospital": "Lakeside"},
        }  # fmt: skip
        await self._system.as_system("notifications", "notify", notice=notice)
        async with asyncio.timeout(SEALED_SECONDS_MAX):
            while not await self._newest_is_sent():  # noqa: ASYNC110  (another process sets no asyncio.Event)
                await asyncio.sleep(0.05)
        return {}

    async def _newest_is_sent(self) -> bool:
        found = (await self._system.as_system("notifications", "read_local_inbox", query={"limit": 1}))["items"]
        return bool(found) and found[0]["communication"]["sent_at"] is not None

    async def _coverage(self) -> Json:
        command = {"patient_id": str(self._patient), "details": COVERED}
        made = await self._ask(await self._member("front-desk"), "coverages", "record_coverage", command=command)
        return {"coverage_id": made["id"], "family": pages.FAMILY}

    async def _eligibility(self) -> Json:
        desk = await self._member("front-desk")
        (held,) = (await self._ask(desk, "coverages", "list_coverages", query={"patient_id": str(self._patient)}))["items"]
        command = {"coverage_id": held["id"], "service_type": "98", "serviced_on": f"{datetime.now(UTC):%Y-%m-%d}"}
        await self._ask(desk, "coverages", "check_eligibility", command=command)
        return {}

    async def _passkey_made(self) -> Json:
        asked = await self._ask(await self._signed_in(self._patient), "access", "start_passkey", command={"binding": pages.BINDING})
        self._device = Authenticator()
        return {"credential": self._device.create(asked["options"], origin=self._origin, rp_id="localhost")}

    async def _passkey(self) -> Json:
        patient = await self._signed_in(self._patient)
        command = {"binding": pages.BINDING, "name": "My phone"} | await self._passkey_made()
        made = await self._ask(patient, "access", "add_passkey", command=command)
        return {"passkey_id": made["id"]}

    async def _passkey_used(self) -> Json:
        asked = await self._system.as_system("access", "start_passkey_sign_in", command={"binding": pages.BINDING})
        return {"credential": self._device.get(asked["options"], origin=self._origin, rp_id="localhost")}

    async def _app(self) -> Json:
        command = {
            "name": "Health Diary", "scopes": ["launch", "launch/patient", "patient/*.rs", "user/*.rs"], "redirect_uris": [pages.BACK],
            "launch_uri": "https://app.example.org/launch",
        }  # fmt: skip
        made = await self._ask(await self._member("administrator"), "access", "register_client", command=command)
        self._client_id = made["id"]
        return {"client_id": made["id"], "fhir": f"{self._origin}/fhir/R4"}

    async def _app_let_in(self) -> Json:
        patient = await self._signed_in(self._patient)
        command = {"client_id": self._client_id, "redirect_uri": pages.BACK, "scopes": [pages.SCOPE], "challenge": pages.CHALLENGE}
        code = (await self._ask(patient, "access", "let_app_in", command=command))["code"]
        form = {
            "grant_type": "authorization_code", "client_id": self._client_id, "redirect_uri": pages.BACK, "code": code,
            "code_verifier": pages.VERIFIER,
        }  # fmt: skip
        ok(await self._system.client.post(f"{self._system.address_of('/oauth/token')}/oauth/token", data=form))
        (grant,) = await self._ask(patient, "access", "my_apps")
        return {"grant_id": grant["id"]}

    async def _waiting(self) -> Json:
        """A message with a code that nobody knows, of a client of its own."""
        code = f"W{uuid4().hex[:8]}"
        command = {"name": "Ward", "scopes": sorted(ROLES["integration"]), "keys_address": "https://ward.example.org/keys.json"}
        administrator = await self._member("administrator")
        client = await self._ask(administrator, "access", "register_client", command=command)
        lines = (
            f"MSH|^~\\&|WARD|W|CW|CW|20261101||SIU^S12|{code}|P|2.5.1", f"SCH||{code}|||||{code}", f"PID|1||{code}^^^W^MR||Beispiel^Berta",
            "RGS|1|A", f"AIS|1|A|{code}", f"AIL|1|A|^^^{self._clinic.site_id}",
        )  # fmt: skip
        ward = self._signer.actor("integration", f"client/{UUID(client['id'])}", administrator.organization_id)
        headers = {"Authorization": f"Bearer {self._signer.issue(ward, LIFETIME)}", "Content-Type": "application/hl7-v2"}
        address = f"{self._system.address_of('/hl7')}/hl7/v2"
        await self._system.client.post(address, content="\r".join(lines).encode(), headers=headers)
        waiting = (await self._ask(administrator, "desk", "list_messages"))["incoming"]
        return await self._practice() | {"message_id": waiting[-1]["id"], "code_of_theirs": code}

    async def _quarantine(self) -> Json:
        administrator = await self._member("administrator")
        command = {"reason": "Strange answers.", "quarantine_peers": [pages.HOST_NAME], "notify": False}
        await self._ask(administrator, "oversight", "respond", command=command)
        held = (await self._ask(administrator, "oversight", "list_incidents", query={}))["held_back"]
        return {"restraint_id": next(each["id"] for each in held if each["name"] == pages.HOST_NAME)}

    async def _encounter(self) -> Json:
        command = {
            "patient_id": str(self._patient), "status": "in-progress", "start": _later(timedelta()), "site_id": self._clinic.site_id,
            "encounter_class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"},
        }  # fmt: skip
        await self._ask(await self._member("nurse"), "flow", "record_encounter", command=command)
        return {}

    async def _queue_open(self) -> Json:
        command = {"site_id": self._clinic.site_id, "service_id": self._clinic.service_id, "name": "Podiatry"}
        put = await self._ask(await self._member("operations"), "queues", "put_queue", command=command)
        return {"queue_id": put["id"]}

    async def _turn(self) -> Json:
        known = await self._queue_open()
        command = {"queue_id": known["queue_id"], "patient_id": str(self._patient)}
        entry = await self._ask(await self._member("nurse"), "queues", "arrive", command=command)
        self._entry = entry["id"]
        return known | {"entry_id": entry["id"]}

    async def _turn_called(self) -> Json:
        await self._ask(await self._member("nurse"), "queues", "call_entry", command={"entry_id": self._entry})
        return {}

    async def _review(self) -> Json:
        command = {"purpose": "ETREAT", "reason": "An emergency."}
        made = await self._ask(await self._staff_signed_in("nurse"), "access", "start_break_glass", command=command)
        return {"review_id": made["id"]}

    async def _incident(self) -> Json:
        command = {"reason": "A tablet was left in a taxi.", "end_sessions_of": ["nobody-here"], "notify": False}
        made = await self._ask(await self._member("administrator"), "oversight", "respond", command=command)
        return {"incident_id": made["id"]}

    async def _sealed(self) -> Json:
        """The log is sealed a moment after the deed."""
        officer = await self._member("privacy-officer")
        async with asyncio.timeout(SEALED_SECONDS_MAX):
            while not (found := await self._newest_deed(officer)):  # noqa: ASYNC110  (another process sets no asyncio.Event)
                await asyncio.sleep(0.05)
        return {"event_id": found[0]["id"]}

    async def _newest_deed(self, officer: Actor) -> Any:
        return (await self._ask(officer, "audittrail", "find_events", query={"limit": 1}))["items"]


def _later(by: timedelta) -> str:
    return (datetime.now(UTC) + by).isoformat(timespec="seconds").replace("+00:00", "Z")
