"""Which access is unusual: pure rules. They are to be few and right: who gets a hundred a day to look at looks at none.

What counts is that one record was opened. A search shows many names to whoever looks for one, and is never unusual by itself.
"""

from datetime import datetime, timedelta
from uuid import UUID

from carewright.contracts.oversight import UnusualKind
from carewright.contracts.patients import NameRelation
from carewright.kernel.authz import BREAKING_GLASS

DESK = frozenset({"front-desk", "scheduler"})
"""Whoever takes calls opens records of people who have no appointment yet, and of everybody who has one."""
LATELY = timedelta(days=1)
UUID_VERSION = 7


def kinds(role: str, purpose: str, relation: NameRelation, *, expected: bool, new: bool) -> list[UnusualKind]:
    """What is unusual about opening one record. `expected` says that the patient has an appointment there about then.

    - Somebody of the reader's own name is taken for the reader, whatever the reason.
    - A relative's record is unusual for who treats, with or without an appointment; at the desk, without one.
    - Without an appointment, and not registered just then, a record is unusual for who treats. With the glass broken it is not: that has
      a reason, and a review of its own.
    """
    if relation == "same-person":
        return ["own_record"]
    if relation == "same-surname" and not (expected and role in DESK):
        return ["same_surname"]
    unexplained = not (expected or new or role in DESK or purpose == BREAKING_GLASS)
    return ["no_appointment"] if unexplained else []


def is_new(patient_id: UUID, at: datetime) -> bool:
    """Whether a record was made within the day before: a UUIDv7 says when (RFC 9562 section 5.7)."""
    made = (patient_id.int >> 80) / 1000
    return patient_id.version == UUID_VERSION and timedelta(0) <= timedelta(seconds=at.timestamp() - made) < LATELY
