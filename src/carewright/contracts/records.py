"""How long what is known of people is kept, and what must stay: one readable table of defaults with the floors that law sets.

Modules register what they keep under the names in this table, and dispose of it (`kernel/keeping.py`). An organization may choose its own
number of days, down to the floor of its state. Years count 365.25 days, rounded up.
"""

from collections.abc import Mapping
from math import ceil
from typing import Annotated, Any, Literal, NamedTuple, Protocol
from uuid import UUID

import msgspec
from msgspec import Meta

from carewright.kernel.authz import Actor
from carewright.kernel.errors import Refusal
from carewright.kernel.values import Cursor, Instant, Limit, Reason

TABLE = """
                      default   floor   from its        source of the floor
appointments          7y        5y      end             42 CFR 482.24(b)(1)
calendar-blocks       1y        1d      end             -
messages              6y        90d     making          -
break-glass-reviews   6y        6y      closing         45 CFR 164.316(b)(2)(i)
audit                 ever      6y      last-effect     45 CFR 164.316(b)(2)(i)
telehealth-media      30d       1d      recording       -
encounters            7y        5y      end             42 CFR 482.24(b)(1)
hl7-messages          90d       1d      receiving       -
coverages             7y        1d      end             -
eligibility           2y        1d      asking          -
orders                7y        1d      last-change     -
groups                7y        1d      last-change     -
observations          7y        5y      end             42 CFR 482.24(b)(1)
"""
"""What is kept `ever` nothing disposes of: the audit log's proofs are about all of it. Telehealth media have their rule
before they have their module."""
STATES = """
      appointments   encounters   observations   source
CA    7y             7y           7y             22 CCR 70751(c)
MA    20y            20y          20y            M.G.L. c. 111 s. 70
NY    6y             6y           6y             10 NYCRR 405.10(a)(4)
TX    10y            10y          10y            Tex. Health & Safety Code 241.103(b)
"""
"""Floors of single states for records of hospitals, by ISO 3166-2 without the country. Minors' records may have to be kept longer."""
What = Literal[
    "appointments",
    "calendar-blocks",
    "messages",
    "break-glass-reviews",
    "audit",
    "telehealth-media",
    "encounters",
    "hl7-messages",
    "coverages",
    "eligibility",
    "orders",
    "groups",
    "observations",
]
State = Annotated[str, Meta(pattern=r"^[A-Z]{2}$", max_length=2)]
Region = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9-]{1,39}$", max_length=40)]
DAYS_MAX = 36_525


class Rule(NamedTuple):
    """A row of the table, with the floor of a state. Days; `default` None is for ever."""

    default: int | None
    floor: int
    counted_from: str
    source: str


def _days(text: str) -> int | None:
    if text == "ever":
        return None
    number, unit = int(text[:-1]), text[-1]
    if unit not in "dy":
        raise ValueError(f"{text} is no number of days or years")
    return ceil(number * 365.25) if unit == "y" else number


def _rules() -> Mapping[str, Rule]:
    rules = {}
    for line in TABLE.strip().splitlines()[1:]:
        what, default, floor, counted_from, source = line.split(maxsplit=4)
        rules[what] = Rule(_days(default), _days(floor) or 0, counted_from, source)
    return rules


def _floors() -> Mapping[tuple[str, str], tuple[int, str]]:
    header, *rows = STATES.strip().splitlines()
    floors = {}
    for row in rows:
        state, *numbers = row.split(maxsplit=len(header.split()) - 1)
        *numbers, source = numbers
        for what, number in zip(header.split(), numbers, strict=False):
            floors[state, what] = (_days(number) or 0, source)
    return floors


RULES, FLOORS = _rules(), _floors()


def rule_of(what: str, state: str | None) -> Rule:
    """The rule for `what` under the law of `state`. Raises `KeyError` for what nobody keeps."""
    rule = RULES[what]
    floor, source = FLOORS.get((state or "", what), (0, ""))
    return rule._replace(floor=floor, source=source) if floor > rule.floor else rule


def days_kept(what: str, own: int | None, state: str | None) -> int | None:
    """How many days `what` is kept where an organization chose `own` days: never fewer than its floor. None is for ever."""
    rule = rule_of(what, state)
    if rule.default is None:
        return None
    return max(own if own is not None else rule.default, rule.floor)


class Retention(msgspec.Struct, frozen=True, kw_only=True):
    """How long one kind of record is kept. `days` is None for what nothing disposes of; `chosen` says that it is the organization's own."""

    what: What
    days: int | None
    floor_days: int
    counted_from: str
    source: str
    chosen: bool


class Keeping(msgspec.Struct, frozen=True, kw_only=True):
    """Where an organization's records may lie, whose law they follow, and how long each kind is kept."""

    region: str | None
    state: str | None
    rules: tuple[Retention, ...]


class SetRetention(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Keep `what` for so many days; without days the default again."""

    what: What
    days: Annotated[int, Meta(ge=1, le=DAYS_MAX)] | None = None


class SetJurisdiction(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The region in which the organization's records may lie, such as `us`, and the state whose law their retention follows."""

    region: Region
    state: State | None = None


class Hold(msgspec.Struct, frozen=True, kw_only=True):
    """A legal hold: nothing of this patient is disposed of or erased, or of anybody where no patient is named."""

    id: UUID
    patient_id: UUID | None
    reason: str
    set_by: str
    set_at: Instant
    lifted_at: Instant | None = None
    lifted_by: str | None = None
    lift_reason: str | None = None


class SetHold(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    reason: Reason
    patient_id: UUID | None = None


class LiftHold(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    hold_id: UUID
    reason: Reason


class ListHolds(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Oldest first; with `lifted` those that stand no more as well. `after` is the id of the last one of an earlier page."""

    lifted: bool = False
    after: UUID | None = None
    limit: Limit = 50


class HoldsPage(msgspec.Struct, frozen=True, kw_only=True):
    items: tuple[Hold, ...]


class ExportRecord(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that is held about one patient, a page at a time; without `patient_id` a patient's own.

    `reason` is for whom: the patient (45 CFR 164.524), or because the law asks for it, which is a disclosure to be accounted for.
    """

    patient_id: UUID | None = None
    reason: Literal["patient", "law"] = "patient"
    after: Cursor | None = None


class ExportPage(msgspec.Struct, frozen=True, kw_only=True):
    """FHIR R4 resources. `next` is the cursor of the following page, or None at the end."""

    items: tuple[dict[str, Any], ...]
    next: str | None = None


class Records(Protocol):
    """What the rims may ask of records."""

    async def export_record(self, actor: Actor, command: ExportRecord) -> ExportPage: ...


class BelowFloor(Refusal):
    code = "records.below_floor"
    status = 422
    issue = "business-rule"
    title = "The law asks for more time than that."


class NeverDisposed(Refusal):
    code = "records.never_disposed"
    status = 422
    issue = "business-rule"
    title = "Nothing disposes of this, so there is no time to set."


class UnknownHold(Refusal):
    code = "records.unknown_hold"
    status = 404
    issue = "not-found"
    title = "There is no such hold, or it was lifted."
