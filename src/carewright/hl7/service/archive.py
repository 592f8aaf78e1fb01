"""An archive of messages, brought as if each had just come: through `receive`, with its codes, its order and its work list.

It is read twice: to learn what was said last of each thing, and to bring only that. Memory grows with the number of messages and of things,
not with their size, and holds nothing of a person: things are told apart by keyed hashes.
"""

import struct
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, tzinfo
from io import BufferedReader
from itertools import islice
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

from carewright.contracts.hl7 import NotHl7
from carewright.contracts.imports import ImportReport, Position, Tally
from carewright.hl7 import store
from carewright.hl7.context import Codes, Hl7Context
from carewright.hl7.model import kinds
from carewright.hl7.model.archive import BETWEEN, COUNT, CUT, SIZE, Found, found_in
from carewright.hl7.model.last_words import ENDS, NEVER, Left, Thing, as_new, place_of
from carewright.hl7.model.message import Message, parse
from carewright.hl7.model.pid import person_in
from carewright.hl7.model.siu import Wish, ids_in, wish_in
from carewright.hl7.model.when import span_of
from carewright.hl7.service.codes import codes_of
from carewright.hl7.service.receive import RECEIVE, Taken, client_of, take_all, wrong_form
from carewright.hl7.service.siu import target_of
from carewright.hl7.service.work import link_mark
from carewright.kernel.privacy.cipher import FieldCipher

Progress = Callable[[int, int], None]
TOTAL, SURVEYED = 1_000, 200
CHUNK_BYTES = 1 << 20
BROUGHT_AT_ONCE, LOOKED_UP_AT_ONCE = 200, 500
ORDER, UNREADABLE, NOT_OURS = "hl7.archive.order", "hl7.archive.unreadable", ("hl7.type", "hl7.event")
REASONS = {
    UNREADABLE: "The file cannot be read.",
    BETWEEN: "What stands here is no message.",
    CUT: "The message was cut off.",
    SIZE: "The message is too large.",
    COUNT: "The batch says another number of messages than it has.",
    ORDER: "An order is not brought from an archive.",
    "past": "The appointment is over.",
    "cancelled": "The appointment was called off.",
    "superseded": "A later message says all that this one said.",
    "AE": "It waits on the work list: carewright hl7 list.",
    "AR": "The message was refused.",
}
ENTRY = struct.Struct(">BqIQIIiB")
"""In which round it is brought, its place (when, file, offset), bytes, line, the number of its thing (-1: none), and of its kind."""
PEOPLE_ROUND, OTHERS_ROUND = 0, 1
"""Patients come first: of them only the last word is heard, and what came before it may need them."""
KINDS = sorted(kinds.ACTIONS)
CALLED_OFF = ("cancelled", "noshow", "entered-in-error")


class _Entry(NamedTuple):
    round: int
    written: int
    file: int
    offset: int
    length: int
    line: int
    thing: int
    kind: int

    @property
    def place(self) -> bytes:
        return place_of(self.written, self.file, self.offset)

    @property
    def action(self) -> str:
        return kinds.ACTIONS[KINDS[self.kind]]


async def import_archive(
    ctx: Hl7Context, paths: Sequence[Path], *, dry_run: bool = False, progress: Progress | None = None
) -> ImportReport:
    """Bring what an archive says of what is to come, in the name of the registered system that wrote it; `paths` are files or folders.

    A second run changes nothing; a dry run reads all and brings nothing. Raises `Forbidden` for who may not send.
    """
    ctx.actor.require(RECEIVE)
    files = list(_files_in(paths))
    survey = _Survey(ctx, await ctx.cipher(), client_of(ctx), await codes_of(ctx), files, Tally())
    tell = progress or (lambda _done, _total: None)
    survey.read(tell)
    await survey.look_up()
    await _bring(ctx, survey, dry_run=dry_run, tell=tell)
    tell(TOTAL, TOTAL)
    return survey.tally.report(len(files))


class _File(NamedTuple):
    path: Path
    name: str


def _files_in(paths: Sequence[Path]) -> Iterator[_File]:
    """Each file with its name as it is told: of a folder those below it, in the order of their names, without hidden ones."""
    for path in paths:
        if not path.is_dir():
            yield _File(path, path.name)
            continue
        for each in sorted(path.rglob("*")):
            within = each.relative_to(path)
            if each.is_file() and not any(part.startswith(".") for part in within.parts):
                yield _File(each, str(within))


class _Survey:
    """What the first reading found: an entry for each message that may be brought, and what was said last of each thing."""

    def __init__(self, ctx: Hl7Context, cipher: FieldCipher, client_id: UUID, codes: Codes, files: Sequence[_File], tally: Tally) -> None:
        self.files, self.tally = files, tally
        self.entries: list[bytes] = []
        self.things: list[Thing] = []
        self.now = _micros(ctx.clock.now())
        self._numbers: dict[bytes, int] = {}
        self._ctx, self._cipher, self._client_id, self._codes = ctx, cipher, client_id, codes
        self._zones: list[tzinfo] = [*codes.zones.values()] or [UTC]

    def read(self, tell: Progress) -> None:
        """Read every file to its end."""
        sizes = [_size(each.path) for each in self.files]
        behind, total, told = 0, max(sum(sizes), 1), -1
        for number, (file, size) in enumerate(zip(self.files, sizes, strict=True)):
            try:
                for at in self._heard_in(number, file):
                    if (share := SURVEYED * min(behind + at, total) // total) > told:
                        tell(told := share, TOTAL)
            except OSError:
                self.tally.reject(Position(file.name, 0), UNREADABLE, REASONS[UNREADABLE])
            behind += size
        self.entries.sort()

    async def look_up(self) -> None:
        """What is here already is told of to its end: nothing that was said last of it is left out."""
        over = iter([(mark, number) for mark, number in self._numbers.items() if self.things[number].left_out(self.now)])
        while some := list(islice(over, LOOKED_UP_AT_ONCE)):
            known = await store.known_marks(self._ctx.db, self._cipher.organization_id, [mark for mark, _ in some])
            for mark, number in some:
                if mark in known:
                    self.things[number].left, self.things[number].until = None, NEVER

    def left_out(self, entry: _Entry) -> Left | None:
        if entry.thing < 0:
            return None
        thing = self.things[entry.thing]
        return thing.left_out(self.now) or ("superseded" if entry.place < thing.base else None)

    def at(self, file: int, line: int, kind: int | None = None) -> Position:
        return Position(self.files[file].name, line, None if kind is None else kinds.shown(KINDS[kind]))

    def _heard_in(self, number: int, file: _File) -> Iterator[int]:
        """Hear a file's messages, and say after each how far it was read."""
        written = 0
        with file.path.open("rb") as read, file.path.open("rb") as anew:
            for each in found_in(_chunks(read), self._ctx.settings.message_bytes_max):
                if each.fault:
                    self.tally.reject(self.at(number, each.line), each.fault, REASONS[each.fault])
                else:
                    anew.seek(each.offset)
                    written = self._hear(number, each, anew.read(each.length), written)
                yield each.offset

    def _hear(self, file: int, found: Found, raw: bytes, before: int) -> int:
        """Take note of a message; `before` is when the one before it was written, and this one where it does not say. Returns when."""
        at = self.at(file, found.line)
        try:
            message = parse(raw)
        except NotHl7 as fault:
            self.tally.reject(at, fault.code, fault.title)
            return before
        if wrong := wrong_form(self._ctx, message):
            at = Position(at.file, at.line, kinds.shown(message.kind))
            (self.tally.skip if wrong in NOT_OURS else self.tally.reject)(at, wrong, REASONS["AR"])
            return before
        kind = KINDS.index(message.kind)
        if kinds.ACTIONS[message.kind] == "order":
            self.tally.skip(self.at(file, found.line, kind), ORDER, REASONS[ORDER])
            return before
        span = span_of(message.text("MSH", 7), self._zones)
        written = _micros(span[0]) if span else before
        thing, of_people = self._told(message, place_of(written, file, found.offset))
        rounds = PEOPLE_ROUND if of_people else OTHERS_ROUND
        self.entries.append(ENTRY.pack(rounds, max(written, 0), file, found.offset, found.length, found.line, thing, kind))
        return written

    def _told(self, message: Message, place: bytes) -> tuple[int, bool]:
        """The number of the thing that the message is about, and whether that is a patient."""
        action = kinds.ACTIONS[message.kind]
        if action in ("register", "update"):
            return self._told_of_patient(message, action, place), True
        if action == "merge":
            return -1, False
        number = self._number([link_mark(self._cipher, self._client_id, each) for each in ids_in(message)])
        if action != "by-hand":
            self._hear_of_time(self.things[number], wish_in(message), action, place)
        return number, False

    def _hear_of_time(self, thing: Thing, wish: Wish, action: str, place: bytes) -> None:
        """Of an appointment or a block: until when it may be to come, and whether it ended."""
        target = target_of(self._codes, wish.status)
        left: Left | None = "cancelled" if action in ENDS or target in CALLED_OFF else "past" if target == "fulfilled" else None
        span = span_of(wish.end or wish.start if action == "block" else wish.start, self._zones)
        thing.hear(place, is_full=bool(wish.start), until=_micros(span[1]) if span else NEVER, left=left)

    def _told_of_patient(self, message: Message, action: str, place: bytes) -> int:
        person = person_in(message)
        named = [f"{self._client_id}\0patient\0{each.namespace}\0{each.value}".encode() for each in person.identifiers[:1]]
        number = self._number([self._cipher.mark(store.TABLE, "subject", each) for each in named])
        self.things[number].hear(place, is_full=action == "register" and bool(person.family))
        return number

    def _number(self, marks: Sequence[bytes]) -> int:
        """The number of what the marks name: a new one where they name nothing that was heard of."""
        number = next((self._numbers[each] for each in marks if each in self._numbers), len(self.things))
        if number == len(self.things):
            self.things.append(Thing())
        self._numbers.update(dict.fromkeys(marks, number))
        return number


async def _bring(ctx: Hl7Context, survey: _Survey, *, dry_run: bool, tell: Progress) -> None:
    """Bring what is worth it, in its order, and tell of the rest why it is not."""
    done, entries = 0, iter(survey.entries)
    while some := list(islice(entries, BROUGHT_AT_ONCE)):
        wanted = []
        for entry in (_Entry(*ENTRY.unpack(each)) for each in some):
            if left := survey.left_out(entry):
                survey.tally.skip(survey.at(entry.file, entry.line, entry.kind), f"hl7.archive.{left}", REASONS[left])
            else:
                wanted.append(entry)
        if dry_run:
            for entry in wanted:
                survey.tally.accept(survey.at(entry.file, entry.line, entry.kind))
        elif wanted:
            for entry, taken in zip(wanted, await take_all(ctx, [_raw(survey, each) for each in wanted]), strict=True):
                _tell_of(survey, entry, taken)
        done += len(some)
        tell(SURVEYED + (TOTAL - SURVEYED) * done // len(survey.entries), TOTAL)


def _raw(survey: _Survey, entry: _Entry) -> bytes:
    """The message as it is to be heard: the first that is heard of an appointment is its booking, whatever it was."""
    with survey.files[entry.file].path.open("rb") as file:
        file.seek(entry.offset)
        raw = file.read(entry.length)
    is_first = entry.action == "modify" and entry.thing >= 0 and entry.place == survey.things[entry.thing].base
    return as_new(raw, parse(raw)) if is_first else raw


def _tell_of(survey: _Survey, entry: _Entry, taken: Taken) -> None:
    at, answer = survey.at(entry.file, entry.line, entry.kind), taken.answer
    if answer.code != "AA":
        survey.tally.reject(at, answer.reason, REASONS[answer.code])
        return
    survey.tally.accept(at)
    is_new = answer.message_id == taken.heard.id
    survey.tally.stored(at.resource_type or "", created=int(is_new), changed=0, unchanged=int(not is_new))


def _chunks(file: BufferedReader) -> Iterator[bytes]:
    while chunk := file.read(CHUNK_BYTES):
        yield chunk


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _micros(instant: datetime) -> int:
    return int(instant.timestamp() * 1_000_000)
