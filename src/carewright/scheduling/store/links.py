"""Links: rows to values. One function runs one named query."""

from collections.abc import Collection, Iterable
from uuid import UUID

from carewright.contracts.links import AppointmentLink, ListLinks
from carewright.kernel.db import Row, Session
from carewright.kernel.sql import load
from carewright.scheduling.model.links import TAKES_PLACE, Bond, Lying, fits

Q = load("carewright.scheduling")


async def insert(tx: Session, organization_id: UUID, link: AppointmentLink) -> None:
    """Keep a new link. The caller holds the patient's row and both appointments'."""
    await tx.execute(
        Q.insert_link, organization_id, link.id, link.patient_id, link.site_id, link.appointment_id, link.depends_on_id, link.kind,
        link.why, link.needs, link.least_minutes, link.most_minutes, link.otherwise, link.status, link.made_at, link.changed_at,
        link.version,
    )  # fmt: skip


async def between(db: Session, organization_id: UUID, one_id: UUID, other_id: UUID) -> UUID | None:
    """The link of two appointments, whichever depends on the other."""
    row = await db.fetch_one(Q.link_of_two, organization_id, one_id, other_id)
    return row["id"] if row else None


async def depended_on(db: Session, organization_id: UUID, appointment_id: UUID) -> frozenset[UUID]:
    """What an appointment depends on, straight or by others."""
    return frozenset(row["id"] for row in await db.fetch(Q.depended_on, organization_id, appointment_id))


async def of(db: Session, organization_id: UUID, appointment_ids: Iterable[UUID]) -> list[AppointmentLink]:
    """Every link with one of these at either end."""
    return [_link(row) for row in await db.fetch(Q.links_of, organization_id, list(appointment_ids))]


async def bonds_of(db: Session, organization_id: UUID, appointment_ids: Collection[UUID]) -> list[Bond]:
    """Links with one of these at either end that hold as the two lie now, of which both take place."""
    rows = await db.fetch(Q.bonds_of, organization_id, list(appointment_ids), list(TAKES_PLACE)) if appointment_ids else ()
    found = (Bond(_link(row), Lying(row["one_start"], row["one_end"]), Lying(row["other_start"], row["other_end"])) for row in rows)
    return [each for each in found if fits(*each)]


async def by_id(db: Session, organization_id: UUID, link_id: UUID) -> AppointmentLink | None:
    row = await db.fetch_one(Q.link_by_id, organization_id, link_id)
    return _link(row) if row else None


async def for_change(tx: Session, organization_id: UUID, link_ids: Iterable[UUID]) -> list[AppointmentLink]:
    """These links, their rows locked until the transaction ends. Whoever locks appointments too has done so before."""
    return [_link(row) for row in await tx.fetch(Q.links_for_change, organization_id, list(link_ids))]


async def page(
    db: Session, organization_id: UUID, query: ListLinks, patient_id: UUID | None, site_ids: Collection[UUID]
) -> list[AppointmentLink]:
    """One more than a page of links, of one patient where one is named, and at these sites where any are."""
    rows = await db.fetch(
        Q.links_page, organization_id, query.appointment_id, patient_id, query.site_id, query.status, query.after, list(site_ids),
        query.limit + 1,
    )  # fmt: skip
    return [_link(row) for row in rows]


async def save(tx: Session, organization_id: UUID, link: AppointmentLink) -> None:
    """Write a changed link. The caller holds its row."""
    await tx.execute(
        Q.save_link, organization_id, link.id, link.site_id, link.status, link.cause, link.attempt, link.changed_at, link.version
    )


async def delete(tx: Session, organization_id: UUID, link_id: UUID) -> None:
    await tx.execute(Q.delete_link, organization_id, link_id)


async def erase(tx: Session, organization_id: UUID, patient_id: UUID) -> list[UUID]:
    """Forget a patient's links; which they were."""
    return [row["id"] for row in await tx.fetch(Q.erase_links, organization_id, patient_id)]


async def take_over(tx: Session, organization_id: UUID, prior_id: UUID) -> list[UUID]:
    """Give a merged record's links to its survivor; which they were."""
    return [row["id"] for row in await tx.fetch(Q.take_over_links, organization_id, prior_id)]


def _link(row: Row) -> AppointmentLink:
    return AppointmentLink(
        id=row["id"], patient_id=row["patient_id"], site_id=row["site_id"], appointment_id=row["appointment_id"],
        depends_on_id=row["depends_on_id"], kind=row["kind"], why=row["why"], needs=row["needs"], least_minutes=row["least_minutes"],
        most_minutes=row["most_minutes"], otherwise=row["otherwise"], status=row["status"], cause=row["cause"], attempt=row["attempt"],
        made_at=row["made_at"], changed_at=row["changed_at"], version=row["version"],
    )  # fmt: skip
