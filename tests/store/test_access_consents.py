"""Consent to a proxy: given, accepted, acted by, withdrawn; and everything that it does not open."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from carewright.access import handlers
from carewright.access.context import AccessContext
from carewright.access.model.consents import CHANGES
from carewright.access.service import accounts, codes, consents, sessions
from carewright.contracts.access import (
    AcceptConsent,
    ActFor,
    ConsentNotRight,
    GiveConsent,
    GivenConsent,
    RecordConsent,
    RedeemCode,
    RequestCode,
    SessionNeeded,
    StartedSession,
    UnknownConsent,
)
from carewright.contracts.consents import Consent, FindProxies
from carewright.contracts.patients import PatientErased
from carewright.contracts.permissions import ROLES
from carewright.kernel.authz import Actor
from carewright.kernel.errors import BadInput, Forbidden
from tests.access_world import BINDING, access, patient_actor, recorded, staff
from tests.servers import Contexts

MOTHER, DAUGHTER, STRANGER = UUID(int=7), UUID(int=8), UUID(int=9)
YEAR = timedelta(days=365)


@pytest.fixture
async def ctx(context: Contexts) -> AccessContext:
    return await access(context)


async def signed_in(ctx: AccessContext, patient_id: UUID) -> StartedSession:
    """A patient who has typed the right code."""
    issued = await codes.start_code(ctx, RequestCode(patient_id=patient_id, contact_system="phone", binding=BINDING))
    command = RedeemCode(organization_id=ctx.actor.organization_id, code_id=issued.id, code=issued.code, binding=BINDING)
    return await codes.redeem_code(ctx, command)


async def acting(ctx: AccessContext, started: StartedSession) -> AccessContext:
    actor = await sessions.actor_of(ctx, started.token)
    assert actor is not None
    return ctx.acting(actor)


def as_patient(ctx: AccessContext, context: Contexts, patient_id: UUID) -> AccessContext:
    return ctx.acting(patient_actor(context, patient_id))


async def given(ctx: AccessContext, context: Contexts, **more: Any) -> GivenConsent:
    """The mother lets somebody act for her."""
    wanted: dict[str, Any] = {"relationship": "child", "scope": "book", "until_at": context.clock.now() + YEAR} | more
    command = GiveConsent(**wanted)
    return await consents.give_consent(as_patient(ctx, context, MOTHER), command)


async def accepted(ctx: AccessContext, context: Contexts, **more: Any) -> Consent:
    offered = await given(ctx, context, **more)
    return await consents.accept_consent(as_patient(ctx, context, DAUGHTER), AcceptConsent(code=offered.code))


async def proxy(ctx: AccessContext, consent: Consent) -> tuple[StartedSession, Actor | None]:
    """The daughter, going on for her mother."""
    daughter = await acting(ctx, await signed_in(ctx, DAUGHTER))
    started = await consents.act_for(daughter, ActFor(consent_id=consent.id))
    return started, await sessions.actor_of(ctx, started.token)


async def test_a_proxy_acts_for_exactly_the_patient_who_consented(ctx: AccessContext, context: Contexts) -> None:
    _, actor = await proxy(ctx, await accepted(ctx, context))
    assert actor is not None
    assert (actor.role, actor.subject, actor.patient_id) == ("proxy", f"patient/{DAUGHTER}", MOTHER)
    assert actor.permissions == ROLES["proxy"]
    assert await recorded(context) == [
        ("access.consent.give", "success", f"patient/{MOTHER}"), ("access.consent.accept", "success", f"patient/{DAUGHTER}"),
        ("access.code.start", "success", "system"), ("access.session.start", "success", f"patient/{DAUGHTER}"),
        ("access.session.start", "success", f"patient/{DAUGHTER}"),
    ]  # fmt: skip


async def test_whoever_may_only_see_changes_nothing(ctx: AccessContext, context: Contexts) -> None:
    _, actor = await proxy(ctx, await accepted(ctx, context, scope="see"))
    assert actor is not None
    assert actor.permissions == ROLES["proxy"] - CHANGES
    assert "scheduling.appointment.read" in actor.permissions
    assert ROLES["proxy"] >= CHANGES, "what is taken away is what there is"


async def test_the_session_takes_the_place_of_the_former_one_and_lasts_no_longer(ctx: AccessContext, context: Contexts) -> None:
    consent = await accepted(ctx, context, until_at=context.clock.now() + timedelta(hours=2))
    own = await signed_in(ctx, DAUGHTER)
    context.clock.advance(minutes=20)
    started = await consents.act_for(await acting(ctx, own), ActFor(consent_id=consent.id))
    assert await sessions.actor_of(ctx, own.token) is None
    assert started.session.authenticated_at == own.session.authenticated_at, "nobody proved anew who they are"
    assert started.session.absolute_until == consent.ends_at
    back = await consents.act_for(await acting(ctx, started), ActFor())
    assert await sessions.actor_of(ctx, started.token) is None
    assert back.session.absolute_until <= own.session.absolute_until
    actor = await sessions.actor_of(ctx, back.token)
    assert actor is not None
    assert (actor.role, actor.patient_id, actor.permissions) == ("patient", DAUGHTER, ROLES["patient"])


@pytest.mark.parametrize("who", ["patient", "proxy", "desk"])
async def test_a_withdrawn_consent_ends_at_once(ctx: AccessContext, context: Contexts, who: str) -> None:
    consent = await accepted(ctx, context)
    started, actor = await proxy(ctx, consent)
    assert actor is not None
    ways = {
        "patient": as_patient(ctx, context, MOTHER), "proxy": as_patient(ctx, context, DAUGHTER),
        "desk": ctx.acting(staff(context, "front-desk")),
    }  # fmt: skip
    await consents.withdraw_consent(ways[who], consent.id)
    assert await sessions.actor_of(ctx, started.token) is None
    with pytest.raises(UnknownConsent):
        await proxy(ctx, consent)
    with pytest.raises(UnknownConsent):
        await consents.withdraw_consent(ways[who], consent.id)
    assert ("access.consent.withdraw", "success", ways[who].actor.subject) in await recorded(context)


async def test_a_consent_holds_from_its_beginning_until_its_end(ctx: AccessContext, context: Contexts) -> None:
    now = context.clock.now()
    consent = await accepted(ctx, context, from_at=now + timedelta(days=1), until_at=now + timedelta(days=1, minutes=10))
    with pytest.raises(UnknownConsent):
        await proxy(ctx, consent)
    context.clock.advance(days=1)
    started, actor = await proxy(ctx, consent)
    assert actor is not None
    context.clock.advance(minutes=10)
    assert await sessions.actor_of(ctx, started.token) is None
    with pytest.raises(UnknownConsent):
        await proxy(ctx, consent)


async def test_a_code_serves_once_however_many_type_it_at_once(ctx: AccessContext, context: Contexts) -> None:
    offered = await given(ctx, context)
    people = [as_patient(ctx, context, UUID(int=number)) for number in range(20, 28)]
    answers = await asyncio.gather(
        *(consents.accept_consent(one, AcceptConsent(code=offered.code)) for one in people), return_exceptions=True
    )
    assert sum(isinstance(answer, Consent) for answer in answers) == 1
    assert sum(isinstance(answer, ConsentNotRight) for answer in answers) == 7


async def test_a_code_may_be_typed_as_people_type(ctx: AccessContext, context: Contexts) -> None:
    offered = await given(ctx, context)
    typed = AcceptConsent(code=f" {offered.code.lower().replace('-', ' ')} ")
    assert (await consents.accept_consent(as_patient(ctx, context, DAUGHTER), typed)).proxy_patient_id == DAUGHTER


async def test_a_code_that_is_wrong_old_withdrawn_or_ones_own_is_refused_in_the_same_words(ctx: AccessContext, context: Contexts) -> None:
    daughter, mother = as_patient(ctx, context, DAUGHTER), as_patient(ctx, context, MOTHER)
    withdrawn, old = await given(ctx, context), await given(ctx, context)
    await consents.withdraw_consent(mother, withdrawn.consent.id)
    tries = [(daughter, "AAAA-BBBB-CCCC-DDDD"), (daughter, "-"), (daughter, withdrawn.code), (mother, old.code)]
    for who, code in tries:
        with pytest.raises(ConsentNotRight) as refused:
            await consents.accept_consent(who, AcceptConsent(code=code))
        assert str(refused.value) == ConsentNotRight.title
    elsewhere = ctx.acting(context.actor("patient", patient_id=DAUGHTER, organization_id=UUID(int=3)))
    with pytest.raises(ConsentNotRight):
        await consents.accept_consent(elsewhere, AcceptConsent(code=old.code))
    context.clock.advance(days=7)
    with pytest.raises(ConsentNotRight):
        await consents.accept_consent(daughter, AcceptConsent(code=old.code))


async def test_the_desk_records_a_consent_with_its_proof(ctx: AccessContext, context: Contexts) -> None:
    desk = ctx.acting(staff(context, "front-desk", subject="staff/desk"))
    command = RecordConsent(
        patient_id=MOTHER, proxy_patient_id=DAUGHTER, relationship="guardian", scope="book", proof="court-order",
        until_at=context.clock.now() + YEAR,
    )  # fmt: skip
    consent = await consents.record_consent(desk, command)
    assert (consent.proof, consent.given_by) == ("court-order", "staff/desk")
    _, actor = await proxy(ctx, consent)
    assert actor is not None
    assert ("access.consent.record", "success", "staff/desk") in await recorded(context)


async def test_people_see_their_own_consents_and_nobody_elses(ctx: AccessContext, context: Contexts) -> None:
    for patient_id in (MOTHER, DAUGHTER, STRANGER):
        await signed_in(ctx, patient_id)
    consent = await accepted(ctx, context)
    mother, daughter, stranger = [await consents.list_consents(as_patient(ctx, context, who)) for who in (MOTHER, DAUGHTER, STRANGER)]
    assert (mother.given, mother.received) == ((consent,), ())
    assert (daughter.given, daughter.received) == ((), (consent,))
    assert (stranger.given, stranger.received) == ((), ())


async def test_a_stranger_neither_acts_by_a_consent_nor_ends_it(ctx: AccessContext, context: Contexts) -> None:
    consent = await accepted(ctx, context)
    stranger = await acting(ctx, await signed_in(ctx, STRANGER))
    with pytest.raises(UnknownConsent):
        await consents.act_for(stranger, ActFor(consent_id=consent.id))
    with pytest.raises(UnknownConsent):
        await consents.withdraw_consent(stranger, consent.id)
    for who, wanted in ((MOTHER, consent.id), (DAUGHTER, UUID(int=99))):
        with pytest.raises(UnknownConsent):
            await consents.act_for(await acting(ctx, await signed_in(ctx, who)), ActFor(consent_id=wanted))
    with pytest.raises(SessionNeeded):
        await consents.act_for(as_patient(ctx, context, DAUGHTER), ActFor(consent_id=consent.id))


async def test_a_proxy_gives_no_consent_in_the_patients_name(ctx: AccessContext, context: Contexts) -> None:
    started, _ = await proxy(ctx, await accepted(ctx, context))
    as_proxy = await acting(ctx, started)
    give = GiveConsent(relationship="other", scope="book", until_at=context.clock.now() + YEAR)
    for asked in (consents.give_consent(as_proxy, give), consents.accept_consent(as_proxy, AcceptConsent(code="x"))):
        with pytest.raises(Forbidden):
            await asked


async def test_a_proxy_who_is_shut_out_is_out(ctx: AccessContext, context: Contexts) -> None:
    started, _ = await proxy(ctx, await accepted(ctx, context))
    administrator = ctx.acting(staff(context, "administrator"))
    page = await accounts.list_accounts(administrator)
    await accounts.disable_account(administrator, next(one.id for one in page.items if one.patient_id == DAUGHTER))
    assert await sessions.actor_of(ctx, started.token) is None


@pytest.mark.parametrize("erased", [MOTHER, DAUGHTER])
async def test_an_erased_patient_has_no_proxy_and_is_none(ctx: AccessContext, context: Contexts, erased: UUID) -> None:
    started, _ = await proxy(ctx, await accepted(ctx, context))
    async with ctx.db.transaction() as tx:
        event = PatientErased(organization_id=context.organization_id, patient_id=erased, version=2)
        await handlers.shut_out_erased(ctx, tx, event)
    assert await sessions.actor_of(ctx, started.token) is None


@pytest.mark.parametrize("days", [-1, 0, 5 * 365 + 2])
async def test_a_consent_ends_in_the_future_and_within_five_years(ctx: AccessContext, context: Contexts, days: int) -> None:
    with pytest.raises(BadInput):
        await given(ctx, context, until_at=context.clock.now() + timedelta(days=days))


async def test_only_patients_give_and_only_the_desk_records(ctx: AccessContext, context: Contexts) -> None:
    until = context.clock.now() + YEAR
    give = GiveConsent(relationship="other", scope="see", until_at=until)
    record = RecordConsent(
        patient_id=MOTHER, proxy_patient_id=DAUGHTER, relationship="other", scope="see", proof="signed-form", until_at=until
    )
    for role in ROLES:
        one = ctx.acting(staff(context, role))
        if role != "patient":
            with pytest.raises(Forbidden):
                await consents.give_consent(one, give)
        if role != "front-desk":
            with pytest.raises(Forbidden):
                await consents.record_consent(one, record)
    with pytest.raises(BadInput):
        await consents.record_consent(
            ctx.acting(staff(context, "front-desk")),
            RecordConsent(
                patient_id=MOTHER, proxy_patient_id=MOTHER, relationship="other", scope="see", proof="signed-form", until_at=until
            ),
        )


async def test_staff_and_the_patient_are_told_who_acts_for_them_and_no_proxy_of_another(ctx: AccessContext, context: Contexts) -> None:
    """What nobody accepted is nobody's; what is over is still told, and says when it was."""
    await given(ctx, context)
    held, over = await accepted(ctx, context), await accepted(ctx, context)
    await consents.withdraw_consent(as_patient(ctx, context, MOTHER), over.id)
    of_mother, desk = FindProxies(patient_ids=(MOTHER,)), ctx.acting(staff(context, "front-desk"))
    for asking in (desk, ctx.acting(staff(context, "nurse")), as_patient(ctx, context, MOTHER)):
        found = (await consents.find_proxies(asking, of_mother)).items
        assert [(each.id, each.withdrawn_at is None) for each in found] == [(held.id, True), (over.id, False)]
    assert (await consents.find_proxies(as_patient(ctx, context, MOTHER), FindProxies())).items[0] == held
    for query in (of_mother, FindProxies(proxy_patient_ids=(DAUGHTER,)), FindProxies(ids=(held.id,))):
        assert (await consents.find_proxies(as_patient(ctx, context, DAUGHTER), query)).items == ()
    _, proxy_of_mother = await proxy(ctx, held)
    assert proxy_of_mother is not None
    for other in (proxy_of_mother, staff(context, "administrator"), staff(context, "technician")):
        with pytest.raises(Forbidden):
            await consents.find_proxies(ctx.acting(other), of_mother)


async def test_proxies_are_found_by_id_by_patient_and_by_who_acts_a_page_at_a_time(ctx: AccessContext, context: Contexts) -> None:
    first, second = await accepted(ctx, context), await accepted(ctx, context)
    desk = ctx.acting(staff(context, "front-desk"))
    page = await consents.find_proxies(desk, FindProxies(proxy_patient_ids=(DAUGHTER,), limit=1))
    assert (page.items, page.next) == ((first,), first.id)
    rest = await consents.find_proxies(desk, FindProxies(proxy_patient_ids=(DAUGHTER,), limit=1, after=page.next))
    assert (rest.items, rest.next) == ((second,), None)
    assert (await consents.find_proxies(desk, FindProxies(ids=(second.id,)))).items == (second,)
    assert (await consents.find_proxies(desk, FindProxies(patient_ids=(DAUGHTER,)))).items == ()
    assert ("access.consent.find", "success", "tester") in await recorded(context)
