"""`$bulk-publish`: a manifest and its files, for everybody, the same whatever Accept says, and again only where something changed."""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from carewright.contracts.fhir.refusals import UnknownId
from carewright.fhir.context import FhirContext
from carewright.fhir.http.interaction import PREFIX, base_of
from carewright.fhir.model.ndjson import NDJSON, since_in
from carewright.fhir.model.publishing import manifest
from carewright.fhir.service.publishing import Publication, Publisher

MANIFEST = f"{PREFIX}/$bulk-publish"
FILES = f"{PREFIX}/published"


def published(ctx: FhirContext) -> list[BaseRoute]:
    """The addresses of what everybody may see."""
    publisher = Publisher(ctx)

    async def show_manifest(request: Request) -> Response:
        asked = request.query_params.get("_since")
        shown, since = await publisher.publication(), None if asked is None else since_in(asked)
        files = {name: file for name, file in shown.files.items() if since is None or file.changed_at > since}
        base = base_of(ctx, request)
        said = manifest(f"{base}/$bulk-publish", f"{base}/published", files, shown.states, shown.changed_at)
        content = msgspec.json.encode(said)
        return _answer(request, content, "application/json", hashlib.sha256(content).hexdigest()[:32], _headers(ctx, shown.changed_at))

    async def show_file(request: Request) -> Response:
        shown: Publication = await publisher.publication()
        file = shown.files.get(request.path_params["name"])
        if file is None:
            raise UnknownId
        return _answer(request, file.lines, NDJSON, file.etag, _headers(ctx, file.changed_at))

    return [Route(MANIFEST, show_manifest), Route(FILES + "/{name}", show_file)]


def _headers(ctx: FhirContext, changed_at: datetime) -> dict[str, str]:
    return {
        "Cache-Control": f"public, max-age={ctx.settings.publish_seconds}",
        "Last-Modified": format_datetime(changed_at.astimezone(UTC), usegmt=True),
    }


def _answer(request: Request, content: bytes, media_type: str, etag: str, headers: Mapping[str, str]) -> Response:
    """200, or 304 to whoever has it already (RFC 9110, 13.1: If-None-Match goes before If-Modified-Since)."""
    tag = f'"{etag}"'
    if _has(request, tag, headers["Last-Modified"]):
        return Response(status_code=304, headers={**headers, "ETag": tag})
    return Response(content, headers={**headers, "ETag": tag}, media_type=media_type)


def _has(request: Request, tag: str, changed_at: str) -> bool:
    known = request.headers.get("if-none-match")
    if known is not None:
        return known.strip() == "*" or tag in [each.strip().removeprefix("W/") for each in known.split(",")]
    try:
        seen = parsedate_to_datetime(request.headers.get("if-modified-since", ""))
        return parsedate_to_datetime(changed_at) <= seen
    except (TypeError, ValueError):
        return False  # no date, or one without its zone, is no condition
