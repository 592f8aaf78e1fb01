"""Who was registered a moment ago: scheduling's own copy of a patient comes by an event, a moment later."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from carewright.contracts.scheduling import UnknownPatient

T = TypeVar("T")
WAIT_SECONDS = (0.05, 0.2, 0.5, 1.5)
"""After which a patient's copy is looked for again. The sum bounds how long a stranger's booking takes to be refused."""


def when_known(work: Callable[[], Awaitable[T]]) -> Callable[[], Awaitable[T]]:
    """`work`, done again while it raises `UnknownPatient`, as often as there are waits. It must leave nothing behind when it raises."""

    async def patient_work() -> T:
        for wait in WAIT_SECONDS:
            try:
                return await work()
            except UnknownPatient:
                await asyncio.sleep(wait)
        return await work()

    return patient_work
