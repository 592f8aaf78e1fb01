"""Apps that the staff started, in the tables: what ends them, what does not, and that nothing of one outlives the patient."""

from dataclasses import dataclass, replace
from typing import Any, cast
from urllib.parse import parse_qs, parse_qsl, urlsplit
from uuid import UUID

import pytest
from joserfc import jws, jwt
from joserfc.jwk import KeySet

from carewright.access import handlers, jobs
from carewright.access.context import AccessContext
from carewright.access.service import accounts, app_tokens, apps, clients, id_tokens, launches, sessions, sign_in
from carewright.access.service.app_tokens import AppToken, RedeemAppCode, RefreshAppToken
from carewright.access.service.client_proof import ClientProof
from carewright.contracts.access import AppAskedWrongly, CompleteSignIn, GrantNotRight, RedirectNotUsable, SignedIn, StartSignIn, UnknownApp
from carewright.contracts.apps import AppGrantsPage, AskApp, ListAppGrants, StartApp
from carewright.contracts.clients import Client, RegisterClient
from carewright.contracts.patients import PatientErased
from carewright.kernel.authz import Actor
from carewright.kernel.errors import Forbidden
from carewright.kernel.sql import Query
from tests.access_world import BINDING, access, staff
from tests.issuer import SETTINGS, Issuer
from tests.keys import new_vault
from tests.servers import Contexts
from tests.store.test_access_apps import CHALLENGE, PUBLIC, REDIRECT, VERIFIER

FRESH_SECONDS = 10.0
SCOPES = ("launch", "online_access", "openid", "fhirUser", "patient/*.rs", "user/Practitioner.rs")
WAITING = Query("test.waiting", "SELECT count(*) AS count FROM access.launch WHERE organization_id = $1")


@dataclass
class Ward:
    """One member of staff, who signs in as often as it takes, and one app."""

    ctx: AccessContext
    issuer: Issuer
    app: Client

    async def signs_in(self, earlier: str | None = None) -> SignedIn:
        started = await sign_in.start_sign_in(self.ctx, StartSignIn(binding=BINDING))
        asked = {name: values[0] for name, values in parse_qs(urlsplit(started.address).query).items()}
        self.issuer.nonce = asked["nonce"]
        return await sign_in.complete_sign_in(self.ctx, CompleteSignIn(state=asked["state"], code="c", binding=BINDING, earlier=earlier))

    async def actor(self, token: str) -> Actor:
        found = await sessions.actor_of(self.ctx, token)
        assert found is not None
        return found

    async def starts(self, actor: Actor, patient_id: UUID) -> str:
        started = await launches.start_app(self.ctx.acting(actor), StartApp(client_id=self.app.id, patient_id=patient_id))
        said = dict(parse_qsl(urlsplit(started.address).query))
        assert said["iss"] == f"{PUBLIC}/fhir/R4"
        return said["launch"]

    async def lets_in(self, actor: Actor, launch: str) -> AppToken:
        asked = AskApp(
            client_id=str(self.app.id), redirect_uri=REDIRECT, response_type="code", scope=" ".join(SCOPES), state="s",
            aud=f"{PUBLIC}/fhir/R4", launch=launch, code_challenge=CHALLENGE, code_challenge_method="S256",
        )  # fmt: skip
        code = (await launches.answer_launch(self.ctx.acting(actor), asked)).code
        return await app_tokens.grant_app_token(self.ctx, RedeemAppCode(by=self.by, code=code, redirect_uri=REDIRECT, verifier=VERIFIER))

    async def refreshes(self, token: AppToken) -> AppToken:
        assert isinstance(token.refresh_token, str)
        return await app_tokens.grant_app_token(self.ctx, RefreshAppToken(by=self.by, refresh_token=token.refresh_token))

    @property
    def by(self) -> ClientProof:
        return ClientProof(client_id=str(self.app.id))


@pytest.fixture
async def ward(context: Contexts) -> Ward:
    issuer = Issuer(context.clock)
    settings: dict[str, Any] = SETTINGS | {"public_url": PUBLIC, "oidc_practitioner_claim": "practitioner"}
    ctx = await access(context, issuer.client(), organization_id=context.organization_id, **settings)
    wanted = RegisterClient(name="Growth Charts", scopes=SCOPES, redirect_uris=(REDIRECT,), launch_uri="https://app.example.org/launch?x=1")
    return Ward(ctx, issuer, await clients.register_client(ctx.acting(staff(context, "administrator")), wanted))


async def test_an_app_acts_in_the_role_of_who_started_it_about_the_patient(ward: Ward) -> None:
    me, patient = await ward.actor((await ward.signs_in()).token), ward.ctx.ids.new()
    token = await ward.lets_in(me, await ward.starts(me, patient))
    acting = await ward.actor(token.access_token)
    assert (acting.subject, acting.role, acting.patient_id) == (me.subject, me.role, patient)
    assert acting.permissions < me.permissions
    assert not acting.may("patients.find")
    assert [one.method for one in await sessions.my_sessions(ward.ctx.acting(me))] == ["oidc"]


async def test_who_signs_in_once_more_keeps_their_apps_until_they_sign_out(ward: Ward) -> None:
    first = await ward.signs_in()
    me = await ward.actor(first.token)
    token = await ward.lets_in(me, await ward.starts(me, ward.ctx.ids.new()))
    second = await ward.signs_in(earlier=first.token)
    assert await sessions.actor_of(ward.ctx, first.token) is None
    token = await ward.refreshes(token)
    await sessions.end_session(ward.ctx.acting(await ward.actor(second.token)), second.session.id)
    assert await sessions.actor_of(ward.ctx, token.access_token) is None
    with pytest.raises(GrantNotRight):
        await ward.refreshes(token)


async def test_an_app_ends_at_the_latest_when_the_session_would(ward: Ward, context: Contexts) -> None:
    signed_in = await ward.signs_in()
    me = await ward.actor(signed_in.token)
    token = await ward.lets_in(me, await ward.starts(me, ward.ctx.ids.new()))
    context.clock.advance(seconds=(signed_in.session.absolute_until - context.clock.now()).total_seconds() - 60)
    token = await ward.refreshes(token)
    assert token.expires_in == 60
    context.clock.advance(seconds=61)
    with pytest.raises(GrantNotRight):
        await ward.refreshes(token)


async def test_an_app_is_out_with_a_role_that_starts_none_and_with_a_disabled_account(ward: Ward, context: Contexts) -> None:
    me = await ward.actor((await ward.signs_in()).token)
    token = await ward.lets_in(me, await ward.starts(me, ward.ctx.ids.new()))
    ward.issuer.changes["realm_access"] = {"roles": ["office"]}
    await ward.signs_in()
    assert not (await ward.actor(token.access_token)).permissions - (await ward.actor((await ward.signs_in()).token)).permissions
    with pytest.raises(GrantNotRight):
        await ward.refreshes(token)
    ward.issuer.changes["realm_access"] = {"roles": ["ward"]}
    me = await ward.actor((await ward.signs_in()).token)
    again = await ward.lets_in(me, await ward.starts(me, ward.ctx.ids.new()))
    account = (await accounts.list_accounts(ward.ctx.acting(staff(context, "administrator")), "nurse", None)).items[0]
    await accounts.disable_account(ward.ctx.acting(staff(context, "administrator")), account.id)
    assert await sessions.actor_of(ward.ctx, again.access_token) is None


async def test_what_the_staff_start_is_no_consent_of_the_patient(ward: Ward) -> None:
    me, patient = await ward.actor((await ward.signs_in()).token), ward.ctx.ids.new()
    await ward.lets_in(me, await ward.starts(me, patient))
    assert await apps.list_app_grants(ward.ctx, ListAppGrants(patient_id=patient)) == AppGrantsPage(items=())


async def test_nothing_of_a_started_app_outlives_the_patient(ward: Ward) -> None:
    me, patient = await ward.actor((await ward.signs_in()).token), ward.ctx.ids.new()
    token = await ward.lets_in(me, await ward.starts(me, patient))
    launch = await ward.starts(me, patient)
    async with ward.ctx.db.transaction() as tx:
        erased = PatientErased(organization_id=ward.ctx.actor.organization_id, patient_id=patient, version=2)
        await handlers.shut_out_erased(ward.ctx, tx, erased)
    assert await sessions.actor_of(ward.ctx, token.access_token) is None
    with pytest.raises(AppAskedWrongly):
        await ward.lets_in(me, launch)
    assert await _waiting(ward.ctx) == 0


async def test_what_was_started_and_never_asked_for_is_forgotten(ward: Ward, context: Contexts) -> None:
    await ward.starts(await ward.actor((await ward.signs_in()).token), ward.ctx.ids.new())
    await jobs.forget_old(ward.ctx)
    assert await _waiting(ward.ctx) == 1
    context.clock.advance(days=2)
    await jobs.forget_old(ward.ctx)
    assert await _waiting(ward.ctx) == 0


async def test_no_app_is_started_that_has_no_place_to_begin_at_or_is_disabled(ward: Ward, context: Contexts) -> None:
    admin = ward.ctx.acting(staff(context, "administrator"))
    for address in ("http://app.example.org/launch", "https://app.example.org/#launch"):
        with pytest.raises(RedirectNotUsable):
            await clients.register_client(admin, RegisterClient(name="A", scopes=SCOPES, redirect_uris=(REDIRECT,), launch_uri=address))
    plain = await clients.register_client(admin, RegisterClient(name="B", scopes=SCOPES, redirect_uris=(REDIRECT,)))
    me = await ward.actor((await ward.signs_in()).token)
    with pytest.raises(UnknownApp):
        await launches.start_app(ward.ctx.acting(me), StartApp(client_id=plain.id, patient_id=ward.ctx.ids.new()))
    launch = await ward.starts(me, ward.ctx.ids.new())
    assert [one.name for one in await launches.startable_apps(ward.ctx.acting(me))] == ["Growth Charts"]
    await accounts.disable_account(admin, ward.app.id)
    assert await launches.startable_apps(ward.ctx.acting(me)) == ()
    with pytest.raises(UnknownApp):
        await ward.starts(me, ward.ctx.ids.new())
    with pytest.raises(UnknownApp):
        await ward.lets_in(me, launch)


@pytest.mark.requirement("SMART.15")
async def test_an_app_is_told_which_practitioner_started_it_where_the_provider_says_so(ward: Ward) -> None:
    """SMART App Launch 2.2, "Scopes for requesting identity data": `fhirUser`."""
    practitioner = ward.ctx.ids.new()
    ward.issuer.changes["practitioner"] = str(practitioner)
    me = await ward.actor((await ward.signs_in()).token)
    token = await ward.lets_in(me, await ward.starts(me, ward.ctx.ids.new()))
    claims = await claims_in(ward.ctx, token)
    assert (claims["iss"], claims["aud"]) == (f"{PUBLIC}/oauth", str(ward.app.id))
    assert (claims["sub"], claims["fhirUser"]) == (me.subject, f"{PUBLIC}/fhir/R4/Practitioner/{practitioner}")
    assert me.practitioner_id == practitioner, "and so it is known whose calendar is theirs"
    ward.issuer.changes["practitioner"] = "somebody"
    me = await ward.actor((await ward.signs_in()).token)
    plain = await ward.lets_in(me, await ward.starts(me, ward.ctx.ids.new()))
    assert "fhirUser" not in plain.scope.split()
    assert "fhirUser" not in await claims_in(ward.ctx, plain)


async def test_a_key_signs_for_ninety_days_and_is_published_until_nothing_it_signed_lives(ward: Ward, context: Contexts) -> None:
    me = await ward.actor((await ward.signs_in()).token)
    first = await ward.lets_in(me, await ward.starts(me, ward.ctx.ids.new()))
    second = await ward.lets_in(me, await ward.starts(me, ward.ctx.ids.new()))
    assert kid_of(first) == kid_of(second)
    context.clock.advance(days=90)
    me = await ward.actor((await ward.signs_in()).token)
    third = await ward.lets_in(me, await ward.starts(me, ward.ctx.ids.new()))
    assert kid_of(third) != kid_of(first)
    assert {kid_of(first), kid_of(third)} <= await published(ward.ctx)
    context.clock.advance(days=2)
    await jobs.forget_old(ward.ctx)
    assert kid_of(first) not in await published(ward.ctx)
    assert kid_of(third) in await published(ward.ctx)


async def test_who_sees_no_patients_starts_no_app(ward: Ward, context: Contexts) -> None:
    with pytest.raises(Forbidden):
        await launches.startable_apps(ward.ctx.acting(staff(context, "operations")))


async def claims_in(ctx: AccessContext, token: AppToken) -> dict[str, Any]:
    assert isinstance(token.id_token, str)
    keys = KeySet.import_key_set(cast("Any", await id_tokens.published_keys(ctx)))
    return dict(jwt.decode(token.id_token, keys, algorithms=["RS256"]).claims)


def kid_of(token: AppToken) -> str:
    assert isinstance(token.id_token, str)
    return str(jws.extract_compact(token.id_token.encode()).headers()["kid"])


async def published(ctx: AccessContext) -> set[str]:
    return {each["kid"] for each in (await id_tokens.published_keys(ctx))["keys"]}


async def _waiting(ctx: AccessContext) -> int:
    row = await ctx.db.fetch_one(WAITING, ctx.actor.organization_id)
    assert row is not None
    count: int = row["count"]
    return count


async def test_a_key_that_is_sealed_anew_signs_as_before(ward: Ward, context: Contexts) -> None:
    ward.ctx = replace(ward.ctx, vault=new_vault(context.clock, FRESH_SECONDS))
    me = await ward.actor((await ward.signs_in()).token)
    first = await ward.lets_in(me, await ward.starts(me, ward.ctx.ids.new()))
    await ward.ctx.vault.renew(ward.ctx.db, ward.ctx.actor.organization_id)
    context.clock.advance(seconds=3 * FRESH_SECONDS)
    assert len(await id_tokens.reseal_id_keys(ward.ctx, UUID(int=0), 10)) == 1
    assert await id_tokens.reseal_id_keys(ward.ctx, UUID(int=0), 10) == []
    me = await ward.actor((await ward.signs_in()).token)
    second = await ward.lets_in(me, await ward.starts(me, ward.ctx.ids.new()))
    assert kid_of(second) == kid_of(first)
    await claims_in(ward.ctx, second)
