"""What is asked of whoever plans anew: where appointments that cannot take place as booked could go instead.

The next free equivalent of some of them is found by a search of free times; a day is planned as a whole, in the background, and what is
found is kept as a proposal until somebody accepts it, or gives it up.
"""

from typing import Annotated, ClassVar, Literal, Protocol
from uuid import UUID

import msgspec
from msgspec import Meta

from carewright.contracts.directory import UrgencyTier
from carewright.kernel.authz import Actor
from carewright.kernel.errors import Refusal
from carewright.kernel.events import Event
from carewright.kernel.values import Instant, Limit, Version

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


SECONDS_MAX = 120
EMERGENCIES_MAX = 100
Seconds = Annotated[float, Meta(ge=0, le=SECONDS_MAX)]
MoveReason = Literal["cannot-take-place", "makes-room"]
EngineName = Literal["usual", "greedy", "keys", "chains", "crossing", "exact", "best"]
MoveOutcome = Literal["moved", "refused"]


class Without(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Somebody, a room or a device is not there: all the time that is planned, or from some moment on, or until one."""

    actor_id: UUID
    from_at: Instant | None = None
    until_at: Instant | None = None


class Emergencies(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """So many visits of a kind come as emergencies (P0): all of them at a moment, or spread by the seed over the time that is planned."""

    visit_type_id: UUID
    count: Annotated[int, Meta(ge=1, le=EMERGENCIES_MAX)]
    at: Instant | None = None


class WhatIf(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is supposed of a day, to see what would become of it."""

    without: Annotated[tuple[Without, ...], Meta(max_length=50)] = ()
    emergencies: Annotated[tuple[Emergencies, ...], Meta(max_length=10)] = ()


class PlanDay(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Plan a site anew from `from_at` on (now, where none is said) for `hours`, looking for a better plan for so many seconds.

    With `what_if` it is planned as it would be then, and nothing of that plan can be accepted.
    The same seed looks the same way round; which plan it finds depends on how fast the machine is, too.
    """

    site_id: UUID
    from_at: Instant | None = None
    hours: Annotated[int, Meta(ge=1, le=36)] = 24
    seconds: Seconds = 2.0
    seed: Annotated[int, Meta(ge=0, le=1_000_000)] = 1
    what_if: WhatIf | None = None


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


class SupposedEmergency(msgspec.Struct, frozen=True, kw_only=True):
    """An emergency that is supposed: when it came, and when it is seen; else why it is not, as far as that was looked into."""

    visit_type_name: str
    came_at: Instant
    start: Instant | None = None
    texts: tuple[str, ...] = ()


class Supposed(msgspec.Struct, frozen=True, kw_only=True):
    """What a plan comes to that supposes something: `really` is the day as it is booked, without that.

    Affected is who is moved or has no place. `hit_ids` could not take place either, and are not planned since they may not be moved.
    """

    really: PlanFigures
    emergencies: tuple[SupposedEmergency, ...]
    hit_ids: tuple[UUID, ...]


class DayPlan(msgspec.Struct, frozen=True, kw_only=True):
    """A proposal: nothing is changed by it, and it may be out of date as soon as somebody books.

    `visits` could be moved, `fixed` are left where they are. `without_place` has no place in the proposal either; `reasons` says of ten of
    them why at most, the most urgent first, and the others were not looked into. `gap_percent` is how far the plan is below
    `worth_minutes_max`, which none can be worth more than, at most; none of both where that is not known. With `supposed` it is no
    proposal: `booked` is what is left of the day as it is booked, `proposed` what could be made of it.
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
    supposed: Supposed | None = None


class MoveMade(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a move. `code` is why it was refused. `by_itself` was made within the rules of the site, and by nobody."""

    appointment_id: UUID
    outcome: MoveOutcome
    code: str | None = None
    by_itself: bool = False


SomeMoves = Annotated[tuple[UUID, ...], Meta(min_length=1, max_length=500)]
PlanState = Literal["searching", "proposed", "accepted", "given-up", "failed"]
"""`accepted` are all of its moves, or some."""
PlanCause = Literal["asked", "outage"]
PlanFault = Literal["too-long", "broken", "cut-off"]
"""Nothing was found with the time and memory that there are; the search broke; whoever searched went away, again and again."""


class KeptPlan(msgspec.Struct, frozen=True, kw_only=True):
    """A proposal as it is kept: what was asked, how far the search is, what it found, and what became of that.

    `percent` is how much of the time is spent, `worth_minutes` what the best plan so far is worth. `asked_by` is nobody where it was asked
    for by itself. `moves` are counted, with how many of them were made and refused; they are told by `plan` and `made` where one plan is
    read, and left out of a list. `gained` is how many more visits have a place in what was found than as booked.
    """

    id: UUID
    site_id: UUID
    state: PlanState
    cause: PlanCause
    asked: PlanDay
    asked_at: Instant
    from_at: Instant
    until_at: Instant
    version: int
    asked_by: str | None = None
    outage_id: UUID | None = None
    percent: Annotated[int, Meta(ge=0, le=100)] = 0
    worth_minutes: float | None = None
    ended_at: Instant | None = None
    fault: PlanFault | None = None
    moves: int = 0
    moved: int = 0
    refused: int = 0
    gained: int = 0
    plan: DayPlan | None = None
    made: tuple[MoveMade, ...] = ()


class ListPlans(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A site's proposals. `after` is where a page ended."""

    site_id: UUID
    after: UUID | None = None
    limit: Limit = 20


class PlansPage(msgspec.Struct, frozen=True, kw_only=True):
    """The newest first. `next` is the last id shown where more follow."""

    items: tuple[KeptPlan, ...]
    next: UUID | None = None


class GiveUpPlan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Search no further; or put a proposal aside of which nothing was accepted."""

    plan_id: UUID
    expected_version: Version | None = None


class AcceptPlan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Make these moves of a proposal, as many as still can be made; all of them, where none are named."""

    plan_id: UUID
    appointment_ids: SomeMoves | None = None
    expected_version: Version | None = None


MovesMost = Annotated[int, Meta(ge=1, le=100)]
MinutesMost = Annotated[int, Meta(ge=5, le=720)]


class PlanningWeights(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a plan of a site weighs against what, in minutes of care; docs/concepts/planning.md says what each does.

    For each minute of a visit that has a place: `use` is what it is worth that the time is used, `absence` what is lost of it when the
    patient does not come. `serve` is how much being seen soon counts beside that. In minutes each: `move` is what has to be won so that
    somebody who was told a time is moved, `drop` so that they have none, and `split` what each stretch of free time between visits costs.
    """

    use: Annotated[float, Meta(ge=0, le=2)] = 0.4
    serve: Annotated[float, Meta(ge=0, le=2)] = 0.4
    absence: Annotated[float, Meta(ge=0, le=1)] = 0.2
    move: Annotated[float, Meta(ge=0, le=120)] = 15.0
    drop: Annotated[float, Meta(ge=0, le=480)] = 60.0
    split: Annotated[float, Meta(ge=0, le=30)] = 1.0


class PlanningRules(msgspec.Struct, frozen=True, kw_only=True):
    """What is done at a site by itself when something goes out of service, and what every plan of it weighs.

    `proposes`: a plan is searched for. `accepts`: of its moves those are made of visits that cannot take place as booked and are no
    emergencies, by `minutes_most` at most, the soonest first, `moves_most` at most. Everything else waits for a person.
    """

    site_id: UUID
    proposes: bool = True
    accepts: bool = False
    moves_most: MovesMost = 10
    minutes_most: MinutesMost = 60
    weights: PlanningWeights = PlanningWeights()


class GetPlanningRules(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    site_id: UUID


class SetPlanningRules(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All rules of a site, from now on; with the usual weights, where none are said."""

    site_id: UUID
    proposes: bool
    accepts: bool
    moves_most: MovesMost
    minutes_most: MinutesMost
    weights: PlanningWeights = PlanningWeights()


class UnknownPlan(Refusal):
    code = "planner.unknown_plan"
    status = 404
    issue = "not-found"
    title = "We know no plan under this id."


class PlanRuns(Refusal):
    """`plan_id` is the search that runs."""

    code = "planner.plan_runs"
    status = 409
    issue = "conflict"
    title = "A plan is searched for at this site already. Wait for it, or give it up."


class PlanNotOpen(Refusal):
    """`plan_state` is how it stands now."""

    code = "planner.plan_not_open"
    status = 409
    issue = "conflict"
    title = "That cannot be done with this plan as it stands."


class NoSuchMove(Refusal):
    """`appointment_id` is not moved by this plan."""

    code = "planner.no_such_move"
    status = 422
    issue = "value"
    title = "The plan does not move this appointment."


class OnlySupposed(Refusal):
    """`plan_id` says what would be if something were so."""

    code = "planner.only_supposed"
    status = 409
    issue = "business-rule"
    title = "This plan supposes something that is not so. Nothing of it can be accepted: have the day planned as it is."


class DayPlanChanged(Event, frozen=True, kw_only=True):
    """A search began or ended, or moves of what it found were made: ids, codes and counts alone. How far a search is, is read."""

    topic: ClassVar[str] = "planner.day_plan.changed.v1"

    plan_id: UUID
    site_id: UUID
    state: PlanState
    cause: PlanCause
    outage_id: UUID | None = None
    fault: PlanFault | None = None
    moves: int = 0
    moved: int = 0
    refused: int = 0
    version: int

    @property
    def subject(self) -> UUID:
        return self.plan_id


class PlansDays(Protocol):
    """The part of `Scheduling` that plans."""

    async def propose_instead(self, actor: Actor, query: ProposeInstead) -> Proposed: ...

    async def start_plan(self, actor: Actor, command: PlanDay, idempotency_key: str | None = None) -> KeptPlan: ...

    async def get_plan(self, actor: Actor, plan_id: UUID) -> KeptPlan: ...

    async def list_plans(self, actor: Actor, query: ListPlans) -> PlansPage: ...

    async def give_up_plan(self, actor: Actor, command: GiveUpPlan, idempotency_key: str | None = None) -> KeptPlan: ...

    async def accept_plan(self, actor: Actor, command: AcceptPlan, idempotency_key: str | None = None) -> KeptPlan: ...

    async def get_planning_rules(self, actor: Actor, query: GetPlanningRules) -> PlanningRules: ...

    async def set_planning_rules(self, actor: Actor, command: SetPlanningRules, idempotency_key: str | None = None) -> PlanningRules: ...
