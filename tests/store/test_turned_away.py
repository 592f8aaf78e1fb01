"""Whoever comes with what opens nothing is turned away at every way in, and each time the journal says so once, without the thing itself.

Here it is counted: at least 60 different bad tokens, 40 forms of addresses that lead inside, and the links there are.
"""

import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, fields, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import msgspec
import pytest

from carewright.access import store
from carewright.access.context import AccessContext
from carewright.access.http.oauth import pages as token_endpoint
from carewright.access.http.routes import ROUTES as ACCESS
from carewright.access.model.assertion import ASSERTION_TYPE
from carewright.access.module import LocalAccess
from carewright.access.service import sessions, tokens
from carewright.access.service.client_keys import PublishedKeys
from carewright.console.http.pages import pages as staff_pages
from carewright.console.service import ConsoleContext
from carewright.console.settings import ConsoleSettings
from carewright.contracts.access import Access, CompleteSignIn, KeysNotUsable, SignInFailed
from carewright.contracts.clients import Client
from carewright.contracts.deeds import EVENTS
from carewright.contracts.permissions import ROLES
from carewright.identity.http import pages as provider_pages
from carewright.identity.service import IdentityContext, new_key
from carewright.kernel import links
from carewright.kernel.authz import Bearers, Tokens
from carewright.kernel.context import Context
from carewright.kernel.errors import Refusal
from carewright.kernel.http import app
from carewright.kernel.http.outgoing import AddressRefused, Outgoing, parsed
from carewright.kernel.http.routes import Call, Nothing, Route
from carewright.patients.http import ROUTES as PATIENTS
from carewright.portal.context import PortalContext
from carewright.portal.http.pages import pages as patients_pages
from carewright.portal.settings import PortalSettings
from carewright.roles.local import Audited
from carewright.roles.remote import served
from tests import provider
from tests.access_world import BINDING, access
from tests.hostile import BEARERS, KEY, SESSIONS, Forge
from tests.issuer import SETTINGS, Issuer
from tests.samples import known_id
from tests.servers import Contexts
from tests.store import test_access_clients as other_systems
from tests.store import test_access_sign_in as staff_sign_in
from tests.store.test_access import session_of
from tests.unit.kernel.test_outgoing import PUBLIC, REFUSED_URLS, lookup

ENTRIES = "SELECT body FROM kernel.audit_entry ORDER BY xid, position OFFSET $1"
COUNT = "SELECT count(*) FROM kernel.audit_entry"
DOOR = "/internal/v1/access/who_am_i"
REBINDING = "https://rebinding.example/keys"
OPEN = "exam.visit.join"
CLEANED = {"with a line end"}
"""What a form is cleaned of before anybody reads it."""


class LinkBody(msgspec.Struct, frozen=True, kw_only=True):
    token: str


async def open_link(ctx: Context, call: Call[Nothing, LinkBody]) -> LinkBody:
    async with ctx.db.transaction() as tx:
        await links.use_link(ctx, tx, OPEN, call.body.token, holder=ctx.actor.subject)
    return call.body


ADDRESSES = [url for url in REFUSED_URLS if len(url) <= 2000]
"""What a client's record has room for."""
LINK = Route("POST", "/api/v1/exam/link", open_link, "Open a link.", None, LinkBody, body=LinkBody)


@dataclass
class Ways:
    """Every way in, behind one address: the API, the doors between processes, the token endpoint, the pages."""

    ctx: AccessContext
    client: httpx.AsyncClient
    journal: "asyncpg.Connection[asyncpg.Record]"
    seen: int = 0
    wrong: dict[str, object] | None = None

    async def look(self) -> list[dict[str, Any]]:
        """The entries that were written since the last look."""
        rows = await self.journal.fetch(ENTRIES, self.seen)
        self.seen += len(rows)
        return [msgspec.json.decode(row["body"]) for row in rows]

    async def expect_one(self, name: str, brought: str, event: str, code: str) -> None:
        """Note what is wrong, if there is not one refusal in the journal, or it repeats anything of what was brought."""
        entries = await self.look()
        met = [(each["event"], each.get("outcome", "success"), each.get("code")) for each in entries]
        text = msgspec.json.encode(entries).decode()
        told = [piece for piece in (brought, *re.split(r"[^\w-]+", brought)) if len(piece) >= 8 and piece in text]
        if met != [(event, "refused", code)] or told:
            self.wrong = (self.wrong or {}) | {name: (met, told)}


@pytest.fixture
async def ctx(context: Contexts) -> AccessContext:
    made = await access(context, public_url=other_systems.PUBLIC, organization_id=context.organization_id)
    return replace(made, published=PublishedKeys(made.clock, Outgoing(lookup=lookup)))


@pytest.fixture
async def ways(ctx: AccessContext, context: Contexts) -> AsyncIterator[Ways]:
    patients, system = await context("patients"), await context.system("kernel")
    signer = Tokens(KEY, context.clock, ROLES)
    door: Any = Audited(Access, LocalAccess(ctx), ctx)
    bearers = Bearers(signer, context.clock, lambda token: door.actor_of(ctx.actor, token))
    world = {field.name: getattr(system, field.name) for field in fields(Context)} | {"bearers": bearers, "access": door}
    nobody: Any = None
    portal = PortalContext(
        **world,
        settings=PortalSettings(),
        sealer=nobody,
        host=ctx.actor,
        directory=nobody,
        patients=nobody,
        scheduling=nobody,
        offers=nobody,
        notifications=nobody,
        records=nobody,
        calendar_feeds=nobody,
        delays=nobody,
        kiosks=nobody,
        queues=nobody,
    )
    console = ConsoleContext(
        **world, settings=ConsoleSettings(), audit=nobody, records=nobody, oversight=nobody, directory=nobody, desk=nobody,
        coverages=nobody, patients=nobody, scheduling=nobody, flow=nobody, queues=nobody, rooms=nobody, delays=nobody, ehrs=nobody,
        kiosks=nobody, offers=nobody, feed=nobody,
    )  # fmt: skip
    api = [*((route, ctx) for route in ACCESS), *((route, patients) for route in PATIENTS), (LINK, patients)]
    behind = [*served(Access, LocalAccess(ctx), signer, ctx), *token_endpoint(ctx), *staff_pages(console), *patients_pages(portal)]
    application = app.build(api, behind, bearers, app.Health({}), event_of=lambda module, name: EVENTS.get(f"{module}.{name}", OPEN))
    journal = await asyncpg.connect(context.pools.url)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(application), base_url="http://test") as client:
        yield Ways(ctx, client, journal, await journal.fetchval(COUNT))
    await journal.close()


async def test_a_bad_token_opens_neither_the_api_nor_a_door_between_processes(ways: Ways, context: Contexts) -> None:
    forge, path = Forge(context.clock, context.organization_id), f"/api/v1/patients/{known_id(1)}"
    right = {"Authorization": f"Bearer {forge.token()}"}
    assert (await ways.client.get(path, headers=right)).status_code == 404, "but for what is bad about them they are good"
    assert (await ways.client.post(DOOR, headers=right, content=b"{}")).status_code != 401
    await ways.look()
    made = {name: make(forge) for name, make in BEARERS.items()}
    assert len(set(made.values())) == len(BEARERS)
    for name, token in made.items():
        headers = {"Authorization": f"Bearer {token}"}
        assert (await ways.client.get(path, headers=headers)).status_code == 401, name
        await ways.expect_one(f"api: {name}", token, "patients.patient.read", "kernel.unauthenticated")
        assert (await ways.client.post(DOOR, headers=headers, content=b"{}")).status_code == 401, name
        await ways.expect_one(f"door: {name}", token, "access.account.read", "kernel.unauthenticated")
    assert ways.wrong is None


async def test_a_session_that_is_none_opens_neither_the_api_nor_a_page(ways: Ways, ctx: AccessContext, context: Contexts) -> None:
    made = SESSIONS | await ended_sessions(ctx, context)
    assert len(made) >= 13
    await ways.look()
    for name, token in made.items():
        answer = await ways.client.get(f"/api/v1/patients/{known_id(1)}", headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 401, name
        await ways.expect_one(f"api: {name}", token, "patients.patient.read", "kernel.unauthenticated")
        for cookie, page, event in (
            ("carewright_session", "/appointments", "portal.page.open"),
            ("carewright_staff", "/staff", "console.page.open"),
        ):
            answer = await ways.client.get(page, headers={"Cookie": f"{cookie}={token}"})
            assert answer.status_code == 303, name
            assert "sign-in" in answer.headers["location"]
            await ways.expect_one(f"{page}: {name}", token, event, "kernel.unauthenticated")
    assert ways.wrong is None


async def ended_sessions(ctx: AccessContext, context: Contexts) -> dict[str, str]:
    """Tokens that were good a moment ago."""
    idle = await session_of(ctx, "nurse")
    context.clock.advance(days=2)
    ended = await session_of(ctx, "nurse")
    await sessions.end_session(ctx.acting(context.actor("nurse", subject=ended.session.subject)), ended.session.id)
    signed = Forge(context.clock, context.organization_id).token({"exp": 1})
    return {"not used for long": idle.token, "ended by its owner": ended.token, "a signed token": signed}


async def test_without_a_page_of_ours_no_form_is_taken(ways: Ways) -> None:
    for name, headers in {
        "another site's": {"Origin": "https://evil.example.org"},
        "nobody's": {},
        "another site's by the browser": {"Sec-Fetch-Site": "cross-site"},
        "without its token": {"Origin": "http://test"},
    }.items():
        for page, event in (("/sign-in", "portal.page.open"), ("/staff/sign-in", "console.page.open")):
            answer = await ways.client.post(page, data={"form_token": "0" * 64}, headers=headers)
            assert answer.status_code == 403, name
            await ways.expect_one(f"{page}: {name}", "0" * 64, event, "kernel.form_not_ours")
    assert ways.wrong is None


async def test_an_assertion_that_does_not_hold_gets_no_token(ways: Ways, ctx: AccessContext, context: Contexts) -> None:
    for name in other_systems.TWISTS.keys() - CLEANED:
        lab = other_systems.Lab(context.clock)
        await other_systems.registered(ctx, context, lab)
        await ways.look()
        other_systems.TWISTS[name](lab)
        asked = lab.asks()
        form = {"grant_type": "client_credentials", "client_assertion_type": ASSERTION_TYPE, "client_assertion": asked.assertion}
        named = {"client_id": asked.client_id} if asked.client_id else {}
        answer = await ways.client.post("/oauth/token", data=form | {"scope": asked.scope} | named)
        assert (answer.status_code, answer.json()) == (401, {"error": "invalid_client"}), name
        await ways.expect_one(name, asked.assertion, "access.token.grant", "access.client_not_believed")
    assert ways.wrong is None


async def test_an_assertion_serves_once(ways: Ways, ctx: AccessContext, context: Contexts) -> None:
    lab = other_systems.Lab(context.clock)
    await other_systems.registered(ctx, context, lab)
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": lab.assertion(),
        "scope": lab.scope,
    }
    assert (await ways.client.post("/oauth/token", data=form)).status_code == 200
    await ways.look()
    assert (await ways.client.post("/oauth/token", data=form)).status_code == 401
    await ways.expect_one("replayed", form["client_assertion"], "access.token.grant", "access.client_not_believed")
    assert ways.wrong is None


async def test_what_a_hostile_provider_says_signs_nobody_in(ways: Ways, context: Contexts) -> None:
    for name, twist in staff_sign_in.TWISTS.items():
        issuer = Issuer(context.clock)
        made = await access(context, issuer.client(), organization_id=context.organization_id, **SETTINGS)
        asked = await staff_sign_in.begin(made, issuer)
        fresh = await access(context, issuer.client(), organization_id=context.organization_id, **SETTINGS)
        twist(issuer)
        await ways.look()
        with pytest.raises(SignInFailed):
            await complete(fresh, asked["state"])
        await ways.expect_one(name, token_of(issuer), "access.sign_in.complete", "access.sign_in_failed")
    assert ways.wrong is None


async def complete(ctx: AccessContext, state: str, **more: Any) -> None:
    door: Any = Audited(Access, LocalAccess(ctx), ctx)
    given = {"state": state, "code": "code-of-the-test", "binding": BINDING} | more
    await door.complete_sign_in(ctx.actor, CompleteSignIn(**given))


def token_of(issuer: Issuer) -> str:
    try:
        return issuer.token()
    except Exception:  # noqa: BLE001  # what cannot even be signed was refused by its key
        return ""


CALLBACKS: dict[str, dict[str, Any]] = {
    "a state that never was": {"state": "0" * 64},
    "another browser": {"binding": "c" * 32},
    "another issuer": {"iss": "https://evil.example.org"},
    "too late": {},
    "a second time": {},
}


async def test_an_answer_out_of_turn_signs_nobody_in(ways: Ways, context: Contexts) -> None:
    for name, changes in CALLBACKS.items():
        issuer = Issuer(context.clock)
        ctx = await access(context, issuer.client(), organization_id=context.organization_id, **SETTINGS)
        asked = await staff_sign_in.begin(ctx, issuer)
        if name == "too late":
            context.clock.advance(minutes=10)
        if name == "a second time":
            await complete(ctx, asked["state"])
        await ways.look()
        with pytest.raises(SignInFailed):
            await complete(ctx, **{"state": asked["state"]} | changes)
        await ways.expect_one(name, asked["state"], "access.sign_in.complete", "access.sign_in_failed")
    for name, query in {"without a code": "state=s-1", "without a state": "code=c-1", "of nothing": ""}.items():
        assert (await ways.client.get(f"/staff/callback?{query}")).status_code == 403
        await ways.expect_one(name, query, "console.page.open", "access.sign_in_failed")
    assert ways.wrong is None


DOWNGRADES: dict[str, dict[str, str]] = {
    "a plain challenge": {"code_challenge_method": "plain", "code_challenge": provider.VERIFIER},
    "no method": {"code_challenge_method": ""},
    "no challenge": {"code_challenge": ""},
    "a short challenge": {"code_challenge": "x" * 42},
    "no state": {"state": ""},
    "no nonce": {"nonce": ""},
    "a token at once": {"response_type": "token"},
    "an ID token at once": {"response_type": "id_token"},
    "a hybrid": {"response_type": "code id_token"},
    "no identity": {"scope": "profile"},
    "another client": {"client_id": "other"},
    "another address": {"redirect_uri": "https://evil.example.org/"},
}
EXCHANGES: dict[str, dict[str, str]] = {
    "another verifier": {"code_verifier": "w" * 43},
    "no verifier": {"code_verifier": ""},
    "a short verifier": {"code_verifier": "v" * 42},
    "the challenge as verifier": {"code_verifier": provider.ASKED["code_challenge"]},
    "another address": {"redirect_uri": "http://127.0.0.1:9/"},
    "no address": {"redirect_uri": ""},
    "another code": {"code": "c" * 64},
    "no code": {"code": ""},
    "another grant": {"grant_type": "password"},
    "without the secret": {"client_secret": "wrong"},
    "as another client": {"client_id": "other"},
    "too late": {},
    "a second time": {},
}


async def test_our_own_provider_gives_nothing_for_less_than_the_whole_protocol(ways: Ways, context: Contexts) -> None:
    base = await context.system("kernel")
    world = {field.name: getattr(base, field.name) for field in fields(Context)}
    settings = replace(provider.GOOD, organization_id=context.organization_id)
    ctx = IdentityContext(**world, settings=settings, secret=provider.SECRET, key=new_key())
    assert provider_pages(ctx)
    async with provider.browser_at(ctx) as browser:
        for name, changes in DOWNGRADES.items():
            answer = await browser.get("/identity/authorize", params=provider.ASKED | changes)
            assert "code=" not in answer.headers.get("location", ""), name
            expected = "kernel.forbidden" if answer.status_code == 403 else "kernel.unauthenticated"
            await ways.expect_one(f"asked with {name}", "", "identity.page.open", expected)
            answer = await provider.sign_in(browser, **changes)
            assert answer.status_code == 403, name
            await ways.expect_one(f"posted with {name}", "", "identity.page.open", "kernel.forbidden")
        for name, changes in EXCHANGES.items():
            back = await provider.sign_in(browser)
            code = httpx.URL(back.headers["location"]).params["code"]
            form = {
                "grant_type": "authorization_code",
                "code": code,
                "redirect_uri": provider.BACK,
                "code_verifier": provider.VERIFIER,
                "client_id": "console",
                "client_secret": provider.SECRET,
            }
            if name == "too late":
                context.clock.advance(seconds=60)
            if name == "a second time":
                assert (await browser.post("/identity/token", data=form)).status_code == 200
            answer = await browser.post("/identity/token", data=form | changes)
            assert answer.status_code in (400, 401), name
            assert set(answer.json()) == {"error"}
            await ways.expect_one(f"exchanged with {name}", code, "identity.code.exchange", "kernel.unauthenticated")
    assert ways.wrong is None


async def test_an_address_that_leads_inside_is_never_asked_for_keys(ways: Ways, ctx: AccessContext, context: Contexts) -> None:
    """However it got into a client's record, the guard decides when it is used. A name may lead elsewhere by then; so may a redirect."""
    answers = iter([[PUBLIC], ["127.0.0.1"]])

    async def looked_up(host: str, port: int) -> Any:
        return next(answers) if host == "rebinding.example" else await lookup(host, port)

    inside = other_systems.Web([], status=302, headers={"Location": "https://inside.example/"})
    web = other_systems.Web([])
    for url in [*ADDRESSES, "https://example.com/redirects", REBINDING]:
        there = inside if url.endswith("redirects") else web
        outgoing = Outgoing(lookup=looked_up, inner=httpx.MockTransport(there.answer))
        if url == REBINDING:
            await outgoing.fetch("GET", url)
            web.asked = 0
        client = replace_published(ctx, outgoing)
        lab = other_systems.Lab(context.clock, client_id=str(context.ids.new()))
        await stored_client(ctx, context, UUID(lab.client_id), url)
        await ways.look()
        with pytest.raises(Refusal):
            await tokens.grant_token(client, lab.asks())
        await ways.expect_one(f"granting: {url!r}", url, "access.token.grant", "access.client_not_believed")
    assert (web.asked, inside.asked) == (0, 1)
    assert ways.wrong is None


def replace_published(ctx: AccessContext, outgoing: Outgoing) -> AccessContext:
    return replace(ctx, published=PublishedKeys(ctx.clock, outgoing))


async def stored_client(ctx: AccessContext, context: Contexts, client_id: UUID, url: str) -> None:
    """A client as if it had been registered with this address."""
    made = Client(
        id=client_id, name="Laboratory", scopes=other_systems.SCOPES, keys=(), keys_address=url, site_ids=(), created_at=context.clock.now()
    )
    async with ctx.db.transaction() as tx:
        await store.insert_client(tx, context.organization_id, made)


async def test_an_address_out_of_form_is_not_even_registered(ways: Ways, ctx: AccessContext, context: Contexts) -> None:
    forge = Forge(context.clock, context.organization_id)
    token = forge.token({"role": "administrator", "auth_time": forge.at()})
    refused = [url for url in ADDRESSES if re.match("https?://.", url) and out_of_form(url)]
    assert len(refused) >= 15
    for url in refused:
        body = {"name": "Laboratory", "scopes": ["scheduling.find"], "keys_address": url}
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": str(context.ids.new())}
        answer = await ways.client.post("/api/v1/access/clients", json=body, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (422, KeysNotUsable.code), url
        await ways.expect_one(f"registering: {url!r}", url, "access.client.create", KeysNotUsable.code)
    assert ways.wrong is None


def out_of_form(url: str) -> bool:
    try:
        parsed(url)
    except AddressRefused:
        return True
    return False


async def test_a_provider_that_leads_inside_is_not_followed(ways: Ways, context: Contexts) -> None:
    """What discovery names is somebody else's word."""
    for address in ("https://10.0.0.1/token", "https://169.254.169.254/token", "https://inside.example/token", "https://[::1]/token"):
        issuer = Issuer(context.clock, discovery={"token_endpoint": address})
        guarded = Outgoing(lookup=lookup).reaching("https://login.example.org")
        guarded._inner = httpx.MockTransport(issuer.answer)
        client = httpx.AsyncClient(transport=guarded)
        ctx = await access(context, client, organization_id=context.organization_id, **SETTINGS)
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(guarded, "_lookup", known)
            asked = await staff_sign_in.begin(ctx, issuer)
            await ways.look()
            with pytest.raises(AddressRefused):
                await complete(ctx, asked["state"])
        assert issuer.forms == []
        await ways.expect_one(address, address, "access.sign_in.complete", AddressRefused.code)
    assert ways.wrong is None


async def known(host: str, port: int) -> Any:
    return [PUBLIC] if host == "login.example.org" else await lookup(host, port)


async def test_a_link_that_opens_nothing_is_on_record(ways: Ways, context: Contexts) -> None:
    ctx, forge = await context("patients", subject="anna"), Forge(context.clock, context.organization_id)
    headers = {"Authorization": f"Bearer {forge.token()}"}
    made = {}
    async with ctx.db.transaction() as tx:
        for name, purpose, holder in (
            ("used", OPEN, "anna"),
            ("another's", OPEN, "bo"),
            ("for something else", "exam.visit.leave", None),
            ("taken back", OPEN, None),
        ):
            target = known_id(2) if name == "taken back" else known_id(1)
            made[name] = await links.make_link(ctx, tx, purpose, target, timedelta(minutes=5), holder=holder)
        await links.revoke_links(ctx, tx, OPEN, known_id(2))
    assert (await ways.client.post(LINK.path, json={"token": made["used"]}, headers=headers)).status_code == 200
    forged = {
        "forged": "cwl_" + "0" * 32,
        "cut short": made["another's"][:-1],
        "a session's": "cws_" + "0" * 32,
        "nothing": "",
        "SQL": "' OR 1=1 --",
    }
    await ways.look()
    for name, token in (made | forged).items():
        answer = await ways.client.post(LINK.path, json={"token": token}, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (403, "kernel.link_refused"), name
        await ways.expect_one(name, token, OPEN, "kernel.link_refused")
    context.clock.advance(minutes=5)
    old = await ways.client.post(LINK.path, json={"token": made["another's"]}, headers=headers)
    assert old.status_code == 403
    await ways.expect_one("too old", made["another's"], OPEN, "kernel.link_refused")
    assert ways.wrong is None


def test_there_are_as_many_as_were_asked_for() -> None:
    ways: tuple[Mapping[str, object], ...] = (
        BEARERS,
        SESSIONS,
        other_systems.TWISTS,
        staff_sign_in.TWISTS,
        CALLBACKS,
        DOWNGRADES,
        EXCHANGES,
    )
    assert sum(map(len, ways)) >= 200
    assert len(BEARERS) >= 50
    assert len(set(ADDRESSES)) >= 80
