"""A screen or a kiosk of a running system: enrolled at the machine, as `carewright station` does it, and signed in by its code."""

import re

from playwright.async_api import Page, expect

from tests.system import System, launch, log_of


async def enrolled(system: System, kind: str, site_id: str, name: str, *more: str) -> tuple[str, str]:
    """The station's id, and the code to type at it."""
    await ran(system, "enrol", "--kind", kind, "--site", site_id, "--name", name, *more)
    told = printed(system)
    found = re.search(r"^(\S{36})$.*Type (\S+) at", told, re.MULTILINE | re.DOTALL)
    assert found, told
    return found[1], found[2]


async def ran(system: System, *arguments: str) -> None:
    """`carewright station …` against a running system."""
    place = system.data.with_name("stations")
    process = await launch(place, "station", *arguments, "--data", str(system.data))
    assert await process.wait() == 0, log_of(place).read_text(errors="replace")


def printed(system: System) -> str:
    """What the last command said."""
    return log_of(system.data.with_name("stations")).read_text(errors="replace")


async def sign_in(page: Page, code: str) -> None:
    """Type the code at the station."""
    await page.goto("/station")
    await page.get_by_label("Code").fill(code.lower())
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_label("Code")).to_have_count(0)
