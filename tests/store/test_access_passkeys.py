"""Passkeys against a real PostgreSQL, with a device that signs what it is told to."""

import asyncio
import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest

from carewright.access import handlers
from carewright.access.context import AccessContext
from carewright.access.service import accounts, consents, passkeys, sessions
from carewright.contracts.access import (
    AccountDisabled,
    ActFor,
    PasskeyAdded,
    PasskeyNotRight,
    PasskeyRemoved,
    PasskeysEnough,
    RecordConsent,
    SignInNotSetUp,
    StartedSession,
    StepUpNeeded,
    UnknownPasskey,
)
from carewright.contracts.passkeys import AddPasskey, Passkey, RedeemPasskey, StartPasskey
from carewright.contracts.patients import PatientErased
from carewright.kernel.errors import Forbidden
from carewright.kernel.sql import Query
from tests.access_world import BINDING, access, patient_actor, recorded, staff
from tests.authenticator import PRESENT, VERIFIED, Authenticator, text
from tests.servers import Contexts, facts_of
from tests.store.test_access import issue, redeem

PATIENT, OTHER = UUID(int=7), UUID(int=8)
PUBLIC = "https://care.example.org"
NAME = "My phone"
KEPT = Query("test.passkeys", "SELECT count(*) AS count FROM access.passkey")
NAMES = Query("test.names", "SELECT name FROM access.passkey")
CHALLENGES = Query("test.challenges", "SELECT count(*) AS count FROM access.passkey_challenge")


@pytest.fixture
async def ctx(context: Contexts) -> AccessContext:
    return await access(context, public_url=PUBLIC)


async def as_patient(ctx: AccessContext, context: Contexts, patient_id: UUID = PATIENT) -> AccessContext:
    """A patient who signed in a moment ago. Their account is made as a code would make it."""
    started = await redeem(ctx, await issue(ctx, patient_id))
    actor = await sessions.actor_of(ctx, started.token)
    assert actor is not None
    return ctx.acting(actor)


async def added(me: AccessContext, device: Authenticator, **said: Any) -> Passkey:
    asked = await passkeys.start_passkey(me, StartPasskey(binding=BINDING))
    return await passkeys.add_passkey(me, AddPasskey(binding=BINDING, name=NAME, credential=device.create(asked.options, **said)))


async def options(ctx: AccessContext, binding: str = BINDING) -> str:
    return (await passkeys.start_passkey_sign_in(ctx, StartPasskey(binding=binding))).options


async def redeem_with(ctx: AccessContext, credential: str, binding: str = BINDING) -> StartedSession:
    return await passkeys.redeem_passkey(ctx, RedeemPasskey(binding=binding, credential=credential))


async def sign_in(ctx: AccessContext, device: Authenticator, **said: Any) -> StartedSession:
    return await redeem_with(ctx, device.get(await options(ctx), **said))


async def test_a_patient_signs_in_by_a_passkey_they_added(ctx: AccessContext, context: Contexts) -> None:
    me, device = await as_patient(ctx, context), Authenticator()
    made = await added(me, device)
    started = await sign_in(ctx, device)
    assert (started.session.method, started.session.patient_id) == ("passkey", PATIENT)
    actor = await sessions.actor_of(ctx, started.token)
    assert actor is not None
    assert (actor.role, actor.patient_id) == ("patient", PATIENT)
    assert [(one.id, one.last_used_at) for one in await passkeys.my_passkeys(me)] == [(made.id, ctx.clock.now())]
    assert (await recorded(context))[-2:] == [
        ("access.passkey.add", "success", f"patient/{PATIENT}"), ("access.session.start", "success", f"patient/{PATIENT}"),
    ]  # fmt: skip


async def test_what_is_asked_of_a_browser_has_256_random_bits_and_names_nobody(ctx: AccessContext, context: Contexts) -> None:
    before = json.loads(await options(ctx))
    await added(await as_patient(ctx, context), Authenticator())
    after = json.loads(await options(ctx))
    assert len(before["challenge"]) == 43
    assert before["challenge"] != after["challenge"]
    assert before | {"challenge": ""} == after | {"challenge": ""}
    assert (after["rpId"], after["userVerification"], after["allowCredentials"]) == ("care.example.org", "required", [])


async def test_a_device_is_asked_for_a_passkey_it_finds_by_itself_and_verifies_whose_it_is(ctx: AccessContext, context: Contexts) -> None:
    me, device = await as_patient(ctx, context), Authenticator()
    await added(me, device)
    asked = json.loads((await passkeys.start_passkey(me, StartPasskey(binding=BINDING))).options)
    chosen = asked["authenticatorSelection"]
    assert (chosen["residentKey"], chosen["userVerification"], asked["attestation"]) == ("required", "required", "none")
    assert [one["id"] for one in asked["excludeCredentials"]] == [text(device.credential_id)]


FORGED_SIGN_INS: dict[str, dict[str, Any]] = {
    "another origin": {"origin": "https://care.example.org.evil.example"},
    "the origin over http": {"origin": "http://care.example.org"},
    "another port": {"origin": "https://care.example.org:8443"},
    "another party": {"rp_id": "example.org"},
    "another challenge": {"challenge": text(bytes(32))},
    "a registration in place of a sign-in": {"type": "webauthn.create"},
    "nobody verified": {"flags": PRESENT},
    "nobody present": {"flags": VERIFIED},
    "another signature": {"signature": bytes.fromhex("3006020101020101")},
    "no signature at all": {"signature": b"\0"},
    "another account": {"user_handle": OTHER.bytes},
    "no account": {"user_handle": b""},
    "an unknown credential": {"credential_id": bytes(32)},
    "a count that stands still": {"count": 5},
    "a count that went back": {"count": 4},
    "a count that is gone": {"count": 0},
}


@pytest.mark.parametrize("forged", FORGED_SIGN_INS)
async def test_a_forged_sign_in_opens_nothing(ctx: AccessContext, context: Contexts, forged: str) -> None:
    device = Authenticator()
    await added(await as_patient(ctx, context), device)
    await sign_in(ctx, device, count=5)
    with pytest.raises(PasskeyNotRight):
        await sign_in(ctx, device, **FORGED_SIGN_INS[forged] | {"count": FORGED_SIGN_INS[forged].get("count", 6)})
    assert (await sign_in(ctx, device, count=7)).session.method == "passkey"


@pytest.mark.parametrize("credential", ["{}", "[]", "no JSON", '{"id": 1}', '{"id": "a", "rawId": "a", "type": "public-key"}'])
async def test_what_is_no_credential_opens_nothing(ctx: AccessContext, context: Contexts, credential: str) -> None:
    me = await as_patient(ctx, context)
    await options(ctx)
    with pytest.raises(PasskeyNotRight):
        await redeem_with(ctx, credential)
    await passkeys.start_passkey(me, StartPasskey(binding=BINDING))
    with pytest.raises(PasskeyNotRight):
        await passkeys.add_passkey(me, AddPasskey(binding=BINDING, name=NAME, credential=credential))


async def test_a_passkey_signed_by_another_device_opens_nothing(ctx: AccessContext, context: Contexts) -> None:
    mine, theirs = Authenticator(), Authenticator()
    await added(await as_patient(ctx, context), mine)
    await added(await as_patient(ctx, context, OTHER), theirs)
    theirs.count = 1
    with pytest.raises(PasskeyNotRight):
        await sign_in(ctx, theirs, credential_id=mine.credential_id, user_handle=mine.user_handle)
    assert (await sign_in(ctx, theirs)).session.patient_id == OTHER


async def test_an_answer_serves_once_however_many_try_at_once(ctx: AccessContext, context: Contexts) -> None:
    device = Authenticator()
    await added(await as_patient(ctx, context), device)
    answer = device.get(await options(ctx), count=0)
    another = await access(context, public_url=PUBLIC)
    tried = await asyncio.gather(*(redeem_with(each, answer) for each in (ctx, another) * 4), return_exceptions=True)
    assert sum(isinstance(each, StartedSession) for each in tried) == 1
    assert sum(isinstance(each, PasskeyNotRight) for each in tried) == 7


async def test_a_wrong_answer_uses_the_challenge_up(ctx: AccessContext, context: Contexts) -> None:
    device = Authenticator()
    await added(await as_patient(ctx, context), device)
    asked = await options(ctx)
    with pytest.raises(PasskeyNotRight):
        await redeem_with(ctx, device.get(asked, flags=PRESENT))
    with pytest.raises(PasskeyNotRight):
        await redeem_with(ctx, device.get(asked))


async def test_a_challenge_is_bound_to_the_browser_that_asked(ctx: AccessContext, context: Contexts) -> None:
    device = Authenticator()
    await added(await as_patient(ctx, context), device)
    asked = await options(ctx)
    with pytest.raises(PasskeyNotRight):
        await redeem_with(ctx, device.get(asked), binding="c" * 32)
    await redeem_with(ctx, device.get(asked))


async def test_a_challenge_ends_after_five_minutes(ctx: AccessContext, context: Contexts) -> None:
    device = Authenticator()
    await added(await as_patient(ctx, context), device)
    asked = await options(ctx)
    context.clock.advance(minutes=5)
    with pytest.raises(PasskeyNotRight):
        await redeem_with(ctx, device.get(asked))


async def test_a_challenge_serves_what_it_was_asked_for(ctx: AccessContext, context: Contexts) -> None:
    me, device = await as_patient(ctx, context), Authenticator()
    await added(me, device)
    to_add = (await passkeys.start_passkey(me, StartPasskey(binding=BINDING))).options
    with pytest.raises(PasskeyNotRight):
        await redeem_with(ctx, device.get(to_add))
    to_sign_in = json.loads(await options(ctx))
    made = Authenticator().create(json.dumps(to_sign_in | {"user": {"id": text(PATIENT.bytes)}}))
    with pytest.raises(PasskeyNotRight):
        await passkeys.add_passkey(me, AddPasskey(binding=BINDING, name=NAME, credential=made))


@pytest.mark.parametrize(
    "said",
    [
        {"origin": "https://evil.example"}, {"rp_id": "evil.example"}, {"challenge": text(bytes(32))}, {"type": "webauthn.get"},
        {"flags": PRESENT}, {"flags": VERIFIED},
    ],
)  # fmt: skip
async def test_a_forged_passkey_is_not_kept(ctx: AccessContext, context: Contexts, said: dict[str, Any]) -> None:
    me = await as_patient(ctx, context)
    with pytest.raises(PasskeyNotRight):
        await added(me, Authenticator(), **said)
    assert await passkeys.my_passkeys(me) == ()


async def test_a_passkey_asked_for_by_one_patient_is_not_added_to_another(ctx: AccessContext, context: Contexts) -> None:
    me, them = await as_patient(ctx, context), await as_patient(ctx, context, OTHER)
    asked = await passkeys.start_passkey(me, StartPasskey(binding=BINDING))
    with pytest.raises(PasskeyNotRight):
        await passkeys.add_passkey(them, AddPasskey(binding=BINDING, name=NAME, credential=Authenticator().create(asked.options)))


async def test_a_credential_is_kept_once(ctx: AccessContext, context: Contexts) -> None:
    device = Authenticator()
    await added(await as_patient(ctx, context), device)
    with pytest.raises(PasskeyNotRight):
        await added(await as_patient(ctx, context, OTHER), device)


async def test_a_count_that_went_back_is_written_down_with_whose_passkey_it_is(ctx: AccessContext, context: Contexts) -> None:
    device = Authenticator()
    await added(await as_patient(ctx, context), device)
    await sign_in(ctx, device, count=5)
    with pytest.raises(PasskeyNotRight):
        await sign_in(ctx, device, count=5)
    assert (await recorded(context))[-1] == ("access.passkey.redeem", "refused", "system")


async def test_a_device_that_never_counts_signs_in_again(ctx: AccessContext, context: Contexts) -> None:
    device = Authenticator()
    await added(await as_patient(ctx, context), device)
    await sign_in(ctx, device, count=0)
    await sign_in(ctx, device, count=0)


async def test_removing_a_passkey_ends_the_sessions_it_began_and_no_others(ctx: AccessContext, context: Contexts) -> None:
    me, device, kept = await as_patient(ctx, context), Authenticator(), Authenticator()
    made = await added(me, device)
    await added(me, kept)
    by_removed, by_kept = await sign_in(ctx, device), await sign_in(ctx, kept)
    await passkeys.remove_passkey(me, made.id)
    assert await sessions.actor_of(ctx, by_removed.token) is None
    assert await sessions.actor_of(ctx, by_kept.token) is not None
    with pytest.raises(PasskeyNotRight):
        await sign_in(ctx, device)
    assert (await recorded(context))[-2:] == [
        ("access.passkey.remove", "success", f"patient/{PATIENT}"), ("access.session.end", "success", f"patient/{PATIENT}"),
    ]  # fmt: skip


async def test_a_session_for_somebody_else_ends_with_the_passkey_it_came_from(ctx: AccessContext, context: Contexts) -> None:
    me, device = await as_patient(ctx, context), Authenticator()
    made = await added(me, device)
    until = ctx.clock.now() + timedelta(days=30)
    consent = await consents.record_consent(
        ctx.acting(staff(context, "front-desk")),
        RecordConsent(patient_id=OTHER, proxy_patient_id=PATIENT, relationship="child", scope="book", proof="signed-form", until_at=until),
    )
    actor = await sessions.actor_of(ctx, (await sign_in(ctx, device)).token)
    assert actor is not None
    acting = await consents.act_for(ctx.acting(actor), ActFor(consent_id=consent.id))
    proxy = await sessions.actor_of(ctx, acting.token)
    assert proxy is not None
    for asked in (passkeys.my_passkeys(ctx.acting(proxy)), passkeys.start_passkey(ctx.acting(proxy), StartPasskey(binding=BINDING))):
        with pytest.raises(Forbidden):
            await asked
    await passkeys.remove_passkey(me, made.id)
    assert await sessions.actor_of(ctx, acting.token) is None


async def test_nobody_sees_or_removes_the_passkey_of_another(ctx: AccessContext, context: Contexts) -> None:
    made = await added(await as_patient(ctx, context), Authenticator())
    them = await as_patient(ctx, context, OTHER)
    assert await passkeys.my_passkeys(them) == ()
    with pytest.raises(UnknownPasskey):
        await passkeys.remove_passkey(them, made.id)


async def test_a_passkey_is_of_its_tenant_alone(ctx: AccessContext, context: Contexts) -> None:
    device = Authenticator()
    await added(await as_patient(ctx, context), device)
    elsewhere = ctx.acting(msgspec.structs.replace(ctx.actor, organization_id=UUID(int=5)))
    with pytest.raises(PasskeyNotRight):
        await sign_in(elsewhere, device)
    patient = elsewhere.acting(msgspec.structs.replace(patient_actor(context, PATIENT), organization_id=UUID(int=5)))
    assert await passkeys.my_passkeys(patient) == ()


async def test_adding_a_passkey_wants_a_recent_sign_in(ctx: AccessContext, context: Contexts) -> None:
    me, device = await as_patient(ctx, context), Authenticator()
    asked = await passkeys.start_passkey(me, StartPasskey(binding=BINDING))
    context.clock.advance(minutes=4, seconds=59)
    credential = device.create(asked.options)
    context.clock.advance(seconds=2)
    for late in (
        passkeys.add_passkey(me, AddPasskey(binding=BINDING, name=NAME, credential=credential)),
        passkeys.start_passkey(me, StartPasskey(binding=BINDING)),
    ):
        with pytest.raises(StepUpNeeded):
            await late


async def test_removing_a_passkey_wants_a_recent_sign_in(ctx: AccessContext, context: Contexts) -> None:
    me = await as_patient(ctx, context)
    made = await added(me, Authenticator())
    context.clock.advance(minutes=5, seconds=1)
    with pytest.raises(StepUpNeeded):
        await passkeys.remove_passkey(me, made.id)
    assert [one.id for one in await passkeys.my_passkeys(me)] == [made.id]


async def test_what_a_passkey_is_called_is_shown_to_its_owner_and_lies_sealed(ctx: AccessContext, context: Contexts) -> None:
    me = await as_patient(ctx, context)
    made = await added(me, Authenticator())
    assert [one.name for one in await passkeys.my_passkeys(me)] == [NAME]
    (row,) = await ctx.db.fetch(NAMES)
    cipher = await ctx.cipher()
    assert NAME.encode() not in row["name"]
    assert cipher.open_("access.passkey", "name", made.id, row["name"]) == NAME.encode()


async def test_that_a_passkey_came_or_went_is_told_to_others(ctx: AccessContext, context: Contexts) -> None:
    me, refused = await as_patient(ctx, context), Authenticator()
    made = await added(me, Authenticator())
    await passkeys.remove_passkey(me, made.id)
    with pytest.raises(PasskeyNotRight):
        await added(me, refused, flags=PRESENT)
    account = await accounts.account_of(ctx, me.actor.subject)
    assert account is not None
    about = {"account_id": account.id, "patient_id": PATIENT, "passkey_id": made.id, "organization_id": context.organization_id}
    told = [fact for fact in await facts_of(ctx) if fact.topic.startswith("access.passkey")]
    assert told == [PasskeyAdded(**about), PasskeyRemoved(**about)]


async def test_only_where_browsers_make_passkeys_is_there_an_origin(context: Contexts) -> None:
    for public_url, passkey_origin, found in (
        (PUBLIC, "", PUBLIC), (PUBLIC, "http://localhost:80", "http://localhost:80"), ("http://127.0.0.1:80", "", None), ("", "", None),
    ):  # fmt: skip
        ctx = await access(context, public_url=public_url, passkey_origin=passkey_origin)
        assert await passkeys.find_passkey_origin(ctx) == found


async def test_passkeys_belong_to_the_patients_pages_where_those_have_an_origin_of_their_own(context: Contexts) -> None:
    ctx = await access(context, public_url="https://staff.example.org", passkey_origin=PUBLIC)
    device = Authenticator()
    await added(await as_patient(ctx, context), device)
    with pytest.raises(PasskeyNotRight):
        await sign_in(ctx, device, origin="https://staff.example.org")
    assert (await sign_in(ctx, device)).session.method == "passkey"


async def test_nobody_has_more_than_ten_passkeys(ctx: AccessContext, context: Contexts) -> None:
    me = await as_patient(ctx, context)
    for _ in range(10):
        await added(me, Authenticator())
    with pytest.raises(PasskeysEnough):
        await added(me, Authenticator())


async def test_staff_have_no_passkeys_here(ctx: AccessContext, context: Contexts) -> None:
    with pytest.raises(Forbidden):
        await passkeys.start_passkey(ctx.acting(staff(context, "nurse")), StartPasskey(binding=BINDING))


async def test_only_the_system_redeems_a_passkey(ctx: AccessContext, context: Contexts) -> None:
    me = await as_patient(ctx, context)
    with pytest.raises(Forbidden):
        await redeem_with(me, "{}")


async def test_a_disabled_account_is_not_opened_by_its_passkey(ctx: AccessContext, context: Contexts) -> None:
    device = Authenticator()
    me = await as_patient(ctx, context)
    await added(me, device)
    account = await accounts.account_of(ctx, me.actor.subject)
    assert account is not None
    await accounts.disable_account(ctx.acting(staff(context, "administrator")), account.id)
    with pytest.raises(AccountDisabled):
        await sign_in(ctx, device)


async def test_an_erased_patient_has_no_passkey(ctx: AccessContext, context: Contexts) -> None:
    me = await as_patient(ctx, context)
    await added(me, Authenticator())
    await passkeys.start_passkey(me, StartPasskey(binding=BINDING))
    async with ctx.db.transaction() as tx:
        event = PatientErased(organization_id=context.organization_id, patient_id=PATIENT, version=2)
        await handlers.shut_out_erased(ctx, tx, event)
    assert [(await ctx.db.fetch(each))[0]["count"] for each in (KEPT, CHALLENGES)] == [0, 0]


@pytest.mark.parametrize("public_url", ["", "http://127.0.0.1:8000", "https://[::1]"])
async def test_without_a_name_of_ours_there_are_no_passkeys(context: Contexts, public_url: str) -> None:
    ctx = await access(context, public_url=public_url)
    with pytest.raises(SignInNotSetUp):
        await options(ctx)
