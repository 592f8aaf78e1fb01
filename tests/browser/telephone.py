"""The demonstration's telephone, read by somebody who waits for a code."""

import asyncio
import re

from playwright.async_api import Page, expect

ARRIVED_SECONDS_MAX = 10


async def newest_code(page: Page) -> str:
    """The code in the newest message, read in a second window of the same person."""
    telephone = await page.context.new_page()
    async with asyncio.timeout(ARRIVED_SECONDS_MAX):
        while not (found := re.search(r"\b(\d{8}) is your code", await _newest(telephone))):  # noqa: ASYNC110  (another process sets no asyncio.Event)
            await asyncio.sleep(0.1)
    await telephone.close()
    return found[1]


async def _newest(telephone: Page) -> str:
    await telephone.goto("/inbox")
    await expect(telephone.get_by_role("heading", level=1)).to_have_text("Messages")
    first = telephone.locator(".thread__text").first
    return await first.inner_text() if await first.count() else ""
