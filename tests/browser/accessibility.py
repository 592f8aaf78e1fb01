"""What WCAG 2.2 AA asks and a machine can see, asked of the page as the browser shows it.

Each check names the success criterion it stands for. `problems_of` answers one sentence per problem, and nothing for a good page.
"""

from pathlib import Path

from playwright.async_api import Page

CONTRAST_MIN = 4.5
CONTRAST_LARGE_MIN = 3.0
TARGET_PIXELS_MIN = 24
BUTTON_PIXELS_MIN = 44

LOOK, FOCUS, SPACING = ((Path(__file__).parent / name).read_text("utf-8") for name in ("look.js", "focus.js", "spacing.js"))


async def problems_of(page: Page) -> list[str]:
    """What is wrong with the page as it stands, once it is whole."""
    await page.wait_for_load_state()
    found: list[str] = await page.evaluate(LOOK, [CONTRAST_MIN, CONTRAST_LARGE_MIN, TARGET_PIXELS_MIN, BUTTON_PIXELS_MIN])
    return found


async def tab_to(page: Page, name: str, steps_max: int = 150) -> None:
    """Press Tab until the control whose name begins with `name` has the focus, which must be visible at every step."""
    passed = []
    for _ in range(steps_max):
        await page.keyboard.press("Tab")
        now = await page.evaluate(FOCUS)
        assert not now["problem"], now["problem"]
        if now["name"].startswith(name):
            return
        passed.append(now["name"][:30])
    raise AssertionError(f"Tab does not lead to {name!r}; it passed {passed}")


async def follow(page: Page, name: str) -> None:
    """Tab to a control and press Enter; wait for the page it leads to."""
    await tab_to(page, name)
    async with page.expect_navigation(wait_until="load"):
        await page.keyboard.press("Enter")


async def with_wide_spacing(page: Page) -> list[str]:
    """1.4.12: what breaks when a reader spreads the text."""
    await page.evaluate(SPACING)
    return [problem for problem in await problems_of(page) if problem.startswith("1.4.10")]


async def with_large_text(page: Page, factor: float) -> list[str]:
    """1.4.4: what breaks when a reader enlarges the text alone."""
    await page.evaluate("factor => { document.documentElement.style.fontSize = `${112.5 * factor}%` }", factor)
    return [problem for problem in await problems_of(page) if problem.startswith("1.4.10")]
