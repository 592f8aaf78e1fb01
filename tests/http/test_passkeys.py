"""Passkeys over the pages' addresses: what is forged, replayed, too late or from elsewhere opens nothing, and stands in the journal."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest

from carewright.portal.http.guard import PASSKEY, SESSION
from tests.authenticator import PRESENT, VERIFIED, Authenticator, text
from tests.clinic import register
from tests.plain_browser import Browser
from tests.system import System

REFUSED = "SELECT count(*) FROM kernel.audit_entry WHERE body::jsonb @> $1::jsonb"
NOT_RIGHT = '{"event": "access.passkey.%s", "outcome": "refused", "code": "access.passkey_not_right"}'
RUN_OUT = "UPDATE access.passkey_challenge SET expires_at = now()"


@dataclass
class Journal:
    """What was written down, read as the superuser: no module may."""

    database: "asyncpg.Connection[asyncpg.Record]"

    async def refusals(self, what: str = "redeem") -> int:
        count: int = await self.database.fetchval(REFUSED, NOT_RIGHT % what)
        return count


@pytest.fixture
def journal(database: "asyncpg.Connection[asyncpg.Record]") -> Journal:
    return Journal(database)


@dataclass
class Visitor:
    """Somebody with a device and a browser. `said` is what the device claims unless a test has it claim something else."""

    browser: Browser
    device: Authenticator
    said: dict[str, Any]

    @property
    def client(self) -> httpx.AsyncClient:
        return self.browser.client

    async def ask(self, page: str, form: str) -> str:
        """What the page's script would be given to have signed."""
        await self.browser.go(page)
        fields, origin = self.browser.forms.found[form].fields, str(self.client.base_url).rstrip("/")
        answer = await self.client.post(f"{form}/begin", data=fields, headers={"Origin": origin})
        assert answer.status_code == 200, answer.text
        return answer.text

    async def add(self, **said: Any) -> None:
        asked = await self.ask("/devices", "/devices/passkeys")
        await self.browser.send("/devices/passkeys", credential=self.device.create(asked, **self.said | said), name="My phone")

    async def sign_in(self, credential: str) -> bool:
        """Whether it let them in."""
        await self.browser.send("/sign-in/passkey", credential=credential)
        return SESSION in self.client.cookies

    def signed(self, asked: str, **said: Any) -> str:
        return self.device.get(asked, **self.said | said)

    async def sign_out(self) -> None:
        await self.browser.send("/sign-out")
        assert SESSION not in self.client.cookies


class Visitors:
    """Opens browsers at the address that people use."""

    def __init__(self, system: System) -> None:
        self._system = system
        self._clients: list[httpx.AsyncClient] = []

    async def open(self, patient_id: UUID | None = None) -> Visitor:
        address = self._system.address_of("/").replace("127.0.0.1", "localhost")
        client = httpx.AsyncClient(base_url=address, follow_redirects=True, trust_env=False, timeout=30)
        self._clients.append(client)
        if patient_id:
            client.cookies.set(SESSION, await self._system.session(patient_id), domain="localhost.local")
        return Visitor(Browser(client), Authenticator(), {"origin": address, "rp_id": "localhost"})

    async def close(self) -> None:
        for client in self._clients:
            await client.aclose()


@pytest.fixture
async def visitors(one_process: System) -> AsyncIterator[Visitors]:
    opened = Visitors(one_process)
    yield opened
    await opened.close()


@pytest.fixture
async def visitor(visitors: Visitors, one_process: System) -> Visitor:
    """A patient of the test's own with a passkey, who has signed out."""
    made = await visitors.open(await register(one_process))
    await made.add()
    assert "Your passkey is ready" in made.browser.text
    await made.sign_out()
    return made


async def assert_refused(visitor: Visitor, credential: str, journal: Journal) -> None:
    before = await journal.refusals()
    assert not await visitor.sign_in(credential)
    assert "That did not work with this passkey" in visitor.browser.text
    assert await journal.refusals() > before


async def asked(visitor: Visitor) -> str:
    return await visitor.ask("/sign-in", "/sign-in/passkey")


async def test_a_passkey_opens_a_session_and_again_on_the_next_day(visitor: Visitor) -> None:
    assert await visitor.sign_in(visitor.signed(await asked(visitor)))
    await visitor.browser.go("/devices")
    assert "With a passkey" in visitor.browser.text
    await visitor.sign_out()
    assert await visitor.sign_in(visitor.signed(await asked(visitor)))


@pytest.mark.parametrize(
    "said",
    [
        pytest.param({"origin": "https://localhost.evil.example"}, id="another origin"),
        pytest.param({"origin": "http://localhost:1"}, id="another port"),
        pytest.param({"rp_id": "evil.example"}, id="another party"),
        pytest.param({"challenge": text(bytes(32))}, id="another challenge"),
        pytest.param({"type": "webauthn.create"}, id="another ceremony"),
        pytest.param({"flags": PRESENT}, id="nobody verified"),
        pytest.param({"flags": VERIFIED}, id="nobody present"),
        pytest.param({"signature": bytes.fromhex("3006020101020101")}, id="another signature"),
        pytest.param({"user_handle": UUID(int=8).bytes}, id="another account"),
        pytest.param({"credential_id": bytes(32)}, id="an unknown credential"),
    ],
)
async def test_what_was_forged_opens_nothing(visitor: Visitor, journal: Journal, said: dict[str, Any]) -> None:
    await assert_refused(visitor, visitor.signed(await asked(visitor), **said), journal)
    assert await visitor.sign_in(visitor.signed(await asked(visitor)))


async def test_a_count_that_went_back_opens_nothing(visitor: Visitor, journal: Journal) -> None:
    assert await visitor.sign_in(visitor.signed(await asked(visitor), count=9))
    await visitor.sign_out()
    await assert_refused(visitor, visitor.signed(await asked(visitor), count=8), journal)


async def test_an_answer_opens_nothing_a_second_time(visitor: Visitor, journal: Journal) -> None:
    credential = visitor.signed(await asked(visitor))
    kept = visitor.client.cookies[PASSKEY]
    assert await visitor.sign_in(credential)
    await visitor.sign_out()
    await visitor.browser.go("/sign-in")
    visitor.client.cookies.set(PASSKEY, kept, domain="localhost.local")
    await assert_refused(visitor, credential, journal)


async def test_an_answer_that_comes_too_late_opens_nothing(visitor: Visitor, journal: Journal) -> None:
    credential = visitor.signed(await asked(visitor))
    await journal.database.execute(RUN_OUT)
    await assert_refused(visitor, credential, journal)


@pytest.mark.parametrize("kept", ["", "forged", "another browser's"])
async def test_an_answer_opens_nothing_in_another_browser(visitor: Visitor, visitors: Visitors, journal: Journal, kept: str) -> None:
    other = await visitors.open()
    await asked(other)
    credential = visitor.signed(await asked(visitor))
    cookies = {"forged": "a.b.c.d.e", "another browser's": other.client.cookies[PASSKEY]}
    visitor.client.cookies.delete(PASSKEY)
    if kept:
        visitor.client.cookies.set(PASSKEY, cookies[kept], domain="localhost.local")
    await assert_refused(visitor, credential, journal)


async def test_the_passkey_of_another_opens_only_theirs(
    visitor: Visitor, visitors: Visitors, one_process: System, journal: Journal
) -> None:
    other = await visitors.open(await register(one_process))
    await other.add()
    mine = visitor.device.credential_id, visitor.device.user_handle
    credential = other.signed(await asked(visitor), credential_id=mine[0], user_handle=mine[1])
    await assert_refused(visitor, credential, journal)


@pytest.mark.parametrize("credential", ["", "{}", "no JSON", "x" * 30_000])
async def test_what_is_no_answer_opens_nothing(visitor: Visitor, journal: Journal, credential: str) -> None:
    await asked(visitor)
    await assert_refused(visitor, credential, journal)


async def test_a_begin_from_another_site_is_refused(visitor: Visitor) -> None:
    await visitor.browser.go("/sign-in")
    fields = visitor.browser.forms.found["/sign-in/passkey"].fields
    for form in (fields, fields | {"form_token": "0" * 64}):
        origin = "https://evil.example" if form is fields else str(visitor.client.base_url).rstrip("/")
        answer = await visitor.client.post("/sign-in/passkey/begin", data=form, headers={"Origin": origin})
        assert (answer.status_code, PASSKEY in visitor.client.cookies) == (403, False)


@pytest.mark.parametrize("said", [{"origin": "https://evil.example"}, {"rp_id": "evil.example"}, {"flags": PRESENT}])
async def test_a_passkey_that_was_forged_is_not_kept(
    visitors: Visitors, one_process: System, journal: Journal, said: dict[str, Any]
) -> None:
    visitor, before = await visitors.open(await register(one_process)), await journal.refusals("add")
    await visitor.add(**said)
    assert "That did not work with this passkey" in visitor.browser.text
    assert "You have none yet" in visitor.browser.text
    assert await journal.refusals("add") == before + 1


async def test_a_passkey_that_was_removed_opens_nothing(visitor: Visitor, journal: Journal) -> None:
    assert await visitor.sign_in(visitor.signed(await asked(visitor)))
    await visitor.browser.go("/devices")
    (remove,) = [action for action in visitor.browser.forms.found if action.endswith("/remove")]
    await visitor.browser.send(remove)
    await visitor.browser.go("/sign-in")
    visitor.client.cookies.delete(SESSION)
    await assert_refused(visitor, visitor.signed(await asked(visitor)), journal)
