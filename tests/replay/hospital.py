"""A hospital's desks and practitioners at work on one day: what they do they do by the API, when their own clock says that it is time."""

import asyncio
import random
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import uuid4

import httpx

from carewright.contracts.permissions import ROLES
from carewright.kernel.authz import Tokens
from carewright.kernel.token_keys import TokenKeys
from carewright.roles.installation import token_key_file
from tests.fast_time.clock import FastTime
from tests.replay.people import Json, Person, booked, most_at_once, unannounced
from tests.system import System

MARKED_AFTER = timedelta(minutes=30)
"""Who has not come by then has not shown up."""
ASK_AGAIN_SECONDS, ASK_AGAIN_SECONDS_MAX = 0.2, 3.0
"""Real ones: a check-in is heard of a moment later, and a desk that knows of somebody asks again, less and less often."""
NOT_NOW = (httpx.codes.TOO_MANY_REQUESTS, httpx.codes.SERVICE_UNAVAILABLE)
RETRY_SECONDS_MAX = 1.0
FORESTALLED = (httpx.codes.CONFLICT, httpx.codes.PRECONDITION_FAILED)
"""Somebody else, or the patient, was faster."""
PAGE = 200
SHIFT, DAY, NIGHT = timedelta(hours=8), timedelta(days=1), timedelta(hours=37)
"""Whoever came to the sleep laboratory in the evening goes home in the morning, the slowest before noon."""
NO_VISIT = ("cancelled", "entered-in-error", "pending")
AT_ONCE = 32


class Unexpected(Exception):
    """An answer that nobody on that day would have expected."""


@dataclass
class Server:
    """Somebody who sees patients: a practitioner in their queues, or whoever is there for those who want nobody in particular."""

    practitioner_id: str | None
    queue_ids: list[str]
    kick: asyncio.Event = field(default_factory=asyncio.Event)
    patience: float = ASK_AGAIN_SECONDS


class Hospital:
    """`play` lives the day; afterwards every `Person` of `people` says how it ended, and `refused` what was refused on the way."""

    def __init__(self, system: System, time: FastTime, chance: random.Random, midnight: datetime) -> None:
        self._system = system
        self._time = time
        self._chance = chance
        self._midnight = midnight
        self._tokens = Tokens(TokenKeys.of_file(token_key_file(system.data)), time, ROLES)
        self._signed: dict[str, tuple[str, datetime]] = {}
        self._waiting: dict[str, list[Person]] = defaultdict(list)
        """Who waits in each queue, as far as anybody was told."""
        self._called: set[tuple[str, int]] = set()
        """Turns that were called, with the version that the call made."""
        self._staff: list[Server] = []
        self._servers: dict[str, list[Server]] = defaultdict(list)
        """Who sees patients in each queue."""
        self._seats = asyncio.Semaphore(AT_ONCE)
        self._known: dict[str, Person] = {}
        """By their appointment; those without one by their record."""
        self.people: list[Person] = []
        self.refused: Counter[str] = Counter()
        self.asked = 0

    async def open(self, appointments_max: int, walk_ins: int, emergencies: int) -> None:
        """Read the day's appointments, cancel those beyond so many, set up a queue for each service and site of the others, and register
        who will come without one."""
        appointments = await self.appointments()
        self._chance.shuffle(appointments)
        gone, appointments = appointments[appointments_max:], appointments[:appointments_max]
        await self._all(self.ask("front-desk", "POST", f"/api/v1/appointments/{each['id']}/cancel", json={}) for each in gone)
        kinds = {each["visit_type_id"] for each in appointments}
        types = await self._all(self.ask("front-desk", "GET", f"/api/v1/visit-types/{kind}") for kind in kinds)
        service_of = {each["id"]: each["healthcare_service_id"] for each in types}
        places = sorted({(each["site_id"], service_of[each["visit_type_id"]]) for each in appointments})
        named = {(each["site_id"], service_of[each["visit_type_id"]]): each["service_name"] for each in appointments}
        puts = [{"site_id": site, "service_id": service, "name": named[site, service]} for site, service in places]
        queues = await self._all(self.ask("operations", "PUT", "/api/v1/queues", json=each) for each in puts)
        queue_of = {(each["site_id"], each["service_id"]): each["id"] for each in queues}
        for each in appointments:
            self.people.append(booked(self._chance, each, queue_of[each["site_id"], service_of[each["visit_type_id"]]]))
        who = [{"family": f"Unannounced{number}", "given": ["Test"]} for number in range(walk_ins + emergencies)]
        records = await self._all(self.ask("front-desk", "POST", "/api/v1/patients", json=each) for each in who)
        busiest = [queue for queue, _ in Counter(each.queue_id for each in self.people).most_common(len(queues) // 2 + 1)]
        for number, record in enumerate(records):
            kind: Any = "walk-in" if number < walk_ins else "emergency"
            self.people.append(unannounced(self._chance, kind, self._midnight, record["id"], busiest))
        self._known = {each.appointment_id or each.patient_id: each for each in self.people}
        self._employ()

    async def play(self) -> None:
        """Everybody lives their day, until the last one has gone home, which is in the next morning at the latest."""
        gone = asyncio.Event()
        async with asyncio.timeout(self._time.real_seconds(self._midnight + NIGHT)), asyncio.TaskGroup() as tasks:
            for server in self._staff:
                tasks.create_task(self._work(server, gone))
            await asyncio.gather(*(self._visit(each) for each in self.people))
            while any(each.end is None for each in self.people):  # noqa: ASYNC110  (they end in as many tasks)
                await asyncio.sleep(ASK_AGAIN_SECONDS)
            gone.set()
            for server in self._staff:
                server.kick.set()

    async def appointments(self) -> list[Json]:
        """Those of the day that are booked, or were."""
        found: list[Json] = []
        asked: Json = {"start_from": self._midnight.isoformat(), "start_until": (self._midnight + DAY).isoformat(), "limit": PAGE}
        while True:
            page = await self.ask("front-desk", "POST", "/api/v1/appointments/find", json=asked)
            found += [each for each in page["items"] if each["status"] not in NO_VISIT]
            if page.get("next") is None:
                return found
            asked["after"] = page["next"]

    async def entries(self, queue_id: str) -> Json:
        """Who is in a queue now."""
        return await self.ask("nurse", "GET", f"/api/v1/queues/{queue_id}/entries")

    async def entry(self, entry_id: str) -> Json:
        return await self.ask("nurse", "GET", f"/api/v1/queue-entries/{entry_id}")

    @property
    def queue_ids(self) -> list[str]:
        return list(self._servers)

    async def ask(self, role: str, method: str, path: str, **more: Any) -> Json:
        """The answer, or a refusal's problem document. Whoever is told to come back later does, with the same key."""
        headers = {"Authorization": f"Bearer {self._token(role)}", "Idempotency-Key": str(uuid4())}
        if version := more.pop("version", None):
            headers["If-Match"] = f'"{version}"'
        while True:
            async with self._seats:
                answer = await self._system.client.request(method, self._system.address_of(path) + path, headers=headers, **more)
            self.asked += 1
            if answer.status_code not in NOT_NOW:
                break
            self.refused[str(answer.status_code)] += 1
            await asyncio.sleep(min(float(answer.headers.get("Retry-After", 1)), RETRY_SECONDS_MAX))
        body: Json = answer.json()
        if answer.is_success:
            return body
        if answer.status_code in FORESTALLED:
            self.refused[body["code"]] += 1
            return body
        raise Unexpected(f"{method} {path}: {answer.status_code} {answer.text}")

    def _token(self, role: str) -> str:
        """One that is good for a shift yet."""
        token, until = self._signed.get(role, ("", self._midnight))
        if self._time.now() >= until:
            assert self._system.known.organization_id
            actor = self._tokens.actor(role, f"replay-{role}", self._system.known.organization_id)
            token = self._tokens.issue(actor, 2 * SHIFT)
            self._signed[role] = token, self._time.now() + SHIFT
        return token

    def _employ(self) -> None:
        """Whoever has appointments that day sees patients in those queues. Who wants nobody in particular is seen by as many others as are
        booked so at once, and by one more for each 20 who walk in."""
        practice: dict[str, set[str]] = defaultdict(set)
        others: dict[str, list[Person]] = defaultdict(list)
        for each in self.people:
            if each.wants:
                practice[each.wants].add(each.queue_id)
            else:
                others[each.queue_id].append(each)
        self._staff = [Server(who, sorted(where)) for who, where in practice.items()]
        for queue, people in others.items():
            walk_ins = sum(each.due is None for each in people)
            self._staff += [Server(None, [queue]) for _ in range(most_at_once(people) + -(-walk_ins // 20))]
        for one in self._staff:
            for queue in one.queue_ids:
                self._servers[queue].append(one)

    async def _visit(self, person: Person) -> None:
        """What somebody does of themselves: come or not, and leave if it takes too long."""
        if person.comes is None:
            assert person.due
            await self._until(person.due + MARKED_AFTER)
            await self._status(person, "noshow")
            person.end = "noshow"
        elif person.appointment_id:
            await self._until(person.comes)
            await self._status(person, "checked-in")
            self._waits(person)
        else:
            await self._come(person, person.comes)

    async def _come(self, person: Person, comes: datetime) -> None:
        path, body = f"/api/v1/queues/{person.queue_id}/entries", {"patient_id": person.patient_id, "tier": person.tier}
        if person.announced_before:
            await self._until(comes - person.announced_before)
            self._heard(person, await self.ask("nurse", "POST", path, json=body | {"expected_at": comes.isoformat()}))
        await self._until(comes)
        entry = self._heard(person, await self.ask("nurse", "POST", path, json=body))
        if person.tier != "P2":
            level = 1 if person.tier == "P0" else self._chance.choice((2, 3))
            self._heard(person, await self._step(entry["id"], "triage", {"scale": "esi", "level": level}))
        if person.leaves_after:
            await self._until(comes + person.leaves_after)
            if person.status == "waiting":
                await self._leave(person, entry)

    async def _leave(self, person: Person, entry: Json) -> None:
        """Go, unless somebody begins at this very moment."""
        person.is_leaving = True
        left = self._heard(person, await self._step(entry["id"], "leave"))
        person.is_leaving = left.get("status") == "left"
        if person.is_leaving:
            person.end = "left"

    async def _work(self, server: Server, gone: asyncio.Event) -> None:
        """See whoever is next, as long as somebody comes."""
        while not gone.is_set():
            server.kick.clear()
            asked = sorted(filter(partial(self._somebody_for, server), server.queue_ids), key=partial(self._is_second, server))
            for queue in asked:
                if entry := await self._call(queue, server):
                    await self._see(entry)
                    server.patience = ASK_AGAIN_SECONDS
                    break
            else:
                await self._rest(server, server.patience if asked else None)

    async def _rest(self, server: Server, seconds: float | None) -> None:
        """Until somebody comes, or for a moment that grows: whoever waits may be kept from this one, or not be heard of yet."""
        try:
            await asyncio.wait_for(server.kick.wait(), seconds)
            server.patience = ASK_AGAIN_SECONDS
        except TimeoutError:
            server.patience = min(2 * server.patience, ASK_AGAIN_SECONDS_MAX)

    def _somebody_for(self, server: Server, queue: str) -> bool:
        return any(each.wants in (None, server.practitioner_id) for each in self._waiting[queue])

    def _is_second(self, server: Server, queue: str) -> bool:
        """Where nobody waits for this one alone."""
        return not any(each.wants == server.practitioner_id for each in self._waiting[queue])

    async def _call(self, queue: str, server: Server) -> Json | None:
        answer = await self.ask("nurse", "POST", f"/api/v1/queues/{queue}/call", json={"practitioner_id": server.practitioner_id})
        entry: Json | None = answer.get("entry")
        return entry

    async def _see(self, entry: Json) -> None:
        """From the call to the end of a turn, with what people and desks do on the way."""
        person = self._person(entry)
        if (entry["id"], entry["version"]) in self._called:
            raise Unexpected(f"turn {entry['id']} was called by two")
        self._called.add((entry["id"], entry["version"]))
        self._heard(person, entry)
        if await self._is_called_in_vain(person, entry):
            return
        await self._for(minutes=1)
        if await self._moved(person, entry, "start"):
            await self._for(minutes=person.minutes)
            await self._go_on(person, entry)

    async def _is_called_in_vain(self, person: Person, entry: Json) -> bool:
        """Whether the call was a mistake that is noticed in time, or the patient is not there."""
        if "mistaken" in person.habits:
            person.habits.remove("mistaken")
            if "id" in self._heard(person, await self._step(entry["id"], "undo", version=entry["version"])):
                return True
        if "skipped" in person.habits:
            person.habits.remove("skipped")
            if await self._moved(person, entry, "skip"):
                await self._for(minutes=3)
                await self._moved(person, entry, "return")
            return True
        return False

    async def _go_on(self, person: Person, entry: Json) -> None:
        """What becomes of somebody who was seen: they wait for a result, are sent on, or are done."""
        if "held" in person.habits:
            person.habits.remove("held")
            await self._moved(person, entry, "hold")
            await self._for(minutes=10)
            person.minutes = 5
            await self._moved(person, entry, "return")
        elif "sent-on" in person.habits and len(self._servers) > 1 and not person.appointment_id:
            person.habits.remove("sent-on")
            await self._send_on(person, entry)
        elif await self._moved(person, entry, "complete"):
            person.end = "completed"

    async def _moved(self, person: Person, entry: Json, action: str) -> bool:
        """Whether the step was taken: not for a patient who is leaving, or has left."""
        answer = self._heard(person, await self._step(entry["id"], action))
        if "id" not in answer and not person.is_leaving:
            raise Unexpected(f"{action} of a turn that was {entry['status']}: {answer}")
        return "id" in answer

    async def _send_on(self, person: Person, entry: Json) -> None:
        self._waiting[person.queue_id] = [each for each in self._waiting[person.queue_id] if each is not person]
        person.queue_id = self._chance.choice([each for each in self._servers if each != person.queue_id])
        path = f"/api/v1/queue-entries/{entry['id']}/transfer"
        self._heard(person, await self.ask("nurse", "POST", path, json={"to_queue_id": person.queue_id}))

    def _heard(self, person: Person, answer: Json) -> Json:
        """Take note of how a turn stands, unless something newer was heard already; refusals say nothing of it."""
        if "id" not in answer:
            return answer
        if answer["id"] not in person.entry_ids:
            person.entry_ids.append(answer["id"])
            person.version = 0
        if answer["id"] == person.entry_ids[-1] and answer["version"] > person.version:
            person.version, person.status, person.wants = answer["version"], answer["status"], answer["practitioner_id"]
            self._waiting[person.queue_id] = [each for each in self._waiting[person.queue_id] if each is not person]
            if person.status == "waiting":
                self._waits(person)
        return answer

    def _waits(self, person: Person) -> None:
        self._waiting[person.queue_id].append(person)
        for each in self._servers[person.queue_id]:
            if person.wants in (None, each.practitioner_id):
                each.kick.set()

    def _person(self, entry: Json) -> Person:
        return self._known[entry["appointment_id"] or entry["patient_id"]]

    async def _status(self, person: Person, status: str) -> None:
        await self.ask("front-desk", "POST", f"/api/v1/appointments/{person.appointment_id}/status", json={"status": status})

    async def _step(self, entry_id: str, action: str, body: Json | None = None, version: int | None = None) -> Json:
        path = f"/api/v1/queue-entries/{entry_id}/"
        if action in ("triage", "undo"):
            return await self.ask("nurse", "POST", path + action, json=body, version=version)
        return await self.ask("nurse", "POST", path + "steps", json={"action": action})

    async def _until(self, instant: datetime) -> None:
        await asyncio.sleep(self._time.real_seconds(instant))

    async def _for(self, *, minutes: float) -> None:
        await self._until(self._time.now() + timedelta(minutes=minutes))

    async def _all(self, asked: Iterable[Any]) -> list[Json]:
        return list(await asyncio.gather(*asked))
