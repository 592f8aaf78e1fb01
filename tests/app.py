"""A SMART app, as a running system meets it: registered at the command line, launched in a person's browser, and asking for tokens."""

import asyncio
import hashlib
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID

import httpx
import msgspec

from carewright.kernel.rng import new_secret
from carewright.portal.http.guard import SESSION
from tests.clinic import ok
from tests.other_system import KEY, said
from tests.plain_browser import Browser
from tests.system import System

REDIRECT = "https://app.example.org/back"
SCOPES = ("launch/patient", "offline_access", "online_access", "patient/*.cruds")
SCOPE = "launch/patient patient/Patient.rs patient/Appointment.rs offline_access"
STATE = "state-of-the-app"
NOTICED_SECONDS_MAX = 30


def challenge_of(verifier: str) -> str:
    return urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")


async def registered_app(system: System, *options: str, redirect: str = REDIRECT) -> str:
    """The id of a new app that can keep no secret; `options` may give it keys."""
    given = [word for scope in SCOPES for word in ("--scope", scope)]
    line = await said(system, "add", "--name", "Health Diary", *given, "--redirect", redirect, *options)
    return line.splitlines()[-1].split()[0]


@dataclass
class App:
    """An app in one person's browser. `changes` to a method are laid over what it sends; None leaves a field out."""

    system: System
    client_id: str
    browser: Browser
    verifier: str = field(default_factory=lambda: new_secret(32).hex())

    @property
    def base(self) -> str:
        """Where the system is reached, as the app was told."""
        return str(self.browser.client.base_url).rstrip("/")

    @property
    def fhir(self) -> str:
        return f"{self.base}/fhir/R4"

    def asks(self, **changes: str | None) -> dict[str, str]:
        query = {
            "response_type": "code", "client_id": self.client_id, "redirect_uri": REDIRECT, "state": STATE, "aud": self.fhir,
            "scope": SCOPE,
            "code_challenge": challenge_of(self.verifier), "code_challenge_method": "S256",
        }  # fmt: skip
        return {name: value for name, value in (query | changes).items() if value is not None}

    async def authorize(self, method: str = "GET", /, **changes: str | None) -> httpx.Response:
        """The authorization endpoint's first answer, which the browser does not follow."""
        sent = self.asks(**changes)
        client, address = self.browser.client, "/apps/authorize"
        if method == "POST":
            return await client.post(address, data=sent, follow_redirects=False)
        return await client.get(address, params=sent, follow_redirects=False)

    async def launch(
        self, ticks: tuple[str, ...] | None = None, whose: str = "", answer: str = "allow", **changes: str | None
    ) -> dict[str, str]:
        """What the app is told once the person has answered; `ticks` are the boxes that stay ticked, all unless given."""
        assert (await self.authorize(**changes)).headers["location"] == "/apps/consent"
        return await self.consent(ticks, whose, answer)

    async def consent(self, ticks: tuple[str, ...] | None = None, whose: str = "", answer: str = "allow") -> dict[str, str]:
        await self.browser.go("/apps/consent")
        fields = self.browser.forms.found["/apps/consent"].fields
        kept = {name: value for name, value in fields.items() if ticks is None or not name.startswith("scope-") or name in ticks}
        sent = await self.browser.client.post(
            "/apps/consent", data=kept | {"answer": answer, "whose": whose}, headers={"Origin": self.base}, follow_redirects=False
        )
        assert sent.status_code == httpx.codes.SEE_OTHER, sent.text
        return told(sent)

    async def token(self, **form: str | None) -> httpx.Response:
        return await self.send("/oauth/token", **form)

    async def send(self, path: str, /, **form: str | None) -> httpx.Response:
        """Send a form to an endpoint as this app."""
        sent = {name: value for name, value in ({"client_id": self.client_id} | form).items() if value is not None}
        return await self.browser.client.post(path, data=sent)

    async def redeem(self, code: str, /, **changes: str | None) -> httpx.Response:
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT, "code_verifier": self.verifier}
        return await self.token(**form | changes)

    async def refresh(self, refresh_token: str, /, **changes: str | None) -> httpx.Response:
        return await self.token(**{"grant_type": "refresh_token", "refresh_token": refresh_token} | changes)

    async def read(self, path: str, token: str) -> httpx.Response:
        """Ask FHIR as an app does: without the person's cookies."""
        async with httpx.AsyncClient(base_url=self.fhir, trust_env=False, timeout=30) as client:
            return await client.get(f"/{path}", headers={"Authorization": f"Bearer {token}"})


def told(answer: httpx.Response, redirect: str = REDIRECT) -> dict[str, str]:
    """What a redirect tells the app."""
    location = answer.headers["location"]
    assert location.startswith(f"{redirect}?"), location
    return dict(parse_qsl(urlsplit(location).query))


def keys(folder: Path) -> tuple[str, str]:
    """The options that register an app with `KEY`."""
    file = folder / "keys.json"
    file.write_bytes(msgspec.json.encode({"keys": [KEY.as_dict(private=False)]}))
    return "--keys", str(file)


async def tokens(app: App, scope: str = SCOPE) -> dict[str, str]:
    granted: dict[str, str] = ok(await app.redeem((await app.launch(scope=scope))["code"]))
    return granted


async def until_shut_out(app: App, token: str, path: str) -> None:
    async with asyncio.timeout(NOTICED_SECONDS_MAX):
        while (await app.read(path, token)).status_code != httpx.codes.UNAUTHORIZED:  # noqa: ASYNC110  (another process sets no asyncio.Event)
            await asyncio.sleep(0.1)


def refused(answer: httpx.Response, error: str, status: int = 400) -> None:
    assert (answer.status_code, answer.json()) == (status, {"error": error})


async def opened(system: System, client_id: str, patient_id: UUID | None) -> App:
    """The app in a browser of its own, in which a patient is signed in."""
    address = system.address_of("/").replace("127.0.0.1", "localhost")
    client = httpx.AsyncClient(base_url=address, follow_redirects=True, trust_env=False, timeout=30)
    if patient_id:
        client.cookies.set(SESSION, await system.session(patient_id), domain="localhost.local")
    return App(system, client_id, Browser(client))
