"""What staff who watch a site see of queues: which turn, what became of it, and where it stands. Whose it is, they ask by the API."""

from collections.abc import Iterable, Mapping
from uuid import UUID

from carewright.contracts.flow import QueueEntryMoved
from carewright.kernel.shown import Shown


def shown_of(fact: QueueEntryMoved) -> Iterable[tuple[UUID, Mapping[str, str]]]:
    """The fact for the site where the queue is."""
    yield fact.site_id, {
        "id": str(fact.entry_id), "version": str(fact.version), "what": fact.action, "status": fact.status, "queue": str(fact.queue_id),
        "ticket": fact.ticket, "level": str(fact.level),
    }  # fmt: skip


TURNS = Shown("turn", frozenset({"flow.queue.read", "flow.queue.work"}), {QueueEntryMoved: shown_of})
