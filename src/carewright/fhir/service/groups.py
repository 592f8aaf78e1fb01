"""Groups of patients through FHIR, by the use cases of `patients`."""

from typing import Any

from carewright.contracts.directory import Identifier
from carewright.contracts.fhir.basics import Resource
from carewright.contracts.fhir.groups import group
from carewright.contracts.groups import Group, InvalidGroup, SearchGroups, UpdateGroup
from carewright.fhir.context import FhirContext
from carewright.fhir.model.grouped import expression_of, left_out_of, read_group
from carewright.fhir.model.pointing import known_uuid
from carewright.fhir.model.searching.narrowing import Narrowing
from carewright.fhir.model.writes import Sent, Written
from carewright.fhir.service.gathering import named, uuids
from carewright.fhir.service.telling import told


async def read(ctx: FhirContext, id_: str) -> Resource:
    return group(await ctx.patients.get_group(ctx.actor, known_uuid(id_)))


async def candidates(ctx: FhirContext, _: Any, bounds: Narrowing) -> list[Resource]:
    """By id, identifier or member; or all."""
    ids, member_ids = uuids(bounds.ids), uuids(named(bounds, "member"))
    if () in (ids, member_ids):
        return []
    identifiers = tuple(Identifier(system=each.system or "", value=each.code or "") for each in bounds.identifiers or ())
    is_whole = all(each.system and each.value for each in identifiers)
    query = SearchGroups(ids=ids or (), member_ids=member_ids or (), identifiers=identifiers if is_whole else ())
    return [group(one) for one in await ctx.patients.search_groups(ctx.actor, query)]


async def post(ctx: FhirContext, sent: Sent) -> Written:
    """A new group. Raises `InvalidElement`, and what `create_group` refuses."""
    details = read_group(sent.resource, sent.base)
    return _written(await told(ctx.patients.create_group(ctx.actor, details, sent.key), InvalidGroup, expression_of), sent, is_new=True)


async def put(ctx: FhirContext, id_: str, sent: Sent) -> Written:
    """The group says what was sent, and nothing else. Raises `InvalidElement`, and what `update_group` refuses."""
    command = UpdateGroup(group_id=known_uuid(id_), details=read_group(sent.resource, sent.base), expected_version=sent.version)
    return _written(await told(ctx.patients.update_group(ctx.actor, command, sent.key), InvalidGroup, expression_of), sent)


async def end(ctx: FhirContext, id_: str) -> Resource:
    """As it was before it ended."""
    return group(await ctx.patients.delete_group(ctx.actor, known_uuid(id_)))


def _written(stored: Group, sent: Sent, *, is_new: bool = False) -> Written:
    shown = group(stored)
    return Written(resource=shown, is_new=is_new, left_out=left_out_of(sent.resource, shown))
