"""A call between processes outlives the moment in which one of them knows a new token key and the other does not."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx

from carewright.contracts.access import Access
from carewright.kernel.authz import Actor, Tokens
from carewright.kernel.clock import ManualClock
from carewright.kernel.errors import Unauthenticated
from carewright.kernel.http import problems
from carewright.kernel.token_keys import TokenKeys, rotate_file
from carewright.roles.remote import Remote
from tests.samples import known_id

ANNA = Actor(subject="anna", organization_id=known_id(1), role="desk")
ROLES = {"desk": frozenset({"read"})}


async def test_a_caller_that_signs_with_a_revoked_key_looks_and_asks_once_more(tmp_path: Path) -> None:
    path, clock = tmp_path / "token.key", ManualClock(datetime(2026, 11, 22, 12, tzinfo=UTC))
    path.write_bytes(b"k" * 32)
    here, there = (Tokens(TokenKeys.of_file(path), clock, ROLES) for _ in range(2))
    asked: list[bool] = []

    def door(request: httpx.Request) -> httpx.Response:
        try:
            there.read(request.headers["authorization"].removeprefix("Bearer "))
        except Unauthenticated as refusal:
            asked.append(False)
            return httpx.Response(401, json=problems.document(refusal))
        asked.append(True)
        return httpx.Response(200, json=3)

    async with httpx.AsyncClient(transport=httpx.MockTransport(door)) as client:
        access = Remote(Access, "http://there", client, here)
        rotate_file(path, clock.now(), timedelta(), revoke=True)
        there.keys(look=True)
        assert await access.end_all_sessions(ANNA, "anna") == 3
        assert asked == [False, True]
