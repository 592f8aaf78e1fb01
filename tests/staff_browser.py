"""A member of the made-up staff in a browser without scripts, signed in at the demonstration's identity provider."""

import html
import re

import httpx

from tests.plain_browser import Browser
from tests.system import System

LEADS_ON = re.compile(r'http-equiv="refresh" content="0; url=([^"]+)"')


def led_to(browser: Browser) -> str:
    """Where a page leads that sends browsers on."""
    found = LEADS_ON.search(browser.text)
    assert found, browser.text
    return html.unescape(found[1])


async def staff_signed_in(system: System, account: str) -> Browser:
    """`account` is the name of a role. Whoever opens it closes its client."""
    address = system.address_of("/staff").replace("127.0.0.1", "localhost")
    browser = Browser(httpx.AsyncClient(base_url=address, follow_redirects=True, trust_env=False, timeout=30))
    await browser.go("/staff/sign-in")
    await browser.send("/staff/sign-in")
    await browser.go(led_to(browser))
    action = next(iter(browser.forms.found))
    await browser.send(action, account=account, password=system.known.demonstration_password)
    assert browser.path == "/staff", browser.text
    return browser
