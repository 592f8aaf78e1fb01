"""Which moves wait for each other: each goes where the next one is, and the last where the first is. Pure."""

from collections.abc import Collection
from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

from carewright.contracts.planner import PlannedMove
from carewright.contracts.scheduling import Appointment

BESIDE = timedelta(hours=1)
"""Buffers may take so much before and after a visit."""


class Going(NamedTuple):
    """A move that is to be made, and the appointment as it is."""

    move: PlannedMove
    now: Appointment

    @property
    def id(self) -> UUID:
        return self.now.id


def ring_of(one: Going, others: Collection[Going], groups: Collection[frozenset[UUID]] = ()) -> set[UUID]:
    """Those that have to move together with it: it waits for them, straight or by others, and they for it. Itself among them.

    Those of one of the `groups` wait for each other, whatever their times.
    """
    return {each.id for each in _reached(one, others, groups) if any(it.id == one.id for it in _reached(each, others, groups))} | {one.id}


def _reached(one: Going, others: Collection[Going], groups: Collection[frozenset[UUID]]) -> list[Going]:
    """Whoever it waits for, and whoever they do."""
    found: dict[UUID, Going] = {}
    to_see = [one]
    while to_see:
        seen = to_see.pop()
        bound = next((ids for ids in groups if seen.id in ids), frozenset())
        new = [
            each for each in others if each.id not in found and each.id != seen.id and (each.id in bound or _waits_for(seen, each))
        ]  # fmt: skip
        found |= {each.id: each for each in new}
        to_see += new
    return list(found.values())


def _waits_for(one: Going, other: Going) -> bool:
    """Whether it goes where the other is now."""
    since, until = one.move.start - BESIDE, one.move.start + (one.now.end - one.now.start) + BESIDE
    wanted = {*one.move.actor_ids, one.now.patient_id}
    return any(each.actor_id in wanted and each.claimed_from < until and since < each.claimed_to for each in other.now.participants)
