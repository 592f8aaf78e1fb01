"""What staff who watch a site see: turns and kiosks' tickets, what is done when too many wait, rooms, who waits for a bed, sensors.

Whose a turn or a room is, they ask.
"""

from collections.abc import Iterable, Mapping
from uuid import UUID

from carewright.contracts.elsewhere import TurnElsewhere
from carewright.contracts.flow import BedRequestChanged, PlaceChanged, QueueEntryMoved, ReliefChanged
from carewright.contracts.kiosk import HelpChanged, WalkInMoved
from carewright.contracts.sensors import SensorChanged
from carewright.kernel.shown import Shown


def shown_of(fact: QueueEntryMoved) -> Iterable[tuple[UUID, Mapping[str, str]]]:
    """The fact for the site where the queue is."""
    yield fact.site_id, {
        "id": str(fact.entry_id), "version": str(fact.version), "what": fact.action, "status": fact.status, "queue": str(fact.queue_id),
        "ticket": fact.ticket, "level": str(fact.level),
    }  # fmt: skip


def elsewhere_shown(fact: TurnElsewhere) -> Iterable[tuple[UUID, Mapping[str, str]]]:
    """What came of who waits elsewhere, for the site where the queue is: how far they are, and nothing of whose turn it is."""
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


def walk_in_shown(fact: WalkInMoved) -> Iterable[tuple[UUID, Mapping[str, str]]]:
    """A ticket of a kiosk, for the site where the queue is."""
    yield fact.site_id, {
        "id": str(fact.walk_in_id), "version": str(fact.version), "queue": str(fact.queue_id), "what": fact.action, "status": fact.status,
        "ticket": fact.ticket,
    }  # fmt: skip


def help_shown(fact: HelpChanged) -> Iterable[tuple[UUID, Mapping[str, str]]]:
    """A call for help, for the site where the kiosk stands."""
    yield fact.site_id, {
        "id": str(fact.help_id), "version": str(fact.version), "what": fact.reason, "status": "open" if fact.is_open else "answered",
    }  # fmt: skip


def place_shown(fact: PlaceChanged) -> Iterable[tuple[UUID, Mapping[str, str]]]:
    """That a room or a bed stands otherwise, for its site. Whoever works there asks who is in it."""
    yield fact.site_id, {"id": str(fact.place_id), "version": str(fact.version), "status": fact.status}


def bed_request_shown(fact: BedRequestChanged) -> Iterable[tuple[UUID, Mapping[str, str]]]:
    """That somebody waits for a bed, or not any more, for its site. Whoever works there asks who."""
    yield fact.site_id, {"id": str(fact.request_id), "version": str(fact.version), "status": fact.ended or "waiting"}


MAY_SEE = frozenset({"flow.queue.read", "flow.queue.work"})
TURNS = Shown("turn", MAY_SEE, {QueueEntryMoved: shown_of, TurnElsewhere: elsewhere_shown})
RELIEF = Shown("relief", MAY_SEE, {ReliefChanged: relief_shown})
PLACES = Shown("place", frozenset({"flow.place.read"}), {PlaceChanged: place_shown})
BED_REQUESTS = Shown("bed-request", frozenset({"flow.place.read"}), {BedRequestChanged: bed_request_shown})
SENSED = Shown("sensed", frozenset({"flow.sensor.read"}), {SensorChanged: sensed_shown})
WALK_INS = Shown("walk-in", MAY_SEE, {WalkInMoved: walk_in_shown})
HELP = Shown("help", MAY_SEE, {HelpChanged: help_shown})
