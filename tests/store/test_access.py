"""Sessions and one-time passwords against a real PostgreSQL."""

import asyncio
from typing import get_args
from uuid import UUID

import pytest

from carewright.access.context import AccessContext
from carewright.access.model import codes as rules
from carewright.access.model.sessions import TOUCH_SECONDS, Owner, hash_of, new_session
from carewright.access.service import accounts, codes, sessions
from carewright.contracts.access import (
    AccountChanged,
    AccountDisabled,
    AccountLocked,
    CodeNotRight,
    CodesGuessed,
    IssuedCode,
    RedeemCode,
    RequestCode,
    SignInMethod,
    StartedSession,
    StepUpNeeded,
    UnknownSession,
)
from carewright.kernel.authz import SESSION_PREFIX, Actor
from carewright.kernel.errors import Forbidden, TooManyRequests
from carewright.kernel.sql import Query
from tests.access_world import BINDING, access, patient_actor, recorded, staff
from tests.servers import Contexts, facts_of

PATIENT = UUID(int=7)
EVERYTHING = Query("test.sessions", "SELECT s::text AS row FROM access.session s UNION ALL SELECT c::text FROM access.code c")


@pytest.fixture
async def ctx(context: Contexts) -> AccessContext:
    return await access(context)


async def issue(ctx: AccessContext, patient_id: UUID = PATIENT, binding: str = BINDING) -> IssuedCode:
    return await codes.start_code(ctx, RequestCode(patient_id=patient_id, contact_system="phone", binding=binding))


async def redeem(ctx: AccessContext, issued: IssuedCode, code: str | None = None, binding: str = BINDING) -> StartedSession:
    command = RedeemCode(
        organization_id=ctx.actor.organization_id, code_id=issued.id, code=issued.code if code is None else code, binding=binding
    )
    return await codes.redeem_code(ctx, command)


async def signed_in(ctx: AccessContext, started: StartedSession) -> Actor:
    actor = await sessions.actor_of(ctx, started.token)
    assert actor is not None
    return actor


def wrong(issued: IssuedCode) -> str:
    return str((int(issued.code) + 1) % 10**rules.DIGITS).zfill(rules.DIGITS)


async def test_a_right_code_opens_a_session_of_the_patient(ctx: AccessContext, context: Contexts) -> None:
    issued = await issue(ctx)
    assert len(issued.code) == 8
    assert issued.code.isdigit()
    started = await redeem(ctx, issued)
    assert started.token.startswith(SESSION_PREFIX)
    assert len(started.token) == len(SESSION_PREFIX) + 32
    actor = await signed_in(ctx, started)
    assert (actor.role, actor.patient_id, actor.organization_id) == ("patient", PATIENT, context.organization_id)
    assert actor.permissions == context.actor("patient").permissions
    assert (actor.session_id, actor.authenticated_at) == (started.session.id, ctx.clock.now())
    assert await recorded(context) == [
        ("access.code.start", "success", "system"), ("access.session.start", "success", f"patient/{PATIENT}"),
    ]  # fmt: skip


async def test_a_code_may_be_typed_with_spaces(ctx: AccessContext) -> None:
    issued = await issue(ctx)
    await redeem(ctx, issued, f" {issued.code[:4]} {issued.code[4:]} ")


async def test_nothing_that_opens_a_door_is_stored(ctx: AccessContext) -> None:
    issued = await issue(ctx)
    started = await redeem(ctx, issued)
    stored = "\n".join(row["row"] for row in await ctx.db.fetch(EVERYTHING))
    assert hash_of(started.token).hex() in stored
    for secret in (started.token, started.token.removeprefix(SESSION_PREFIX), issued.code, BINDING):
        assert secret not in stored


async def test_a_code_serves_once_however_many_try_at_once(ctx: AccessContext) -> None:
    issued = await issue(ctx)
    answers = await asyncio.gather(*(redeem(ctx, issued) for _ in range(8)), return_exceptions=True)
    assert sum(isinstance(answer, StartedSession) for answer in answers) == 1
    assert sum(isinstance(answer, CodeNotRight) for answer in answers) == 7


async def test_a_code_is_bound_to_the_browser_that_asked(ctx: AccessContext) -> None:
    issued = await issue(ctx)
    with pytest.raises(CodeNotRight):
        await redeem(ctx, issued, binding="c" * 32)
    await redeem(ctx, issued)


async def test_a_code_is_bound_to_its_tenant(ctx: AccessContext) -> None:
    issued = await issue(ctx)
    with pytest.raises(CodeNotRight):
        await codes.redeem_code(ctx, RedeemCode(organization_id=UUID(int=5), code_id=issued.id, code=issued.code, binding=BINDING))


async def test_a_code_ends_after_ten_minutes(ctx: AccessContext, context: Contexts) -> None:
    issued = await issue(ctx)
    context.clock.advance(minutes=10)
    with pytest.raises(CodeNotRight):
        await redeem(ctx, issued)


async def test_five_wrong_tries_end_a_code(ctx: AccessContext) -> None:
    issued = await issue(ctx)
    for _ in range(5):
        with pytest.raises(CodeNotRight):
            await redeem(ctx, issued, wrong(issued))
    with pytest.raises(CodeNotRight):
        await redeem(ctx, issued)


async def test_wrong_tries_at_once_are_all_counted(ctx: AccessContext) -> None:
    issued = await issue(ctx)
    await asyncio.gather(*(redeem(ctx, issued, wrong(issued)) for _ in range(5)), return_exceptions=True)
    with pytest.raises(CodeNotRight):
        await redeem(ctx, issued)


async def test_a_hundred_wrong_codes_in_a_row_lock_the_account(ctx: AccessContext, context: Contexts) -> None:
    for _ in range(20):
        issued = await issue(ctx)
        for _ in range(5):
            with pytest.raises(CodeNotRight):
                await redeem(ctx, issued, wrong(issued))
        context.clock.advance(minutes=10)
    with pytest.raises(AccountLocked):
        await issue(ctx)
    administrator = ctx.acting(staff(context, "administrator"))
    (account,) = (await accounts.list_accounts(administrator)).items
    assert account.locked
    assert not (await accounts.enable_account(administrator, account.id)).locked
    await redeem(ctx, await issue(ctx))


async def test_a_locked_account_takes_no_code_that_was_sent_before(ctx: AccessContext, context: Contexts) -> None:
    sent = await issue(ctx)
    await ctx.db.execute(
        Query("test.fail", "UPDATE access.account SET code_failures = 100 WHERE organization_id = $1"), context.organization_id
    )
    with pytest.raises(AccountLocked):
        await redeem(ctx, sent)


SHUT = {
    "locked": Query("test.lock", "UPDATE access.account SET code_failures = 100 WHERE organization_id = $1"),
    "disabled": Query("test.disable", "UPDATE access.account SET disabled_at = created_at WHERE organization_id = $1"),
}


@pytest.mark.parametrize("state", SHUT)
async def test_a_wrong_code_tells_nobody_whether_there_is_an_account(ctx: AccessContext, context: Contexts, state: str) -> None:
    sent = await issue(ctx)
    await ctx.db.execute(SHUT[state], context.organization_id)
    for code, binding in ((wrong(sent), BINDING), (sent.code, "c" * 32)):
        with pytest.raises(CodeNotRight):
            await redeem(ctx, sent, code, binding)


async def test_a_right_code_forgives_the_wrong_ones(ctx: AccessContext, context: Contexts) -> None:
    issued = await issue(ctx)
    for _ in range(3):
        with pytest.raises(CodeNotRight):
            await redeem(ctx, issued, wrong(issued))
    await redeem(ctx, issued)
    row = await ctx.db.fetch_one(
        Query("test.failures", "SELECT code_failures FROM access.account WHERE organization_id = $1"), context.organization_id
    )
    assert row is not None
    assert row["code_failures"] == 0


async def test_only_so_many_codes_are_on_their_way(ctx: AccessContext, context: Contexts) -> None:
    for _ in range(5):
        await issue(ctx)
    with pytest.raises(TooManyRequests):
        await issue(ctx)
    context.clock.advance(minutes=10)
    await issue(ctx)


@pytest.mark.parametrize(("patient", "idle", "hours"), [(True, 30, 12), (False, 15, 10)])
async def test_a_session_that_is_not_used_ends_and_one_in_use_ends_at_its_limit(
    ctx: AccessContext, context: Contexts, patient: bool, idle: int, hours: int
) -> None:
    started = await session_of(ctx, "patient" if patient else "nurse")
    context.clock.advance(minutes=idle, seconds=-1)
    await signed_in(ctx, started)
    for _ in range(3):
        context.clock.advance(minutes=idle, seconds=-1)
        await signed_in(ctx, started)
    context.clock.advance(minutes=idle)
    assert await sessions.actor_of(ctx, started.token) is None
    other = await session_of(ctx, "patient" if patient else "nurse")
    for _ in range(hours * 6):
        context.clock.advance(minutes=10)
        if context.clock.now() < other.session.absolute_until:
            await signed_in(ctx, other)
    assert await sessions.actor_of(ctx, other.token) is None


async def patient_session(ctx: AccessContext, patient_id: UUID = PATIENT) -> StartedSession:
    """A patient who has typed the right code."""
    return await redeem(ctx, await issue(ctx, patient_id))


@pytest.mark.parametrize("role", ["patient", "nurse", "administrator"])
async def test_however_somebody_signed_in_their_session_has_the_same_limits(ctx: AccessContext, context: Contexts, role: str) -> None:
    """It is who they are that counts: not whether a code, a passkey or the identity provider let them in. An app is let in by them."""
    now, owner = context.clock.now(), Owner(account_id=ctx.ids.new(), subject=f"{role}/1", role=role)
    ways = [each for each in get_args(SignInMethod) if each != "app"]
    made = [new_session(owner, context.organization_id, way, now, ctx.ids.new(), ctx.settings) for way in ways]
    assert len(made) == 5
    assert len({(kept.idle_until, kept.absolute_until, kept.authenticated_at) for kept in made}) == 1


async def session_of(ctx: AccessContext, role: str) -> StartedSession:
    """A session of somebody with this role."""
    if role == "patient":
        return await patient_session(ctx)
    owner = Owner(account_id=ctx.ids.new(), subject=f"staff/{ctx.ids.new()}", role=role)
    async with ctx.db.transaction() as tx:
        await tx.execute(ACCOUNT, ctx.actor.organization_id, owner.account_id, owner.subject, role, ctx.clock.now())
        return await sessions.start(ctx, tx, owner, "oidc")


ACCOUNT = Query(
    "test.account",
    "INSERT INTO access.account (organization_id, id, subject, role, display, site_ids, created_at) VALUES ($1, $2, $3, $4, '', '{}', $5)",
)


async def test_a_session_in_use_writes_now_and_then(ctx: AccessContext, context: Contexts) -> None:
    started = await session_of(ctx, "patient")
    for seconds, written in ((TOUCH_SECONDS - 1, False), (1, True)):
        context.clock.advance(seconds=seconds)
        await sessions.actor_of(ctx, started.token)
        (shown,) = await sessions.my_sessions(ctx.acting(patient_actor(context, PATIENT)))
        assert (shown.last_used_at == context.clock.now()) == written


async def test_people_see_and_end_their_own_sessions_and_nobody_elses(ctx: AccessContext, context: Contexts) -> None:
    one, two = [await patient_session(ctx) for _ in range(2)]
    stranger = await patient_session(ctx, UUID(int=8))
    me = ctx.acting(patient_actor(context, PATIENT))
    assert [each.id for each in await sessions.my_sessions(me)] == [one.session.id, two.session.id]
    with pytest.raises(UnknownSession):
        await sessions.end_session(me, stranger.session.id)
    await sessions.end_session(me, one.session.id)
    with pytest.raises(UnknownSession):
        await sessions.end_session(me, one.session.id)
    assert await sessions.actor_of(ctx, one.token) is None
    assert (await signed_in(ctx, two)).session_id == two.session.id
    with pytest.raises(Forbidden):
        await sessions.end_all_sessions(me, f"patient/{UUID(int=8)}")
    assert await sessions.end_all_sessions(me, f"patient/{PATIENT}") == 1
    assert await sessions.my_sessions(me) == ()
    assert ("access.session.end", "success", f"patient/{PATIENT}") in await recorded(context)


async def test_an_administrator_ends_anybodys_sessions_of_their_tenant(ctx: AccessContext, context: Contexts) -> None:
    started = await patient_session(ctx)
    elsewhere = ctx.acting(context.actor("administrator", organization_id=UUID(int=3)))
    with pytest.raises(UnknownSession):
        await sessions.end_session(elsewhere, started.session.id)
    await sessions.end_session(ctx.acting(context.actor("administrator")), started.session.id)
    assert await sessions.actor_of(ctx, started.token) is None


async def test_a_disabled_account_has_no_session_and_gets_none(ctx: AccessContext, context: Contexts) -> None:
    started, issued = await patient_session(ctx), await issue(ctx)
    administrator = ctx.acting(staff(context, "administrator"))
    (account,) = (await accounts.list_accounts(administrator)).items
    assert await accounts.names_of(administrator, (account.subject,)) == {}, "a patient's name is sealed, and not shown by this"
    assert (await accounts.disable_account(administrator, account.id)).disabled
    assert await sessions.actor_of(ctx, started.token) is None
    for refused in (issue(ctx), redeem(ctx, issued)):
        with pytest.raises(AccountDisabled):
            await refused
    assert not (await accounts.enable_account(administrator, account.id)).disabled
    assert await sessions.actor_of(ctx, started.token) is None
    assert [fact for fact in await facts_of(ctx) if isinstance(fact, AccountChanged)] == [
        AccountChanged(organization_id=context.organization_id, account_id=account.id, role="patient", disabled=disabled)
        for disabled in (True, False)
    ]


async def test_a_disabled_account_stays_out_even_where_its_session_was_not_ended(ctx: AccessContext, context: Contexts) -> None:
    started = await patient_session(ctx)
    await ctx.db.execute(
        Query("test.disable", "UPDATE access.account SET disabled_at = $2 WHERE organization_id = $1"), context.organization_id,
        context.clock.now(),
    )  # fmt: skip
    assert await sessions.actor_of(ctx, started.token) is None


async def test_sensitive_acts_need_a_recent_sign_in_and_nobody_disables_themselves(ctx: AccessContext, context: Contexts) -> None:
    started = await session_of(ctx, "administrator")
    me = ctx.acting(await signed_in(ctx, started))
    (account,) = (await accounts.list_accounts(me)).items
    with pytest.raises(Forbidden):
        await accounts.disable_account(me, account.id)
    context.clock.advance(minutes=5, seconds=1)
    with pytest.raises(StepUpNeeded):
        await accounts.disable_account(me, account.id)


@pytest.mark.parametrize("token", ["", "cws_", "cws_" + "0" * 31, "cws_" + "0" * 33, "cws_" + "0" * 32, "cws_" + "é" * 32])
async def test_a_token_of_no_session_is_refused(ctx: AccessContext, token: str) -> None:
    assert await sessions.actor_of(ctx, token) is None


async def test_only_the_system_signs_people_in(ctx: AccessContext, context: Contexts) -> None:
    person = ctx.acting(context.actor("administrator"))
    for asked in (sessions.actor_of(person, "cws_" + "0" * 32), issue(person)):
        with pytest.raises(Forbidden):
            await asked


async def test_who_am_i_says_what_i_may_do(ctx: AccessContext) -> None:
    started = await session_of(ctx, "nurse")
    me = await accounts.who_am_i(ctx.acting(await signed_in(ctx, started)))
    assert (me.role, me.session) == ("nurse", started.session)
    assert "scheduling.appointment.read_note" in me.permissions


async def test_at_every_ten_wrong_codes_in_a_row_somebody_is_told(ctx: AccessContext, context: Contexts) -> None:
    patient_id = context.ids.new()
    for _ in range(5):
        issued = await codes.start_code(ctx, RequestCode(patient_id=patient_id, contact_system="phone", binding=BINDING))
        for _ in range(5):
            with pytest.raises(CodeNotRight):
                await redeem(ctx, issued, wrong(issued))
        context.clock.advance(minutes=11)
    told = [fact for fact in await facts_of(ctx) if isinstance(fact, CodesGuessed)]
    assert [(fact.patient_id, fact.failures) for fact in told] == [(patient_id, 10), (patient_id, 20)]


async def test_a_session_too_many_ends_the_one_that_was_not_used_for_longest(context: Contexts) -> None:
    ctx = await access(context, sessions_max=2)
    started = []
    for _ in range(3):
        started.append(await redeem(ctx, await issue(ctx)))
        context.clock.advance(seconds=TOUCH_SECONDS)
        await signed_in(ctx, started[0]) if len(started) < 3 else None
    assert [await sessions.actor_of(ctx, each.token) is not None for each in started] == [True, False, True]
    assert [event for event, _, _ in await recorded(context)][-2:] == ["access.session.start", "access.session.end"]


async def test_many_who_sign_in_at_once_keep_as_many_sessions_as_one_may_have(context: Contexts) -> None:
    ctx = await access(context, sessions_max=2)
    started = await asyncio.gather(*[redeem(ctx, each) for each in [await issue(ctx) for _ in range(3)]])
    assert sum([await sessions.actor_of(ctx, each.token) is not None for each in started]) == 2
