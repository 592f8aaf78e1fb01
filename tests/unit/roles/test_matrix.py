"""Every role at every route: whoever lacks the permission is refused before anything is read, and nobody else is."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from uuid import UUID

import httpx
import pytest

from carewright.contracts.permissions import ALL, COLUMNS, ROLES, SYSTEM_ONLY, TABLE, read_table
from carewright.kernel.authz import Bearers, Tokens
from carewright.kernel.clock import ManualClock
from carewright.kernel.context import Context
from carewright.kernel.errors import Refusal
from carewright.kernel.http import app
from carewright.kernel.http.routes import Call, Route
from carewright.kernel.ids import Ids
from carewright.kernel.rng import new_rng
from carewright.kernel.wake import Wake
from carewright.roles.registry import MODULES
from tests.tidy import roles as page

CLOCK = ManualClock(datetime(2026, 11, 25, 9, tzinfo=UTC))
TOKENS = Tokens(b"k" * 32, CLOCK, ROLES)
ROUTES = [route for module in MODULES for route in module.routes]
SOME_ID = "019a0000-0000-7000-8000-000000000001"


class Reached(Refusal):
    """The use case would be asked now."""

    code = "test.reached"
    status = 418
    title = "Here the use case begins."


class Journal:
    """Takes the place of a database: refusals are noted."""

    joint = None

    def of(self, _: UUID) -> "Journal":
        return self

    async def execute(self, *_: object) -> None:
        """Nothing else is written."""


async def reached(_: Context, __: Call[Any, Any]) -> Any:
    raise Reached


@pytest.fixture(scope="module")
def client() -> httpx.AsyncClient:
    """The whole API, with nothing behind it."""
    context = Context(
        actor=TOKENS.actor("patient", "nobody", UUID(int=0)), clock=CLOCK, ids=Ids(CLOCK), rng=new_rng(), db=cast(Any, Journal()),
        vault=cast(Any, None), wake=Wake(), origin=UUID(int=1),
    )  # fmt: skip
    served = [(replace(route, handle=named(route)), context) for route in ROUTES]
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app.build(served, [], Bearers(TOKENS, CLOCK), app.Health({}))), base_url="http://t"
    )


def named(route: Route) -> Any:
    async def handle(ctx: Context, call: Call[Any, Any]) -> Any:
        return await reached(ctx, call)

    handle.__name__, handle.__module__ = route.handle.__name__, route.handle.__module__
    return handle


async def ask(client: httpx.AsyncClient, route: Route, role: str | None) -> int:
    path = route.path
    for name in route.parameters:
        path = path.replace(f"{{{name}}}", SOME_ID)
    headers = {"Idempotency-Key": "k"}
    if role is not None:
        headers["Authorization"] = f"Bearer {TOKENS.issue(TOKENS.actor(role, role, UUID(int=2), UUID(int=3)), timedelta(minutes=5))}"
    return (await client.request(route.method, path, headers=headers)).status_code


@pytest.mark.parametrize("role", list(ROLES))
async def test_a_role_reaches_what_its_column_says_and_nothing_else(client: httpx.AsyncClient, role: str) -> None:
    for route in ROUTES:
        assert route.permission is not None, f"{route.path} asks for no permission"
        answered = await ask(client, route, role)
        assert (answered == 403) == (route.permission not in ROLES[role]), f"{role} {route.method} {route.path}: {answered}"
        assert answered != 401


async def test_whoever_has_no_token_reaches_nothing(client: httpx.AsyncClient) -> None:
    assert {await ask(client, route, None) for route in ROUTES} == {401}


def test_no_person_may_what_is_the_systems() -> None:
    assert not SYSTEM_ONLY & frozenset().union(*ROLES.values())
    assert ALL > SYSTEM_ONLY


def test_scheduling_staff_see_no_notes_and_administrators_no_patients() -> None:
    for role in ("front-desk", "scheduler", "operations", "analyst", "administrator", "privacy-officer", "technician"):
        assert "scheduling.appointment.read_note" not in ROLES[role]
    for role in ("administrator", "analyst", "operations", "privacy-officer"):
        assert not {"patients.read", "patients.find", "scheduling.appointment.read"} & ROLES[role]


def test_the_page_of_roles_is_the_one_that_the_table_writes() -> None:
    assert page.PAGE.read_text("utf-8") == page.page(), "run: python -m tests.tidy.roles --write"


@pytest.mark.parametrize("text", [TABLE + "one.more x\n", TABLE.replace(" x ", " y ", 1), TABLE.replace("pat", "put", 1)])
def test_a_table_out_of_form_stops_the_start(text: str) -> None:
    with pytest.raises(ValueError, match=r"row|header"):
        read_table(text, COLUMNS)
