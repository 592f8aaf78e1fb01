"""What is asked of whoever plans anew: where appointments that cannot take place as booked could go instead.

The next free equivalent of some of them is found by a search of free times; a day is planned as a whole, and proposed.
"""

from typing import Annotated, Literal, Protocol
from uuid import UUID

import msgspec
from msgspec import Meta

from carewright.contracts.directory import UrgencyTier
from carewright.kernel.authz import Actor
from carewright.kernel.values import Instant

MovedTogether = Annotated[tuple[UUID, ...], Meta(min_length=1, max_length=50)]


class ProposeInstead(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where these could go instead, each from its own start on and not before now."""

    appointment_ids: MovedTogether


class Instead(msgspec.Struct, frozen=True, kw_only=True):
    """The next free equivalent of an appointment: the same kind of visit at the same site, with these actors. None where nothing is free.

    Nothing is promised until it is moved there. No two appointments are proposed the same time of the same actor.
    """

    appointment_id: UUID
    version: int
    start: Instant | None = None
    end: Instant | None = None
    actor_ids: tuple[UUID, ...] = ()


class Proposed(msgspec.Struct, frozen=True, kw_only=True):
    """In the order in which they were asked for."""

    items: tuple[Instead, ...]


Seconds = Annotated[float, Meta(ge=0, le=4)]
MoveReason = Literal["cannot-take-place", "makes-room"]
EngineName = Literal["usual", "greedy", "keys", "chains", "crossing", "exact", "best"]
MoveOutcome = Literal["moved", "refused"]


class PlanDay(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Plan a site anew from `from_at` on (now, where none is said) for `hours`, looking for a better plan for so many seconds.

    The same seed looks the same way round; which plan it finds depends on how fast the machine is, too.
    """

    site_id: UUID
    from_at: Instant | None = None
    hours: Annotated[int, Meta(ge=1, le=36)] = 24
    seconds: Seconds = 2.0
    seed: Annotated[int, Meta(ge=0, le=1_000_000)] = 1


class PlannedMove(msgspec.Struct, frozen=True, kw_only=True):
    """An appointment that the plan moves: from when to when, and to whom.

    `cannot-take-place`: as it is booked, somebody whom it needs is not there. `makes-room`: others gain by it.
    """

    appointment_id: UUID
    version: int
    visit_type_name: str
    urgency: UrgencyTier
    booked_start: Instant
    start: Instant
    end: Instant
    actor_ids: tuple[UUID, ...]
    reason: MoveReason


class PlanFigures(msgspec.Struct, frozen=True, kw_only=True):
    """What a plan comes to: visits that have a place, of these emergencies, the minutes of care in them, and what it is worth in minutes.

    What `worth` adds up stands in docs/concepts/planning.md.
    """

    placed: int
    emergencies: int
    care_minutes: int
    worth_minutes: float


class FellBack(msgspec.Struct, frozen=True, kw_only=True):
    """An engine (or the bound) that had no answer: `code` is the type of what happened to it, `text` says it and what was done instead."""

    what: EngineName | Literal["bound"]
    code: str
    text: str


class NoPlace(msgspec.Struct, frozen=True, kw_only=True):
    """Why an appointment has no place while everybody else stays where the plan has them, sentence by sentence.

    `minimal`: were any of it otherwise, there would be a place. Else it is true, and names more than it has to; or it is not known.
    """

    appointment_id: UUID
    texts: tuple[str, ...]
    minimal: bool


class DayPlan(msgspec.Struct, frozen=True, kw_only=True):
    """A proposal: nothing is changed by it, and it may be out of date as soon as somebody books.

    `visits` could be moved, `fixed` are left where they are. `without_place` has no place in the proposal either; `reasons` says of ten of
    them why at most, the most urgent first, and the others were not looked into. `gap_percent` is how far the plan is below
    `worth_minutes_max`, which none can be worth more than, at most; none of both where that is not known.
    """

    site_id: UUID
    from_at: Instant
    until_at: Instant
    visits: int
    fixed: int
    booked: PlanFigures
    proposed: PlanFigures
    moves: tuple[PlannedMove, ...]
    without_place: tuple[UUID, ...]
    reasons: tuple[NoPlace, ...] = ()
    engine: EngineName = "best"
    steps: int
    worth_minutes_max: float | None = None
    gap_percent: float | None = None
    fell_back: tuple[FellBack, ...] = ()


class AcceptedMove(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A move of a proposal that is to be made."""

    appointment_id: UUID
    version: int
    start: Instant
    actor_ids: Annotated[tuple[UUID, ...], Meta(min_length=1, max_length=32)]


class AcceptMoves(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Make these moves, as many as still can be made."""

    moves: Annotated[tuple[AcceptedMove, ...], Meta(min_length=1, max_length=500)]


class MoveMade(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a move. `code` is why it was refused."""

    appointment_id: UUID
    outcome: MoveOutcome
    code: str | None = None


class MovesMade(msgspec.Struct, frozen=True, kw_only=True):
    """In the order in which they were named."""

    items: tuple[MoveMade, ...]


class PlansDays(Protocol):
    """The part of `Scheduling` that plans."""

    async def propose_instead(self, actor: Actor, query: ProposeInstead) -> Proposed: ...

    async def plan_day(self, actor: Actor, query: PlanDay) -> DayPlan: ...

    async def accept_moves(self, actor: Actor, command: AcceptMoves, idempotency_key: str | None = None) -> MovesMade: ...
