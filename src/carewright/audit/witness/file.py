"""A file as a witness."""

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path

from carewright.audit.model.checkpoint import notes_in, size_of
from carewright.audit.witness.port import NotTaken, SawOther

LAST_BYTES = 4_000
"""Of a file's end: some checkpoints, whole ones but for the first."""


class FileWitness:
    """A file that checkpoints are appended to: on another disk, a share, or a device that writes once.

    It takes no checkpoint of a log that has become smaller.
    """

    def __init__(self, path: str, every_seconds: float = 0.0) -> None:
        self._path = Path(path)
        self.every_seconds = every_seconds

    @property
    def name(self) -> str:
        return f"file {self._path}"

    async def take(self, note: str, seen: int, proof: Sequence[bytes]) -> str:  # noqa: ARG002  (a file checks nothing)
        try:
            await asyncio.to_thread(self._append, note)
        except OSError as fault:
            raise NotTaken from fault
        return note

    def _append(self, note: str) -> None:
        with self._path.open("a+", encoding="utf-8") as file:
            file.seek(max(0, file.tell() - LAST_BYTES))
            size = size_of(note)
            if (kept := max((size_of(each) for each in notes_in(file.read())), default=0)) > size:
                raise SawOther(kept)
            file.write(note)
            file.flush()
            os.fsync(file.fileno())
