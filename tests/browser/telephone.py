"""The demonstration's telephone, read by somebody who waits for a code."""

import asyncio
import re

from playwright.async_api import Page, expect

ARRIVED_SECONDS_MAX = 10
_READ: set[str] = set()
"""The messages whose code was typed already: a code serves once."""


async def newest_code(page: Page, number: str) -> str:
    """The code in the newest message to this number, read in a second window of the same person."""
    telephone = await page.context.new_page()
    async with asyncio.timeout(ARRIVED_SECONDS_MAX):
        while (code := await _unread_code(telephone, number)) is None:  # noqa: ASYNC110  (another process sets no asyncio.Event)
            await asyncio.sleep(0.1)
    await telephone.close()
    return code


async def _unread_code(telephone: Page, number: str) -> str | None:
    await telephone.goto("/inbox")
    await expect(telephone.get_by_role("heading", level=1)).to_have_text("Messages")
    thread = telephone.locator(".thread", has=telephone.locator(".thread__name", has_text=re.compile(f"^{re.escape(number)}$")))
    if not await thread.count():
        return None
    found = re.search(r"\b(\d{8}) is your code", await thread.locator(".thread__text").inner_text())
    message = await thread.get_attribute("href") or ""
    if found is None or message in _READ:
        return None
    _READ.add(message)
    return found[1]
