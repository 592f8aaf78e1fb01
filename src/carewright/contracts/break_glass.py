"""The part of access's language that is about breaking the glass: wider permissions for a while, and the review that must be closed."""

from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from carewright.kernel.values import Instant, Limit, Reason

BreakGlassPurpose = Literal["ETREAT", "COVERAGE", "SAFETY"]
"""Why the glass is broken: emergency treatment (HL7 ActReason ETREAT), covering for a colleague, or a danger to the patient."""


class StartBreakGlass(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Ask for wider permissions for a while. The reason is read by a privacy officer; keep the patient's data out of it."""

    purpose: BreakGlassPurpose
    reason: Reason
    minutes: Annotated[int, Meta(ge=1, le=60)] = 60


class BreakGlass(msgspec.Struct, frozen=True, kw_only=True):
    """Wider permissions of one session, until `until`. `closed_at` is when a privacy officer closed the review."""

    id: UUID
    subject: str
    role: str
    purpose: BreakGlassPurpose
    reason: str
    started_at: Instant
    until: Instant
    closed_at: Instant | None = None
    closed_by: str | None = None
    finding: str | None = None


class ListReviews(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Every time the glass was broken, oldest first; only those still to be reviewed unless `closed` is asked for too."""

    closed: bool = False
    limit: Limit = 50


class ReviewsPage(msgspec.Struct, frozen=True, kw_only=True):
    items: tuple[BreakGlass, ...]


class CloseReview(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a privacy officer found. Nobody reviews themselves."""

    break_glass_id: UUID
    outcome: Literal["justified", "not-justified"]
    finding: Reason
