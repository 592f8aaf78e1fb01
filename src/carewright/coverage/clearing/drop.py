"""X12 by files: questions are put into `out`, answers come in `in`, and end in `done`, or in `unread` where nobody waits for them."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from carewright.coverage.clearing.port import NoAnswer
from carewright.coverage.clearing.x12 import Account, envelope_of
from carewright.coverage.model.question import Question, Request
from carewright.coverage.model.x12.inquiry import write_question
from carewright.coverage.model.x12.interchange import Envelope, NotX12
from carewright.coverage.model.x12.review import write_request
from carewright.kernel.private_file import write_private

FOLDERS = ("out", "in", "done", "unread")
FILE_BYTES_MAX = 1024 * 1024
FILES_MAX = 200
"""Taken in one turn."""


class Drop:
    """A folder that somebody else brings away and fills. A file's name is the question's trace, and tells nothing of the patient."""

    can_inquire = False

    def __init__(self, folder: Path, account: Account) -> None:
        self._folder, self._account = folder, account
        for name in FOLDERS:
            (folder / name).mkdir(mode=0o700, parents=True, exist_ok=True)

    async def ask(self, question: Question) -> None:
        """Put the question out, whole or not at all. Its answer comes later."""
        await self._put(question, "270", write_question)

    async def review(self, request: Request) -> None:
        """Put the request out, as `ask` does."""
        await self._put(request, "278", write_request)

    async def inquire(self, request: Request, number: str) -> None:
        """Nothing: the answer comes by itself."""

    async def _put(self, question: Question, kind: str, written: Callable[[Any, Envelope], bytes]) -> None:
        try:
            raw = written(question, envelope_of(self._account, question))
            await asyncio.to_thread(write_private, self._folder / "out" / f"{question.trace}.{kind}", raw)
        except NotX12:
            raise NoAnswer("refused") from None
        except OSError:
            raise NoAnswer("payer-away") from None

    def arrived(self) -> list[Path]:
        """Files that lie in `in`, by name. What begins with a dot is still being written."""
        return sorted(each for each in (self._folder / "in").iterdir() if each.is_file() and not each.name.startswith("."))[:FILES_MAX]

    def read(self, path: Path) -> bytes:
        """What a file says, and a byte more than may be: that is none of ours."""
        with path.open("rb") as file:
            return file.read(FILE_BYTES_MAX + 1)

    def put_away(self, path: Path, *, is_known: bool) -> None:
        """Nothing is lost: what was not understood lies in `unread`, for a person. A name that is there already gets a number."""
        there = self._folder / ("done" if is_known else "unread")
        names = (there / f"{path.name}{f'.{number}' if number else ''}" for number in range(FILES_MAX * FILES_MAX))
        path.rename(next(name for name in names if not name.exists()))
