"""Who is master of a service's appointments while a hospital changes its system, service by service.

A service at a site is *mirrored* while an older system is its master: the appointments there are copies, which its mirror alone writes.
*Switched*, it is ours again; the older system may still be compared. A service that nobody began to move has no entry, and is ours.
"""

from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from carewright.kernel.values import Instant, Reason, ShortText

MasterStep = Literal["begin", "switch", "back"]
"""`begin`: the older system is master from now on. `switch`: we are. `back`: it is master once more."""
MasterStage = Literal["mirrored", "switched"]
SITES_MAX = 200


class ChangeMaster(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One step of a service, at all of these sites or at none; without sites, everywhere that the service is offered, or was begun.

    `begin` needs `source`, the older system's name, as its mirror gives it, and `book_at`: where to book instead, as a person would say it.
    """

    service_id: UUID
    site_ids: Annotated[tuple[UUID, ...], Meta(max_length=SITES_MAX)] = ()
    step: MasterStep
    source: ShortText | None = None
    book_at: ShortText | None = None
    reason: Reason


class Master(msgspec.Struct, frozen=True, kw_only=True):
    """How a service at a site stands. `reason` and `changed_by` are those of its last step, taken at `since`.

    `visit_type_ids` are the kinds of visits that the service has.
    """

    service_id: UUID
    site_id: UUID
    visit_type_ids: tuple[UUID, ...] = ()
    stage: MasterStage
    source: str
    book_at: str
    since: Instant
    changed_by: str
    reason: str


class Masters(msgspec.Struct, frozen=True, kw_only=True):
    items: tuple[Master, ...]
