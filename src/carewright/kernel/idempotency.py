"""Idempotency keys: a retry of an unsafe call gets the first answer, and does nothing twice.

Follows draft-ietf-httpapi-idempotency-key-header: 409 while the first is in flight, 422 for another payload under the same key.
The answer is stored in the transaction of the effect, so the two cannot part. Refusals are not stored: they changed nothing.
An answer may be a person's record, and a fingerprint tells whoever guesses the request: both are stored under the organization's keys.
"""

from collections.abc import Awaitable, Callable
from typing import NamedTuple, TypeVar
from uuid import UUID

import msgspec

from carewright.kernel.context import Context, Once
from carewright.kernel.db import Session
from carewright.kernel.errors import IdempotencyInFlight, IdempotencyKeyReused, Refusal, Unavailable
from carewright.kernel.privacy.cipher import FieldCipher
from carewright.kernel.sql import load

Q = load("carewright.kernel")
T = TypeVar("T")
KEEP_DAYS = 7
"""How long answers are kept, and with them the events and the notes of their delivery."""
KEY_LENGTH_MAX = 255
FORGET_BATCH = 1_000
TABLE = "kernel.idempotency"
_in_flight: set[tuple[UUID, str, str]] = set()


class AlreadyDone(Refusal):
    """Internal: the statement found the key used. Turned into the first answer by `once`; never shown."""

    code = "kernel.already_done"
    status = 409
    issue = "duplicate"
    title = "This was already done."


async def once(ctx: Context, kind: type[T], work: Callable[[], Awaitable[T]], *, look_first: bool = True) -> T:
    """Do `work` unless it was done under this key before; then return the first answer.

    `work` must call `remember` (or insert the key itself) in its transaction. With `look_first=False` it does so by a statement
    that refuses with `AlreadyDone`, which saves the common case a round trip.
    """
    if ctx.once is None:
        return await work()
    await ctx.cipher()  # so that `seal_answer` finds the keys at hand
    mark = (ctx.actor.organization_id, ctx.actor.subject, ctx.once.key)
    if mark in _in_flight:
        raise IdempotencyInFlight
    _in_flight.add(mark)
    try:
        if look_first and (earlier := await _recall(ctx, kind)) is not None:
            return earlier
        return await _do_or_recall(ctx, kind, work)
    finally:
        _in_flight.discard(mark)


async def remember(ctx: Context, tx: Session, answer: object) -> None:
    """Store the answer under the caller's key. Refuses with `AlreadyDone` when another process was faster."""
    if ctx.once is not None:
        kept = seal_answer(ctx, ctx.once, msgspec.json.encode(answer))
        await tx.execute(
            Q.remember_answer, ctx.actor.organization_id, ctx.actor.subject, ctx.once.key, kept.fingerprint, kept.answer, ctx.clock.now()
        )


async def committed(ctx: Context, work: Callable[[Session], Awaitable[T]]) -> T:
    """What `work` answers, done and remembered in one transaction of its own; readers of the log are woken. Called within `once`."""
    async with ctx.db.transaction() as tx:
        answer = await work(tx)
        await remember(ctx, tx, answer)
    ctx.wake()
    return answer


async def once_committed(ctx: Context, kind: type[T], work: Callable[[Session], Awaitable[T]]) -> T:
    """A change that is one transaction, done once for a caller's key."""
    return await once(ctx, kind, lambda: committed(ctx, work))


class KeptAnswer(NamedTuple):
    """What is stored of an answer: both under the organization's keys."""

    fingerprint: bytes
    answer: bytes


def seal_answer(ctx: Context, key: Once, answer: bytes) -> KeptAnswer:
    """For statements that store the answer themselves, within `once`."""
    cipher = ctx.vault.at_hand(ctx.actor.organization_id)
    return KeptAnswer(_mark(cipher, key), cipher.seal(TABLE, "answer", _row(ctx, key), answer))


async def forget_answers_about(ctx: Context, id_: UUID) -> int:
    """Delete every kept answer of the organization in which `id_` occurs, and those given to that patient; how many.

    Answers are sealed, so each is opened: some 200,000 a second. Safe to repeat.
    """
    cipher, wanted, own = await ctx.cipher(), str(id_).encode(), f"patient/{id_}"
    subject, key, gone = "", "", 0
    while rows := await ctx.db.fetch(Q.kept_answers, cipher.organization_id, subject, key, FORGET_BATCH):
        about = [
            (row["subject"], row["key"])
            for row in rows
            if row["subject"] == own or wanted in cipher.open_(TABLE, "answer", f"{row['subject']}\0{row['key']}", row["answer"])
        ]
        await ctx.db.execute(Q.forget_answers, cipher.organization_id, [one for one, _ in about], [other for _, other in about])
        subject, key, gone = rows[-1]["subject"], rows[-1]["key"], gone + len(about)
    return gone


async def _do_or_recall(ctx: Context, kind: type[T], work: Callable[[], Awaitable[T]]) -> T:
    try:
        return await work()
    except Refusal as refusal:
        earlier = await _recall_after(ctx, kind, refusal)
        if earlier is None:
            raise
        return earlier


async def _recall_after(ctx: Context, kind: type[T], refusal: Refusal) -> T | None:
    """The first answer, if there is one. When that cannot be asked, `refusal` stands: nobody may say that nothing was changed."""
    try:
        return await _recall(ctx, kind)
    except Unavailable:
        raise refusal from None


async def _recall(ctx: Context, kind: type[T]) -> T | None:
    if ctx.once is None:
        return None
    row = await ctx.db.fetch_gathered(Q.answers_by_key, ctx.actor.organization_id, ctx.actor.subject, ctx.once.key)
    if row is None:
        return None
    cipher = ctx.vault.at_hand(ctx.actor.organization_id)
    if row["fingerprint"] != _mark(cipher, ctx.once):
        raise IdempotencyKeyReused
    return msgspec.json.decode(cipher.open_(TABLE, "answer", _row(ctx, ctx.once), row["answer"]), type=kind)


def _mark(cipher: FieldCipher, key: Once) -> bytes:
    return cipher.mark(TABLE, "fingerprint", key.fingerprint)


def _row(ctx: Context, key: Once) -> str:
    return f"{ctx.actor.subject}\0{key.key}"
