"""Loads a demonstration hospital into an empty database, whole or again."""

import gc
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from carewright.kernel import migrate, outbox
from carewright.kernel.sql import load
from carewright.roles.installation import Installation
from carewright.roles.lifecycle import NOBODY, running
from carewright.roles.registry import MODULES
from carewright.roles.relay import system_actor

Q = load("carewright.kernel")
LOADING = "demonstration hospital, loading"
"""The name of a consumer that exists only while loading: whoever finds it knows that a load was broken off."""
AHEAD_OF_ALL = 2**62
"""Where that consumer stands: should its name stay behind after a crash, it holds back no clearing of old events."""
Told = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Demonstration:
    """A hospital that was made elsewhere. `store(context_of, told)` writes it, given the context of each module by name."""

    organization_id: UUID
    example_patient_id: UUID
    store: Callable[[Callable[[str], Any], Told], Awaitable[None]]


async def load_demo(
    sections: Mapping[str, Any], hospital: Demonstration, told: Told, remember: Callable[[Installation], None] = lambda _: None
) -> None:
    """Store `hospital` in an empty database, and tell `remember` what a person needs to try it.

    The load counts as broken off until that has returned: a crash in between means loading again, never a hospital nobody knows of.
    """
    core = [module for module in MODULES if module.has_tables]
    actor = system_actor(NOBODY, hospital.organization_id)
    async with running(core, sections) as system:
        db = system.context("scheduling").db
        await db.execute(Q.move_consumer, LOADING, str(AHEAD_OF_ALL), 0, system.context("scheduling").clock.now())
        with _no_collections():
            await hospital.store(lambda module: system.context(module).acting(actor), told)
        await migrate.refresh_statistics(sections["system"].database_url)
        end = await outbox.end_of_log(db)
        for name in (module.name for module in MODULES if module.subscriptions):  # what was loaded is news to nobody
            await db.execute(Q.move_consumer, name, str(end[0]), 0, system.context("scheduling").clock.now())
        remember(Installation(organization_id=hospital.organization_id, demonstration_patient_id=hospital.example_patient_id))
        await db.execute(Q.forget_consumer, LOADING)


async def was_broken_off(sections: Mapping[str, Any]) -> bool:
    """Whether an earlier load ended half-way."""
    core = [module for module in MODULES if module.name == "scheduling"]
    async with running(core, sections) as system:
        return await system.context("scheduling").db.fetch_one(Q.consumer_place, LOADING) is not None


async def clear(sections: Mapping[str, Any]) -> None:
    """Empty every table, after a load that was broken off. The journal stays, and with it how far it is sealed: the load was a deed."""
    emptied = [module.name for module in MODULES if module.has_tables and module.name != migrate.JOURNAL_READER]
    await migrate.empty(sections["system"].database_url, ["kernel", *emptied])


@contextmanager
def _no_collections() -> Iterator[None]:
    """Millions of short-lived rows make the cycle collector run all the time and find nothing."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
