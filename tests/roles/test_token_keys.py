"""The key that signs tokens changes while every process runs: nobody is turned away, or everybody who must be."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest

from carewright.contracts.permissions import ROLES
from carewright.kernel.authz import Tokens
from carewright.kernel.clock import SystemClock
from carewright.kernel.token_keys import TokenKeys
from carewright.roles.installation import token_key_file
from tests.clinic import ok
from tests.system import TINY, System, launch, log_of, own_folder, started

NOTICED_SECONDS_MAX = 30
ACCOUNT, PAGE = "/api/v1/access/me", "/appointments"


@pytest.fixture(scope="module")
async def split() -> AsyncIterator[System]:
    """A process per role, so that each call of a page is a token from one process to another."""
    with own_folder() as folder:
        async with started(folder / "data", *TINY, "--split") as system:
            yield system


async def rotate(system: System, *options: str) -> None:
    said = system.data.parent / "rotated"
    rotating = await launch(said, "keys", "rotate-tokens", *options, "--data", str(system.data))
    assert await rotating.wait() == 0, log_of(said).read_text()


def fresh(system: System) -> str:
    """A token as a process that has just started would sign it."""
    assert system.known.organization_id is not None
    signer = Tokens(TokenKeys.of_file(token_key_file(system.data)), SystemClock(), ROLES)
    return signer.issue(signer.actor("front-desk", "desk", system.known.organization_id), timedelta(minutes=5))


async def asked(system: System, token: str, path: str = ACCOUNT) -> httpx.Response:
    return await system.client.get(system.address_of(path) + path, headers={"Authorization": f"Bearer {token}"})


async def the_page_opens(system: System, session: str) -> None:
    """A page asks several processes, each with a token of its own making."""
    page = await system.client.get(f"{system.address_of(PAGE)}{PAGE}", headers={"Cookie": f"carewright_session={session}"})
    assert page.status_code == httpx.codes.OK


async def test_while_keys_change_nobody_is_turned_away(split: System) -> None:
    before, session = fresh(split), await split.session()
    rotating = asyncio.ensure_future(rotate(split))
    keys = TokenKeys.of_file(token_key_file(split.data))
    old = keys.keys[0].id
    async with asyncio.timeout(NOTICED_SECONDS_MAX):
        while keys.signing(SystemClock().now())[0] == old:
            ok(await asked(split, before))
            await the_page_opens(split, session)
            keys.look()
    await rotating
    for token in (before, fresh(split)):
        ok(await asked(split, token))
    await the_page_opens(split, session)


async def test_revoked_keys_are_refused_soon_everywhere_and_sessions_go_on(split: System) -> None:
    before, session = fresh(split), await split.session()
    await rotate(split, "--revoke")
    ok(await asked(split, fresh(split)))
    for path in (ACCOUNT, "/api/v1/services", "/api/v1/appointments", "/api/v1/communications"):
        async with asyncio.timeout(NOTICED_SECONDS_MAX):
            while (await asked(split, before, path)).status_code != httpx.codes.UNAUTHORIZED:
                pass
    await the_page_opens(split, session)
