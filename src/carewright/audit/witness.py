"""Outside witnesses: where checkpoints go, so that whoever changes the whole database is still found out."""

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

import httpx

from carewright.audit.model.checkpoint import notes_in, request_of, size_of
from carewright.audit.settings import AuditSettings
from carewright.kernel.errors import Refusal
from carewright.kernel.http.outgoing import Outgoing

TIMEOUT_SECONDS = 10.0
ANSWER_BYTES_MAX = 20_000
LAST_BYTES = 4_000
"""Of a file's end: some checkpoints, whole ones but for the first."""


class NotTaken(Exception):
    """A witness could not be reached, or refused the checkpoint."""


class SawOther(NotTaken):
    """A witness has seen the log at another size than we thought."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size


class Witness(Protocol):
    """Takes checkpoints. `take` returns the note as the witness keeps it, with its signature if it signs."""

    @property
    def name(self) -> str: ...

    async def take(self, note: str, seen: int, proof: Sequence[bytes]) -> str: ...


class FileWitness:
    """A file that checkpoints are appended to: on another disk, a share, or a device that writes once.

    It takes no checkpoint of a log that has become smaller.
    """

    def __init__(self, path: str) -> None:
        self._path = Path(path)

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


class HttpWitness:
    """A witness that speaks C2SP tlog-witness: it checks that the log has only grown, and answers with its signature.

    `transport` keeps no connection open, so there is nothing to close.
    """

    def __init__(self, url: str, transport: httpx.AsyncBaseTransport) -> None:
        self._url = url.rstrip("/")
        self._client = httpx.AsyncClient(timeout=TIMEOUT_SECONDS, trust_env=False, transport=transport)

    @property
    def name(self) -> str:
        return f"url {self._url}"

    async def take(self, note: str, seen: int, proof: Sequence[bytes]) -> str:
        try:
            answer = await self._client.post(f"{self._url}/add-checkpoint", content=request_of(seen, list(proof), note))
        except (httpx.HTTPError, Refusal) as fault:
            raise NotTaken from fault
        if answer.status_code == httpx.codes.CONFLICT and answer.text.strip().isdigit():
            raise SawOther(int(answer.text))
        if answer.status_code != httpx.codes.OK or len(answer.content) > ANSWER_BYTES_MAX:
            raise NotTaken
        return note + answer.text


def of(settings: AuditSettings, outgoing: Outgoing) -> list[Witness]:
    """The witnesses that are set. That of an address is asked through the guard, and may lie inside."""
    witnesses: list[Witness] = []
    if settings.witness_file:
        witnesses.append(FileWitness(settings.witness_file))
    if settings.witness_url:
        there = urlsplit(settings.witness_url)
        witnesses.append(HttpWitness(settings.witness_url, outgoing.reaching(f"{there.scheme}://{there.netloc}")))
    return witnesses
