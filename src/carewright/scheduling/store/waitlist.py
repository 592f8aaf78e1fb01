"""The waitlist: rows to values. One function runs one named query."""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from uuid import UUID

import msgspec

from carewright.contracts.scheduling import Appointment
from carewright.contracts.waitlist import ListWaiting, PolicyTerms, WaitlistEntry, WaitlistPolicy, Wishes
from carewright.kernel.db import Row, Session
from carewright.kernel.sql import load
from carewright.scheduling.model.waitlist import GivenUp, Person

Q = load("carewright.scheduling")


async def insert(tx: Session, organization_id: UUID, one: WaitlistEntry) -> bool:
    """Keep a new entry; False where its patient waits for that already, or is not known."""
    wishes = one.wishes
    row = await tx.fetch_one(
        Q.insert_waiting, organization_id, one.id, one.patient_id, one.visit_type_id, list(wishes.site_ids), wishes.urgency,
        wishes.latest_on, msgspec.json.encode(wishes), one.given_up_id, one.since,
    )  # fmt: skip
    return row is not None


async def by_id(db: Session, organization_id: UUID, entry_id: UUID) -> WaitlistEntry | None:
    row = await db.fetch_one(Q.waiting_by_id, organization_id, entry_id)
    return _waiting(row) if row else None


async def for_change(tx: Session, organization_id: UUID, entry_id: UUID) -> WaitlistEntry | None:
    """An entry, its row locked until the transaction ends."""
    await tx.fetch_one(Q.lock_waiting, organization_id, entry_id)
    return await by_id(tx, organization_id, entry_id)


async def kinds_of(tx: Session, organization_id: UUID, patient_id: UUID) -> dict[UUID, UUID]:
    """For which kinds of visits a patient waits, each with the entry."""
    return {row["visit_type_id"]: row["id"] for row in await tx.fetch(Q.waits_of_patient, organization_id, patient_id)}


async def page(
    db: Session, organization_id: UUID, query: ListWaiting, patient_id: UUID | None, site_ids: Collection[UUID]
) -> list[WaitlistEntry]:
    """One more than a page of entries, of one patient where one is named, and at these sites where any are."""
    rows = await db.fetch(
        Q.waiting_page, organization_id, query.site_id, patient_id, query.visit_type_id, list(query.states), query.after, list(site_ids),
        query.limit + 1,
    )  # fmt: skip
    return [_waiting(row) for row in rows]


async def save(tx: Session, organization_id: UUID, one: WaitlistEntry) -> None:
    """Write a changed entry. The caller holds its row."""
    wishes, state = one.wishes, "waiting" if one.state == "offered" else one.state
    await tx.execute(
        Q.save_waiting, organization_id, one.id, state, list(wishes.site_ids), wishes.urgency, wishes.latest_on,
        msgspec.json.encode(wishes), one.given_up_id, one.ended_at, one.version,
    )  # fmt: skip


async def for_visit(tx: Session, organization_id: UUID, patient_id: UUID, visit_type_id: UUID, appointment_id: UUID) -> list[UUID]:
    """The entry, locked, of a patient who waited for a kind of visit before this one was booked."""
    return [row["id"] for row in await tx.fetch(Q.waiting_for_visit, organization_id, patient_id, visit_type_id, appointment_id)]


async def to_give_up(tx: Session, organization_id: UUID, patient_id: UUID, appointment_id: UUID) -> list[UUID]:
    """The entry, locked, of a patient who would give this appointment up for an earlier one."""
    return [row["id"] for row in await tx.fetch(Q.waiting_to_give_up, organization_id, patient_id, appointment_id)]


async def over(tx: Session, before: date, limit: int) -> list[tuple[UUID, UUID]]:
    """Organization and id of entries, locked, whose last day is over."""
    return [(row["organization_id"], row["id"]) for row in await tx.fetch(Q.waiting_that_ended, before, limit)]


async def anybody_waits(tx: Session, organization_id: UUID, site_id: UUID) -> bool:
    row = await tx.fetch_one(Q.anybody_waits, organization_id, site_id)
    return bool(row and row["found"])


async def people(tx: Session, organization_id: UUID, site_id: UUID, freed_id: UUID, now: datetime, limit: int) -> list[Person]:
    """Who may be asked about a freed time at a site."""
    return [_person(row) for row in await tx.fetch(Q.people_waiting, organization_id, site_id, freed_id, now, limit)]


async def lock_person(tx: Session, organization_id: UUID, entry_id: UUID) -> bool:
    """Lock an entry by which somebody waits; False where nobody does, or somebody has it locked, who may just ask them something else."""
    return await tx.fetch_one(Q.lock_person, organization_id, entry_id) is not None


async def pass_over(tx: Session, organization_id: UUID, entry_ids: Sequence[UUID]) -> None:
    """Note that a time suited these, and was offered to others. Whoever is just changed is not waited for: it is a count."""
    await tx.execute(Q.pass_over, organization_id, list(entry_ids))


async def erase(tx: Session, organization_id: UUID, patient_id: UUID) -> list[UUID]:
    return [row["id"] for row in await tx.fetch(Q.erase_waiting, organization_id, patient_id)]


async def take_over(tx: Session, organization_id: UUID, prior_id: UUID, now: datetime) -> list[UUID]:
    """Give a merged record's entries to its survivor; which they were."""
    return [row["id"] for row in await tx.fetch(Q.take_over_waiting, organization_id, prior_id, now)]


async def policy(db: Session, organization_id: UUID, site_id: UUID) -> WaitlistPolicy:
    """How a site offers what falls free; not at all where nobody has said."""
    row = await db.fetch_one(Q.waitlist_policy, organization_id, site_id)
    return _policy(row) if row else WaitlistPolicy(site_id=site_id, terms=PolicyTerms())


async def put_policy(tx: Session, organization_id: UUID, one: WaitlistPolicy) -> bool:
    """Write a policy; False where another came to be since it was read."""
    terms = one.terms
    row = await tx.fetch_one(
        Q.put_waitlist_policy, organization_id, one.site_id, terms.way, terms.racers, terms.answer_minutes, terms.notice_minutes,
        terms.chains, one.version,
    )  # fmt: skip
    return row is not None


def _waiting(row: Row) -> WaitlistEntry:
    return WaitlistEntry(
        id=row["id"], state="offered" if row["state"] == "waiting" and row["asked"] else row["state"], patient_id=row["patient_id"],
        visit_type_id=row["visit_type_id"], wishes=msgspec.json.decode(row["wishes"], type=Wishes), given_up_id=row["given_up_id"],
        since=row["since"], declined=row["declined"], unanswered=row["unanswered"], passed_over=row["passed_over"],
        ended_at=row["ended_at"], version=row["version"],
    )  # fmt: skip


def _person(row: Row) -> Person:
    return Person(
        entry_id=row["id"], patient_id=row["patient_id"], visit_type_id=row["visit_type_id"],
        wishes=msgspec.json.decode(row["wishes"], type=Wishes), since=row["since"], asked=row["asked"], accepted=row["accepted"],
        passed_over=row["passed_over"], given_up=_given_up(row["given_up"]) if row["given_up_id"] else None,
    )  # fmt: skip


def _given_up(value: bytes | str) -> GivenUp:
    one = msgspec.json.decode(value, type=Appointment)
    actors = tuple(each.actor_id for each in one.participants if each.kind != "patient")
    return GivenUp(one.id, one.version, one.site_id, one.start, actors)


def _policy(row: Row) -> WaitlistPolicy:
    terms = PolicyTerms(
        way=row["way"], racers=row["racers"], answer_minutes=row["answer_minutes"], notice_minutes=row["notice_minutes"],
        chains=row["chains"],
    )  # fmt: skip
    return WaitlistPolicy(site_id=row["site_id"], terms=terms, version=row["version"])
