"""What the built-in identity provider leaves in the audit log when it says no."""

from collections.abc import AsyncIterator
from dataclasses import fields, replace

import httpx
import pytest

from carewright.identity.service import IdentityContext, new_key
from carewright.kernel.context import Context
from tests.access_world import recorded
from tests.provider import GOOD, PASSWORD, SECRET, browser_at, sign_in
from tests.servers import Contexts


@pytest.fixture
async def browser(context: Contexts) -> AsyncIterator[httpx.AsyncClient]:
    base = await context.system("kernel")
    world = {field.name: getattr(base, field.name) for field in fields(Context)}
    settings = replace(GOOD, organization_id=context.organization_id)
    async with browser_at(IdentityContext(**world, settings=settings, secret=SECRET, key=new_key())) as client:
        yield client


@pytest.mark.parametrize(
    ("account", "password", "tried"),
    [
        ("nurse", "wrong", "demonstration/nurse"), ("nurse", "", "demonstration/nurse"), ("nobody", PASSWORD, "unknown"),
        ("patient", PASSWORD, "unknown"), (PASSWORD, "", "unknown"),
    ],
)  # fmt: skip
async def test_a_wrong_name_or_password_shows_the_form_again_and_is_recorded(
    browser: httpx.AsyncClient, context: Contexts, account: str, password: str, tried: str
) -> None:
    answer = await sign_in(browser, account, password)
    assert answer.status_code == 401
    assert "did not match" in answer.text
    assert await recorded(context) == [("identity.sign_in", "refused", tried)]


async def test_the_right_password_is_no_refusal(browser: httpx.AsyncClient, context: Contexts) -> None:
    assert (await sign_in(browser)).status_code == 303
    assert await recorded(context) == []
