"""Receiving: every message is stored in the transaction that decides its fate, and then acknowledged.

What it asks for is done first, by use cases of others, under keys made of the message: after a crash in between, its sender, who got no
answer, sends it again, and everything is done once.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from itertools import islice
from typing import NamedTuple, TypeVar
from uuid import UUID

from msgspec.structs import replace

from carewright.contracts.hl7 import NotHl7
from carewright.contracts.patients import hash_of
from carewright.hl7 import store
from carewright.hl7.context import Codes, Hl7Context
from carewright.hl7.model import kinds
from carewright.hl7.model.answers import Answer, Code, acknowledged, header_in
from carewright.hl7.model.batch import messages_in
from carewright.hl7.model.codes import BY_HAND, DoesNotFit
from carewright.hl7.model.message import Message, parse
from carewright.hl7.model.order import Read, people_in, runs_of, things_in
from carewright.hl7.model.pid import person_in
from carewright.hl7.model.siu import ids_in
from carewright.hl7.model.when import span_of
from carewright.hl7.service import adt, orders, siu
from carewright.hl7.service.codes import codes_of
from carewright.hl7.service.work import Work
from carewright.hl7.store import Fate, Heard, Looked, NewLink
from carewright.kernel import audit, telemetry
from carewright.kernel.errors import Forbidden, IdempotencyInFlight, Refusal, Unavailable
from carewright.kernel.privacy.cipher import FieldCipher

RECEIVE = "hl7.message.receive"
BEHIND = "hl7.earlier_waits"
OLDER = "hl7.older"
AHEAD_MAX = timedelta(days=1)
"""A message that is stamped later than this from now says nothing of its time: by it every message to come would be an older one."""
CLIENT = "client/"
NOT_NOW = (Unavailable, IdempotencyInFlight)
AUTHORITY = frozenset({401, 403})
ACTIONS: dict[str, Callable[[Work], Awaitable[UUID | None]]] = {
    "book": siu.book,
    "modify": siu.modify,
    "cancel": siu.cancel,
    "delete": siu.delete,
    "no-show": siu.no_show,
    "block": siu.block,
    "unblock": siu.unblock,
    "register": adt.register,
    "update": adt.update,
    "merge": adt.merge,
    "order": orders.keep,
}
WITHOUT_A_PLACE = frozenset({"by-hand", "order", "merge"})
"""What may wait for a person, and lets what is told of the patient meanwhile go on."""
OUTCOMES: dict[store.Status, audit.Outcome] = {"applied": "success", "waiting": "failed", "refused": "refused", "settled": "success"}
CODES: dict[store.Status, Code] = {"applied": "AA", "waiting": "AE", "refused": "AR", "settled": "AA"}
T = TypeVar("T")
log = telemetry.logger(__name__)


class Taken(NamedTuple):
    """A message that came, and what became of it. `answer` is of an earlier one where that was the same."""

    heard: Heard
    answer: Answer


async def receive(ctx: Hl7Context, raw: bytes) -> bytes | None:
    """Do what a message asks for, store it, and answer: AA applied, AE on the work list, AR refused. None where no answer is wanted.

    What cannot be done just now is answered AR and not stored: its sender sends it again. Raises `Forbidden` for who may not send.
    """
    ctx.actor.require(RECEIVE)
    return await _received(ctx, await ctx.cipher(), client_of(ctx), _read(raw))


async def receive_all(ctx: Hl7Context, raws: Sequence[bytes]) -> list[bytes]:
    """As `receive`, of messages and batches that came together: what answers each of them, a batch's answers one after the other.

    They are done in their order, or at once where the order makes no difference, so that they share statements and commits.
    """
    ctx.actor.require(RECEIVE)
    receiving = partial(_received, ctx, await ctx.cipher(), client_of(ctx))
    batches = [_each_of(raw) for raw in raws]
    answers = iter(await _in_runs(receiving, (raw for batch in batches for raw in batch)))
    return [b"".join(each or b"" for each in islice(answers, len(batch))) for batch in batches]


async def take_all(ctx: Hl7Context, raws: Sequence[bytes]) -> list[Taken]:
    """As `receive_all`, of single messages, for one who wants no acknowledgements: what became of each."""
    ctx.actor.require(RECEIVE)
    return await _in_runs(partial(_taken, ctx, await ctx.cipher(), client_of(ctx)), raws)


def client_of(ctx: Hl7Context) -> UUID:
    """Which registered system is asking. Raises `Forbidden` for anybody else: whose message it is must be known for good."""
    try:
        return UUID(ctx.actor.subject.removeprefix(CLIENT)) if ctx.actor.subject.startswith(CLIENT) else _nobody()
    except ValueError:
        return _nobody()


@asynccontextmanager
async def turn_of(ctx: Hl7Context, cipher: FieldCipher, heard: Heard, message: Message) -> AsyncIterator[None]:
    """Nobody else, here or in another process, has the message itself or what its sender names in it.

    Nothing is waited for before its turn here is taken: those that begin one after the other take their turns so. Raises `Unavailable`
    where another process is at it for too long.
    """
    client = str(heard.client_id)
    things = {(client, heard.mark.hex()), *((client, *thing) for thing in things_in(message))}
    async with ctx.turns.of(things), ctx.across.of(_keys_of(cipher, things)):
        yield


def heard_of(ctx: Hl7Context, cipher: FieldCipher, message: Message, raw: bytes, client_id: UUID) -> Heard:
    """The message as it is stored. What its sender stamped on it anew does not make it another message."""
    sender = (message.text("MSH", 3), message.text("MSH", 4), message.control_id)
    said = ("\r".join("|".join((each.name, *each.fields)) for each in message.segments[1:])).encode("utf-8")
    body = said if len(message.segments) > 1 else raw
    mark = cipher.mark(store.TABLE, "mark", b"\0".join((str(client_id).encode(), *(each.encode() for each in sender), body)))
    return Heard(
        id=ctx.ids.new(), client_id=client_id, mark=mark, subject=_subject(cipher, message, client_id), kind=kinds.shown(message.kind),
        content=raw, received_at=ctx.clock.now(),
    )  # fmt: skip


async def decided(ctx: Hl7Context, cipher: FieldCipher, message: Message, heard: Heard, *, behind: bool) -> tuple[Fate, Sequence[NewLink]]:
    """Do what a readable message asks for, in its sender's name, unless it is `behind` one that waits; what its ids stand for then."""
    action = ACTIONS.get(kinds.ACTIONS[message.kind])
    if behind:
        return Fate(status="waiting", reason=BEHIND), ()
    if action is None:
        return Fate(status="waiting", reason=BY_HAND), ()
    work = Work(ctx, cipher, await codes_of(ctx), message, heard.client_id, heard.mark)
    return await _done(work, action), work.links()


async def named_in(ctx: Hl7Context, cipher: FieldCipher, message: Message, fate: Fate) -> Sequence[bytes]:
    """By which hashes a message is found whose patient nobody knows."""
    people = () if fate.patient_id else people_in(message)
    if not people:
        return ()
    authorities = Codes(await store.mappings(ctx.db, cipher.organization_id), {}).authorities
    return sorted({hash_of(cipher, each.identifier(authorities)) for each in people})


async def _done(work: Work, action: Callable[[Work], Awaitable[UUID | None]]) -> Fate:
    try:
        return Fate(status="applied", patient_id=await action(work))
    except DoesNotFit as misfit:
        return Fate(status="waiting", reason=misfit.reason, about=misfit.about)
    except NOT_NOW:
        raise
    except Refusal as refusal:
        return Fate(status="refused" if refusal.status in AUTHORITY else "waiting", reason=refusal.code)
    except Exception as fault:  # noqa: BLE001  # a message that breaks us must neither be lost nor stop those behind it
        log.error("hl7.broke", error=type(fault).__name__, where=telemetry.where(fault))
        return Fate(status="waiting", reason="hl7.fault")


def entry_of(ctx: Hl7Context, event: str, action: audit.Action, message_id: UUID, fate: Fate) -> audit.Entry:
    """What the journal says of a message: that it came, or was tried again, and what became of it."""
    outcome = OUTCOMES[fate.status]
    about = (audit.Entity(type="MessageHeader", id=message_id),)
    return audit.entry(ctx, event, action, patient_id=fate.patient_id, entities=about, outcome=outcome, code=fate.reason)


def _read(raw: bytes) -> Read:
    try:
        return Read(raw, parse(raw))
    except NotHl7 as fault:
        return Read(raw, header_in(raw), fault.code)


def _each_of(raw: bytes) -> list[bytes]:
    """The messages of a batch; what is none is a message that cannot be read."""
    try:
        return messages_in(raw)
    except NotHl7:
        return [raw]


async def _in_runs(do: Callable[[Read], Awaitable[T]], raws: Iterable[bytes]) -> list[T]:
    """What comes of each message, in order. A fault of one that is done beside others is raised once the others are through."""
    through: list[T] = []
    for run in runs_of(map(_read, raws)):
        for done in await asyncio.gather(*map(do, run), return_exceptions=True):
            if isinstance(done, BaseException):
                raise done
            through.append(done)
    return through


async def _received(ctx: Hl7Context, cipher: FieldCipher, client_id: UUID, read: Read) -> bytes | None:
    heard, answer = await _taken(ctx, cipher, client_id, read)
    return acknowledged(read.message, answer, heard.received_at)


async def _taken(ctx: Hl7Context, cipher: FieldCipher, client_id: UUID, read: Read) -> Taken:
    heard = heard_of(ctx, cipher, read.message, read.raw, client_id)
    try:
        async with turn_of(ctx, cipher, heard, read.message):
            reason = read.fault or wrong_form(ctx, read.message)
            heard = heard if reason else await _dated(ctx, cipher, heard, read.message)
            found = await store.look(ctx.db, cipher.organization_id, heard)
            if found.same is None or found.same[1].status == "refused":
                answer = await _take(ctx, cipher, read.message, heard, found, reason)
            else:
                answer = _answer(*found.same)
    except NOT_NOW as refusal:
        answer = Answer("AR", heard.id, refusal.code)
    return Taken(heard, answer)


async def _take(ctx: Hl7Context, cipher: FieldCipher, message: Message, heard: Heard, found: Looked, wrong: str | None) -> Answer:
    """One that is older than what is done waits for a person, and holds up nothing."""
    links: Sequence[NewLink] = ()
    if wrong is not None:
        fate = Fate(status="refused", reason=wrong)
    elif found.is_late:
        fate, heard = Fate(status="waiting", reason=OLDER), replace(heard, subject=None)
    else:
        fate, links = await decided(ctx, cipher, message, heard, behind=found.waits)
    named = await named_in(ctx, cipher, message, fate)
    if await store.keep_message(ctx.db, cipher, heard, fate, links, named, entry_of(ctx, "hl7.message.receive", "C", heard.id, fate)):
        return _answer(heard.id, fate)
    same = (await store.look(ctx.db, cipher.organization_id, heard)).same  # another process was faster
    return _answer(*same) if same else _answer(heard.id, fate)


async def _dated(ctx: Hl7Context, cipher: FieldCipher, heard: Heard, message: Message) -> Heard:
    """With the time when its sender wrote it (MSH-7), by the clock of the application that MSH-3 and MSH-4 name.

    Not the time of EVN-2, which people may set (3.4.1.2), nor a sequence number (MSH-13): that counts a connection's messages.
    """
    if heard.subject is None:
        return heard
    written = span_of(message.text("MSH", 7), (await codes_of(ctx)).zones.values())
    if written is None or written[0] > heard.received_at + AHEAD_MAX:
        return heard
    source = "\0".join((message.text("MSH", 3), message.text("MSH", 4))).encode()
    return replace(heard, written=written, source_hash=cipher.mark(store.TABLE, "source_hash", heard.subject + source))


def wrong_form(ctx: Hl7Context, message: Message) -> str | None:
    """Why a message is refused whatever it says."""
    version, processing = message.text("MSH", 12), message.text("MSH", 11)
    if not message.control_id:
        return "hl7.control_id"
    if version and not kinds.VERSION.fullmatch(version):
        return "hl7.version"
    if processing and processing not in ctx.settings.processing_ids.split(","):
        return "hl7.processing"
    if message.kind[0] not in kinds.TYPES:
        return "hl7.type"
    return None if message.kind in kinds.ACTIONS else "hl7.event"


def _answer(message_id: UUID, fate: Fate) -> Answer:
    return Answer(CODES[fate.status], message_id, fate.reason or "")


def _subject(cipher: FieldCipher, message: Message, client_id: UUID) -> bytes | None:
    """What a message is about, by which messages keep their order: the sender's appointment, or else the patient.

    A referral or a merge is about a patient too, but takes a person.
    """
    ids = ids_in(message)
    people = () if ids else person_in(message).identifiers
    if not (ids or people) or (not ids and kinds.ACTIONS.get(message.kind, "by-hand") in WITHOUT_A_PLACE):
        return None
    name = f"appointment\0{ids[0]}" if ids else f"patient\0{people[0].namespace}\0{people[0].value}"
    return cipher.mark(store.TABLE, "subject", f"{client_id}\0{name}".encode())


def _keys_of(cipher: FieldCipher, things: set[tuple[str, ...]]) -> list[int]:
    """By what processes tell things apart. A hash, since anybody who looks after the database sees its locks."""
    marks = (cipher.mark(store.TABLE, "turn", "\0".join(thing).encode()) for thing in things)
    return sorted({int.from_bytes(mark[:8], "big", signed=True) for mark in marks})


def _nobody() -> UUID:
    raise Forbidden("Messages are taken from registered clients alone.")
