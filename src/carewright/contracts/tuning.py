"""The flow module's language of tuning: finding the order of a queue by which its own people would be seen in time."""

from collections.abc import Mapping
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from carewright.contracts.queue import Level, Minutes, QueueOrder, Rate, Share
from carewright.kernel.values import Instant, Version

DayKind = Literal["workdays", "weekend", "every-day"]
ISO_DAYS: Mapping[DayKind, tuple[int, ...]] = {"workdays": (1, 2, 3, 4, 5), "weekend": (6, 7), "every-day": (1, 2, 3, 4, 5, 6, 7)}
TuningStatus = Literal["running", "done", "failed", "cancelled"]
TuningStep = Literal["cancel", "apply", "take-back"]
TuningFault = Literal["too-long", "broken"]
HOURS, LEVELS = 24, 5
PeopleByHour = Annotated[tuple[Annotated[float, Meta(ge=0, le=500)], ...], Meta(min_length=HOURS, max_length=HOURS)]
"""By the hour of the site's day, from midnight on."""
StaffByHour = Annotated[tuple[Annotated[int, Meta(ge=0, le=200)], ...], Meta(min_length=HOURS, max_length=HOURS)]
LevelShares = Annotated[tuple[Share, ...], Meta(min_length=LEVELS, max_length=LEVELS)]
PercentDone = Annotated[int, Meta(ge=0, le=100)]


class LevelTarget(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """At least `share` of those of a level are to wait no longer than `minutes`."""

    level: Level
    minutes: Annotated[int, Meta(ge=1, le=1440)]
    share: Annotated[float, Meta(gt=0, lt=1)]


CTAS_TARGETS = (
    LevelTarget(level=2, minutes=15, share=0.95),
    LevelTarget(level=3, minutes=30, share=0.90),
    LevelTarget(level=4, minutes=60, share=0.85),
    LevelTarget(level=5, minutes=120, share=0.80),
)
"""Time to physician by the Canadian Triage and Acuity Scale, and the share of patients for whom it is to be kept. ESI has no such times."""


class EnteredDemand(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who comes and how long they are seen, where a queue has no history: people by the hour, how they fall into levels 1 to 5.

    `service_variation` is the standard deviation of a service's minutes divided by their mean.
    """

    arrivals: PeopleByHour
    level_shares: LevelShares
    service_minutes: Annotated[float, Meta(ge=1, le=480)]
    service_variation: Annotated[float, Meta(ge=0, le=3)] = 0.6


class AskDemand(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who came to a queue on days of a kind."""

    queue_id: UUID
    days: DayKind = "workdays"


class SeenDemand(msgspec.Struct, frozen=True, kw_only=True):
    """Who came to a queue in the last eight weeks, on `day_count` days of this kind on which anybody came.

    `is_enough`: there were `day_least`, `people_least` who came and `served_least` who were seen. `staff` is how many were seen at once at
    the most in an hour, on the average of those days. Means are None where nothing was seen.
    """

    days: DayKind
    day_count: int
    people: int
    served: int
    is_enough: bool
    day_least: int
    people_least: int
    served_least: int
    arrivals: tuple[float, ...]
    level_shares: tuple[float, ...]
    staff: tuple[int, ...]
    service_minutes: float | None = None


class StartTuning(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Find an order for a queue.

    Where nothing is `entered`, by who came to it; where no `staff` is told, by how many were seen at once; where no `targets` are, by
    those of CTAS.
    """

    queue_id: UUID
    order: QueueOrder = "accumulating"
    days: DayKind = "workdays"
    targets: Annotated[tuple[LevelTarget, ...], Meta(min_length=1, max_length=LEVELS)] | None = None
    staff: StaffByHour | None = None
    entered: EnteredDemand | None = None

    def __post_init__(self) -> None:
        """Raises `ValueError` where a level has two targets."""
        if self.targets and len({each.level for each in self.targets}) < len(self.targets):
            raise ValueError("a level has one target")


class Outlook(msgspec.Struct, frozen=True, kw_only=True):
    """How a level waits under an order: the share within its target, half of them and nine of ten at most so many minutes.

    None where there is no target, nobody came, or they are not seen at all.
    """

    share: float | None = None
    median_minutes: int | None = None
    high_minutes: int | None = None


class LevelOutlook(msgspec.Struct, frozen=True, kw_only=True):
    """A level under today's order and under the one that was found. `is_met` is of the latter, and None without a target.

    `is_reachable`: its target would be met if it were called before all other levels that are not always first.
    """

    level: Level
    people_a_day: float
    target: LevelTarget | None
    now: Outlook
    then: Outlook
    is_met: bool | None
    is_reachable: bool | None


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What a tuning found: head starts in minutes or rates for levels 2 to 5, and what they would do.

    `extra_staff`: so many more at every hour at which anybody is on duty, and every target is met; 0 where they are. None where not even
    `extra_tried` more would do.
    """

    order: QueueOrder
    values: tuple[float, ...]
    levels: tuple[LevelOutlook, ...]
    extra_staff: int | None
    extra_tried: int
    day_count: int


class Ordering(msgspec.Struct, frozen=True, kw_only=True):
    """What of a queue's policy a tuning changes."""

    order: QueueOrder
    head_start_minutes: tuple[Minutes, ...]
    rates: tuple[Rate, ...]


class Tuning(msgspec.Struct, frozen=True, kw_only=True):
    """A search for a queue's order, and what became of it. `staff` and `people_a_day` are those it was reckoned with.

    `may_apply` and `may_take_back` say what can be done with it as the queue stands now.
    """

    id: UUID
    queue_id: UUID
    site_id: UUID
    status: TuningStatus
    percent: PercentDone
    order: QueueOrder
    days: DayKind
    targets: tuple[LevelTarget, ...]
    staff: tuple[int, ...]
    people_a_day: float
    is_entered: bool
    asked_at: Instant
    ended_at: Instant | None = None
    fault: TuningFault | None = None
    found: Found | None = None
    applied_at: Instant | None = None
    taken_back_at: Instant | None = None
    former: Ordering | None = None
    may_apply: bool = False
    may_take_back: bool = False
    version: int = 1


class ListTunings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What was searched for a queue, the newest first."""

    queue_id: UUID


class TuningsPage(msgspec.Struct, frozen=True, kw_only=True):
    items: tuple[Tuning, ...]


class StepTuning(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Give a search up; put what it found in force; put back in force what was so before."""

    tuning_id: UUID
    action: TuningStep
    expected_version: Version | None = None
