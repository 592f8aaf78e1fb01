"""A Bundle that is posted to the base: many requests in one (https://hl7.org/fhir/R4/http.html#transaction).

Each entry is a request of its own, taken by the same addresses as any other, under the same token and at the same pace.
A transaction is all or nothing (docs/adr/0038-use-cases-together.md).
"""

import hashlib
from base64 import b64decode
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Route
from starlette.types import Message

from carewright.contracts.coverage import Coverages
from carewright.contracts.directory import Directory
from carewright.contracts.fhir.basics import Resource
from carewright.contracts.fhir.outcomes import outcome_of
from carewright.contracts.fhir.refusals import InvalidElement, NotAtomic, NotSelective
from carewright.contracts.orders import Orders
from carewright.contracts.patients import Patients
from carewright.contracts.scheduling import Scheduling
from carewright.contracts.subscriptions import Subscriptions
from carewright.fhir.http.interaction import MEDIA_TYPE, PATCH_TYPE, PREFIX, Answer, Ask, Handle
from carewright.fhir.model.entries import (
    Entry,
    answer,
    conditional,
    ensure_distinct,
    in_order,
    placed,
    read_entries,
    references_in,
    resolved,
    response,
    without_resources,
)
from carewright.fhir.model.searching.elements import identity, local
from carewright.fhir.service.matching import the_one
from carewright.fhir.service.validity import ensure_type, ensure_valid
from carewright.kernel.errors import MethodNotAllowed, NotFound, Refusal
from carewright.kernel.http.endpoint import query_pairs
from carewright.kernel.together import Settle

HANDED_ON = ("authorization", "prefer")
"""What the headers of the whole say of each entry."""
WRITTEN = (Directory, Patients, Scheduling, Orders, Coverages, Subscriptions)
"""Who keeps what FHIR may change."""
ASKS_OTHERS = frozenset({"CoverageEligibilityRequest"})
"""To create one asks somebody else, over the network."""


def bundled(routes: Sequence[BaseRoute]) -> Handle:
    """Takes a batch or a transaction whose entries are for `routes`."""

    async def take(ask: Ask) -> Answer:
        ensure_valid(without_resources(ask.body))
        ensure_type("Bundle", ask.body)
        entries, kind = read_entries(ask.body, ask.base), ask.body["type"]
        if kind == "batch":
            return Answer(response(kind, [await _independently(ask, routes, each) for each in entries]))
        return Answer(response(kind, await _together(ask, routes, entries)))

    return take


async def _independently(ask: Ask, routes: Sequence[BaseRoute], entry: Entry) -> Resource:
    """What one entry of a batch came to, whatever became of the others."""
    try:
        return await _answered(ask, routes, entry)
    except Refusal as refusal:
        return answer(ask.base, _status(refusal.status), outcome_of(refusal))


async def _together(ask: Ask, routes: Sequence[BaseRoute], entries: Sequence[Entry]) -> list[Resource]:
    """All or nothing. What is decided by criteria is decided first, by what is there before anything is done."""
    there = await _there_already(ask, entries)
    entries = [await _decided(ask, each) for each in entries]
    ensure_distinct(entries)
    places = {each.full_url: identity(there[each.number]) for each in entries if each.number in there}
    places |= {each.full_url: each.path for each in entries if each.full_url and each.method in ("PUT", "PATCH") and not each.query}
    places |= await _found_by_criteria(ask, entries)
    todo = [each for each in in_order(entries, places) if each.number not in there]
    answers = {number: answer(ask.base, _status(HTTPStatus.OK), one) for number, one in there.items()}
    writes = [each for each in todo if not each.is_read]
    if len(writes) > 1:
        _ensure_undoable(ask, writes)
        answers |= await ask.ctx.together.all_or_nothing(ask.ctx, lambda settle: _all_done(ask, routes, todo, places, settle))
    else:
        answers |= await _one_done(ask, routes, todo, places)
    return [answers[each.number] for each in entries]


async def _all_done(
    ask: Ask, routes: Sequence[BaseRoute], todo: Sequence[Entry], places: Mapping[str, str], settle: Settle
) -> dict[int, Resource]:
    """The answers by number, of entries that are all part of one transaction of the database; each may refer to those before it."""
    answers: dict[int, Resource] = {}
    known = dict(places)
    for each in todo:
        one = answers[each.number] = await _or_nothing(ask, routes, each, known)
        if not each.is_read:
            await settle()
        if each.full_url and (place := _place_of(ask, one)):
            known[each.full_url] = place
    return answers


async def _one_done(ask: Ask, routes: Sequence[BaseRoute], todo: Sequence[Entry], places: Mapping[str, str]) -> dict[int, Resource]:
    """The same where at most one entry changes something: what is read must be there, then the change is made, then it is read as it is."""
    reads, writes = [each for each in todo if each.is_read], [each for each in todo if not each.is_read]
    answers = {each.number: await _or_nothing(ask, routes, each, places) for each in [*reads, *writes]}
    return answers | {each.number: await _independently(ask, routes, each) for each in reads if writes}


def _ensure_undoable(ask: Ask, writes: Sequence[Entry]) -> None:
    """Raises `NotAtomic` where what is asked for could not be undone."""
    for each in writes:
        if each.path in ASKS_OTHERS:
            raise NotAtomic(
                f"A {each.path} is sent by itself: a payer that was asked stays asked.",
                writes=len(writes), expression=f"{each.expression}.request",
            )  # fmt: skip
    if not ask.ctx.together.reaches(WRITTEN):
        raise NotAtomic(
            "The modules that these changes are for run in processes of their own here. A transaction changes one resource then: send the "
            "rest as a batch.",
            writes=len(writes), expression=f"{writes[1].expression}.request",
        )  # fmt: skip


async def _there_already(ask: Ask, entries: Sequence[Entry]) -> dict[int, Resource]:
    """By number of the entry, what a conditional create would find: nothing is done for it."""
    there: dict[int, Resource] = {}
    for each in entries:
        if each.method == "POST" and each.if_none_exist:
            one = await _matching(ask, each, each.path, each.if_none_exist.rpartition("?")[2])
            if one is not None:
                there[each.number] = one
    return there


async def _decided(ask: Ask, entry: Entry) -> Entry:
    """A conditional update that finds its resource, as an update of that one; any other entry as it is."""
    if entry.method not in ("PUT", "PATCH") or not entry.query or "/" in entry.path:
        return entry
    one = await _matching(ask, entry, entry.path, entry.query)
    if one is None:
        return entry
    resource = entry.resource
    if entry.method == "PUT" and isinstance(resource, dict):
        resource = {"id": one["id"]} | resource
    return msgspec.structs.replace(entry, path=identity(one), query="", resource=resource)


async def _found_by_criteria(ask: Ask, entries: Sequence[Entry]) -> dict[str, str]:
    """By conditional reference, to whom it leads. Raises `NotSelective` unless that is exactly one (R4 http.html#trules)."""
    found: dict[str, str] = {}
    for each in entries:
        for reference in references_in(each.resource):
            asked = conditional(reference)
            if asked is None or reference in found:
                continue
            one = await _matching(ask, each, *asked)
            if one is None:
                raise placed(NotSelective("No resource meets the criteria of a reference."), each)
            found[reference] = identity(one)
    return found


async def _matching(ask: Ask, entry: Entry, kind: str, criteria: str) -> Resource | None:
    try:
        return await the_one(ask.ctx, kind, query_pairs(criteria.encode()), ask.base)
    except Refusal as refusal:
        raise placed(refusal, entry) from refusal


def _place_of(ask: Ask, answered: Resource) -> str | None:
    """`Type/id` of what an entry came to."""
    if "location" in answered["response"]:
        return local(answered["response"]["location"], ask.base)
    return identity(answered["resource"]) if "resource" in answered else None


async def _or_nothing(ask: Ask, routes: Sequence[BaseRoute], entry: Entry, places: Mapping[str, str]) -> Resource:
    try:
        return await _answered(ask, routes, msgspec.structs.replace(entry, resource=resolved(entry.resource, places)))
    except Refusal as refusal:
        raise placed(refusal, entry) from refusal


async def _answered(ask: Ask, routes: Sequence[BaseRoute], entry: Entry) -> Resource:
    answered = await _routed(routes, _request(ask, entry))
    body = msgspec.json.decode(answered.body) if answered.body else None
    return answer(ask.base, _status(answered.status_code), body, answered.headers.get("location"), answered.headers.get("etag"))


def _status(code: int) -> str:
    return f"{code} {HTTPStatus(code).phrase}"


async def _routed(routes: Sequence[BaseRoute], request: Request) -> Response:
    """The answer of the address that the request is for. Raises `NotFound`, `MethodNotAllowed`, and what the address refuses."""
    found = [(route, *route.matches(request.scope)) for route in routes if isinstance(route, Route)]
    for route, match, more in found:
        if match is Match.FULL:
            request.scope.update(more)
            answered: Response = await route.endpoint(request)
            return answered
    raise MethodNotAllowed if any(match is Match.PARTIAL for _, match, _ in found) else NotFound


def _request(ask: Ask, entry: Entry) -> Request:
    """The request that the entry stands for."""
    content_type, content = _content(entry)
    headers = {name: ask.request.headers.get(name, "") for name in HANDED_ON} | {
        "accept": MEDIA_TYPE, "content-type": content_type, "if-match": entry.if_match, "if-none-exist": entry.if_none_exist,
        "idempotency-key": hashlib.sha256(f"{ask.key}/{entry.number}".encode()).hexdigest() if ask.key else "",
    }  # fmt: skip
    query = "&".join(part for part in entry.query.split("&") if not part.startswith("_format="))
    scope = dict(ask.request.scope) | {
        "method": entry.method, "path": f"{PREFIX}/{unquote(entry.path)}", "raw_path": b"",
        "query_string": query.encode(), "path_params": {},
        "headers": [(name.encode(), value.encode()) for name, value in headers.items() if value],
    }  # fmt: skip

    async def receive() -> Message:
        return {"type": "http.request", "body": content, "more_body": False}

    return Request(scope, receive)


def _content(entry: Entry) -> tuple[str, bytes]:
    """Media type and body: the resource, or the JSON Patch in a Binary (R4, patch in a Bundle)."""
    one: Any = entry.resource
    if entry.method != "PATCH" or not isinstance(one, dict) or one.get("resourceType") != "Binary":
        return MEDIA_TYPE, msgspec.json.encode(one) if one is not None else b""
    try:
        return str(one.get("contentType", PATCH_TYPE)), b64decode(str(one.get("data", "")), validate=True)
    except ValueError:
        raise InvalidElement("A patch in base64 belongs here.", expression="Binary.data") from None
