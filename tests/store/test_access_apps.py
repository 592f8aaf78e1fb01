"""Apps in the tables: when their access ends, whoever ends it, and that nothing of it outlives the patient."""

from uuid import UUID

import pytest

from carewright.access import handlers, jobs
from carewright.access.context import AccessContext
from carewright.access.service import accounts, app_tokens, apps, clients, codes, sessions
from carewright.access.service.app_tokens import AppToken, RedeemAppCode, RefreshAppToken
from carewright.access.service.client_proof import ClientProof
from carewright.contracts.access import GrantNotRight, RedeemCode, RequestCode, SessionNeeded
from carewright.contracts.apps import LetAppIn, ListAppGrants
from carewright.contracts.clients import Client, RegisterClient
from carewright.contracts.patients import PatientErased
from carewright.kernel import restraint_table
from carewright.kernel.authz import Actor, Quarantined
from carewright.kernel.errors import Forbidden
from carewright.kernel.restraints import Restraint
from carewright.kernel.sql import Query
from tests.access_world import BINDING, access, patient_actor, recorded, staff
from tests.servers import Contexts

PUBLIC = "https://care.example.org"
REDIRECT = "https://app.example.org/back"
VERIFIER, CHALLENGE = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
SCOPES = ("patient/Patient.rs", "offline_access")
LEFT = Query(
    "test.left",
    """
    SELECT (SELECT count(*) FROM access.app_grant WHERE organization_id = $1)
         + (SELECT count(*) FROM access.refresh_token WHERE organization_id = $1) AS count
    """,
)


@pytest.fixture
async def ctx(context: Contexts) -> AccessContext:
    return await access(context, public_url=PUBLIC)


@pytest.fixture
async def app(ctx: AccessContext, context: Contexts) -> Client:
    asked = RegisterClient(name="Health Diary", scopes=SCOPES, redirect_uris=(REDIRECT,))
    return await clients.register_client(ctx.acting(staff(context, "administrator")), asked)


async def signed_in(ctx: AccessContext, patient_id: UUID) -> Actor:
    sent = await codes.start_code(ctx, RequestCode(patient_id=patient_id, contact_system="phone", binding=BINDING))
    typed = RedeemCode(organization_id=ctx.actor.organization_id, code_id=sent.id, code=sent.code, binding=BINDING)
    actor = await sessions.actor_of(ctx, (await codes.redeem_code(ctx, typed)).token)
    assert actor is not None
    return actor


async def let_in(ctx: AccessContext, app: Client, person: Actor) -> AppToken:
    asked = LetAppIn(client_id=app.id, redirect_uri=REDIRECT, scopes=SCOPES, challenge=CHALLENGE)
    code = await apps.let_app_in(ctx.acting(person), asked)
    by = ClientProof(client_id=str(app.id))
    return await app_tokens.grant_app_token(ctx, RedeemAppCode(by=by, code=code.code, redirect_uri=REDIRECT, verifier=VERIFIER))


async def refreshed(ctx: AccessContext, app: Client, token: AppToken) -> AppToken:
    assert isinstance(token.refresh_token, str)
    return await app_tokens.grant_app_token(ctx, RefreshAppToken(by=ClientProof(client_id=str(app.id)), refresh_token=token.refresh_token))


async def test_an_apps_access_ends_after_a_year_however_often_it_asks(ctx: AccessContext, context: Contexts, app: Client) -> None:
    token = await let_in(ctx, app, await signed_in(ctx, ctx.ids.new()))
    for _ in range(4):
        context.clock.advance(days=91)
        token = await refreshed(ctx, app, token)
    context.clock.advance(days=2)
    with pytest.raises(GrantNotRight):
        await refreshed(ctx, app, token)


async def test_an_apps_token_ends_by_itself_and_is_no_device_of_its_person(ctx: AccessContext, context: Contexts, app: Client) -> None:
    person = await signed_in(ctx, ctx.ids.new())
    token = await let_in(ctx, app, person)
    assert [one.method for one in await sessions.my_sessions(ctx.acting(person))] == ["otp"]
    context.clock.advance(seconds=token.expires_in - 1)
    assert await sessions.actor_of(ctx, token.access_token) is not None
    context.clock.advance(seconds=1)
    assert await sessions.actor_of(ctx, token.access_token) is None


async def test_apps_put_nobody_out_of_their_own_sessions(ctx: AccessContext, app: Client) -> None:
    person = await signed_in(ctx, ctx.ids.new())
    token = await let_in(ctx, app, person)
    for _ in range(2 * ctx.settings.sessions_max):
        token = await refreshed(ctx, app, token)
    assert len(await sessions.my_sessions(ctx.acting(person))) == 1


async def test_an_app_that_is_disabled_is_out_everywhere(ctx: AccessContext, context: Contexts, app: Client) -> None:
    token = await let_in(ctx, app, await signed_in(ctx, ctx.ids.new()))
    admin = ctx.acting(staff(context, "administrator"))
    await accounts.disable_account(admin, app.id)
    assert await sessions.actor_of(ctx, token.access_token) is None
    await accounts.enable_account(admin, app.id)
    with pytest.raises(GrantNotRight):
        await refreshed(ctx, app, token)


async def test_an_app_is_out_with_whoever_let_it_in(ctx: AccessContext, context: Contexts, app: Client) -> None:
    person = await signed_in(ctx, ctx.ids.new())
    token = await let_in(ctx, app, person)
    await sessions.end_all_sessions(ctx.acting(staff(context, "administrator")), person.subject)
    assert await sessions.actor_of(ctx, token.access_token) is None
    with pytest.raises(GrantNotRight):
        await refreshed(ctx, app, token)


async def test_an_app_that_is_let_in_again_has_the_newer_access_alone(ctx: AccessContext, app: Client) -> None:
    person = await signed_in(ctx, ctx.ids.new())
    first, second = await let_in(ctx, app, person), await let_in(ctx, app, person)
    assert await sessions.actor_of(ctx, first.access_token) is None
    assert await sessions.actor_of(ctx, second.access_token) is not None
    assert len(await apps.my_apps(ctx.acting(person))) == 1


async def test_a_quarantined_app_gets_no_token(ctx: AccessContext, app: Client) -> None:
    token = await let_in(ctx, app, await signed_in(ctx, ctx.ids.new()))
    subject, now = f"client/{app.id}", ctx.clock.now()
    held = Restraint(organization_id=ctx.actor.organization_id, id=ctx.ids.new(), kind="client", name=subject, since=now)
    await restraint_table.hold_back(ctx.db, held)
    with pytest.raises(Quarantined):
        await refreshed(ctx, app, token)


async def test_a_program_without_a_session_lets_no_app_in(ctx: AccessContext, context: Contexts, app: Client) -> None:
    with pytest.raises(SessionNeeded):
        await let_in(ctx, app, patient_actor(context, ctx.ids.new()))


async def test_what_apps_may_with_a_record_is_listed_in_pages_for_its_export(ctx: AccessContext, context: Contexts, app: Client) -> None:
    person = await signed_in(ctx, ctx.ids.new())
    for _ in range(3):
        await let_in(ctx, app, person)
    assert person.patient_id is not None
    first = await apps.list_app_grants(ctx, ListAppGrants(patient_id=person.patient_id, limit=2))
    rest = await apps.list_app_grants(ctx, ListAppGrants(patient_id=person.patient_id, limit=2, after=first.next))
    assert ([one.active for one in (*first.items, *rest.items)], rest.next) == ([False, False, True], None)
    assert ("access.app.read", "success", "system") in await recorded(context)
    with pytest.raises(Forbidden):
        await apps.list_app_grants(ctx.acting(person), ListAppGrants(patient_id=person.patient_id))


async def test_nothing_of_an_app_outlives_the_patient(ctx: AccessContext, app: Client) -> None:
    patient = ctx.ids.new()
    token = await let_in(ctx, app, await signed_in(ctx, patient))
    async with ctx.db.transaction() as tx:
        await handlers.shut_out_erased(ctx, tx, PatientErased(organization_id=ctx.actor.organization_id, patient_id=patient, version=2))
    assert await sessions.actor_of(ctx, token.access_token) is None
    assert await _left(ctx) == 0


async def test_what_ended_is_forgotten_after_a_month(ctx: AccessContext, context: Contexts, app: Client) -> None:
    person = await signed_in(ctx, ctx.ids.new())
    token = await refreshed(ctx, app, await let_in(ctx, app, person))
    await apps.turn_app_off(ctx.acting(person), (await apps.my_apps(ctx.acting(person)))[0].id)
    assert await sessions.actor_of(ctx, token.access_token) is None
    context.clock.advance(days=29)
    await jobs.forget_old(ctx)
    assert await _left(ctx) > 0
    context.clock.advance(days=2)
    await jobs.forget_old(ctx)
    assert await _left(ctx) == 0


async def _left(ctx: AccessContext) -> int:
    row = await ctx.db.fetch_one(LEFT, ctx.actor.organization_id)
    assert row is not None
    count: int = row["count"]
    return count
