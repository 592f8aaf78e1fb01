"""When a kind of visit may start at a site, free and taken: what a hospital shows of itself without saying who is there."""

from uuid import UUID

import msgspec

from carewright.kernel.values import Instant


class ListStarts(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Every start of a kind of visit at a site that patients may choose before `until_at`, taken ones too, by the rules for patients."""

    visit_type_id: UUID
    site_id: UUID
    until_at: Instant


class Start(msgspec.Struct, frozen=True, kw_only=True):
    """A moment at which the visit may begin, and how many such visits could: none where all who could serve are taken.

    Where one actor could meet several requirements it may be fewer, but at least one where it is not none.
    """

    at: Instant
    free: int


class IsExpected(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whether a patient had or has an appointment within a time, at any of these sites, or anywhere where none is named."""

    patient_id: UUID
    from_at: Instant
    until_at: Instant
    site_ids: tuple[UUID, ...] = ()
