"""Lists of patients that other systems keep here (FHIR R4 Group: of persons, actual), to export what is about those patients."""

from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from carewright.contracts.directory import Identifier
from carewright.kernel.errors import Refusal
from carewright.kernel.values import Instant, ShortText, Version

MEMBERS_MAX = 10_000
"""Patients in one group: what a megabyte of JSON, the most that is taken by FHIR, has room for."""
GROUPS_MAX = 500
"""Groups of one organization."""
SHOWN_MAX = 100_000
"""Members of all groups that one search shows."""
MemberIds = Annotated[tuple[UUID, ...], Meta(max_length=MEMBERS_MAX)]
Identifiers = Annotated[tuple[Identifier, ...], Meta(max_length=20)]


class GroupDetails(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a group says. Its members are patients, each once; their order means nothing."""

    name: ShortText = ""
    identifiers: Identifiers = ()
    active: bool = True
    member_ids: MemberIds = ()


class Group(GroupDetails, frozen=True, kw_only=True, forbid_unknown_fields=True):
    id: UUID
    version: int = 1
    updated_at: Instant


class UpdateGroup(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Replace what a group says."""

    group_id: UUID
    details: GroupDetails
    expected_version: Version | None = None


class SearchGroups(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Groups that meet every condition that has a value; without any, all."""

    ids: Annotated[tuple[UUID, ...], Meta(max_length=500)] = ()
    identifiers: Annotated[tuple[Identifier, ...], Meta(max_length=500)] = ()
    member_ids: Annotated[tuple[UUID, ...], Meta(max_length=500)] = ()


class UnknownGroup(Refusal):
    code = "groups.unknown_group"
    status = 404
    issue = "not-found"
    title = "We do not know this group."


class InvalidGroup(Refusal):
    """`field` is what breaks the rule; `patient_id`, if there is one, is who we do not know."""

    code = "groups.invalid_group"
    status = 422
    issue = "business-rule"
    title = "Something in the group is not right."


class TooManyGroups(Refusal):
    """`limit` is how many groups an organization may have."""

    code = "groups.too_many_groups"
    status = 409
    issue = "too-costly"
    title = "There are as many groups as we keep. Delete one that nobody needs."


class GroupsTooLarge(Refusal):
    """`limit` is how many members one search shows."""

    code = "groups.too_many_members"
    status = 422
    issue = "too-costly"
    title = "These groups have more members together than are shown at once. Ask for fewer."
