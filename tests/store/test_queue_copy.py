"""A copy of a queue that is kept from its facts alone is what PostgreSQL shows: nobody who follows the feed sees another order."""

from uuid import UUID

from msgspec.structs import replace

from carewright.contracts.elsewhere import TurnElsewhere
from carewright.contracts.flow import QueueEntryMoved
from carewright.contracts.queue import ListTurns, Queue
from carewright.flow.model.order import in_order
from carewright.flow.service import queue as service
from tests.servers import Contexts, facts_of
from tests.store.test_queue_machine import Run, begin

RUNS, PARTS = 20, 3
OVER = frozenset({"completed", "left", "transferred", "cancelled"})


async def test_after_each_part_of_a_generated_day_the_copy_is_as_a_fresh_read(context: Contexts) -> None:
    """Days of the machine, read anew between their parts. The facts are those of the log, in its order, each told twice."""
    seen = 0
    for number in range(RUNS):
        run = await begin(context, 500_000 + number)
        for _ in range(PARTS):
            await run.play()
            seen += await agrees(run)
    assert seen > RUNS * PARTS, "there was something to compare"


async def agrees(run: Run) -> int:
    """How many turns were compared."""
    facts = [fact for fact in await facts_of(run.ctx) if isinstance(fact, QueueEntryMoved | TurnElsewhere)]
    copy: dict[UUID, QueueEntryMoved] = {}
    for fact in (each for each in facts for _ in range(2)):
        known = copy.get(fact.entry_id)
        assert known is None or fact.version >= known.version, "of one turn in order"
        if isinstance(fact, QueueEntryMoved):
            copy[fact.entry_id] = fact
        else:
            assert known is not None, "who goes elsewhere has come before"
            copy[fact.entry_id] = replace(known, status=fact.status, level=fact.level, version=fact.version)
    return sum([await is_shown(run, queue, [each for each in copy.values() if each.queue_id == queue.id]) for queue in run.queues])


async def is_shown(run: Run, queue: Queue, copy: list[QueueEntryMoved]) -> int:
    found = await service.list_turns(run.ctx, ListTurns(queue_id=queue.id, limit=500))
    waiting = [(each.level, each.ranked_from, each.entry_id) for each in copy if each.status == "waiting"]
    assert [each.id for each in found.waiting] == in_order(queue.policy, waiting, found.as_of)
    here = {each.entry_id: (each.ticket, each.status, each.level, each.version) for each in copy if each.status not in OVER}
    assert {each.id: (each.ticket, each.status, each.level, each.version) for each in (*found.active, *found.waiting)} == here
    return len(here)
