"""The OpenAPI 3.1 document, generated from the typed routes: what is served is what is described."""

from collections.abc import Iterable
from typing import Any

import msgspec

from carewright import __version__
from carewright.kernel import errors
from carewright.kernel.errors import Refusal
from carewright.kernel.http.routes import Nothing, Route

EVERYWHERE: tuple[type[Refusal], ...] = (
    errors.BadInput,
    errors.TooLarge,
    errors.TooSlow,
    errors.TooManyRequests,
    errors.Unavailable,
    errors.Overloaded,
    errors.InternalFault,
)
KEYED: tuple[type[Refusal], ...] = (errors.IdempotencyInFlight, errors.IdempotencyKeyReused, errors.OutcomeUnknown)
PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "code"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string", "description": "Stable: never renamed."},
    },
}
UUID_SCHEMA = {"type": "string", "format": "uuid"}


def document(routes: Iterable[Route]) -> dict[str, Any]:
    """The whole document as plain values."""
    routes = list(routes)
    kinds = [kind for route in routes for kind in (route.answer, route.body, route.query)]
    schemas, components = msgspec.json.schema_components(kinds, ref_template="#/components/schemas/{name}")
    paths: dict[str, Any] = {}
    for number, route in enumerate(routes):
        answer, body, query = schemas[3 * number : 3 * number + 3]
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, answer, body, _resolved(query, components))
    return {
        "openapi": "3.1.0",
        "info": {"title": "Carewright", "version": __version__, "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"}},
        "servers": [{"url": "/"}],
        "security": [{"bearer": []}],
        "paths": paths,
        "components": {
            "schemas": components | {"Problem": PROBLEM},
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
        },
    }


def _operation(route: Route, answer: dict[str, Any], body: dict[str, Any], query: dict[str, Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": route.handle.__name__,
        "summary": route.summary,
        "tags": [route.tag or route.path.split("/")[3]],
        "parameters": [*_path_parameters(route), *_query_parameters(query), *_header_parameters(route)],
        "responses": {"201" if route.created else "200": _success(route, answer)} | _problems(route),
    }
    if route.body is not Nothing:
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": body}}}
    if route.permission:
        operation["x-permission"] = route.permission
    return operation


def _path_parameters(route: Route) -> list[dict[str, Any]]:
    return [{"name": name, "in": "path", "required": True, "schema": UUID_SCHEMA} for name in route.parameters]


def _query_parameters(query: dict[str, Any]) -> list[dict[str, Any]]:
    required = query.get("required", [])
    return [
        {"name": name, "in": "query", "required": name in required, "schema": _not_null(schema)}
        for name, schema in query.get("properties", {}).items()
    ]


def _header_parameters(route: Route) -> list[dict[str, Any]]:
    parameters: list[dict[str, Any]] = []
    if route.keyed:
        key = {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"}
        parameters.append({"name": "Idempotency-Key", "in": "header", "required": True, "schema": key})
    if route.versioned and route.method != "GET" and not route.created:
        tag = {"type": "string", "pattern": '^(\\*|(W/)?"[0-9]{1,9}")$'}
        parameters.append({"name": "If-Match", "in": "header", "required": False, "schema": tag})
    return parameters


def _success(route: Route, answer: dict[str, Any]) -> dict[str, Any]:
    success: dict[str, Any] = {"description": "Done.", "content": {"application/json": {"schema": answer}}}
    headers = {name: {"schema": {"type": "string"}} for name, on in (("ETag", route.versioned), ("Location", route.created)) if on}
    return success | ({"headers": headers} if headers else {})


def _problems(route: Route) -> dict[str, Any]:
    refusals: list[type[Refusal]] = [*EVERYWHERE, *route.refusals]
    refusals += [errors.Unauthenticated] + ([errors.Forbidden] if route.permission else [])
    refusals += [errors.NotFound] if route.parameters else []
    refusals += [errors.UnsupportedMedia] if route.body is not Nothing else []
    refusals += [errors.IdempotencyKeyMissing, *KEYED] if route.keyed else []
    refusals += [errors.PreconditionFailed] if route.versioned and route.method != "GET" and not route.created else []
    by_status: dict[str, list[str]] = {}
    for refusal in refusals:
        by_status.setdefault(str(refusal.status), []).append(f"`{refusal.code}`: {refusal.title}")
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"description": "\n\n".join(dict.fromkeys(lines)), "content": content} for status, lines in sorted(by_status.items())}


def _resolved(schema: dict[str, Any], components: dict[str, Any]) -> dict[str, Any]:
    name = schema.get("$ref", "").rpartition("/")[2]
    return components[name] if name else schema


def _not_null(schema: dict[str, Any]) -> dict[str, Any]:
    """A query parameter is left out rather than null."""
    options = [option for option in schema.get("anyOf", []) if option != {"type": "null"}]
    rest = {name: value for name, value in schema.items() if name not in ("anyOf", "default")}
    if not options:
        return schema
    return rest | (options[0] if len(options) == 1 else {"anyOf": options})
