"""A consent as patients and their proxies read it."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from carewright.contracts.consents import Consent
from carewright.portal.model.wall import Wall, full_date

RELATIONSHIPS = {
    "parent": "My parent", "guardian": "My guardian", "spouse": "My spouse or partner", "child": "My child", "carer": "My carer",
    "other": "Somebody else",
}  # fmt: skip
SCOPES = {"see": "See my appointments", "book": "See, book and change my appointments"}
LENGTHS = {"30": "One month", "91": "Three months", "365": "One year", "1095": "Three years"}
"""Days, and what people read."""
AS_PROXY = {
    "parent": "Your child", "guardian": "Somebody whose guardian you are", "spouse": "Your spouse or partner", "child": "Your parent",
    "carer": "Somebody you care for", "other": "Somebody who trusts you",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class ConsentView:
    """`who` is what the proxy is to the patient, `whom` the patient to the proxy; `holds` whether the proxy may act now.

    `name` is the patient's, for a proxy who may act now; else empty.
    """

    id: UUID
    name: str
    who: str
    whom: str
    what: str
    until: str
    accepted: bool
    holds: bool


def consent_view(one: Consent, wall: Wall, now: datetime, name: str = "") -> ConsentView:
    return ConsentView(
        id=one.id, name=name, who=RELATIONSHIPS[one.relationship], whom=AS_PROXY[one.relationship],
        what="may see, book and change appointments" if one.scope == "book" else "may see appointments",
        until=full_date(wall.day(one.ends_at), wall.locale), accepted=one.accepted_at is not None, holds=one.holds(now),
    )  # fmt: skip
