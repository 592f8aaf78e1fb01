"""The flow module's language of waiting elsewhere: who waits in a queue leaves the building and is called back by message.

The turn stays where it is in the order. What a turn keeps of it stands in `queue`.
"""

from typing import Annotated, ClassVar, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from carewright.contracts.queue import QueueEntry, QueueEntryStatus, WaitEstimate, WhereAction
from carewright.kernel.errors import Refusal
from carewright.kernel.events import Event
from carewright.kernel.values import Instant, Version

TravelMinutes = Annotated[int, Meta(ge=1, le=60)]
"""How far somebody is. Whoever is farther than an hour waits here."""
Token = Annotated[str, Meta(max_length=64)]
Saying = Literal["away", "back", "more-time", "leave"]
"""I wait elsewhere, so many minutes from here. I am here again. I need more time. I do not come any more."""


LEVEL_MIN = 4
"""Who is more urgent stays where somebody sees them."""
DISTANCES = (5, 10, 20, 30, 45)
"""Minutes away, as pages offer them: whoever is farther takes the last, and more time."""
MORE_MINUTES, MORE_TIMES_MAX = 10, 2
"""More time is so much, and so often: whoever is not back by then is called as everybody is."""
IN_VAIN_MAX = 2
"""Who was called so often and was not there is put back by the desk alone, when it sees them: nobody calls nobody for ever."""


class Said(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the patient says of where they wait, or staff for them. `travel_minutes` goes with `away` alone."""

    say: Saying
    travel_minutes: TravelMinutes | None = None

    def __post_init__(self) -> None:
        """Raises `ValueError` where `travel_minutes` is missing, or says nothing."""
        if (self.say == "away") != (self.travel_minutes is not None):
            raise ValueError("say how many minutes away, where somebody waits elsewhere")


class SayWhere(Said, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The same, of one turn."""

    entry_id: UUID
    expected_version: Version | None = None


class LinkToTurn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A link to a turn, for a message to its patient."""

    entry_id: UUID


class TurnLink(msgspec.Struct, frozen=True, kw_only=True):
    """What opens one turn, for twelve hours. It is told once, to whom it is for."""

    token: str


class ByLink(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The turn that a link opens."""

    token: Token


class SayByLink(Said, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What whoever has the link says of where they wait."""

    token: Token
    expected_version: Version | None = None


class LinkedTurn(msgspec.Struct, frozen=True, kw_only=True):
    """A turn, how long it still takes, and what its room is called; nothing of the former for who does not wait."""

    entry: QueueEntry
    told: WaitEstimate | None = None
    room: str = ""


class NoteUnreached(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A message about a turn did not reach its patient."""

    entry_id: UUID


class StayNear(Refusal):
    """`why`: they were not asked, are too urgent, or are called too soon for it."""

    code = "elsewhere.stay_near"
    status = 409
    issue = "business-rule"
    title = "This patient is to stay where they hear themselves called."


class NoMoreTime(Refusal):
    code = "elsewhere.no_more_time"
    status = 409
    issue = "business-rule"
    title = "There is no more time to give. The patient keeps their place, and comes as soon as they can."


class TellTheDesk(Refusal):
    code = "elsewhere.tell_the_desk"
    status = 409
    issue = "business-rule"
    title = "The patient was called in vain more than once. The desk puts them back when it sees them."


class TurnElsewhere(Event, frozen=True, kw_only=True):
    """Something came of who waits elsewhere, or may: what, and how far they are by now. Ids, codes, times and minutes alone."""

    topic: ClassVar[str] = "elsewhere.turn.changed.v1"
    entry_id: UUID
    queue_id: UUID
    site_id: UUID
    patient_id: UUID
    action: WhereAction
    status: QueueEntryStatus
    level: int
    ticket: str
    travel_minutes: int | None = None
    due_at: Instant | None = None
    version: int

    @property
    def subject(self) -> UUID:
        return self.entry_id
