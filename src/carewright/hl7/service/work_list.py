"""The work list: what did not fit, and trying it again."""

from uuid import UUID

from carewright.contracts.hl7 import (
    EarlierWaits,
    ListPatientMessages,
    NotHl7,
    PatientMessage,
    PatientMessages,
    Replayed,
    UnknownMessage,
    WaitingMessage,
)
from carewright.hl7 import store
from carewright.hl7.context import Hl7Context
from carewright.hl7.model import kinds
from carewright.hl7.model.charset import decoded, encoded
from carewright.hl7.model.codes import TABLES
from carewright.hl7.model.message import parse
from carewright.hl7.service.receive import decided, entry_of, heard_of, named_in, turn_of
from carewright.hl7.store import Fate, Kept
from carewright.kernel import audit
from carewright.kernel.errors import BadInput

WORK_LIST = "hl7.work_list"
READ = "hl7.message.read"
MAP = "hl7.mapping.change"
SHOWN_MAX = 200
FIRST_ID = UUID(int=0)


async def list_waiting(ctx: Hl7Context, after: UUID = FIRST_ID) -> tuple[WaitingMessage, ...]:
    """A page of what waits, oldest first: what kind of message and why, and nothing of whom it is about."""
    ctx.actor.require(WORK_LIST)
    return await store.waiting(ctx.db, await ctx.cipher(), after, SHOWN_MAX)


async def get_waiting(ctx: Hl7Context, message_id: UUID) -> WaitingMessage:
    """One message that waits, as the list has it. Raises `UnknownMessage`."""
    ctx.actor.require(WORK_LIST)
    kept = await _found(ctx, message_id)
    if kept.fate.status != "waiting":
        raise UnknownMessage(message_id=str(message_id))
    return WaitingMessage(
        id=kept.id, client_id=kept.client_id, kind=kept.kind, reason=kept.fate.reason or "", about=kept.fate.about,
        received_at=kept.received_at,
    )  # fmt: skip


async def read_message(ctx: Hl7Context, message_id: UUID) -> str:
    """A message as it was sent, for whoever may read of patients. Raises `UnknownMessage`."""
    ctx.actor.require(READ)
    kept = await _found(ctx, message_id)
    await audit.record(ctx.db, entry_of(ctx, "hl7.message.read", "R", message_id, Fate(status="applied", patient_id=kept.fate.patient_id)))
    return text_of(kept.content or b"")


async def list_patient_messages(ctx: Hl7Context, query: ListPatientMessages) -> PatientMessages:
    """What was said of a patient, and told of them, for whoever may read it."""
    ctx.actor.require(READ)
    found = await store.messages_of_patient(ctx.db, await ctx.cipher(), query.patient_id, query.after or FIRST_ID, query.limit + 1)
    shown = tuple(
        PatientMessage(
            id=row["id"], patient_id=query.patient_id, kind=row["kind"], is_told=row["is_told"], at=row["at"], content=text_of(content)
        )
        for row, content in found[: query.limit]
    )  # fmt: skip
    about = tuple(audit.Entity(type="MessageHeader", id=each.id) for each in shown)
    await audit.record(ctx.db, audit.entry(ctx, "hl7.message.export", "R", patient_id=query.patient_id, entities=about))
    return PatientMessages(items=shown, next=shown[-1].id if len(found) > len(shown) else None)


async def replay(ctx: Hl7Context, message_id: UUID, content: bytes | None = None) -> Fate:
    """Try a waiting message again in its sender's name, as it was sent or as `content` has it now. Returns what became of it.

    Raises `UnknownMessage`, `NotHl7`, `EarlierWaits`, and `Unavailable`; nothing is changed by any of them.
    """
    ctx.actor.require(WORK_LIST)
    if content is not None:
        ctx.actor.require(READ)
    cipher = await ctx.cipher()
    kept = await _found(ctx, message_id)
    raw = content or kept.content
    if kept.fate.status != "waiting" or raw is None:
        raise UnknownMessage
    message = parse(raw)
    if message.kind not in kinds.ACTIONS:
        raise NotHl7(rule="header")
    sender = await ctx.access.actor_of_client(ctx.system, kept.client_id)
    if sender is None:
        raise UnknownMessage("Whoever sent this message is no longer a client.")
    acting = ctx.acting(sender, trace=ctx.trace)
    heard = heard_of(acting, cipher, message, raw, kept.client_id)
    async with turn_of(ctx, cipher, heard, message):
        if heard.subject and await store.is_waiting(ctx.db, cipher.organization_id, heard.subject, kept.id):
            raise EarlierWaits
        fate, links = await decided(acting, cipher, message, heard, behind=False)
        named = await named_in(ctx, cipher, message, fate)
        async with ctx.db.transaction() as tx:
            if not await store.decide_message(tx, cipher, kept, raw, heard.subject, fate, ctx.clock.now()):
                raise UnknownMessage
            await store.put_links(tx, cipher, kept.client_id, links, ctx.clock.now())
            await store.put_named(tx, cipher.organization_id, kept.id, named)
            await audit.record(tx, entry_of(ctx, "hl7.message.replay", "U", message_id, fate))
    return fate


async def replay_message(ctx: Hl7Context, message_id: UUID, content: str | None = None) -> Replayed:
    """As `replay`, of a message as text."""
    fate = await replay(ctx, message_id, None if content is None else encoded(content))
    return Replayed(applied=fate.status == "applied", reason=fate.reason or "", about=fate.about)


async def settle(ctx: Hl7Context, message_id: UUID, reason: str) -> None:
    """Take a message off the work list that somebody has seen to by hand, and keep how. Raises `UnknownMessage`."""
    ctx.actor.require(WORK_LIST)
    cipher = await ctx.cipher()
    async with ctx.db.transaction() as tx:
        fate = await store.settle_message(tx, cipher, message_id, reason, ctx.clock.now())
        if fate is None:
            raise UnknownMessage(message_id=str(message_id))
        await audit.record(tx, entry_of(ctx, "hl7.message.settle", "U", message_id, fate))


async def set_mapping(ctx: Hl7Context, table: str, code: str, target: str | None) -> None:
    """What a code of others becomes from now on; None for nothing any more. Raises `BadInput` for a table that is none."""
    ctx.actor.require(MAP)
    if table not in TABLES or not 1 <= len(code) <= 200 or not 1 <= len(target or "x") <= 200:
        raise BadInput(f"There are these tables: {', '.join(TABLES)}. Codes have 1 to 200 letters.")
    async with ctx.db.transaction() as tx:
        await store.put_mapping(tx, ctx.actor.organization_id, table, code, target)
        await audit.record(tx, audit.entry(ctx, "hl7.mapping.put", "U"))
    ctx.known.forget(ctx.actor.organization_id)


def text_of(content: bytes) -> str:
    """The message to be read, a line for each segment; what is not of its character set is shown as far as it goes."""
    try:
        text = decoded(content)
    except NotHl7:
        text = content.decode("utf-8", "replace")
    return text.replace("\r\n", "\n").replace("\r", "\n")


async def _found(ctx: Hl7Context, message_id: UUID) -> Kept:
    kept = await store.message_by_id(ctx.db, await ctx.cipher(), message_id)
    if kept is None:
        raise UnknownMessage(message_id=str(message_id))
    return kept
