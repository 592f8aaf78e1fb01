"""The flow module's language of relief: what a queue does, step by step, when more wait in it than it bears.

No step is ever applied to who comes in an emergency (P0) or for a follow-up (P1). Those about who walks in are not applied to who has an
appointment, is announced or is here already.
"""

from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from carewright.kernel.values import Instant

ReliefKind = Literal["other-site", "extra-staff", "pause-walk-ins", "wait-elsewhere"]
"""Telling who walks in where they would wait less; calling for more staff; taking no routine walk-ins; letting who waits go elsewhere."""
ReliefBy = Literal["policy", "person"]
HandReason = Literal["crowded", "short-staffed", "incident", "calm", "mistake", "other"]
ReliefReason = Literal[
    "waiting", "minutes", "eased", "unruled", "lapsed", "crowded", "short-staffed", "incident", "calm", "mistake", "other"
]
"""Of the policy: so many wait, or so long; less is the case again; it has the step no more; a person began it too long ago. Of people: the
others."""
WaitingLimit = Annotated[int, Meta(ge=1, le=10_000)]
MinutesLimit = Annotated[int, Meta(ge=1, le=1440)]


class ReliefRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When a step begins by itself, and when it ends.

    It begins when `from_waiting` wait, or when somebody who waits is told `from_minutes` (half of those like them are called by then). It
    ends when fewer than `below_waiting` wait and nobody is told `below_minutes` or more; three quarters of where it begins, if not said.
    """

    what: ReliefKind
    from_waiting: WaitingLimit | None = None
    from_minutes: MinutesLimit | None = None
    below_waiting: WaitingLimit | None = None
    below_minutes: MinutesLimit | None = None

    def __post_init__(self) -> None:
        """Raises `ValueError` for a step that would never begin, or end where it does not begin."""
        if self.from_waiting is None and self.from_minutes is None:
            raise ValueError("say from how many who wait, or from how many minutes on, the step begins")
        for begins, ends in ((self.from_waiting, self.below_waiting), (self.from_minutes, self.below_minutes)):
            if ends is not None and (begins is None or ends > begins):
                raise ValueError("a step ends below where it begins")


class Relief(msgspec.Struct, frozen=True, kw_only=True):
    """A step that is on, or was until `ended_at`. `waiting` and `minutes` are what was the case when it began; None is not known."""

    id: UUID
    queue_id: UUID
    what: ReliefKind
    begun_at: Instant
    begun_by: ReliefBy
    reason: ReliefReason
    waiting: int
    minutes: int | None = None
    ended_at: Instant | None = None
    ended_by: ReliefBy | None = None
    end_reason: ReliefReason | None = None
    version: int = 1


class QueueRelief(msgspec.Struct, frozen=True, kw_only=True):
    """The steps of a queue that are on, and the last that were, the newest first."""

    on: tuple[Relief, ...]
    past: tuple[Relief, ...]


class SetRelief(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Begin or end a step by hand. What is so already stays as it is."""

    queue_id: UUID
    what: ReliefKind
    is_on: bool
    reason: HandReason


class OtherSite(msgspec.Struct, frozen=True, kw_only=True):
    """A queue of the same service at another site: how many wait, and how long whoever waits longest is told; None cannot be told.

    `waits_less`: less than where the question was asked.
    """

    queue_id: UUID
    site_id: UUID
    site_name: str
    waiting: int
    minutes: int | None
    waits_less: bool


class OtherSites(msgspec.Struct, frozen=True, kw_only=True):
    """Where walk-ins are taken, the shortest wait first."""

    items: tuple[OtherSite, ...]
