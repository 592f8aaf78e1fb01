"""An EHR beside the whole of ours: `carewright mock ehr` as a process, and a practice of ours that has one of its practitioners."""

import socket
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import httpx
import msgspec
import pytest

from carewright.contracts.ehr import AddConnection, Connection, Kind, Master, ProfileName, Pulled, Reconciled
from carewright.contracts.scheduling import Appointment, SearchAppointments
from carewright.ehr.context import EhrContext
from carewright.ehr.service.connections import add_connection, set_code
from carewright.ehr.service.pulling import pull
from carewright.ehr.service.reconciling import reconcile
from carewright.ehr.settings import EhrSettings
from carewright.kernel.sql import Query
from carewright.mock.ehr.made_up import MRN, NPI
from tests.clinic import Clinic, ok, open_clinic
from tests.made_up_ehr import made_up_ehr
from tests.whole_system import Inside, inside, of

NUMBER = "9000000000"
"""The NPI of the first practitioner of every made-up EHR."""
names = count(1)
FORGET = Query("test.forget_links", "DELETE FROM ehr.link WHERE organization_id = $1 AND kind = 'Appointment'")


SETTINGS = EhrSettings(pull_minutes=0, wait_seconds_max=1.0)
"""Nobody pulls but the test."""


@pytest.fixture(scope="module")
async def ehr_system(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Inside]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        origin = f"http://127.0.0.1:{free.getsockname()[1]}"
    async with inside(database_url, tmp_path_factory.mktemp("ehr"), uuid4(), origin, ehr=SETTINGS) as running:
        yield running


@dataclass
class Sides:
    """Theirs is asked over `http` at `base`, ours through `ctx`, which acts as an administrator."""

    whole: Inside
    clinic: Clinic
    ctx: EhrContext
    connection: Connection
    base: str
    http: httpx.AsyncClient

    async def pull(self) -> Pulled:
        return await pull(self.ctx, self.connection.name)

    def set(self, **settings: Any) -> "Sides":
        """The same two under other settings."""
        return replace(self, ctx=replace(self.ctx, settings=replace(self.ctx.settings, **settings)))

    async def reconcile(self) -> Reconciled:
        return await reconcile(self.ctx, self.connection.id)

    async def reasons(self) -> Counter[str]:
        return Counter(f"{each.kind} {each.reason}" for each in (await self.reconcile()).differences)

    async def search(self, kind: str, **query: Any) -> list[Any]:
        """All of theirs, from a server that pages as it should."""
        answer, found = await self.http.get(f"{self.base}/{kind}", params=query), []
        while True:
            assert answer.status_code == 200, answer.text
            bundle = answer.json()
            found += [entry["resource"] for entry in bundle["entry"]]
            if not bundle["link"]:
                return found
            answer = await self.http.get(bundle["link"][0]["url"])

    async def theirs(self) -> list[Any]:
        """Their appointments with our practitioner in the time that is asked for."""
        (known,) = await self.search("Practitioner", identifier=f"{NPI}|{NUMBER}")
        until = datetime.now(UTC) + timedelta(days=EhrSettings().window_days)
        dates = [f"ge{instant(datetime.now(UTC))}", f"lt{instant(until)}"]
        return await self.search("Appointment", practitioner=known["id"], date=dates)

    async def ours(self, *statuses: Any) -> list[Appointment]:
        staff = self.ctx.acting(self.whole.system.tokens.actor("scheduler", "tester", self.ctx.actor.organization_id))
        query = SearchAppointments(statuses=statuses or ("booked",), limit=1000)
        return list((await staff.scheduling.search_appointments(staff.actor, query)).items)

    async def patch(self, appointment: Any, path: str, value: Any) -> None:
        """Somebody changes an appointment of theirs."""
        place = f"{self.base}/Appointment/{appointment['id']}"
        headers = {"Content-Type": "application/json-patch+json", "If-Match": (await self.http.get(place)).headers["ETag"]}
        answer = await self.http.patch(
            place, content=msgspec.json.encode([{"op": "replace", "path": path, "value": value}]), headers=headers
        )
        assert answer.status_code == 200, answer.text

    async def forget_links(self) -> None:
        """As if we had never heard what they answered."""
        async with self.ctx.db.transaction() as tx:
            await tx.execute(FORGET, self.ctx.actor.organization_id)

    async def with_number(self, number: str, family: str, **more: Any) -> UUID:
        """A patient of ours who has a number of theirs."""
        body = {"family": family, "given": ["Test"], "identifiers": [{"system": MRN, "value": number}]} | more
        return UUID(ok(await self.whole.request("front-desk", "POST", "/api/v1/patients", json=body), 201)["id"])


def instant(at: datetime) -> str:
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")


@asynccontextmanager
async def both_sides(
    whole: Inside,
    profile: ProfileName,
    *switches: str,
    masters: dict[Kind, Master] | None = None,
) -> AsyncIterator[Sides]:
    """A new hospital with a practice, connected to a new EHR. Its practitioner and its site are theirs, and both kinds of visits mapped."""
    own = of(whole, uuid4())
    clinic = await open_clinic(own)
    await _same_as_theirs(own, clinic)
    port = urlsplit(whole.origins).port or 0
    async with made_up_ehr("--profile", profile, *switches, port=port) as base, httpx.AsyncClient(trust_env=False) as http:
        admin = own.system.tokens.actor("administrator", "tester", own.known.organization_id)
        ctx = own.system.context("ehr").acting(admin)
        wished = AddConnection(
            name=f"ehr-{next(names)}", profile=profile, base=base, client_id="carewright", patient_system=MRN, masters=masters or {}
        )
        connection = await add_connection(ctx, wished)
        for code in ("11", "12"):
            await set_code(ctx, connection.name, code, UUID(clinic.visit_type_id))
        yield Sides(own, clinic, ctx, connection, base, http)


async def _same_as_theirs(system: Inside, clinic: Clinic) -> None:
    """Our practitioner and site carry the numbers by which theirs are known again."""
    practitioner = {"id": clinic.practitioner_id, "kind": "practitioner", "family": "Testmann", "given": ["Petra"], "languages": ["de"]}
    site = {"id": clinic.site_id, "kind": "site", "name": "Test Clinic", "site_id": clinic.site_id, "time_zone": "Europe/Berlin"}
    resources = {
        "practitioners": [practitioner | {"identifiers": [{"system": NPI, "value": NUMBER}]}],
        "locations": [site | {"identifiers": [{"system": "urn:oid:2.999.1.2", "value": "NORTH-CLINIC"}]}],
    }
    ok(await system.request("administrator", "PUT", "/api/v1/directory", json=resources))
