"""What screens on walls are told: that something changed which they show, and nothing of whose turn it is or how urgent."""

from collections.abc import Iterable, Mapping
from uuid import UUID

from carewright.contracts.flow import QueueEntryMoved
from carewright.contracts.kiosk import WalkInMoved
from carewright.contracts.queue import QueueAction
from carewright.kernel.shown import Shown

WATCH = "flow.call.watch"
UNSEEN: frozenset[QueueAction] = frozenset({"announce", "arrive", "triage", "hold"})
"""Steps that no screen shows at once: who has come is counted when it looks again."""


def shown_of(fact: QueueEntryMoved) -> Iterable[tuple[UUID, Mapping[str, str]]]:
    """The fact for the site where the queue is."""
    if fact.action not in UNSEEN:
        yield fact.site_id, {"id": str(fact.entry_id), "version": str(fact.version), "queue": str(fact.queue_id)}


def walk_in_shown(fact: WalkInMoved) -> Iterable[tuple[UUID, Mapping[str, str]]]:
    """The same of a ticket of which the desk does not know yet whose it is."""
    if fact.action != "take":
        yield fact.site_id, {"id": str(fact.walk_in_id), "version": str(fact.version), "queue": str(fact.queue_id)}


CALLS = Shown("call", frozenset({WATCH}), {QueueEntryMoved: shown_of, WalkInMoved: walk_in_shown})
