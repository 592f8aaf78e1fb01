"""What staff who watch a site see of queues: what became of a turn, what is done when too many wait, and what sensors see there.

Whose a turn is, they ask.
"""

from collections.abc import Iterable, Mapping
from uuid import UUID

from carewright.contracts.flow import QueueEntryMoved, ReliefChanged
from carewright.contracts.sensors import SensorChanged
from carewright.kernel.shown import Shown


def shown_of(fact: QueueEntryMoved) -> Iterable[tuple[UUID, Mapping[str, str]]]:
    """The fact for the site where the queue is."""
    yield fact.site_id, {
        "id": str(fact.entry_id), "version": str(fact.version), "what": fact.action, "status": fact.status, "queue": str(fact.queue_id),
        "ticket": fact.ticket, "level": str(fact.level),
    }  # fmt: skip


def relief_shown(fact: ReliefChanged) -> Iterable[tuple[UUID, Mapping[str, str]]]:
    """A step of relief, for the site where the queue is."""
    yield fact.site_id, {
        "id": str(fact.relief_id), "version": str(fact.version), "queue": str(fact.queue_id), "what": fact.what,
        "status": "on" if fact.is_on else "off", "by": fact.by, "reason": fact.reason,
    }  # fmt: skip


def sensed_shown(fact: SensorChanged) -> Iterable[tuple[UUID, Mapping[str, str]]]:
    """What a sensor sees, for its site."""
    yield fact.site_id, {
        "id": str(fact.sensor_id), "version": str(fact.version), "place": str(fact.place_id or ""),
        "queues": " ".join(map(str, fact.queue_ids)),
        "value": "" if fact.value is None else str(fact.value), "status": "silent" if fact.is_silent else "heard",
    }  # fmt: skip


MAY_SEE = frozenset({"flow.queue.read", "flow.queue.work"})
TURNS = Shown("turn", MAY_SEE, {QueueEntryMoved: shown_of})
RELIEF = Shown("relief", MAY_SEE, {ReliefChanged: relief_shown})
SENSED = Shown("sensed", frozenset({"flow.sensor.read"}), {SensorChanged: sensed_shown})
