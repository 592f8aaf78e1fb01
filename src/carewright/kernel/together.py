"""All or nothing: use cases of several modules as one database transaction (docs/adr/0038-use-cases-together.md).

They are called as ever, by their Protocols, and know nothing of it: permissions, audit entries, events and answers under a key are theirs
and stand or fall with the rest. It needs every module that is to change something in this process.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import TypeVar
from uuid import UUID

from carewright.kernel.context import Context
from carewright.kernel.errors import OutcomeUnknown, Unavailable

T = TypeVar("T")
ATTEMPTS_MAX = 6
PAUSE_SECONDS_MAX = 0.3
Settle = Callable[[], Awaitable[None]]
"""Has the modules here take note of what was done so far, where a later use case asks them for it."""


class Together:
    """`is_here` says whether a Protocol is answered in this process.

    `catch_up` has the modules here handle those events of the joint transaction that they cannot wait for (`Module.at_once`).
    """

    def __init__(self, is_here: Callable[[type], bool], catch_up: Callable[[UUID], Awaitable[None]]) -> None:
        self._is_here = is_here
        self._catch_up = catch_up

    def reaches(self, protocols: Iterable[type]) -> bool:
        """Whether all of these can take part: those of other processes cannot."""
        return all(map(self._is_here, protocols))

    async def all_or_nothing(self, ctx: Context, work: Callable[[Settle], Awaitable[T]]) -> T:
        """What `work` returns, with everything that its use cases changed, or its refusal and nothing changed.

        It is begun anew where a lock did not come free at once, so it must be safe to repeat. Raises `Unavailable` after six times, and
        `OutcomeUnknown` where it could not be committed or noted.
        """
        await ctx.cipher()  # keys that are made for a new organization are no part of what may be undone
        for attempts_left in reversed(range(ATTEMPTS_MAX)):
            joint = None
            try:
                async with ctx.db.joined() as joint:
                    return await work(partial(self._catch_up, ctx.actor.organization_id))
            except OutcomeUnknown:
                raise
            except Unavailable:
                if not attempts_left or joint is None or not joint.was_held_up:
                    raise
            finally:
                if joint is not None:
                    is_settled = await joint.settle()
                    ctx.wake()
                    if not is_settled:
                        raise OutcomeUnknown
            await asyncio.sleep(ctx.rng.uniform(0, PAUSE_SECONDS_MAX))
        raise Unavailable
