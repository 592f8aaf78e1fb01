"""What a queue does when more wait in it than it bears: which steps are due, and whom they are about. Pure rules.

A step does not flap: it begins at one limit and ends below another, lasts for ten minutes at least, and does not begin again for five.
What a person does goes before the policy: it ends nothing that a person began, until that is forgotten, and begins nothing for an hour
that a person ended.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple, get_args
from uuid import UUID

from carewright.contracts.directory import UrgencyTier
from carewright.contracts.relief import ReliefBy, ReliefKind, ReliefReason, ReliefRule

KINDS: tuple[ReliefKind, ...] = get_args(ReliefKind)
LASTS_AT_LEAST = timedelta(minutes=10)
RESTS = timedelta(minutes=5)
RESTS_AFTER_PERSON = timedelta(minutes=60)
FORGOTTEN_AFTER = timedelta(hours=12)
"""Who began a step has gone home by then."""
EASED_SHARE = 3, 4
"""A step ends below this part of where it begins, where the rule does not say."""


class Load(NamedTuple):
    """How many wait, and how long whoever waits longest is told; None is not known, or longer than a day."""

    waiting: int
    minutes: int | None


class Last(NamedTuple):
    """How a step stands: on or off, since when, and who made it so."""

    is_on: bool
    since: datetime
    by: ReliefBy


class Due(NamedTuple):
    """What the policy does now."""

    what: ReliefKind
    is_on: bool
    reason: ReliefReason


def due(rules: Sequence[ReliefRule], last: Mapping[ReliefKind, Last], load: Load, now: datetime) -> list[Due]:
    """The steps that begin or end now. `last` has none of what never began."""
    of = {rule.what: rule for rule in rules}
    found = []
    for what in KINDS:
        stands, rule = last.get(what), of.get(what)
        if stands is not None and stands.is_on:
            if reason := _ending(rule, stands, load, now):
                found.append(Due(what, False, reason))
        elif rule is not None and (reason := _beginning(rule, stands, load, now)):
            found.append(Due(what, True, reason))
    return found


def is_routine_walk_in(tier: UrgencyTier, encounter_id: UUID | None, expected_at: datetime | None) -> bool:
    """Whom alone the steps are about: who has just come, without an appointment and without being announced, for nothing urgent."""
    return tier == "P2" and encounter_id is None and expected_at is None


def is_less(there: Load, here: Load) -> bool:
    """Whether one waits less there: by minutes, or by how many wait where either's minutes are not known."""
    if there.minutes is None or here.minutes is None:
        return there.waiting < here.waiting
    return there.minutes < here.minutes


def in_order(load: Load) -> tuple[bool, int, int]:
    """The key by which the shortest wait comes first, and what is not known last."""
    return load.minutes is None, load.minutes or 0, load.waiting


def _beginning(rule: ReliefRule, stands: Last | None, load: Load, now: datetime) -> ReliefReason | None:
    if stands is not None and now - stands.since < (RESTS_AFTER_PERSON if stands.by == "person" else RESTS):
        return None
    if rule.from_waiting is not None and load.waiting >= rule.from_waiting:
        return "waiting"
    if rule.from_minutes is not None and load.minutes is not None and load.minutes >= rule.from_minutes:
        return "minutes"
    return None


def _ending(rule: ReliefRule | None, stands: Last, load: Load, now: datetime) -> ReliefReason | None:
    if stands.by == "person":
        return "lapsed" if now - stands.since >= FORGOTTEN_AFTER else None
    if rule is None:
        return "unruled"
    return "eased" if now - stands.since >= LASTS_AT_LEAST and _is_eased(rule, load) else None


def _is_eased(rule: ReliefRule, load: Load) -> bool:
    """Below both limits. What is not known is not below."""
    if rule.from_waiting is not None and load.waiting >= _below(rule.from_waiting, rule.below_waiting):
        return False
    return rule.from_minutes is None or (load.minutes is not None and load.minutes < _below(rule.from_minutes, rule.below_minutes))


def _below(begins: int, said: int | None) -> int:
    part, whole = EASED_SHARE
    return said or max(1, begins * part // whole)
