"""Messages in PostgreSQL: taken at once, brought away later, sealed while they lie, forgotten in time."""

from dataclasses import fields, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest

from carewright.contracts.access import BreakGlassStarted
from carewright.contracts.notifications import (
    CommunicationNotDone,
    ListMessages,
    LocalInboxClosed,
    Message,
    Notice,
    ReadInbox,
    Recipient,
    SearchCommunications,
)
from carewright.kernel import jobs
from carewright.kernel.authz import Actor
from carewright.kernel.context import Context, Once
from carewright.kernel.errors import BadInput, Forbidden
from carewright.kernel.privacy.cipher import SealedElsewhere
from carewright.kernel.sql import Query
from carewright.notifications import handlers, service
from carewright.notifications.jobs import JOBS
from carewright.notifications.model import DELIVERIES_MAX, Content
from carewright.notifications.senders import NotDelivered, senders
from carewright.notifications.service import NOTIFY, READ, READ_LOCAL, NotificationsContext
from carewright.notifications.settings import NotificationsSettings
from tests.access_world import recorded
from tests.samples import known_id
from tests.servers import Contexts, facts_of

PHONE = "+1 312 555 0147"
CODE = Notice(
    template="sign_in_code", recipient=Recipient(kind="patient", id=str(known_id(1))), channel="sms", contact=PHONE, language="es-MX",
    values={"hospital": "Lakeside", "code": "04711234", "minutes": "10"},
)  # fmt: skip
TO_OFFICERS = Notice(
    template="sign_in_call_us", recipient=Recipient(kind="role", id="privacy-officer"), channel="inbox", values={"hospital": "Lakeside"}
)
ROWS = Query("test.rows", "SELECT status, status_reason, content, deliveries, sent_at FROM notifications.communication WHERE id = $1")
MOVED = Query(
    "test.moved",
    "UPDATE notifications.communication SET content = (SELECT content FROM notifications.communication WHERE id = $1) WHERE id = $2",
)
NO_JOBS = Query("test.no_jobs", "DELETE FROM kernel.job")
JOBS_LEFT = Query("test.jobs", "SELECT payload::text AS payload FROM kernel.job WHERE name = 'notifications.deliver'")


class Gateway:
    """A sender that keeps what it was given, and fails as it is told."""

    def __init__(self) -> None:
        self.sent: list[tuple[UUID, Content]] = []
        self.faults: list[Exception] = []

    def serves(self, _: UUID) -> bool:
        return True

    async def send(self, message_id: UUID, content: Content) -> None:
        if self.faults:
            raise self.faults.pop(0)
        self.sent.append((message_id, content))


@pytest.fixture
def gateway() -> Gateway:
    return Gateway()


@pytest.fixture
async def ctx(context: Contexts, gateway: Gateway) -> NotificationsContext:
    """The system, in a tenant that has said nothing yet."""
    base = await context("notifications")
    await base.db.execute(NO_JOBS)
    system = Actor(subject="system", organization_id=context.organization_id, role="system", permissions=frozenset({NOTIFY, READ_LOCAL}))
    world: dict[str, Any] = {field.name: getattr(base, field.name) for field in fields(Context)} | {"actor": system}
    settings = NotificationsSettings(local_inbox_organization_id=context.organization_id)
    by_channel = dict(senders(settings)) | {"sms": gateway}
    return NotificationsContext(**world, settings=settings, senders=by_channel)


async def row_of(ctx: Context, communication_id: UUID) -> Any:
    row = await ctx.db.fetch_one(ROWS, communication_id)
    assert row is not None
    return row


async def work(ctx: NotificationsContext) -> int:
    return await jobs.run_due(ctx, JOBS)


async def shown(ctx: NotificationsContext, of_id: UUID | None = None) -> list[Message]:
    return list((await service.read_local_inbox(ctx, ReadInbox(of_id=of_id))).items)


def staff(ctx: NotificationsContext, role: str, subject: str = "anna") -> NotificationsContext:
    actor = Actor(subject=subject, organization_id=ctx.actor.organization_id, role=role, permissions=frozenset({READ}))
    return ctx.acting(actor)


async def test_a_message_is_taken_at_once_and_brought_away_by_the_worker(ctx: NotificationsContext, gateway: Gateway) -> None:
    communication_id = await service.notify(ctx, CODE)
    assert (await row_of(ctx, communication_id))["status"] == "preparation"
    assert gateway.sent == []
    await work(ctx)
    row = await row_of(ctx, communication_id)
    assert (row["status"], row["sent_at"], row["deliveries"]) == ("completed", ctx.clock.now(), 1)
    ((sent_id, content),) = gateway.sent
    assert (sent_id, content.contact) == (communication_id, PHONE)
    assert content.text.startswith("04711234 es su código")


async def test_what_lies_in_the_database_can_be_read_by_nobody_without_the_key(ctx: NotificationsContext) -> None:
    communication_id = await service.notify(ctx, CODE)
    sealed = (await row_of(ctx, communication_id))["content"]
    for word in ("312", "04711234", "Lakeside"):
        assert word.encode() not in sealed
    jobs_left = [row["payload"] for row in await ctx.db.fetch(JOBS_LEFT)]
    assert not any("312" in payload or "04711234" in payload for payload in jobs_left)


async def test_a_sealed_text_opens_in_its_own_row_alone(ctx: NotificationsContext) -> None:
    first, second = await service.notify(ctx, CODE), await service.notify(ctx, CODE)
    await work(ctx)
    assert len(await shown(ctx)) == 2
    await ctx.db.execute(MOVED, first, second)
    with pytest.raises(SealedElsewhere):
        await shown(ctx)


async def test_a_repeated_key_says_it_once(ctx: NotificationsContext, gateway: Gateway) -> None:
    keyed = ctx.acting(ctx.actor, Once.of("key", CODE))
    assert await service.notify(keyed, CODE) == await service.notify(keyed, CODE)
    await work(ctx)
    assert len(gateway.sent) == 1


async def test_a_notice_that_is_not_sound_leaves_nothing(ctx: NotificationsContext) -> None:
    with pytest.raises(BadInput):
        await service.notify(ctx, msgspec.structs.replace(CODE, contact=None))
    await work(ctx)
    assert await shown(ctx) == []


async def test_nobody_but_the_system_sends_messages_or_sees_all_of_them(ctx: NotificationsContext) -> None:
    with pytest.raises(Forbidden):
        await service.notify(staff(ctx, "administrator"), CODE)
    with pytest.raises(Forbidden):
        await shown(staff(ctx, "administrator"))


async def test_a_gateway_that_is_away_is_tried_again(ctx: NotificationsContext, gateway: Gateway, context: Contexts) -> None:
    gateway.faults = [OSError(), TimeoutError()]
    communication_id = await service.notify(ctx, CODE)
    for _ in range(3):
        await work(ctx)
        context.clock.advance(seconds=10)
    assert (await row_of(ctx, communication_id))["status"] == "completed"
    assert len(gateway.sent) == 1


async def test_a_gateway_that_refuses_ends_it(ctx: NotificationsContext, gateway: Gateway) -> None:
    gateway.faults = [NotDelivered()]
    communication_id = await service.notify(ctx, CODE)
    await work(ctx)
    row = await row_of(ctx, communication_id)
    assert (row["status"], row["status_reason"], row["content"]) == ("not-done", "refused", None)
    assert await ctx.db.fetch(JOBS_LEFT) == []


async def test_whoever_has_to_do_with_it_hears_that_a_message_did_not_arrive(ctx: NotificationsContext, gateway: Gateway) -> None:
    gateway.faults = [NotDelivered()]
    lost = await service.notify(ctx, msgspec.structs.replace(CODE, about_id=known_id(7)))
    await service.notify(ctx, msgspec.structs.replace(CODE, about_id=known_id(8)))
    await work(ctx)
    [told] = [each for each in await facts_of(ctx) if isinstance(each, CommunicationNotDone)]
    assert (told.communication_id, told.about_id) == (lost, known_id(7))


async def test_a_message_that_never_goes_is_given_up_and_no_job_is_left(
    ctx: NotificationsContext, gateway: Gateway, context: Contexts
) -> None:
    gateway.faults = [OSError()] * 20
    communication_id = await service.notify(ctx, CODE)
    for _ in range(DELIVERIES_MAX + 1):
        await work(ctx)
        context.clock.advance(seconds=300)
    row = await row_of(ctx, communication_id)
    assert (row["status"], row["status_reason"]) == ("not-done", "gave-up")
    assert await ctx.db.fetch(JOBS_LEFT) == []
    assert gateway.sent == []


async def test_a_channel_without_a_sender_says_so(ctx: NotificationsContext) -> None:
    for settings in (NotificationsSettings(), NotificationsSettings(local_inbox_organization_id=known_id(9))):
        outside = replace(ctx, senders=senders(settings))
        communication_id = await service.notify(outside, CODE)
        await work(outside)
        assert (await row_of(ctx, communication_id))["status_reason"] == "no-sender"


async def test_a_code_that_has_run_out_is_not_sent_and_is_forgotten(ctx: NotificationsContext, gateway: Gateway, context: Contexts) -> None:
    until = ctx.clock.now() + timedelta(minutes=10)
    communication_id = await service.notify(ctx, msgspec.structs.replace(CODE, until_at=until))
    context.clock.advance(minutes=10)
    await work(ctx)
    row = await row_of(ctx, communication_id)
    assert (row["status_reason"], row["content"], gateway.sent) == ("expired", None, [])


async def test_a_code_is_not_shown_and_does_not_lie_there_after_its_ten_minutes(ctx: NotificationsContext, context: Contexts) -> None:
    until = ctx.clock.now() + timedelta(minutes=10)
    communication_id = await service.notify(ctx, msgspec.structs.replace(CODE, until_at=until))
    kept = await service.notify(ctx, TO_OFFICERS)
    await work(ctx)
    assert [one.communication.id for one in await shown(ctx)] == [kept, communication_id]
    context.clock.advance(minutes=10)
    assert [one.communication.id for one in await shown(ctx)] == [kept]
    assert (await row_of(ctx, communication_id))["content"] is not None
    await service.forget_texts(ctx)
    row = await row_of(ctx, communication_id)
    assert (row["status"], row["content"]) == ("completed", None)


async def test_every_text_is_forgotten_after_the_days_that_are_set(ctx: NotificationsContext, context: Contexts) -> None:
    communication_id = await service.notify(ctx, CODE)
    context.clock.advance(days=ctx.settings.text_kept_days - 1)
    await service.forget_texts(ctx)
    assert (await row_of(ctx, communication_id))["content"] is not None
    context.clock.advance(days=1)
    await service.forget_texts(ctx)
    assert (await row_of(ctx, communication_id))["content"] is None


async def test_an_inbox_shows_what_is_for_the_person_their_role_or_their_account_and_nothing_else(ctx: NotificationsContext) -> None:
    to_bo = msgspec.structs.replace(TO_OFFICERS, recipient=Recipient(kind="account", id="bo"))
    to_role, to_account = await service.notify(ctx, TO_OFFICERS), await service.notify(ctx, to_bo)
    await service.notify(ctx, CODE)
    await work(ctx)

    async def seen(role: str, subject: str) -> list[UUID]:
        return [one.communication.id for one in (await service.read_inbox(staff(ctx, role, subject), ReadInbox())).items]

    assert await seen("privacy-officer", "bo") == [to_account, to_role]
    assert await seen("privacy-officer", "anna") == [to_role]
    assert await seen("administrator", "bo") == [to_account]
    assert await seen("administrator", "anna") == []


async def test_a_message_to_a_patients_telephone_is_in_no_inbox_of_ours(ctx: NotificationsContext) -> None:
    await service.notify(ctx, CODE)
    await work(ctx)
    actor = Actor(
        subject="p", organization_id=ctx.actor.organization_id, role="patient", permissions=frozenset({READ}), patient_id=known_id(1)
    )
    assert (await service.read_inbox(ctx.acting(actor), ReadInbox())).items == ()


async def test_the_local_inbox_shows_a_telephones_messages_newest_first(ctx: NotificationsContext, context: Contexts) -> None:
    other = msgspec.structs.replace(CODE, contact="+1 312 555 0199")
    first = await service.notify(ctx, CODE)
    context.clock.advance(minutes=1)
    theirs, last = await service.notify(ctx, other), await service.notify(ctx, CODE)
    await work(ctx)
    assert [one.communication.id for one in await shown(ctx)] == [last, theirs, first]
    assert [one.communication.id for one in await shown(ctx, first)] == [last, first]
    assert await shown(ctx, known_id(5)) == []


async def test_another_tenants_messages_are_not_there(ctx: NotificationsContext) -> None:
    await service.notify(ctx, TO_OFFICERS)
    await work(ctx)
    elsewhere = ctx.acting(msgspec.structs.replace(ctx.actor, organization_id=known_id(8)))
    with pytest.raises(LocalInboxClosed):
        await shown(elsewhere)
    opened = replace(elsewhere, settings=NotificationsSettings(local_inbox_organization_id=known_id(8)))
    assert await shown(opened) == []
    assert (await service.read_inbox(staff(elsewhere, "privacy-officer"), ReadInbox())).items == ()


async def test_there_is_no_local_inbox_where_messages_are_real(ctx: NotificationsContext) -> None:
    with pytest.raises(LocalInboxClosed):
        await shown(replace(ctx, settings=NotificationsSettings()))


async def test_taking_and_sending_a_message_are_on_record(ctx: NotificationsContext, gateway: Gateway, context: Contexts) -> None:
    gateway.faults = [NotDelivered()]
    await service.notify(ctx, CODE)
    await work(ctx)
    assert await recorded(context) == [
        ("notifications.communication.create", "success", "system"), ("notifications.communication.send", "failed", "system"),
    ]  # fmt: skip


async def test_the_privacy_officers_hear_once_of_a_broken_glass(ctx: NotificationsContext) -> None:
    organization, until = ctx.actor.organization_id, ctx.clock.now() + timedelta(minutes=60)
    fact = BreakGlassStarted(organization_id=organization, break_glass_id=known_id(3), account_id=known_id(4), until=until)
    for _ in range(2):
        async with ctx.db.transaction() as tx:
            await handlers.tell_privacy_officers(ctx, tx, fact)
        await work(ctx)
    (message,) = (await service.read_inbox(staff(ctx, "privacy-officer"), ReadInbox())).items
    assert message.title == "Emergency access is in use"
    assert "Monday, November 2, 2026 at 8:00 AM" in message.text


async def test_reading_ones_inbox_is_on_record(ctx: NotificationsContext, context: Contexts) -> None:
    await service.read_inbox(staff(ctx, "privacy-officer"), ReadInbox())
    assert await recorded(context) == [("notifications.inbox.read", "success", "anna")]


async def test_what_a_code_said_leaves_by_its_channel_alone(ctx: NotificationsContext, context: Contexts) -> None:
    """Neither staff, nor the patient, nor the export of a record reads a code; other messages are read as long as they are kept."""
    await service.notify(ctx, CODE)
    kept = msgspec.structs.replace(CODE, template="passkey_added", values={"hospital": "Lakeside"})
    await service.notify(ctx, kept)
    own = context.actor("patient", subject="patient", patient_id=known_id(1))
    desk, of_patient = context.actor("front-desk"), SearchCommunications(patient_ids=(known_id(1),))
    for actor in (desk, own):
        code, other = (await service.search_communications(ctx.acting(actor), of_patient)).items
        assert (code.withheld, code.title, code.text, code.contact) == (True, None, None, None)
        assert (other.withheld, other.contact) == (False, None)
        assert other.text
    system = ctx.acting(msgspec.structs.replace(ctx.actor, permissions=ctx.actor.permissions | {service.LIST}))
    code, other = (await service.list_messages(system, ListMessages(patient_id=known_id(1)))).items
    assert (code.withheld, code.text, other.contact) == (True, None, PHONE)
    with pytest.raises(Forbidden):
        await service.search_communications(ctx.acting(context.actor("nurse")), of_patient)
    context.clock.advance(days=ctx.settings.text_kept_days)
    assert [each.text for each in (await service.search_communications(ctx.acting(desk), of_patient)).items] == [None, None]
