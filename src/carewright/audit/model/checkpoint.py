"""Checkpoints (https://c2sp.org/tlog-checkpoint): the text that is signed, and reading it back."""

from base64 import b64decode, b64encode
from typing import NamedTuple

from carewright.audit.model.merkle import HASH_BYTES

SIGNATURE = "\u2014 "


class Head(NamedTuple):
    """A tree: whose, how large, and its root."""

    origin: str
    size: int
    root: bytes


def text_of(head: Head) -> str:
    """The note's text."""
    return f"{head.origin}\n{head.size}\n{b64encode(head.root).decode()}\n"


def head_of(text: str) -> Head | None:
    """What a note's text says, or None when it is no checkpoint. Further lines are extensions, and nobody's concern here."""
    lines = text.split("\n")
    if len(lines) < 4 or not lines[0] or not (lines[1].isascii() and lines[1].isdigit()):
        return None
    try:
        root = b64decode(lines[2], validate=True)
    except ValueError:
        return None
    return Head(lines[0], int(lines[1]), root) if len(root) == HASH_BYTES else None


def size_of(note: str) -> int:
    """The size that a note's text states, signed or not; 0 for what is no checkpoint."""
    head = head_of(note)
    return head.size if head else 0


def notes_in(kept: str) -> list[str]:
    """The notes of a file that keeps one behind another: each ends with its last signature."""
    notes: list[str] = []
    lines: list[str] = []
    for line in kept.splitlines(keepends=True):
        if lines and lines[-1].startswith(SIGNATURE) and not line.startswith(SIGNATURE):
            notes.append("".join(lines))
            lines = []
        lines.append(line)
    return [*notes, "".join(lines)] if lines else notes


def request_of(old: int, proof: list[bytes], note: str) -> str:
    """What a witness is asked (https://c2sp.org/tlog-witness, add-checkpoint): the size it has seen, the proof, the checkpoint."""
    return "".join([f"old {old}\n", *(f"{b64encode(each).decode()}\n" for each in proof), "\n", note])
