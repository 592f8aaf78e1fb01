"""Who comes to a hospital on one day, when, and how long it takes to see them: drawn from a seed, around the appointments that it has.

The shares are round figures of the kind that hospitals report; what is asked of the replay is that nobody is lost, whatever they are.
"""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import accumulate
from typing import Any, Literal

Json = dict[str, Any]
Kind = Literal["booked", "walk-in", "emergency"]
NO_SHOW = 0.08
IMPATIENT = 0.10
AT_LUNCH, ARRIVALS_FROM, ARRIVALS_FOR = 0.5, 7.0, 11.0
"""Hours after midnight; those who come unannounced come most often in the late morning."""
HELD, SKIPPED, MISTAKEN, SENT_ON = 0.05, 0.03, 0.02, 0.03
"""How often somebody waits for a result, is not there when called, is called by mistake, is sent on to another queue."""


@dataclass
class Person:
    """One visit. `comes` is None for who never does; `status` and `version` are those of its last turn, as far as anybody was told;
    `end` says how the visit ended, once it did."""

    kind: Kind
    queue_id: str
    patient_id: str
    minutes: float
    comes: datetime | None
    tier: str = "P2"
    wants: str | None = None
    appointment_id: str | None = None
    due: datetime | None = None
    due_until: datetime | None = None
    leaves_after: timedelta | None = None
    announced_before: timedelta | None = None
    habits: set[str] = field(default_factory=set)
    entry_ids: list[str] = field(default_factory=list)
    status: str = ""
    version: int = 0
    is_leaving: bool = False
    end: str | None = None


def booked(chance: random.Random, appointment: Json, queue_id: str) -> Person:
    """The patient of an appointment: most are a few minutes early, some late, some never come."""
    start, end = (datetime.fromisoformat(appointment[name]) for name in ("start", "end"))
    doctors = [each["actor_id"] for each in appointment["participants"] if each["kind"] == "practitioner"]
    comes = None if chance.random() < NO_SHOW else start + timedelta(minutes=chance.gauss(-10, 8))
    return Person(
        kind="booked", queue_id=queue_id, patient_id=appointment["patient_id"], comes=comes, appointment_id=appointment["id"], due=start,
        due_until=end,
        minutes=(end - start).total_seconds() / 60 * chance.lognormvariate(-0.1, 0.3), tier=appointment["urgency"],
        wants=doctors[0] if len(doctors) == 1 else None, habits=habits(chance),
    )  # fmt: skip


def unannounced(chance: random.Random, kind: Kind, midnight: datetime, patient_id: str, queue_ids: Sequence[str]) -> Person:
    """Somebody without an appointment, at one of these queues; half of the emergencies are announced by an ambulance."""
    hours = chance.triangular(ARRIVALS_FROM, ARRIVALS_FROM + ARRIVALS_FOR, ARRIVALS_FROM + AT_LUNCH * ARRIVALS_FOR)
    is_urgent = kind == "emergency"
    return Person(
        kind=kind, queue_id=chance.choice(queue_ids), patient_id=patient_id, comes=midnight + timedelta(hours=hours),
        minutes=chance.lognormvariate(2.5, 0.5), tier="P0" if is_urgent else chance.choice(("P1", "P2", "P2", "P2")),
        leaves_after=timedelta(minutes=chance.uniform(45, 120)) if not is_urgent and chance.random() < IMPATIENT else None,
        announced_before=timedelta(minutes=chance.uniform(8, 20)) if is_urgent and chance.random() < 0.5 else None,
        habits=habits(chance),
    )  # fmt: skip


def most_at_once(people: Iterable[Person]) -> int:
    """How many of them are booked for one moment."""
    steps = [step for each in people if each.due and each.due_until for step in ((each.due, 1), (each.due_until, -1))]
    return max(accumulate(step for _, step in sorted(steps)), default=0)


def habits(chance: random.Random) -> set[str]:
    shares = {"held": HELD, "skipped": SKIPPED, "mistaken": MISTAKEN, "sent-on": SENT_ON}
    return {what for what, share in shares.items() if chance.random() < share}
