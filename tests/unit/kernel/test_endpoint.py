"""From a raw request to a use case and back, on an application with a handful of routes and no database."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from uuid import UUID

import httpx
import msgspec
import pytest

from carewright.kernel.audit import Entry
from carewright.kernel.authz import Bearers, Tokens
from carewright.kernel.clock import ManualClock
from carewright.kernel.context import Context
from carewright.kernel.db import Database
from carewright.kernel.errors import BadInput, Forbidden, NotFound
from carewright.kernel.http import app, openapi, strict
from carewright.kernel.http import endpoint as endpoint_module
from carewright.kernel.http.endpoint import BODY_BYTES_MAX
from carewright.kernel.http.gate import Gate
from carewright.kernel.http.routes import Call, Nothing, Route
from carewright.kernel.http.settings import EdgeSettings
from carewright.kernel.ids import Ids
from carewright.kernel.limits import Limits
from carewright.kernel.rng import new_rng
from carewright.kernel.sql import Query
from carewright.kernel.wake import Wake
from tests.keys import new_vault
from tests.samples import known_id

ROOM = str(known_id(7))
CLOCK = ManualClock(datetime(2026, 11, 22, 12, tzinfo=UTC))
TOKENS = Tokens(b"0123456789abcdef0123456789abcdef", CLOCK, {"desk": frozenset({"exam.read", "exam.write"}), "guest": frozenset()})


class Search(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is looked for."""

    text: str | None = None
    beds: int = 1
    kinds: tuple[str, ...] = ()
    on: bool = False


class Put(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: str


class Room(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    version: int
    seen: str = ""


async def find_rooms(_: Context, call: Call[Search, Nothing]) -> Search:
    return call.query


async def get_room(_: Context, call: Call[Nothing, Nothing]) -> Room:
    return Room(id=str(call.path["room_id"]), version=3)


async def put_room(ctx: Context, call: Call[Nothing, Put]) -> Room:
    assert ctx.once is not None
    return Room(id=str(call.path["room_id"]), version=call.version or 0, seen=f"{ctx.once.key} {ctx.once.fingerprint.hex()}")


async def add_room(_: Context, call: Call[Nothing, Put]) -> Room:
    return Room(id=ROOM, version=1, seen=call.body.name)


async def break_down(_: Context, __: Call[Nothing, Nothing]) -> None:
    raise ValueError("Zoë's secret")


async def say_no(_: Context, __: Call[Nothing, Nothing]) -> None:
    raise NotFound("No such ward.", ward=5)


ROUTES = [
    Route("GET", "/api/v1/rooms", find_rooms, "Find.", "exam.read", Search, query=Search),
    Route("POST", "/api/v1/rooms", add_room, "Add.", "exam.write", Room, body=Put, versioned=True, created="/api/v1/rooms/{id}"),
    Route("GET", "/api/v1/rooms/{room_id}", get_room, "Get.", "exam.read", Room, versioned=True),
    Route(
        "PUT", "/api/v1/rooms/{room_id}", put_room, "Put.", "exam.write", Room, body=Put, keyed=True, versioned=True, refusals=(Forbidden,)
    ),
    Route("GET", "/api/v1/broken", break_down, "Break.", "exam.read", Nothing),
    Route("GET", "/api/v1/none", say_no, "Say no.", "exam.read", Nothing),
]


def token(role: str = "desk") -> str:
    return TOKENS.issue(TOKENS.actor(role, "anna", known_id(1)), timedelta(hours=1))


class Journal:
    """Takes the place of a database: keeps what is written to the journal."""

    joint = None

    def __init__(self) -> None:
        self.entries: list[Entry] = []

    def of(self, _: UUID) -> "Journal":
        return self

    async def execute(self, query: Query, *columns: list[Any]) -> None:
        assert query.name == "kernel.append_audit_entries"
        self.entries += [msgspec.json.decode(body, type=Entry) for body in columns[-1]]


async def ask(method: str, path: str, *, role: str | None = "desk", journal: Journal | None = None, **given: Any) -> httpx.Response:
    context = Context(
        actor=TOKENS.actor("guest", "nobody", known_id(1)), clock=CLOCK, ids=Ids(CLOCK), rng=new_rng(),
        db=cast(Database, journal or Journal()), wake=Wake(), vault=new_vault(CLOCK), origin=known_id(2),
    )  # fmt: skip
    health, bearers = app.Health(roles={"exam": ["/api/v1"]}), Bearers(TOKENS, CLOCK)
    application = app.build([(route, context) for route in ROUTES], [], bearers, health, gate=given.pop("gate", None))
    headers = ({"Authorization": f"Bearer {token(role)}"} if role else {}) | given.pop("headers", {})
    async with httpx.AsyncClient(transport=httpx.ASGITransport(application), base_url="http://test") as client:
        return await client.request(method, path, headers=headers, **given)


async def put(**headers: str) -> httpx.Response:
    return await ask("PUT", f"/api/v1/rooms/{ROOM}", json={"name": "x"}, headers={"Idempotency-Key": "k1"} | headers)


def code(answer: httpx.Response) -> str:
    assert answer.headers["content-type"] == "application/problem+json"
    document = answer.json()
    assert document["status"] == answer.status_code
    assert {"type", "title", "status", "detail", "code"} <= document.keys()
    return str(document["code"])


@pytest.mark.parametrize("value", ["", "Bearer", "Bearer ", "Basic abc", "Bearer nonsense", f"Token {token()}", "Bearer a b"])
async def test_without_a_valid_token_nobody_gets_in(value: str) -> None:
    answer = await ask("GET", "/api/v1/rooms", role=None, headers={"Authorization": value})
    assert (answer.status_code, code(answer)) == (401, "kernel.unauthenticated")
    assert answer.headers["www-authenticate"].startswith("Bearer")


async def test_whoever_is_turned_away_is_recorded() -> None:
    journal = Journal()
    await ask("GET", f"/api/v1/rooms/{ROOM}", role=None, journal=journal)
    await ask("GET", f"/api/v1/rooms/{ROOM}", role="guest", journal=journal)
    await ask("GET", "/api/v1/none", journal=journal)
    await ask("GET", "/api/v1/rooms", journal=journal)
    await ask("GET", "/api/v1/rooms?nonsense=1", journal=journal)
    assert [(each.agent, each.code, each.outcome) for each in journal.entries] == [
        ("unknown", "kernel.unauthenticated", "refused"), ("anna", "kernel.forbidden", "refused"), ("anna", "kernel.not_found", "refused"),
    ]  # fmt: skip
    assert [(entity.type, str(entity.id)) for entity in journal.entries[0].entities] == [("Room", ROOM)]


async def test_without_the_permission_the_answer_is_403_before_anything_is_read() -> None:
    answer = await ask("GET", "/api/v1/rooms?nonsense=1", role="guest")
    assert (answer.status_code, code(answer)) == (403, "kernel.forbidden")


async def test_a_query_is_parsed_into_its_values() -> None:
    answer = await ask("GET", "/api/v1/rooms?text=a%20b&beds=4&kinds=icu&kinds=er&on=true")
    assert answer.json() == {"text": "a b", "beds": 4, "kinds": ["icu", "er"], "on": True}


@pytest.mark.parametrize(
    "query",
    ["unknown=1", "beds=x", "beds=1&beds=2", "beds=01", "on=perhaps", "text=%00", "text=%ff", "kinds=%00", "&".join(["kinds=x"] * 101)],
)
async def test_a_query_that_does_not_fit_is_refused(query: str) -> None:
    answer = await ask("GET", f"/api/v1/rooms?{query}")
    assert (answer.status_code, code(answer)) == (400, "kernel.bad_input")


async def test_sizes_are_limited() -> None:
    assert code(await ask("GET", "/api/v1/rooms?text=" + "x" * 9000)) == "kernel.too_large"
    assert code(await ask("POST", "/api/v1/rooms", json={"name": "x" * BODY_BYTES_MAX})) == "kernel.too_large"


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"[]", b'{"name": 1}', b'{"name": "x", "more": 1}', b'{"name": "\\u0000"}', b"\xff", b"[" * 9999,
        b'{"name": "x", "name": "y"}', b'{"name": "x", "\\u006eame": "y"}', b'\xef\xbb\xbf{"name": "x"}', '{"name": "x"}'.encode("utf-16"),
    ],
)  # fmt: skip
async def test_a_body_that_does_not_fit_is_refused(body: bytes) -> None:
    answer = await ask("POST", "/api/v1/rooms", content=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, code(answer)) == (400, "kernel.bad_input")


async def test_only_json_is_read_and_only_where_a_body_belongs() -> None:
    answer = await ask("POST", "/api/v1/rooms", content=b"name=x", headers={"Content-Type": "application/x-www-form-urlencoded"})
    assert (answer.status_code, code(answer)) == (415, "kernel.unsupported_media")
    assert code(await ask("GET", "/api/v1/rooms", content=b"something")) == "kernel.bad_input"


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("Content-Type", "application/json; charset=latin-1"), ("Content-Type", "application/json;charset=utf-16"),
        ("Content-Type", "application/jsonp"), ("Content-Type", ""), ("Content-Encoding", "gzip"), ("Content-Encoding", "br, gzip"),
    ],
)  # fmt: skip
async def test_json_is_utf_8_and_not_compressed(header: str, value: str) -> None:
    answer = await ask("POST", "/api/v1/rooms", content=b'{"name": "x"}', headers={"Content-Type": "application/json", header: value})
    assert (answer.status_code, code(answer)) == (415, "kernel.unsupported_media")


@pytest.mark.parametrize("value", ["application/json", "application/json; charset=utf-8", 'Application/JSON;charset="UTF-8"'])
async def test_json_may_say_that_it_is_utf_8(value: str) -> None:
    assert (await ask("POST", "/api/v1/rooms", content=b'{"name": "x"}', headers={"Content-Type": value})).status_code == 201


def test_what_is_nested_too_deeply_is_refused_whatever_it_is_for() -> None:
    deep = b"[" * 33 + b"]" * 33
    assert strict.decode(list[Any], b"[" + b"[]," * 50 + b"[]]", "application/json", "")
    with pytest.raises(BadInput, match="nested deeper than 32"):
        strict.decode(list[Any], deep, "application/json", "")


async def test_a_body_that_never_ends_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint_module, "BODY_SECONDS_MAX", 0.05)

    async def dripping() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.sleep(5)

    answer = await ask("POST", "/api/v1/rooms", content=dripping(), headers={"Content-Type": "application/json"})
    assert (answer.status_code, code(answer)) == (408, "kernel.too_slow")
    assert answer.headers["connection"] == "close"


async def test_every_answer_says_how_it_may_be_used() -> None:
    for path in ("/api/v1/rooms", "/api/v1/none", "/api/v1/broken", "/nowhere", "/live", "/api/docs", "/metrics"):
        said = (await ask("GET", path)).headers
        assert "default-src 'none'" in said["content-security-policy"]
        assert "frame-ancestors 'none'" in said["content-security-policy"]
        assert said["x-content-type-options"] == "nosniff"
        assert said["x-frame-options"] == "DENY"
        assert said["referrer-policy"] == "no-referrer"
        assert "camera=()" in said["permissions-policy"]
        assert said["cross-origin-opener-policy"] == said["cross-origin-resource-policy"] == "same-origin"
        assert "cache-control" in said
        assert "server" not in said
        assert "strict-transport-security" not in said, "this was not over HTTPS"


async def test_over_https_browsers_are_told_to_stay_there() -> None:
    answer = await ask("GET", "/live", headers={"X-Forwarded-Proto": "https"})
    assert "strict-transport-security" not in answer.headers, "nobody we trust says so"
    answer = await ask("GET", "https://test/live")
    assert answer.headers["strict-transport-security"] == "max-age=63072000; includeSubDomains"


async def test_who_asks_too_often_is_told_when_to_come_back() -> None:
    gate = Gate(EdgeSettings(actor_reads_per_minute=2), Limits(), b"0" * 32)
    answers = [await ask("GET", "/api/v1/rooms", gate=gate) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert code(answers[2]) == "kernel.too_many_requests"
    assert answers[2].headers["retry-after"] == str(answers[2].json()["retry_after_seconds"]) == "30"


async def test_what_the_gate_refuses_is_an_answer_too() -> None:
    answer = await ask("GET", "/metrics", headers={"X-Forwarded-For": "203.0.113.5"})
    assert (answer.status_code, code(answer)) == (404, "kernel.not_found")
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_what_was_made_has_an_address_and_a_version() -> None:
    answer = await ask("POST", "/api/v1/rooms", json={"name": "x"})
    assert (answer.status_code, answer.headers["location"], answer.headers["etag"]) == (201, f"/api/v1/rooms/{ROOM}", '"1"')
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(("if_match", "version"), [('"3"', 3), ('W/"3"', 3), ("*", 0), (' "12" ', 12)])
async def test_if_match_names_a_version(if_match: str, version: int) -> None:
    assert (await put(**{"If-Match": if_match})).json()["version"] == version


@pytest.mark.parametrize("if_match", ["3", '"x"', '"-1"', '"1", "2"', '"9999999999"', '""', ""])
async def test_an_if_match_that_we_never_gave_is_refused(if_match: str) -> None:
    assert code(await put(**{"If-Match": if_match})) == "kernel.bad_input"


async def test_a_change_needs_its_key() -> None:
    for key in ("", " "):
        answer = await put(**{"Idempotency-Key": key})
        assert (answer.status_code, code(answer)) == (400, "kernel.idempotency_key_missing")


@pytest.mark.parametrize("key", ["x" * 256, "a\tb"])
async def test_a_key_has_its_limits(key: str) -> None:
    assert code(await put(**{"Idempotency-Key": key})) == "kernel.bad_input"


async def test_a_key_stands_for_method_path_and_body() -> None:
    first, again = (await put()).json()["seen"], (await put()).json()["seen"]
    other = (await ask("PUT", f"/api/v1/rooms/{ROOM}", json={"name": "y"}, headers={"Idempotency-Key": "k1"})).json()["seen"]
    elsewhere = await ask("PUT", f"/api/v1/rooms/{known_id(8)}", json={"name": "x"}, headers={"Idempotency-Key": "k1"})
    assert first == again
    assert len({first, other, elsewhere.json()["seen"]}) == 3


async def test_a_malformed_host_is_nobodys_fault_of_ours() -> None:
    assert (await put(Host="[::1")).status_code == 200


@pytest.mark.parametrize("path", ["/api/v1/rooms/x", "/api/v1/rooms/123", "/api/v1/wards", "/"])
async def test_what_is_not_there_is_404(path: str) -> None:
    answer = await ask("GET", path)
    assert (answer.status_code, code(answer)) == (404, "kernel.not_found")


async def test_a_wrong_method_is_told_the_right_ones() -> None:
    answer = await ask("DELETE", f"/api/v1/rooms/{ROOM}")
    assert (answer.status_code, code(answer)) == (405, "kernel.method_not_allowed")
    assert {"GET", "PUT"} <= set(answer.headers["allow"].replace(" ", "").split(","))


async def test_a_refusal_becomes_its_problem_document() -> None:
    answer = await ask("GET", "/api/v1/none")
    assert (answer.status_code, code(answer), answer.json()["detail"], answer.json()["ward"]) == (
        404,
        "kernel.not_found",
        "No such ward.",
        5,
    )


async def test_a_fault_of_ours_tells_nothing_of_itself() -> None:
    answer = await ask("GET", "/api/v1/broken")
    assert (answer.status_code, code(answer)) == (500, "kernel.internal_fault")
    assert "secret" not in answer.text


async def test_the_process_says_how_it_is() -> None:
    assert (await ask("GET", "/live")).json() == {"live": True}
    assert (await ask("GET", "/ready")).json() == {"ready": True, "waiting_for": []}
    assert (await ask("GET", "/roles")).json() == {"exam": ["/api/v1"]}
    assert "carewright_http_requests_total" in (await ask("GET", "/metrics")).text


def test_who_drains_or_lacks_something_is_not_ready() -> None:
    health = app.Health(roles={}, ready={"exam": lambda: False, "other": lambda: True})
    assert health.missing() == ["exam"]
    health.draining = True
    assert health.missing() == ["exam", "draining"]


def test_the_document_describes_what_is_served() -> None:
    document = openapi.document(ROUTES)
    assert document["openapi"].startswith("3.1")
    operations = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}
    assert operations == {(route.method, route.path) for route in ROUTES}
    change = document["paths"]["/api/v1/rooms/{room_id}"]["put"]
    assert [parameter["name"] for parameter in change["parameters"]] == ["room_id", "Idempotency-Key", "If-Match"]
    assert {"200", "400", "401", "403", "404", "409", "412", "413", "415", "422", "500", "503"} <= change["responses"].keys()
    assert change["x-permission"] == "exam.write"
    search = document["paths"]["/api/v1/rooms"]["get"]["parameters"]
    assert {parameter["name"]: parameter["required"] for parameter in search} == {"text": False, "beds": False, "kinds": False, "on": False}
    assert next(parameter["schema"] for parameter in search if parameter["name"] == "text") == {"type": "string"}


def test_every_operation_has_an_id_of_its_own() -> None:
    document = openapi.document(ROUTES)
    ids = [operation["operationId"] for methods in document["paths"].values() for operation in methods.values()]
    assert len(set(ids)) == len(ids) == len(ROUTES)


async def test_the_document_and_its_page_are_served_without_a_token() -> None:
    assert (await ask("GET", "/api/openapi.json", role=None)).json() == msgspec.json.decode(msgspec.json.encode(openapi.document(ROUTES)))
    page = await ask("GET", "/api/docs", role=None)
    assert "/api/v1/rooms/{room_id}" in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
