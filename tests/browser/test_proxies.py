"""A patient lets somebody act for them, in a real browser: the code goes over, the other acts by it, and it is withdrawn."""

import asyncio
from typing import Any

import pytest
from playwright.async_api import expect

from carewright.portal.http.guard import SESSION
from tests.browser.accessibility import problems_of
from tests.browser.conftest import DESKTOP, SMALLEST, Site, Visits

NOTICED_SECONDS_MAX = 30


@pytest.mark.parametrize(("viewport", "scheme"), [(SMALLEST, "light"), (DESKTOP, "dark")], ids=["320", "1280"])
async def test_a_daughter_acts_for_her_mother_until_it_is_withdrawn(
    visits: Visits, site: Site, viewport: dict[str, int], scheme: Any
) -> None:
    mother = await visits.open(viewport=viewport, color_scheme=scheme)
    daughter = await visits.open(signed_in=False, viewport=viewport, color_scheme=scheme)
    token = await site.system.session(await site.new_patient("Lucy", "Fairfax"))
    await daughter.context.add_cookies([{"name": SESSION, "value": token, "url": site.base_url, "httpOnly": True, "sameSite": "Lax"}])
    await mother.goto("/proxies")
    await mother.get_by_label("Who is it?").select_option("child")
    found = await problems_of(mother)
    await mother.get_by_role("button", name="Show the code").click()
    await expect(mother.get_by_role("heading", level=1)).to_have_text("The code for them")
    found += await problems_of(mother)
    code = await mother.locator(".card--main strong").inner_text()
    await daughter.goto("/proxies")
    await daughter.get_by_label("Their code").fill(code.lower())
    await daughter.get_by_role("button", name="Take it on").click()
    await expect(daughter.get_by_text("You may act for them now")).to_be_visible()
    await expect(daughter.get_by_role("listitem").filter(has_text="Margaret Whitfield")).to_be_visible()
    found += await problems_of(daughter)
    await daughter.get_by_role("button", name="Act for them").click()
    await expect(daughter.get_by_text("You are acting for Margaret Whitfield")).to_be_visible()
    found += await problems_of(daughter)
    await daughter.goto("/appointments")
    await expect(daughter.get_by_text("You are acting for Margaret Whitfield")).to_be_visible()
    await mother.goto("/proxies")
    await mother.get_by_role("button", name="Withdraw").click()
    await expect(mother.get_by_text("Nobody but you.")).to_be_visible()
    async with asyncio.timeout(NOTICED_SECONDS_MAX):
        while "/sign-in" not in daughter.url:
            await daughter.goto("/appointments")
    assert found == []


async def test_a_proxy_goes_on_for_herself_again(visits: Visits, site: Site) -> None:
    mother, daughter = await visits.open(), await visits.open(signed_in=False)
    token = await site.system.session(await site.new_patient("Lucy", "Fairfax"))
    await daughter.context.add_cookies([{"name": SESSION, "value": token, "url": site.base_url, "httpOnly": True, "sameSite": "Lax"}])
    await mother.goto("/proxies")
    await mother.get_by_role("button", name="Show the code").click()
    code = await mother.locator(".card--main strong").inner_text()
    await daughter.goto("/proxies")
    await daughter.get_by_label("Their code").fill(code)
    await daughter.get_by_role("button", name="Take it on").click()
    await daughter.get_by_role("button", name="Act for them").click()
    await daughter.get_by_role("button", name="Go on for myself").click()
    await expect(daughter.get_by_text("Signed in as Lucy Fairfax")).to_be_visible()
