"""What queues should do, written from docs/concepts/queues.md and not from the code: a list of turns, searched anew for every question."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID

from carewright.contracts.queue import Queue

UNDONE_WITHIN = timedelta(minutes=10)
LEVEL = {"P0": 1, "P1": 3, "P2": 4}
ARROWS = {
    "arrive": ("expected", "waiting"),
    "call": ("waiting on-hold skipped", "called"),
    "skip": ("called", "skipped"),
    "return": ("called on-hold skipped", "waiting"),
    "start": ("waiting called on-hold", "in-service"),
    "hold": ("in-service", "on-hold"),
    "complete": ("called in-service on-hold", "completed"),
    "leave": ("expected waiting called on-hold skipped", "left"),
    "transfer": ("waiting called in-service on-hold skipped", "transferred"),
    "cancel": ("expected waiting called in-service on-hold skipped", "cancelled"),
    "offer": ("waiting", "waiting"),
    "away": ("waiting", "waiting"),
    "come": ("waiting", "waiting"),
    "more-time": ("waiting", "waiting"),
    "back": ("waiting", "waiting"),
}
TO = {(source, action): to for action, (sources, to) in ARROWS.items() for source in sources.split()}
OVER = ("completed", "left", "transferred", "cancelled")
NEVER_UNDONE = ("announce", "arrive", "transfer", "undo", "offer", "come", "unreached")
STAYS_AWAY = ("offer", "away", "come", "more-time", "triage", "call", "skip", "unreached")
"""What leaves who waits elsewhere where they are."""
LONGEST_AWAY = timedelta(minutes=60 + 2 * 10)
"""From any moment on, nobody who was told to come is passed over for longer."""


@dataclass(frozen=True)
class Turn:
    """One turn as the model has it, with a ticket of the day on which it began; `before` is how it was until `action`, at `at`."""

    id: UUID
    queue_id: UUID
    patient_id: UUID
    ticket: str
    status: str
    level: int
    since: datetime
    wants: UUID | None
    begun: datetime
    version: int = 1
    skipped: int = 0
    asked: bool = False
    travel: int | None = None
    told_at: datetime | None = None
    due: datetime | None = None
    more: int = 0
    action: str = "arrive"
    at: datetime | None = None
    before: "Turn | None" = None

    @property
    def is_over(self) -> bool:
        return self.status in OVER

    def is_passed_over(self, now: datetime) -> bool:
        """Whether they wait elsewhere, and are not back yet by what they said."""
        return self.travel is not None and (self.due is None or self.due > now)


@dataclass
class Model:
    """Queues by id, and every turn that ever was."""

    queues: dict[UUID, Queue]
    turns: dict[UUID, Turn] = field(default_factory=dict)

    def waiting(self, queue: Queue, now: datetime) -> list[Turn]:
        """Who waits in a queue, in order: whoever precedes nobody comes last."""
        return sorted(self._with(queue, "waiting"), key=lambda each: (each.level != 1, self._worth(queue, each, now), each.since, each.id))

    def next_for(self, queue: Queue, caller: UUID | None, now: datetime) -> Turn | None:
        policy = queue.policy
        busy = len([*self._with(queue, "called"), *self._with(queue, "in-service")])
        kept = policy.staff is not None and busy >= policy.staff - policy.kept_for_emergencies
        for each in self.waiting(queue, now):
            if each.wants in (None, caller) and (each.level == 1 or not kept) and not each.is_passed_over(now):
                return each
        return None

    def has_turn(self, queue: Queue, patient_id: UUID) -> Turn | None:
        for each in self.turns.values():
            if each.queue_id == queue.id and each.patient_id == patient_id and not each.is_over:
                return each
        return None

    def step(self, turn: Turn, action: str, now: datetime) -> Turn | None:
        """The turn after a step; None where that step does not lead on from there."""
        to = turn.status if action == "triage" and not turn.is_over else TO.get((turn.status, action))
        if to is None:
            return None
        moved = replace(turn, status=to, version=turn.version + 1, action=action, at=now, before=turn)
        if action not in STAYS_AWAY:
            moved = replace(moved, travel=None, due=None)
        if action == "arrive":
            return replace(moved, since=now)
        return replace(moved, skipped=turn.skipped + 1) if action == "skip" else moved

    def say(self, turn: Turn, say: str, minutes: int | None, now: datetime, *, is_patient: bool) -> Turn | str:
        """The turn after what was said of where its patient waits, or the code of the refusal."""
        is_skipped = say == "back" and turn.status == "skipped"
        after = self.step(turn, "return" if is_skipped else say, now)
        if say == "leave":
            return after or "flow.step_not_allowed"
        if say == "away":
            stays = turn.level < 4 or turn.told_at or (is_patient and not turn.asked)
            return "flow.step_not_allowed" if not after else "elsewhere.stay_near" if stays else replace(after, travel=minutes)
        if after is None or turn.travel is None or (say == "more-time" and turn.due is None):
            return "flow.step_not_allowed"
        if is_skipped and is_patient and turn.skipped >= 2:
            return "elsewhere.tell_the_desk"
        if say == "back":
            return after
        if turn.more == 2 or turn.due is None:
            return "elsewhere.no_more_time"
        return replace(after, due=max(turn.due, now) + timedelta(minutes=10), more=turn.more + 1)

    def tell(self, turn: Turn, what: str, now: datetime) -> Turn | None:
        """The turn after its patient was asked to wait elsewhere, or told to come; None where that is not done."""
        after = self.step(turn, what, now)
        if after is None or turn.told_at or (turn.travel is None) != (what == "offer"):
            return None
        if what == "offer":
            return None if turn.asked or turn.level < 4 else replace(after, asked=True)
        return replace(after, told_at=now, due=now + timedelta(minutes=turn.travel or 0))

    def undo(self, turn: Turn, now: datetime) -> Turn | None:
        """The turn as it was before its last step; None where that is not taken back, or no longer."""
        before = turn.before
        if before is None or turn.at is None or turn.action in NEVER_UNDONE or now - turn.at > UNDONE_WITHIN:
            return None
        if turn.is_over and self.has_turn(self.queues[turn.queue_id], turn.patient_id):
            return None
        return replace(before, version=turn.version + 1, action="undo", at=now, before=turn)

    def overtaken_unduly(self, queue: Queue, called: Turn, caller: UUID | None, now: datetime) -> list[Turn]:
        """Who was there before the one who is called, waits still, and is past the bound up to which the policy lets them be overtaken.

        Head start: only by whoever came no later than the head start is longer. Accumulating: only by whoever came within the first
        `1 - rate / rate of the other` of the wait so far. By level 1 always; level 1 by nobody who came later. Who waits elsewhere is not
        called until they are back by what they said.
        """
        there = [each for each in self._with(queue, "waiting") if not each.is_passed_over(now)]
        return [each for each in there if each.wants in (None, caller) and self._is_past(queue, each, called, now)]

    def away_too_long(self, queue: Queue, now: datetime) -> list[Turn]:
        """Who was told to come and is passed over for longer than anybody may be."""
        told = (each for each in self._with(queue, "waiting") if each.is_passed_over(now) and each.told_at)
        return [each for each in told if each.due is None or each.due - now > LONGEST_AWAY]

    def _is_past(self, queue: Queue, waits: Turn, called: Turn, now: datetime) -> bool:
        later = (called.since - waits.since).total_seconds()
        if called.level == 1 or waits.level == 1:
            return waits.level == 1 and (called.level != 1 or later > 0)
        if queue.policy.order == "head-start":
            starts = queue.policy.head_start_minutes
            return later > 60 * (starts[called.level - 2] - starts[waits.level - 2])
        rates = queue.policy.rates
        waited = max(0.0, (now - waits.since).total_seconds())
        return later > max(0.0, 1 - rates[waits.level - 2] / rates[called.level - 2]) * waited + 1e-3

    def _worth(self, queue: Queue, turn: Turn, now: datetime) -> float:
        """The less, the earlier."""
        if turn.level == 1:
            return 0.0
        if queue.policy.order == "head-start":
            return (turn.since - timedelta(minutes=queue.policy.head_start_minutes[turn.level - 2])).timestamp()
        return -queue.policy.rates[turn.level - 2] * max(0.0, (now - turn.since).total_seconds())

    def _with(self, queue: Queue, status: str) -> Iterator[Turn]:
        return (each for each in self.turns.values() if each.queue_id == queue.id and each.status == status)
