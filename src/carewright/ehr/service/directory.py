"""Practitioners and places: known again by their identifiers, and believed as the masters say."""

from functools import partial
from typing import Any, Literal
from uuid import UUID

import msgspec

from carewright.contracts.directory import FindByIdentifier, FindEntries, Identifier, Location, Practitioner, PutResources
from carewright.contracts.ehr import TAKEN
from carewright.ehr.model.deciding import of_place, of_practitioner
from carewright.ehr.model.reading import Person, Place, Resource, read
from carewright.ehr.service.work import AMBIGUOUS, ONLY_THEIRS, Work, taken
from carewright.ehr.store import Link

ENTRIES_PAGE = 500
Kind = Literal["Practitioner", "Location"]


async def see_practitioner(work: Work, resource: Any) -> None:
    """A practitioner of theirs. One who is new becomes ours where they are master, and can be booked once somebody gives them a role."""
    theirs = read(resource, Person)
    link = await _link_of(work, "Practitioner", theirs)
    if link is None or link.ours is None:
        await _new_practitioner(work, theirs)
        return
    for ours in (await _entries(work, "Practitioner", link.ours)).practitioners:
        changes = of_practitioner(theirs, ours)
        take = partial(_put, work, PutResources(practitioners=(msgspec.structs.replace(ours, **changes),)))
        await work.settle("Practitioner", theirs.id, theirs.said_at, link, tuple(changes), take)


async def see_place(work: Work, resource: Any) -> None:
    """A place of theirs. New ones are for people to enter: a site needs its time zone."""
    theirs = read(resource, Place)
    link = await _link_of(work, "Location", theirs)
    if link is None or link.ours is None:
        await work.differs("Location", theirs.id, ONLY_THEIRS)
        return
    for ours in (await _entries(work, "Location", link.ours)).locations:
        changes = of_place(theirs, ours)
        take = partial(_put, work, PutResources(locations=(msgspec.structs.replace(ours, **changes),)))
        await work.settle("Location", theirs.id, theirs.said_at, link, tuple(changes), take)


async def numbers_of(work: Work, kind: Kind) -> list[Identifier]:
    """The identifiers of all of ours that are active."""
    found: list[Identifier] = []
    query = FindEntries(resource_type=kind, limit=ENTRIES_PAGE)
    while True:
        page = await work.ctx.directory.find_entries(work.ctx.actor, query)
        entries: tuple[Practitioner | Location, ...] = (*page.practitioners, *page.locations)
        found += [one for each in entries if each.active for one in each.identifiers]
        if page.next is None:
            return found
        query = msgspec.structs.replace(query, after=page.next)


async def _link_of(work: Work, kind: Kind, theirs: Resource) -> Link | None:
    """Which of ours it is: as it was before, or by the one of ours that carries an identifier of theirs."""
    known = await work.linked(kind, theirs.id)
    if known is not None:
        return known
    ids = await _matches(work, kind, theirs)
    return await work.link(kind, theirs.id, next(iter(ids))) if len(ids) == 1 else None


async def _matches(work: Work, kind: Kind, theirs: Resource) -> set[UUID]:
    query = FindByIdentifier(resource_type=kind, identifiers=theirs.identifiers)
    return {match.id for match in await work.ctx.directory.find_by_identifier(work.ctx.actor, query)} if theirs.identifiers else set()


async def _new_practitioner(work: Work, theirs: Person) -> None:
    """Somebody without an identifier would come again with every pull, so they are for people to enter."""
    if await _matches(work, "Practitioner", theirs):
        await work.differs("Practitioner", theirs.id, AMBIGUOUS)
        return
    if work.connection.masters["Practitioner"] != "theirs" or not theirs.identifiers:
        await work.differs("Practitioner", theirs.id, ONLY_THEIRS)
        return
    made = Practitioner(
        id=work.ctx.ids.new(), kind="practitioner", family=theirs.official.family or "", given=theirs.given, gender=theirs.gender,
        identifiers=theirs.identifiers, active=theirs.active,
    )  # fmt: skip
    reason = await taken(partial(_put, work, PutResources(practitioners=(made,))))
    if reason == TAKEN:
        await work.link("Practitioner", theirs.id, made.id)
    await work.differs("Practitioner", theirs.id, reason)


async def _entries(work: Work, kind: Kind, id_: UUID) -> Any:
    return await work.ctx.directory.find_entries(work.ctx.actor, FindEntries(resource_type=kind, ids=(id_,)))


async def _put(work: Work, resources: PutResources) -> None:
    await work.ctx.directory.put_resources(work.ctx.actor, resources)
