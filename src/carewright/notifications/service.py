"""What notifications do: take a message, bring it away, show an inbox, forget. One function, one permission."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import msgspec

from carewright.contracts.notifications import (
    Channel,
    CommunicationNotDone,
    ListMessages,
    LocalInboxClosed,
    MessagesPage,
    Moment,
    Notice,
    ReadInbox,
    Recipient,
    Said,
    SaidPage,
    SearchCommunications,
)
from carewright.kernel import audit, jobs
from carewright.kernel.context import Context
from carewright.kernel.errors import Forbidden
from carewright.kernel.idempotency import once, remember
from carewright.kernel.keeping import note_disposed
from carewright.kernel.outbox import publish
from carewright.kernel.privacy.cipher import FieldCipher
from carewright.kernel.resealing import in_transaction
from carewright.notifications import model, store
from carewright.notifications.model import Content, Reason
from carewright.notifications.senders import NotDelivered, Sender
from carewright.notifications.settings import NotificationsSettings
from carewright.notifications.store import Delivery, Draft

NOTIFY = "notifications.notify"
READ = "notifications.read"
READ_LOCAL = "notifications.read_local"
LIST = "notifications.list"
READ_COMMUNICATION = "notifications.communication.read"
ANY_PATIENT = "notifications.communication.any_patient"
FIRST_ID = UUID(int=0)
DELIVER = "notifications.deliver"
"""The job that brings a message away."""
TELL_OFFICERS = "notifications.tell_officers"
"""The job that tells the privacy officers of a broken glass."""
OFFICERS = "privacy-officer"
LOCAL_INBOX_MAX = 200
"""Messages that the local inbox looks through for those of one contact."""
FORGET_BATCH_MAX = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class NotificationsContext(Context):
    """The context with what messages need: the settings, and who brings them away by which channel."""

    settings: NotificationsSettings
    senders: Mapping[Channel, Sender]


class GlassBroken(msgspec.Struct, frozen=True):
    """The payload of `TELL_OFFICERS`."""

    organization_id: UUID
    break_glass_id: UUID
    until: datetime


class Undelivered(msgspec.Struct, frozen=True):
    """The payload of `DELIVER`: ids, and nothing to be read."""

    organization_id: UUID
    communication_id: UUID


async def notify(ctx: NotificationsContext, notice: Notice) -> UUID:
    """Take a message; the answer is its id, and its delivery follows. A repeated key answers the first message's id."""
    ctx.actor.require(NOTIFY)

    model.ensure_sound(notice)
    cipher = await _keys(ctx)

    async def work() -> UUID:
        draft = _draft(ctx, notice)
        async with ctx.db.transaction() as tx:
            await store.insert_communication(tx, cipher, draft)
            await jobs.enqueue(ctx, tx, DELIVER, Undelivered(cipher.organization_id, draft.id))
            await audit.record(tx, _entry(ctx, "notifications.communication.create", "C", draft.id, notice.recipient))
            await remember(ctx, tx, draft.id)
        ctx.wake()
        return draft.id

    return await once(ctx, UUID, work)


async def tell_privacy_officers(ctx: NotificationsContext, until: datetime) -> UUID:
    """A notice in the privacy officers' inbox that somebody has taken emergency access, which ends at `until`."""
    ends = Moment(at=until, zone=ctx.settings.staff_time_zone)
    officers = Recipient(kind="role", id=OFFICERS)
    return await notify(ctx, Notice(template="break_glass_started", recipient=officers, channel="inbox", values={"until": ends}))


def _draft(ctx: NotificationsContext, notice: Notice) -> Draft:
    languages, now = store.languages(), ctx.clock.now()
    language = model.language_for(notice.language, languages, ctx.settings.default_language)
    content = model.content_of(notice, languages[language])
    return Draft(ctx.ids.new(), notice, language, content, now, model.forget_at(notice, now, ctx.settings.text_kept_days))


async def deliver(ctx: NotificationsContext, communication_id: UUID) -> None:
    """Bring a message away. Safe to repeat: what was sent or given up stays so. What a gateway cannot do now raises, to be tried later."""
    delivery = await store.start_delivery(ctx.db, await _keys(ctx), communication_id)
    if delivery is None:
        return
    reason = _reason_against(ctx, delivery)
    if reason is None and delivery.content is not None:
        reason = await _send(ctx, delivery, delivery.content)
    async with ctx.db.transaction() as tx:
        sent_at = None if reason else ctx.clock.now()
        if await store.finish_delivery(tx, ctx.actor.organization_id, communication_id, sent_at, reason):
            await audit.record(tx, _entry(ctx, "notifications.communication.send", "E", communication_id, delivery.recipient, reason))
            if reason is not None:
                await publish(ctx, tx, _not_done(ctx, delivery))
    ctx.wake()


def _not_done(ctx: NotificationsContext, delivery: Delivery) -> CommunicationNotDone:
    return CommunicationNotDone(organization_id=ctx.actor.organization_id, communication_id=delivery.id, about_id=delivery.about_id)


def _reason_against(ctx: NotificationsContext, delivery: Delivery) -> Reason | None:
    """Why a message is not even tried."""
    if delivery.content is None or (delivery.until_at is not None and delivery.until_at <= ctx.clock.now()):
        return "expired"
    sender = ctx.senders.get(delivery.channel)
    if sender is None or not sender.serves(ctx.actor.organization_id):
        return "no-sender"
    return "gave-up" if delivery.number > model.DELIVERIES_MAX else None


async def _send(ctx: NotificationsContext, delivery: Delivery, content: Content) -> Reason | None:
    try:
        await ctx.senders[delivery.channel].send(delivery.id, content)
    except NotDelivered:
        return "refused"
    return None


async def read_inbox(ctx: NotificationsContext, query: ReadInbox) -> MessagesPage:
    """The caller's own messages: to them, to their role, to their account."""
    ctx.actor.require(READ)
    actor = ctx.actor
    recipients = [Recipient(kind="role", id=actor.role), Recipient(kind="account", id=actor.subject)]
    if actor.patient_id is not None:
        recipients.append(Recipient(kind="patient", id=str(actor.patient_id)))
    found = await store.inbox_of(ctx.db, await _keys(ctx), recipients, ctx.clock.now(), query.limit)
    await audit.record(ctx.db, audit.entry(ctx, "notifications.inbox.read", "R", patient_id=actor.patient_id))
    return MessagesPage(items=tuple(msgspec.structs.replace(one, contact=None) for one in found))


async def read_local_inbox(ctx: NotificationsContext, query: ReadInbox) -> MessagesPage:
    """Every message of a made-up hospital. Raises `LocalInboxClosed` where messages are real."""
    ctx.actor.require(READ_LOCAL)
    if ctx.actor.organization_id != ctx.settings.local_inbox_organization_id:
        raise LocalInboxClosed
    limit = query.limit if query.of_id is None else LOCAL_INBOX_MAX
    found = await store.local_inbox(ctx.db, await _keys(ctx), ctx.clock.now(), limit)
    of = next((one for one in found if one.communication.id == query.of_id), None)
    if query.of_id is not None:
        found = [one for one in found if of is not None and model.reader_of(one) == model.reader_of(of)]
    return MessagesPage(items=tuple(found[: query.limit]))


async def list_messages(ctx: NotificationsContext, query: ListMessages) -> SaidPage:
    """Everything that was said to a patient, by whatever channel: for the system, when it makes a patient's export."""
    ctx.actor.require(LIST)
    cipher = await _keys(ctx)
    async with ctx.db.transaction() as tx:
        found = await store.messages_to_patient(tx, cipher, query.patient_id, query.after or FIRST_ID, query.limit + 1)
        await audit.record(tx, audit.entry(ctx, "notifications.communication.list", "R", patient_id=query.patient_id))
    items = tuple(found[: query.limit])
    return SaidPage(items=items, next=items[-1].communication.id if len(found) > len(items) else None)


async def search_communications(ctx: NotificationsContext, query: SearchCommunications) -> SaidPage:
    """What was said to patients, for staff, and to themselves for patients; to which contact is not told, nor what opens something.

    Raises `Forbidden`.
    """
    ctx.actor.require(READ_COMMUNICATION)
    asked, cipher, after = _within_reach(ctx, query), await _keys(ctx), query.after or FIRST_ID
    found: list[Said] = []
    async with ctx.db.transaction() as tx:
        if asked is not None:
            found = await store.search_communications(tx, cipher, asked, after, ctx.clock.now(), query.limit + 1)
        items = tuple(msgspec.structs.replace(each, contact=None) for each in found[: query.limit])
        told = [each.communication for each in items]
        about = [(UUID(each.recipient.id), audit.Entity(type="Communication", id=each.id)) for each in told]
        await audit.record(tx, *audit.entries_about(ctx, "notifications.communication.search", about))
    return SaidPage(items=items, next=told[-1].id if len(found) > len(items) else None)


def _within_reach(ctx: NotificationsContext, query: SearchCommunications) -> SearchCommunications | None:
    """The search within what the actor may see; None where nothing is left to look for."""
    if ctx.actor.may(ANY_PATIENT):
        return query
    own = ctx.actor.patient_id
    if own is None:
        raise Forbidden
    if query.patient_ids and own not in query.patient_ids:
        return None
    return msgspec.structs.replace(query, patient_ids=(own,))


async def forget_texts(ctx: NotificationsContext) -> int:
    """Clear contacts and texts that are past their time, one batch a turn; how many."""
    return await store.forget_texts(ctx.db, ctx.clock.now(), FORGET_BATCH_MAX)


async def dispose_communications(ctx: NotificationsContext, before: datetime, limit: int) -> int:
    """End the messages of one organization that are past their time; one batch."""
    async with ctx.db.transaction() as tx:
        gone = await store.dispose(tx, ctx.actor.organization_id, before, limit)
        return await note_disposed(ctx, tx, "notifications.communication.dispose", gone)


async def _keys(ctx: NotificationsContext) -> FieldCipher:
    return await ctx.vault.of(ctx.db, ctx.actor.organization_id)


def _entry(
    ctx: Context, event: str, action: audit.Action, communication_id: UUID, recipient: Recipient, reason: Reason | None = None
) -> audit.Entry:
    patient_id = UUID(recipient.id) if recipient.kind == "patient" else None
    entities = (audit.Entity(type="Communication", id=communication_id),)
    return audit.entry(
        ctx, event, action, patient_id=patient_id, entities=entities, outcome="failed" if reason else "success",
        code=f"notifications.{reason}" if reason else None,
    )  # fmt: skip


reseal_communications = in_transaction(store.reseal)
"""Seal messages anew that an older key sealed, at most `limit` with ids behind `after`: one batch of a rotation."""
