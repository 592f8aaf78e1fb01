"""A Bundle that is posted to the base: many requests in one (https://hl7.org/fhir/R4/http.html#transaction).

Each entry is a request of its own, taken by the same addresses as any other, under the same token and at the same pace.
A transaction changes one resource at most (docs/adr/0028-a-transaction-is-one-write.md).
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

from carewright.contracts.fhir.basics import Resource
from carewright.contracts.fhir.outcomes import outcome_of
from carewright.contracts.fhir.refusals import InvalidElement, NotAtomic
from carewright.fhir.http.interaction import MEDIA_TYPE, PATCH_TYPE, PREFIX, Answer, Ask, Handle
from carewright.fhir.model.entries import (
    Entry,
    answer,
    ensure_distinct,
    in_order,
    placed,
    read_entries,
    resolved,
    response,
    without_resources,
)
from carewright.fhir.model.searching.elements import identity
from carewright.fhir.service.matching import the_one
from carewright.fhir.service.validity import ensure_type, ensure_valid
from carewright.kernel.errors import MethodNotAllowed, NotFound, Refusal
from carewright.kernel.http.endpoint import query_pairs

HANDED_ON = ("authorization", "prefer")
"""What the headers of the whole say of each entry."""


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
    """All or nothing: what is read must be there, then the one change is made, then what is read is shown as it is after it."""
    ensure_distinct(entries)
    there = await _there_already(ask, entries)
    places = {each.full_url: identity(there[each.number]) for each in entries if each.number in there}
    todo = [each for each in in_order(entries) if each.number not in there]
    writes = [each for each in todo if not each.is_read]
    if len(writes) > 1:
        raise NotAtomic(writes=len(writes), expression=f"{writes[1].expression}.request")
    answers = {number: answer(ask.base, _status(HTTPStatus.OK), one) for number, one in there.items()}
    for each in [*(each for each in todo if each.is_read), *writes]:
        answers[each.number] = await _or_nothing(ask, routes, each, places)
    for each in todo if writes else ():
        if each.is_read:
            answers[each.number] = await _independently(ask, routes, each)
    return [answers[each.number] for each in entries]


async def _there_already(ask: Ask, entries: Sequence[Entry]) -> dict[int, Resource]:
    """By number of the entry, what a conditional create would find: nothing is done for it."""
    there: dict[int, Resource] = {}
    for each in entries:
        if each.method == "POST" and each.if_none_exist:
            try:
                one = await the_one(ask.ctx, each.path, query_pairs(each.if_none_exist.rpartition("?")[2].encode()), ask.base)
            except Refusal as refusal:
                raise placed(refusal, each) from refusal
            if one is not None:
                there[each.number] = one
    return there


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
