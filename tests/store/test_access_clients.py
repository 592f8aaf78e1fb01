"""Other systems: how they are registered, how they prove themselves, and everything that proves nothing."""

import asyncio
import hmac
import warnings
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any
from uuid import UUID

import httpx
import msgspec
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey
from joserfc.jws import JWSRegistry
from starlette.applications import Starlette

from carewright.access import jobs
from carewright.access.context import AccessContext
from carewright.access.http.oauth import pages
from carewright.access.service import accounts, clients, sessions, tokens
from carewright.contracts.access import ClientNotBelieved, KeysNotUsable, ScopeNotAllowed, StepUpNeeded, UnknownClient
from carewright.contracts.clients import ChangeClientKeys, Client, IssuedToken, PublicKey, RegisterClient, RequestToken
from carewright.contracts.permissions import ROLES
from carewright.kernel import restraint_table
from carewright.kernel.authz import Quarantined
from carewright.kernel.clock import ManualClock
from carewright.kernel.errors import Forbidden
from carewright.kernel.http.outgoing import Outgoing
from carewright.kernel.restraints import Restraint
from carewright.kernel.sql import Query
from tests.access_world import access, recorded, staff
from tests.issuer import part
from tests.servers import Contexts

PUBLIC = "https://care.example.org"
ENDPOINT = f"{PUBLIC}/oauth/token"
SCOPES = ("scheduling.find", "scheduling.appointment.read", "scheduling.appointment.any_patient")
ASKED = "scheduling.find scheduling.appointment.read"
PUBLISHED = "https://lab.example.org/keys"
ASSERTIONS = Query("test.assertions", "SELECT count(*) AS count FROM access.assertion WHERE organization_id = $1")


@cache
def key_of(kind: str, name: str = "k-1") -> RSAKey | ECKey:
    """A key pair of this name, RS384 or ES384 as SMART has them, or one that is too weak."""
    if kind.startswith("P-"):
        return ECKey.generate_key(kind, {"kid": name}, private=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return RSAKey.generate_key(1024 if kind == "weak" else 2048, {"kid": name}, private=True)


def public(key: RSAKey | ECKey, **changes: Any) -> PublicKey:
    known = {name: value for name, value in key.as_dict(private=False).items() if name in PublicKey.__struct_fields__}
    return msgspec.convert(known | changes, PublicKey)


@dataclass
class Lab:
    """Another system. `changes` are laid over claims and `head` over the head (None leaves one out); `forge` replaces the assertion."""

    clock: ManualClock
    client_id: str = ""
    key: RSAKey | ECKey = field(default_factory=lambda: key_of("P-384"))
    changes: dict[str, Any] = field(default_factory=dict)
    head: dict[str, Any] = field(default_factory=dict)
    forge: Callable[["Lab"], str] | None = None
    scope: str = ASKED
    said_id: str | None = None
    made: int = 0

    def header(self) -> dict[str, Any]:
        algorithm = "RS384" if isinstance(self.key, RSAKey) else "ES384"
        return {name: value for name, value in ({"alg": algorithm, "kid": "k-1", "typ": "JWT"} | self.head).items() if value is not None}

    def claims(self) -> dict[str, Any]:
        self.made += 1
        now = int(self.clock.now().timestamp())
        claims = {"iss": self.client_id, "sub": self.client_id, "aud": ENDPOINT, "exp": now + 300, "jti": f"a-{self.made}"} | self.changes
        return {name: value for name, value in claims.items() if value is not None}

    def assertion(self) -> str:
        if self.forge is not None:
            return self.forge(self)
        return jwt.encode(self.header(), self.claims(), self.key, algorithms=["RS256", "RS384", "ES256", "ES384", "PS384"])

    def under(self, head: dict[str, Any], signature: bytes = b"x") -> str:
        """The right claims under any head, signed by nobody."""
        return f"{part(head)}.{part(self.claims())}.{urlsafe_b64encode(signature).rstrip(b'=').decode()}"

    def signed(self, **head: Any) -> str:
        """The right claims, signed rightly, under a head that no library would make."""
        header = self.header() | head
        signed = f"{part(header)}.{part(self.claims())}"
        signature = JWSRegistry.algorithms[self.header()["alg"]].sign(signed.encode(), self.key)
        return f"{signed}.{urlsafe_b64encode(signature).rstrip(b'=').decode()}"

    def by_secret(self, secret: bytes) -> str:
        signed = f"{part({'alg': 'HS384', 'kid': 'k-1'})}.{part(self.claims())}"
        return f"{signed}.{urlsafe_b64encode(hmac.digest(secret, signed.encode(), 'sha384')).rstrip(b'=').decode()}"

    def asks(self) -> RequestToken:
        return RequestToken(assertion=self.assertion(), scope=self.scope, client_id=self.said_id)


@dataclass
class Web:
    """What stands at the address of the keys."""

    keys: list[dict[str, Any]]
    asked: int = 0
    body: bytes | None = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)

    def answer(self, _: httpx.Request) -> httpx.Response:
        self.asked += 1
        content = self.body if self.body is not None else msgspec.json.encode({"keys": self.keys})
        return httpx.Response(self.status, content=content, headers=self.headers)

    def outgoing(self, address: str = "93.184.215.14") -> Outgoing:
        async def lookup(_: str, __: int) -> list[str]:
            return [address]

        return Outgoing(lookup=lookup, inner=httpx.MockTransport(self.answer))


@pytest.fixture
async def ctx(context: Contexts) -> AccessContext:
    return await access(context, public_url=PUBLIC)


@pytest.fixture
def lab(context: Contexts) -> Lab:
    return Lab(context.clock)


def admin(ctx: AccessContext, context: Contexts) -> AccessContext:
    return ctx.acting(staff(context, "administrator"))


async def registered(ctx: AccessContext, context: Contexts, lab: Lab, **more: Any) -> Client:
    given = {"name": "Laboratory", "scopes": SCOPES} | ({} if "keys_address" in more else {"keys": (public(lab.key, kid="k-1"),)}) | more
    client = await clients.register_client(admin(ctx, context), RegisterClient(**given))
    lab.client_id = str(client.id)
    return client


@pytest.mark.parametrize("kind", ["rsa", "P-384"])
async def test_a_system_that_proves_itself_gets_a_token_for_its_scopes_and_five_minutes(
    ctx: AccessContext, context: Contexts, lab: Lab, kind: str
) -> None:
    lab.key = key_of(kind)
    client = await registered(ctx, context, lab)
    token = await tokens.grant_token(ctx, lab.asks())
    assert (token.token_type, token.expires_in, token.scope) == ("Bearer", 300, ASKED)
    actor = await sessions.actor_of(ctx, token.access_token)
    assert actor is not None
    assert (actor.subject, actor.role, actor.organization_id) == (f"client/{client.id}", "integration", context.organization_id)
    assert actor.permissions == frozenset(ASKED.split()), "what it asked for, and not all that it may"
    assert (await recorded(context))[-1] == ("access.session.start", "success", f"client/{client.id}")
    context.clock.advance(seconds=299)
    assert await sessions.actor_of(ctx, token.access_token) is not None
    context.clock.advance(seconds=1)
    assert await sessions.actor_of(ctx, token.access_token) is None


async def test_a_quarantined_system_gets_no_token_until_it_is_released(ctx: AccessContext, context: Contexts, lab: Lab) -> None:
    client = await registered(ctx, context, lab)
    subject, now = f"client/{client.id}", context.clock.now()
    held = Restraint(organization_id=context.organization_id, id=context.ids.new(), kind="client", name=subject, since=now)
    await restraint_table.hold_back(ctx.db, held)
    with pytest.raises(Quarantined):
        await tokens.grant_token(ctx, lab.asks())
    assert (await recorded(context))[-1] == ("access.token.grant", "refused", subject)
    await restraint_table.let_go(ctx.db, context.organization_id, held.id, now)
    assert (await tokens.grant_token(ctx, lab.asks())).scope == ASKED


OTHER = "019a0000-0000-7000-8000-000000000009"
Twist = Callable[[Lab], None]
TWISTS: dict[str, Twist] = {
    "alg none": lambda lab: setattr(lab, "forge", lambda one: one.under({"alg": "none", "kid": "k-1"})),
    "alg None": lambda lab: setattr(lab, "forge", lambda one: one.under({"alg": "None", "kid": "k-1"})),
    "no signature": lambda lab: setattr(lab, "forge", lambda one: one.under(one.header(), b"")),
    "a made-up signature": lambda lab: setattr(lab, "forge", lambda one: one.under(one.header(), b"x" * 96)),
    "HS384 with the public key": lambda lab: setattr(lab, "forge", lambda one: one.by_secret(one.key.as_pem(private=False))),
    "HS384 with the key's id": lambda lab: setattr(lab, "forge", lambda one: one.by_secret(b"k-1")),
    "ES256 by another curve": lambda lab: by_key(lab, "P-256", "ES256"),
    "RS384 by another kind of key": lambda lab: by_key(lab, "rsa", "RS384"),
    "RS256": lambda lab: by_key(lab, "rsa", "RS256"),
    "PS384": lambda lab: by_key(lab, "rsa", "PS384"),
    "no alg": lambda lab: setattr(lab, "forge", lambda one: one.under({"kid": "k-1"})),
    "an alg in words": lambda lab: setattr(lab, "forge", lambda one: one.under({"alg": ["ES384"], "kid": "k-1"})),
    "another key under the right id": lambda lab: setattr(lab, "key", key_of("P-384", "k-2")),
    "an unknown kid": lambda lab: lab.head.update(kid="k-9"),
    "no kid": lambda lab: lab.head.update(kid=None),
    "an empty kid": lambda lab: lab.head.update(kid=""),
    "a kid that is a path": lambda lab: lab.head.update(kid="../../etc/passwd"),
    "crit": lambda lab: setattr(lab, "forge", lambda one: one.signed(crit=["exp"], exp=1)),
    "an empty crit": lambda lab: setattr(lab, "forge", lambda one: one.signed(crit=[])),
    "a key of its own": lambda lab: setattr(lab, "forge", lambda one: one.signed(jwk=one.key.as_dict(private=False))),
    "a certificate of its own": lambda lab: setattr(lab, "forge", lambda one: one.signed(x5c=["MII"])),
    "an address of its own": lambda lab: setattr(lab, "forge", lambda one: one.signed(jku="https://evil.example.org/keys")),
    "an address of a certificate": lambda lab: setattr(lab, "forge", lambda one: one.signed(x5u="https://evil.example.org/c")),
    "unencoded": lambda lab: setattr(lab, "forge", lambda one: one.signed(b64=False)),
    "another typ": lambda lab: lab.head.update(typ="at+jwt"),
    "another audience": lambda lab: lab.changes.update(aud="https://other.example.org/oauth/token"),
    "our address alone": lambda lab: lab.changes.update(aud=PUBLIC),
    "the endpoint with a slash": lambda lab: lab.changes.update(aud=ENDPOINT + "/"),
    "two audiences": lambda lab: lab.changes.update(aud=[ENDPOINT, "https://other.example.org"]),
    "no audience": lambda lab: lab.changes.update(aud=None),
    "an empty audience": lambda lab: lab.changes.update(aud=[]),
    "another issuer": lambda lab: lab.changes.update(iss=OTHER),
    "no issuer": lambda lab: lab.changes.update(iss=None),
    "another subject": lambda lab: lab.changes.update(sub=OTHER),
    "both another client": lambda lab: lab.changes.update(iss=OTHER, sub=OTHER),
    "no subject": lambda lab: lab.changes.update(sub=None),
    "a subject that is no id": lambda lab: lab.changes.update(iss="lab", sub="lab"),
    "an id written otherwise": lambda lab: lab.changes.update(iss=lab.client_id.upper(), sub=lab.client_id.upper()),
    "expired": lambda lab: lab.changes.update(exp=int(lab.clock.now().timestamp())),
    "expired long ago": lambda lab: lab.changes.update(exp=1),
    "for too long": lambda lab: lab.changes.update(exp=int(lab.clock.now().timestamp()) + 301),
    "for ever": lambda lab: lab.changes.update(exp=2**60),
    "no expiry": lambda lab: lab.changes.update(exp=None),
    "an expiry in words": lambda lab: lab.changes.update(exp="soon"),
    "made in the future": lambda lab: lab.changes.update(iat=int(lab.clock.now().timestamp()) + 61),
    "made long ago": lambda lab: lab.changes.update(iat=1),
    "not valid yet": lambda lab: lab.changes.update(nbf=int(lab.clock.now().timestamp()) + 61),
    "no jti": lambda lab: lab.changes.update(jti=None),
    "an empty jti": lambda lab: lab.changes.update(jti=""),
    "a jti without end": lambda lab: lab.changes.update(jti="x" * 256),
    "a jti that is a number": lambda lab: lab.changes.update(jti=5),
    "another client's name beside it": lambda lab: setattr(lab, "said_id", OTHER),
    "claims that were changed": lambda lab: setattr(lab, "forge", changed),
    "cut off": lambda lab: setattr(lab, "forge", lambda one: genuine(one)[:-8]),
    "cut in two": lambda lab: setattr(lab, "forge", lambda one: genuine(one).rpartition(".")[0]),
    "a part more": lambda lab: setattr(lab, "forge", lambda one: genuine(one) + ".e30"),
    "padded": lambda lab: setattr(lab, "forge", lambda one: genuine(one) + "=="),
    "with a line end": lambda lab: setattr(lab, "forge", lambda one: genuine(one) + "\n"),
    "nothing": lambda lab: setattr(lab, "forge", lambda _: ""),
    "no JSON": lambda lab: setattr(lab, "forge", lambda _: "eA.eA.eA"),
    "not even ASCII": lambda lab: setattr(lab, "forge", lambda _: "é.é.é"),
    "without end": lambda lab: setattr(lab, "forge", lambda one: one.signed(typ="x" * 9000)),
    "a head nobody asked for": lambda lab: setattr(lab, "forge", lambda one: one.signed(extra=1)),
}  # fmt: skip


def by_key(lab: Lab, kind: str, algorithm: str) -> None:
    lab.key, lab.head = key_of(kind), {"alg": algorithm}


def genuine(lab: Lab) -> str:
    return replace(lab, forge=None).assertion()


def changed(lab: Lab) -> str:
    head, _, signature = genuine(lab).split(".")
    return f"{head}.{part(lab.claims() | {'jti': 'another'})}.{signature}"


@pytest.mark.parametrize("twist", TWISTS)
async def test_an_assertion_that_does_not_hold_is_refused_in_the_same_words_and_recorded(
    ctx: AccessContext, context: Contexts, lab: Lab, twist: str
) -> None:
    await registered(ctx, context, lab)
    TWISTS[twist](lab)
    before = len(await recorded(context)) + len(await unknowns(context))
    with pytest.raises(ClientNotBelieved) as refused:
        await tokens.grant_token(ctx, lab.asks())
    assert (str(refused.value), refused.value.facts) == (ClientNotBelieved.title, {})
    entries = await recorded(context)
    assert len(entries) + len(await unknowns(context)) == before + 1
    assert not [entry for entry in entries if entry[0] == "access.session.start"]


async def unknowns(context: Contexts) -> list[tuple[str, str, str]]:
    """What was refused to somebody who named no client of ours."""
    nobody = replace(context, organization_id=UUID(int=0))
    return [entry for entry in await recorded(nobody) if entry[0] == "access.token.grant"]


async def test_a_refusal_is_recorded_in_the_name_of_the_client_that_somebody_said_to_be(
    ctx: AccessContext, context: Contexts, lab: Lab
) -> None:
    client = await registered(ctx, context, lab)
    lab.key = key_of("P-384", "k-2")
    with pytest.raises(ClientNotBelieved):
        await tokens.grant_token(ctx, lab.asks())
    assert (await recorded(context))[-1] == ("access.token.grant", "refused", f"client/{client.id}")


async def test_an_assertion_serves_once_however_many_bring_it_at_once(ctx: AccessContext, context: Contexts, lab: Lab) -> None:
    await registered(ctx, context, lab)
    asked = lab.asks()
    another = await access(context, public_url=PUBLIC)
    answers = await asyncio.gather(*(tokens.grant_token(one, asked) for one in (ctx, another) * 4), return_exceptions=True)
    assert sum(isinstance(answer, IssuedToken) for answer in answers) == 1
    assert sum(isinstance(answer, ClientNotBelieved) for answer in answers) == 7
    context.clock.advance(seconds=299)
    with pytest.raises(ClientNotBelieved):
        await tokens.grant_token(another, asked)


async def test_an_assertion_is_remembered_for_as_long_as_it_would_hold(ctx: AccessContext, context: Contexts, lab: Lab) -> None:
    await registered(ctx, context, lab)
    await tokens.grant_token(ctx, lab.asks())
    system = replace(ctx, db=(await context.system("access")).db)
    for days, left in ((0, 1), (2, 0)):
        context.clock.advance(days=days)
        await jobs.forget_old(system)
        row = await ctx.db.fetch_one(ASSERTIONS, context.organization_id)
        assert row is not None
        assert row["count"] == left


@pytest.mark.parametrize(
    "scope", ["", " ", "patients.read", f"{ASKED} patients.read", "access.client.manage", "system/*.read", f" {ASKED}"]
)
async def test_no_scope_beyond_what_the_client_may_is_granted(ctx: AccessContext, context: Contexts, lab: Lab, scope: str) -> None:
    client = await registered(ctx, context, lab)
    lab.scope = scope
    with pytest.raises(ScopeNotAllowed):
        await tokens.grant_token(ctx, lab.asks())
    assert (await recorded(context))[-1] == ("access.token.grant", "refused", f"client/{client.id}")


async def test_a_client_is_registered_for_what_integrations_may_and_no_more(ctx: AccessContext, context: Contexts, lab: Lab) -> None:
    for beyond in sorted(frozenset().union(*ROLES.values()) - ROLES["integration"]):
        with pytest.raises(ScopeNotAllowed):
            await registered(ctx, context, lab, scopes=("scheduling.find", beyond))


async def test_a_token_of_a_scope_that_the_role_lost_does_not_have_it(ctx: AccessContext, context: Contexts, lab: Lab) -> None:
    await registered(ctx, context, lab)
    token = await tokens.grant_token(ctx, lab.asks())
    await ctx.db.execute(
        Query("test.widen", "UPDATE access.session SET scopes = scopes || '{access.account.manage}' WHERE organization_id = $1"),
        context.organization_id,
    )
    actor = await sessions.actor_of(ctx, token.access_token)
    assert actor is not None
    assert actor.permissions == frozenset(ASKED.split())


async def test_disabling_a_client_ends_its_tokens_and_it_gets_none(ctx: AccessContext, context: Contexts, lab: Lab) -> None:
    client = await registered(ctx, context, lab)
    token = await tokens.grant_token(ctx, lab.asks())
    await accounts.disable_account(admin(ctx, context), client.id)
    assert await sessions.actor_of(ctx, token.access_token) is None
    with pytest.raises(ClientNotBelieved):
        await tokens.grant_token(ctx, lab.asks())
    assert (await clients.list_clients(admin(ctx, context))).items[0].disabled
    await accounts.enable_account(admin(ctx, context), client.id)
    await tokens.grant_token(ctx, lab.asks())
    assert await sessions.actor_of(ctx, token.access_token) is None


async def test_other_keys_end_what_the_former_ones_opened(ctx: AccessContext, context: Contexts, lab: Lab) -> None:
    client = await registered(ctx, context, lab)
    token = await tokens.grant_token(ctx, lab.asks())
    newer = key_of("rsa", "k-2")
    changed = await clients.change_client_keys(admin(ctx, context), ChangeClientKeys(client_id=client.id, keys=(public(newer),)))
    assert [key.kid for key in changed.keys] == ["k-2"]
    assert await sessions.actor_of(ctx, token.access_token) is None
    with pytest.raises(ClientNotBelieved):
        await tokens.grant_token(ctx, lab.asks())
    lab.key, lab.head = newer, {"kid": "k-2"}
    await tokens.grant_token(ctx, lab.asks())
    assert ("access.client.change_keys", "success", "tester") in await recorded(context)


async def test_keys_are_fetched_from_their_address_and_again_when_one_is_new(context: Contexts, lab: Lab) -> None:
    web = Web([public_json(key_of("P-384"))])
    ctx = await access(context, outgoing=web.outgoing(), public_url=PUBLIC)
    await registered(ctx, context, lab, keys_address=PUBLISHED)
    for _ in range(3):
        await tokens.grant_token(ctx, lab.asks())
    assert web.asked == 1
    newer = key_of("rsa", "k-2")
    web.keys = [public_json(newer) | {"use": "sig", "key_ops": ["verify"], "x5t": "abc"}]
    lab.key, lab.head = newer, {"kid": "k-2", "jku": PUBLISHED}
    with pytest.raises(ClientNotBelieved):
        await tokens.grant_token(ctx, lab.asks())
    assert web.asked == 1, "an id that nobody knows does not make us ask at once each time"
    context.clock.advance(seconds=10)
    await tokens.grant_token(ctx, lab.asks())
    lab.key, lab.head = key_of("P-384"), {}
    with pytest.raises(ClientNotBelieved):
        await tokens.grant_token(ctx, lab.asks())


def public_json(key: RSAKey | ECKey) -> dict[str, Any]:
    return dict(key.as_dict(private=False))


BAD_WEBS: dict[str, dict[str, Any]] = {
    "a fault": {"status": 500}, "not found": {"status": 404}, "a redirect": {"status": 302, "headers": {"Location": "https://evil.example.org/"}},
    "no JSON": {"body": b"<html>"}, "a list": {"body": b"[]"}, "no keys": {"body": b"{}"}, "keys in words": {"body": b'{"keys": "k"}'},
    "keys that are none": {"body": b'{"keys": [1, null, {"kty": "oct", "kid": "k-1", "k": "c2VjcmV0"}]}'},
    "a private key": {"keys": [dict(key_of("P-384").as_dict(private=True))]}, "a weak key": {"keys": [public_json(key_of("weak"))]},
    "another curve": {"keys": [public_json(key_of("P-256"))]}, "too much": {"body": b" " * (1024 * 1024 + 1)},
}  # fmt: skip


@pytest.mark.parametrize("bad", BAD_WEBS)
async def test_an_address_that_gives_no_good_keys_lets_nobody_in(context: Contexts, lab: Lab, bad: str) -> None:
    web = Web(**{"keys": [public_json(key_of("P-384"))]} | BAD_WEBS[bad])
    ctx = await access(context, outgoing=web.outgoing(), public_url=PUBLIC)
    await registered(ctx, context, lab, keys_address=PUBLISHED)
    with pytest.raises(ClientNotBelieved):
        await tokens.grant_token(ctx, lab.asks())
    assert (await recorded(context))[-1][:2] == ("access.token.grant", "refused")


async def test_no_address_leads_into_our_own_network(context: Contexts, lab: Lab) -> None:
    web = Web([public_json(key_of("P-384"))])
    ctx = await access(context, outgoing=web.outgoing("169.254.169.254"), public_url=PUBLIC)
    await registered(ctx, context, lab, keys_address=PUBLISHED)
    with pytest.raises(ClientNotBelieved):
        await tokens.grant_token(ctx, lab.asks())
    assert web.asked == 0


@pytest.mark.parametrize(
    "given",
    [
        {}, {"keys": (public(key_of("P-384")),), "keys_address": PUBLISHED}, {"keys_address": "http://name:secret@lab.example.org/"},
        {"keys": (public(key_of("P-384")), public(key_of("rsa")))}, {"keys": (public(key_of("weak")),)},
        {"keys": (PublicKey(kty="EC", kid="k-1", crv="P-384"),)}, {"keys": (PublicKey(kty="RSA", kid="k-1"),)},
        {"keys": (PublicKey(kty="RSA", kid="k-1", n="A", e="AQAB"),)},
    ],
    ids=str,
)  # fmt: skip
async def test_a_client_without_good_keys_is_not_registered(ctx: AccessContext, context: Contexts, given: dict[str, Any]) -> None:
    with pytest.raises(KeysNotUsable):
        await clients.register_client(admin(ctx, context), RegisterClient(name="Laboratory", scopes=SCOPES, **given))


async def test_only_administrators_register_clients_and_only_after_a_fresh_sign_in(ctx: AccessContext, context: Contexts, lab: Lab) -> None:
    client = await registered(ctx, context, lab)
    change = ChangeClientKeys(client_id=client.id, keys=(public(lab.key),))
    register = RegisterClient(name="Laboratory", scopes=SCOPES, keys=(public(lab.key),))
    for role in set(ROLES) - {"administrator"}:
        other = ctx.acting(staff(context, role))
        for asked in (clients.register_client(other, register), clients.list_clients(other), clients.change_client_keys(other, change)):
            with pytest.raises(Forbidden):
                await asked
    elsewhere = ctx.acting(msgspec.structs.replace(staff(context, "administrator"), organization_id=UUID(int=3)))
    with pytest.raises(UnknownClient):
        await clients.change_client_keys(elsewhere, change)
    stale = admin(ctx, context)
    context.clock.advance(minutes=6)
    for late in (clients.change_client_keys(stale, change), clients.register_client(stale, register)):
        with pytest.raises(StepUpNeeded):
            await late


# The endpoint


@pytest.fixture
async def endpoint(ctx: AccessContext) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(Starlette(routes=list(pages(ctx)))), base_url=PUBLIC) as client:
        yield client


def form(lab: Lab, **changes: str) -> dict[str, str]:
    given = {
        "grant_type": "client_credentials", "scope": lab.scope, "client_assertion": lab.assertion(),
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    }  # fmt: skip
    return {name: value for name, value in (given | changes).items() if value}


async def test_the_endpoint_answers_as_oauth_has_it(ctx: AccessContext, context: Contexts, lab: Lab, endpoint: httpx.AsyncClient) -> None:
    await registered(ctx, context, lab)
    answer = await endpoint.post("/oauth/token", data=form(lab))
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    given = answer.json()
    assert sorted(given) == ["access_token", "expires_in", "scope", "token_type"]
    assert await sessions.actor_of(ctx, given["access_token"]) is not None


@pytest.mark.parametrize(
    ("changes", "status", "error"),
    [
        ({"grant_type": "password"}, 400, "unsupported_grant_type"), ({"grant_type": ""}, 400, "invalid_request"),
        ({"client_assertion_type": ""}, 400, "invalid_request"), ({"client_assertion_type": "urn:x"}, 400, "invalid_request"),
        ({"client_secret": "s"}, 400, "invalid_request"), ({"client_assertion": ""}, 401, "invalid_client"),
        ({"client_assertion": "a.b.c"}, 401, "invalid_client"), ({"scope": "patients.read"}, 400, "invalid_scope"),
        ({"scope": ""}, 400, "invalid_scope"), ({"client_id": OTHER}, 401, "invalid_client"),
    ],
    ids=str,
)  # fmt: skip
async def test_what_is_asked_wrongly_is_refused_as_oauth_has_it(
    ctx: AccessContext, context: Contexts, lab: Lab, endpoint: httpx.AsyncClient, changes: dict[str, str], status: int, error: str
) -> None:
    await registered(ctx, context, lab)
    answer = await endpoint.post("/oauth/token", data=form(lab, **changes))
    assert (answer.status_code, answer.json()) == (status, {"error": error})


async def test_a_body_that_is_no_form_is_a_bad_request(endpoint: httpx.AsyncClient) -> None:
    answer = await endpoint.post("/oauth/token", json={"grant_type": "client_credentials"})
    assert (answer.status_code, answer.json()) == (400, {"error": "invalid_request"})
