"""The page of a patient's calendar addresses, with scripts off."""

import pytest

from tests.unit.portal.double import Hospital
from tests.unit.portal.test_pages import ORIGIN, Browser, Opened, browser, hospital, opened, sign_in

__all__ = ("browser", "hospital", "opened")
PLACE = "/my-calendar"


async def test_an_address_is_shown_once(browser: Browser) -> None:
    await browser.get(PLACE)
    assert "Addresses that work" not in browser.page
    token, key = browser.field("form_token"), browser.field("once")
    await browser.post(f"{PLACE}/make", form_token=token, once=key)
    assert f'value="{ORIGIN}/feeds/cwf_1.ics"' in browser.page
    assert "Not read by any program yet" in browser.page
    await browser.post(f"{PLACE}/make", form_token=token, once=key)
    assert "cwf_1" not in browser.page, "the same form sent again"
    await browser.get(PLACE)
    assert "cwf_1" not in browser.page
    assert "Addresses that work" in browser.page


async def test_an_address_is_turned_off(browser: Browser) -> None:
    await browser.get(PLACE)
    await browser.post(f"{PLACE}/make")
    [end] = [part.partition('"')[0] for part in browser.page.split('action="/my-calendar/')[1:] if "/end" in part[:60]]
    await browser.post(f"{PLACE}/{end}")
    assert "That address is turned off" in browser.page
    assert "Addresses that work" not in browser.page
    await browser.post(f"{PLACE}/{end}")
    assert "turned off already" in browser.page


async def test_too_many_are_refused_kindly(browser: Browser) -> None:
    for _ in range(4):
        await browser.get(PLACE)
        await browser.post(f"{PLACE}/make")
    assert "as many calendar addresses as we keep" in browser.page
    assert "Last read on Friday, November 20, 2026" in browser.page


@pytest.mark.parametrize("path", ["make", "0/end"])
async def test_where_only_a_form_leads_an_address_typed_goes_to_the_page(browser: Browser, path: str) -> None:
    answer = await browser.get(f"{PLACE}/{path}")
    assert (answer.status_code, answer.headers["location"]) == (303, PLACE)


async def test_whoever_acts_for_somebody_else_has_none(opened: Opened, hospital: Hospital) -> None:
    one = opened()
    sign_in(one, hospital, "proxy")
    answer = await one.get(PLACE)
    assert answer.status_code == 200
    assert "Make an address" not in one.page
