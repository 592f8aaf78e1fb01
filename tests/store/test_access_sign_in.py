"""Signing staff in: what an identity provider may say and is believed, and all that is not."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import msgspec
import pytest
from joserfc.jwk import ECKey, RSAKey

from carewright.access.context import AccessContext
from carewright.access.model.oidc import challenge_of
from carewright.access.service import accounts, sessions, sign_in
from carewright.contracts.access import AccountDisabled, CompleteSignIn, NoRole, SignedIn, SignInFailed, SignInNotSetUp, StartSignIn
from carewright.kernel.errors import Forbidden, Unavailable
from carewright.kernel.sql import Query
from tests.access_world import BINDING, access, recorded, staff
from tests.issuer import CLIENT, ISSUER, SETTINGS, Issuer, part
from tests.servers import Contexts

OTHER_KEY = RSAKey.generate_key(2048, {"use": "sig"}, private=True, auto_kid=True)
Twist = Callable[[Issuer], None]


@pytest.fixture
def issuer(context: Contexts) -> Issuer:
    return Issuer(context.clock)


@pytest.fixture
async def ctx(context: Contexts, issuer: Issuer) -> AccessContext:
    return await access(context, issuer.client(), organization_id=context.organization_id, **SETTINGS)


async def begin(ctx: AccessContext, issuer: Issuer, **more: Any) -> dict[str, str]:
    """What the browser is sent to the provider with."""
    started = await sign_in.start_sign_in(ctx, StartSignIn(binding=BINDING, **more))
    asked = {name: values[0] for name, values in parse_qs(urlsplit(started.address).query).items()}
    issuer.nonce = asked["nonce"]
    return asked


async def finish(ctx: AccessContext, state: str, **more: Any) -> SignedIn:
    return await sign_in.complete_sign_in(ctx, CompleteSignIn(**{"state": state, "code": "c-1", "binding": BINDING} | more))


async def test_whoever_the_provider_vouches_for_gets_a_session(ctx: AccessContext, issuer: Issuer, context: Contexts) -> None:
    asked = await begin(ctx, issuer, next="/staff/break-glass")
    assert (asked["response_type"], asked["code_challenge_method"], asked["client_id"]) == ("code", "S256", CLIENT)
    assert asked["redirect_uri"] == "https://care.example.org/staff/callback"
    signed_in = await finish(ctx, asked["state"])
    assert challenge_of(issuer.forms[0]["code_verifier"]) == asked["code_challenge"]
    assert signed_in.next == "/staff/break-glass"
    actor = await sessions.actor_of(ctx, signed_in.token)
    assert actor is not None
    assert (actor.role, actor.permissions) == ("nurse", context.actor("nurse").permissions)
    me = await accounts.who_am_i(ctx.acting(actor))
    assert me.display == "Dr Grace Example"
    assert [entry[0] for entry in await recorded(context)] == ["access.account.create", "access.session.start"]


@pytest.mark.parametrize("scopes", [None, "openid groups"])
async def test_a_provider_is_asked_for_what_the_settings_name_and_for_no_scope_more(
    context: Contexts, issuer: Issuer, scopes: str | None
) -> None:
    """By default for who somebody is and what they are called. Nothing is asked that would outlive the sign-in, such as offline_access."""
    given = SETTINGS if scopes is None else SETTINGS | {"oidc_scopes": scopes}
    ctx = await access(context, issuer.client(), organization_id=context.organization_id, **given)
    for again in (False, True):
        assert (await begin(ctx, issuer, again=again))["scope"] == (scopes or "openid profile")


TWISTS: dict[str, Twist] = {
    "another issuer": lambda i: i.changes.update(iss="https://evil.example.org"),
    "the issuer with a slash": lambda i: i.changes.update(iss=ISSUER + "/"),
    "no issuer": lambda i: i.changes.update(iss=None),
    "another audience": lambda i: i.changes.update(aud="another"),
    "audiences without us": lambda i: i.changes.update(aud=["another", "third"], azp=CLIENT),
    "several audiences and no azp": lambda i: i.changes.update(aud=[CLIENT, "another"]),
    "several audiences, another azp": lambda i: i.changes.update(aud=[CLIENT, "another"], azp="another"),
    "one audience, another azp": lambda i: i.changes.update(azp="another"),
    "no audience": lambda i: i.changes.update(aud=None),
    "an empty audience": lambda i: i.changes.update(aud=[]),
    "expired": lambda i: i.changes.update(exp=int(i.clock.now().timestamp())),
    "expired long ago": lambda i: i.changes.update(exp=1),
    "no expiry": lambda i: i.changes.update(exp=None),
    "an expiry in words": lambda i: i.changes.update(exp="never"),
    "made in the future": lambda i: i.changes.update(iat=int(i.clock.now().timestamp()) + 61),
    "made long ago": lambda i: i.changes.update(iat=int(i.clock.now().timestamp()) - 601),
    "no time of making": lambda i: i.changes.update(iat=None),
    "a time beyond time": lambda i: i.changes.update(iat=2**60),
    "another nonce": lambda i: i.changes.update(nonce="0" * 64),
    "no nonce": lambda i: i.changes.update(nonce=None),
    "an empty nonce": lambda i: i.changes.update(nonce=""),
    "a nonce that is a number": lambda i: i.changes.update(nonce=5),
    "no subject": lambda i: i.changes.update(sub=None),
    "an empty subject": lambda i: i.changes.update(sub=""),
    "a subject without end": lambda i: i.changes.update(sub="x" * 256),
    "a subject that is a list": lambda i: i.changes.update(sub=["u-1"]),
    "an unknown key": lambda i: i.header.update(kid="another"),
    "an empty key id": lambda i: i.header.update(kid=""),
    "another key under the right id": lambda i: setattr(i, "key", with_kid(OTHER_KEY, i.key.kid)),
    "another key under its own id": lambda i: setattr(i, "key", OTHER_KEY),
    "no key id among several": lambda i: without_kid(i),  # noqa: PLW0108  # it is defined below
    "a key that is for encryption": lambda i: i.published[0].update(use="enc"),
    "no keys": lambda i: i.published.clear(),
    "a shared secret among the keys": lambda i: i.published.__setitem__(0, {"kty": "oct", "k": "c2VjcmV0c2VjcmV0", "kid": i.key.kid}),
    "alg none": lambda i: setattr(i, "forge", i.unsigned("none")),
    "alg None": lambda i: setattr(i, "forge", i.unsigned("None")),
    "alg nOnE": lambda i: setattr(i, "forge", i.unsigned("nOnE")),
    "no signature": lambda i: setattr(i, "forge", i.unsigned("RS256")),
    "signed by the client secret": lambda i: setattr(i, "forge", i.signed_by_secret(b"secret")),
    "signed by the public key as a secret": lambda i: setattr(i, "forge", i.signed_by_secret(i.key.as_pem(private=False))),
    "a critical extension": lambda i: setattr(i, "forge", part({"alg": "RS256", "kid": i.key.kid, "crit": ["x"], "x": 1}) + tail(i)),
    "a head that is a list": lambda i: setattr(i, "forge", part(["RS256"]) + tail(i)),
    "a head that is no JSON": lambda i: setattr(i, "forge", "bm90IGpzb24" + tail(i)),
    "a head without end": lambda i: setattr(i, "forge", part({"alg": "RS256", "kid": "x" * 5000}) + tail(i)),
    "another head": lambda i: setattr(i, "forge", part({"alg": "RS256", "kid": i.key.kid, "typ": "x"}) + tail(i)),
    "claims that were changed": lambda i: setattr(i, "forge", changed(i)),
    "cut off": lambda i: setattr(i, "forge", i.token()[:-10]),
    "cut in two": lambda i: setattr(i, "forge", i.token().rpartition(".")[0]),
    "nothing": lambda i: setattr(i, "forge", ""),
    "not even ASCII": lambda i: setattr(i, "forge", "é.é.é"),
    "a token answer that is an error": lambda i: setattr(i, "status", 400),
    "discovery for another issuer": lambda i: i.discovery.update(issuer="https://evil.example.org"),
    "keys over plain HTTP": lambda i: i.discovery.update(jwks_uri="http://login.example.org/keys"),
    "tokens over plain HTTP": lambda i: i.discovery.update(token_endpoint="http://login.example.org/token"),
    "an answer without the issuer it promised": lambda i: i.discovery.update(authorization_response_iss_parameter_supported=True),
}


def without_kid(issuer: Issuer) -> None:
    issuer.published.append(Issuer.public(OTHER_KEY))
    issuer.header.update(kid=None)


def tail(issuer: Issuer) -> str:
    return "." + issuer.token().partition(".")[2]


def changed(issuer: Issuer) -> str:
    head, _, signature = issuer.token().split(".")
    return f"{head}.{part(issuer.claims() | {'realm_access': {'roles': ['office']}})}.{signature}"


def with_kid(key: RSAKey, kid: str | None) -> RSAKey:
    return RSAKey.import_key(dict(key.as_dict(private=True)) | {"kid": kid or ""})


@pytest.mark.parametrize("twist", TWISTS.values(), ids=TWISTS)
async def test_what_does_not_hold_is_refused_in_the_same_words(
    ctx: AccessContext, issuer: Issuer, context: Contexts, twist: Twist
) -> None:  # fmt: skip
    asked = await begin(ctx, issuer)
    fresh = await access(context, issuer.client(), organization_id=context.organization_id, **SETTINGS)
    twist(issuer)
    with pytest.raises(SignInFailed) as refused:
        await finish(fresh, asked["state"])
    assert refused.value.detail == SignInFailed.title
    assert (await accounts.list_accounts(ctx.acting(staff(context, "administrator")))).items == ()


def test_there_are_enough_of_them() -> None:
    assert len(TWISTS) >= 50


async def test_a_state_serves_once_in_its_own_browser_and_for_ten_minutes(ctx: AccessContext, issuer: Issuer, context: Contexts) -> None:
    for state in ("", "0" * 64):
        with pytest.raises((SignInFailed, msgspec.ValidationError)):
            await finish(ctx, state)
    asked = await begin(ctx, issuer)
    with pytest.raises(SignInFailed):
        await finish(ctx, asked["state"], binding="c" * 32)
    with pytest.raises(SignInFailed):
        await finish(ctx, asked["state"])
    asked = await begin(ctx, issuer)
    answers = await asyncio.gather(*(finish(ctx, asked["state"]) for _ in range(4)), return_exceptions=True)
    assert sum(isinstance(answer, SignedIn) for answer in answers) == 1
    asked = await begin(ctx, issuer)
    context.clock.advance(minutes=10)
    with pytest.raises(SignInFailed):
        await finish(ctx, asked["state"])


async def test_an_answer_of_another_provider_is_refused(ctx: AccessContext, issuer: Issuer) -> None:
    asked = await begin(ctx, issuer)
    with pytest.raises(SignInFailed):
        await finish(ctx, asked["state"], iss="https://evil.example.org")
    assert issuer.forms == [], "the code went nowhere"
    await finish(ctx, (await begin(ctx, issuer))["state"], iss=ISSUER)


async def test_a_new_key_of_the_provider_is_found(ctx: AccessContext, issuer: Issuer, context: Contexts) -> None:
    await finish(ctx, (await begin(ctx, issuer))["state"])
    issuer.key = ECKey.generate_key("P-256", {"use": "sig"}, private=True, auto_kid=True)
    issuer.published = [Issuer.public(issuer.key)]
    context.clock.advance(seconds=11)
    await finish(ctx, (await begin(ctx, issuer))["state"])
    issuer.header = {"kid": "made-up"}
    for _ in range(5):
        with pytest.raises(SignInFailed):
            await finish(ctx, (await begin(ctx, issuer))["state"])
    assert issuer.asked.count("/keys") == 2, "made-up ids do not make us ask again and again"


async def test_the_role_follows_the_provider(ctx: AccessContext, issuer: Issuer, context: Contexts) -> None:
    first = await finish(ctx, (await begin(ctx, issuer))["state"])
    issuer.changes["realm_access"] = {"roles": ["ward", "doctors"]}
    second = await finish(ctx, (await begin(ctx, issuer))["state"])
    assert second.session.subject == first.session.subject
    for token in (first.token, second.token):
        actor = await sessions.actor_of(ctx, token)
        assert actor is not None
        assert actor.role == "physician", "an earlier session has the new role too"
    assert ("access.account.change_role", "success", "system") in await recorded(context)


@pytest.mark.parametrize("roles", [None, {}, {"roles": []}, {"roles": ["patient", "integration", "nurse"]}, {"roles": "wards"}, "ward", 5])
async def test_without_a_role_of_ours_nobody_gets_in(ctx: AccessContext, issuer: Issuer, roles: object) -> None:
    issuer.changes["realm_access"] = roles
    with pytest.raises(NoRole):
        await finish(ctx, (await begin(ctx, issuer))["state"])


async def test_whoever_reviews_learns_what_staff_are_called(ctx: AccessContext, issuer: Issuer, context: Contexts) -> None:
    started = await finish(ctx, (await begin(ctx, issuer))["state"])
    officer = ctx.acting(staff(context, "privacy-officer"))
    (account,) = (await accounts.list_accounts(officer)).items
    assert await accounts.names_of(officer, (started.session.subject, "system")) == {started.session.subject: account.display}
    with pytest.raises(Forbidden):
        await accounts.names_of(ctx.acting(staff(context, "nurse")), (started.session.subject,))


async def test_a_disabled_account_does_not_get_in(ctx: AccessContext, issuer: Issuer, context: Contexts) -> None:
    await finish(ctx, (await begin(ctx, issuer))["state"])
    administrator = ctx.acting(staff(context, "administrator"))
    (account,) = (await accounts.list_accounts(administrator)).items
    await accounts.disable_account(administrator, account.id)
    with pytest.raises(AccountDisabled):
        await finish(ctx, (await begin(ctx, issuer))["state"])


async def test_two_first_sign_ins_at_once_make_one_account(ctx: AccessContext, issuer: Issuer, context: Contexts) -> None:
    issuer.nonce = (await begin(ctx, issuer))["nonce"]
    other = Issuer(context.clock)
    twin = await access(context, other.client(), organization_id=context.organization_id, **SETTINGS)
    one, two = await begin(ctx, issuer), await begin(twin, other)
    await asyncio.gather(finish(ctx, one["state"]), finish(twin, two["state"]))
    assert len((await accounts.list_accounts(ctx.acting(staff(context, "administrator")))).items) == 1


async def test_signing_in_once_more_replaces_the_session(ctx: AccessContext, issuer: Issuer) -> None:
    first = await finish(ctx, (await begin(ctx, issuer))["state"])
    second = await finish(ctx, (await begin(ctx, issuer, again=True))["state"], earlier=first.token)
    assert await sessions.actor_of(ctx, first.token) is None
    assert await sessions.actor_of(ctx, second.token) is not None


async def test_a_fresh_proof_is_one_that_the_provider_asked_for_now(ctx: AccessContext, issuer: Issuer, context: Contexts) -> None:
    asked = await begin(ctx, issuer, again=True)
    assert (asked["prompt"], asked["max_age"]) == ("login", "0")
    remembered = int(context.clock.now().timestamp()) - 3600
    for told in (remembered, None):
        issuer.changes["auth_time"] = told
        with pytest.raises(SignInFailed):
            await finish(ctx, (await begin(ctx, issuer, again=True))["state"])
    issuer.changes["auth_time"] = remembered
    assert (await finish(ctx, (await begin(ctx, issuer))["state"])).session.authenticated_at.timestamp() == remembered


async def test_the_client_proves_itself_with_a_secret_or_a_key(context: Contexts, tmp_path: Path) -> None:
    secret, key = tmp_path / "secret", tmp_path / "key"
    secret.write_text("s3cret:&\n")
    key.write_bytes(msgspec.json.encode(OTHER_KEY.as_dict(private=True)))
    for file, discovery, expect in (
        ({"oidc_client_secret_file": str(secret)}, {}, "basic"),
        ({"oidc_client_secret_file": str(secret)}, {"token_endpoint_auth_methods_supported": ["client_secret_post"]}, "post"),
        ({"oidc_private_key_file": str(key)}, {}, "key"),
    ):
        issuer = Issuer(context.clock, discovery=dict(discovery))
        given: dict[str, Any] = SETTINGS | file
        ctx = await access(context, issuer.client(), organization_id=context.organization_id, **given)
        await finish(ctx, (await begin(ctx, issuer))["state"])
        form = issuer.forms[0]
        assert ("authorization" in issuer.headers[0]) == (expect == "basic")
        assert (form.get("client_secret") == "s3cret:&") == (expect == "post")
        assert (form.get("client_assertion", "").count(".") == 2) == (expect == "key")


async def test_a_provider_that_cannot_be_reached_is_said_so(context: Contexts) -> None:
    def broken(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("nobody is there")

    for answer in (broken, lambda _: httpx.Response(503)):
        client = httpx.AsyncClient(transport=httpx.MockTransport(answer))
        ctx = await access(context, client, organization_id=context.organization_id, **SETTINGS)
        with pytest.raises(Unavailable):
            await sign_in.start_sign_in(ctx, StartSignIn(binding=BINDING))


async def test_an_answer_without_end_is_not_read(context: Contexts) -> None:
    client = httpx.AsyncClient(transport=httpx.MockTransport(lambda _: httpx.Response(200, content=b" " * 300_000)))
    ctx = await access(context, client, organization_id=context.organization_id, **SETTINGS)
    with pytest.raises(SignInFailed):
        await sign_in.start_sign_in(ctx, StartSignIn(binding=BINDING))


async def test_a_redirect_is_not_followed(context: Contexts) -> None:
    client = httpx.AsyncClient(transport=httpx.MockTransport(lambda _: httpx.Response(302, headers={"Location": "http://10.0.0.1/"})))
    ctx = await access(context, client, organization_id=context.organization_id, **SETTINGS)
    with pytest.raises(SignInFailed):
        await sign_in.start_sign_in(ctx, StartSignIn(binding=BINDING))


async def test_without_settings_signing_in_is_not_set_up(context: Contexts) -> None:
    with pytest.raises(SignInNotSetUp):
        await sign_in.start_sign_in(await access(context), StartSignIn(binding=BINDING))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the provider's own libraries
async def test_an_independent_provider_signs_us_in(context: Contexts, independent_issuer: str, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret")
    settings = SETTINGS | {
        "oidc_issuer": independent_issuer, "oidc_role_claim": "groups", "oidc_client_secret_file": str(secret), "public_url": "http://127.0.0.1:9",
    }  # fmt: skip
    async with httpx.AsyncClient(trust_env=False) as client, httpx.AsyncClient(trust_env=False) as browser:
        ctx = await access(context, client, organization_id=context.organization_id, **settings)
        context.clock.instant = (await real_now(ctx)).replace(microsecond=0)
        started = await sign_in.start_sign_in(ctx, StartSignIn(binding=BINDING))
        back = await browser.post(started.address, data={"sub": "ada"})
        answer = {name: values[0] for name, values in parse_qs(urlsplit(back.headers["location"]).query).items()}
        signed_in = await finish(ctx, answer["state"], code=answer["code"], iss=answer.get("iss"))
        assert (signed_in.session.role, signed_in.session.method) == ("physician", "oidc")
        with pytest.raises(SignInFailed):
            await finish(ctx, answer["state"], code=answer["code"])


async def real_now(ctx: AccessContext) -> Any:
    row = await ctx.db.fetch_one(Query("test.now", "SELECT clock_timestamp() AS now"))
    assert row is not None
    return row["now"]
