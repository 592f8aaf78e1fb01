"""Export and verification of the whole log, for `carewright audit` and for whoever checks us from outside.

An export is a folder of four files: `entries.jsonl`, the journal in the order in which it was sealed, a line an entry, byte for byte;
`leaves.bin`, the hashes that were sealed, 32 bytes each; `checkpoints.txt`, the signed notes; `log.json`, whose log it is.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple

import msgspec

from carewright.audit import store
from carewright.audit.context import AuditContext
from carewright.audit.model.checkpoint import Head, head_of, notes_in
from carewright.audit.model.verification import Kept, findings
from carewright.kernel.audit import entry, record
from carewright.kernel.errors import BadInput
from carewright.kernel.notes import Verifier

ENTRIES, LEAVES, CHECKPOINTS, ABOUT = "entries.jsonl", "leaves.bin", "checkpoints.txt", "log.json"


class Note(NamedTuple):
    """A note that was kept somewhere: how it is told from others, where it lies, and what it says."""

    name: str
    where: str
    text: str


class About(msgspec.Struct, frozen=True, kw_only=True):
    """Whose log an export is, and how many entries it had sealed."""

    origin: str
    size: int
    verifier_key: str | None = None


def ensure_folder(folder: Path) -> None:
    """Make the folder of an export, unless it is there. Raises `BadInput`."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        raise BadInput(f"The folder {folder} cannot be made: {fault.strerror}.") from fault


async def export(ctx: AuditContext, folder: Path) -> About:
    """Write the sealed log into `folder`, which is there. An export is recorded before it is read.

    Checkpoints are read before the log: sealing goes on meanwhile, and one that came later would have seen more than what is read here.
    """
    try:
        await record(ctx.db, entry(ctx, "audit.log.export", "R"))
        (folder / CHECKPOINTS).write_text("".join(await store.checkpoints(ctx.db)), "utf-8")
        place = await store.log_place(ctx.db)
        with (folder / ENTRIES).open("wb") as file:
            await store.copy_journal(ctx.db, place, file.write)
        with (folder / LEAVES).open("wb") as file:
            await store.copy_leaves(ctx.db, place.size, file.write)
        about = About(origin=ctx.settings.origin, size=place.size, verifier_key=ctx.signer.verifier_key if ctx.signer else None)
        (folder / ABOUT).write_bytes(msgspec.json.encode(about))
    except OSError as fault:
        raise BadInput(f"The folder {folder} cannot be written: {fault.strerror}.") from fault
    return about


def verify(folder: Path, verifier_key: str | None, outside: Sequence[Note]) -> list[str]:
    """What does not hold of an export, in sentences. `outside` are checkpoints kept elsewhere, read before the export was made."""
    about = msgspec.json.decode(_read(folder / ABOUT), type=About)
    key = verifier_key or about.verifier_key
    if key is None:
        raise BadInput("Say with --key by which key the log's checkpoints are signed.")
    unsigned: list[str] = []
    kept = list(_kept((*notes_of_file(folder / CHECKPOINTS), *outside), Verifier(key), about.origin, unsigned))
    with (folder / ENTRIES).open("rb") as entries:
        return unsigned + findings(about.size, _read(folder / LEAVES), _lines(entries), kept)


def notes_of_file(path: Path) -> list[Note]:
    """The checkpoints that a file holds now. Raises `BadInput`."""
    notes = notes_in(_read(path).decode("utf-8", "replace"))
    return [
        Note(f"checkpoint {number} in {path.name}", f"the checkpoint in {path.name}", note) for number, note in enumerate(notes, start=1)
    ]


def _kept(notes: Iterable[Note], verifier: Verifier, origin: str, unsigned: list[str]) -> Iterator[Kept]:
    """The checkpoints among `notes`. What our key did not sign goes to `unsigned`."""
    for note in notes:
        head: Head | None = head_of(verifier.opened(note.text) or "")
        if head is None or head.origin != origin:
            unsigned.append(f"forged: {note.name} is not signed by the log's key")
        else:
            yield Kept(note.where, head)


def _lines(file: BinaryIO) -> Iterator[bytes]:
    return (line[:-1] for line in file)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as fault:
        raise BadInput(f"The file {path} cannot be read: {fault.strerror}.") from fault
