"""One statement for questions that come up together.

A thousand callers who lose one race ask a thousand times whether they had won it before. Whoever asks in one turn of the event loop shares
a statement here; its answers come in together, so the next questions do too.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

TOGETHER_MAX = 500


class Gather:
    """Collects the arguments of one turn, asks once, and hands every caller its own row.

    `fetch` gets one array for each argument, and returns rows that say in `number`, from 1, whose they are.
    """

    def __init__(self, fetch: "Callable[..., Awaitable[Sequence[Mapping[str, Any]]]]") -> None:
        self._fetch = fetch
        self._asked: list[tuple[tuple[object, ...], asyncio.Future[Mapping[str, Any] | None]]] = []
        self._asking: set[asyncio.Task[None]] = set()

    async def ask(self, *args: object) -> Mapping[str, Any] | None:
        """The row for `args`, or None."""
        answer: asyncio.Future[Mapping[str, Any] | None] = asyncio.get_running_loop().create_future()
        self._asked.append((args, answer))
        if len(self._asked) == 1:
            asking = asyncio.create_task(self._ask())
            self._asking.add(asking)
            asking.add_done_callback(self._asking.discard)
        return await answer

    async def _ask(self) -> None:
        while self._asked:
            together, self._asked = self._asked[:TOGETHER_MAX], self._asked[TOGETHER_MAX:]
            await self._answer(together)

    async def _answer(self, together: "Sequence[tuple[tuple[object, ...], asyncio.Future[Mapping[str, Any] | None]]]") -> None:
        try:
            columns = zip(*(args for args, _ in together), strict=True)
            rows = await self._fetch(*(list(column) for column in columns))
        except BaseException as fault:
            for _, answer in together:
                if not answer.done():
                    answer.set_exception(fault)
                    answer.exception()  # a caller may be gone; whoever still waits gets it
            if not isinstance(fault, Exception):
                raise
            return
        found = {row["number"]: row for row in rows}
        for number, (_, answer) in enumerate(together, 1):
            if not answer.done():
                answer.set_result(found.get(number))
