"""Acting for somebody else, page by page: a code is given and taken on, one goes on for the other, and comes back."""

from datetime import timedelta
from uuid import UUID

import httpx
import pytest
from msgspec.structs import replace

from carewright.portal.http import guard
from tests.unit.portal import double
from tests.unit.portal.double import Hospital
from tests.unit.portal.test_pages import NOWHERE, Browser, browser, hospital, opened, sign_in

__all__ = ["browser", "hospital", "opened"]
ME, MOTHER = double.MARGARET.id, UUID(int=2)


async def test_a_patient_gives_a_code_and_withdraws_what_it_opens(browser: Browser, hospital: Hospital) -> None:
    assert "Nobody but you." in (await browser.get("/proxies")).text
    shown = await browser.post("/proxies/give", relationship="child", scope="see", days="30")
    assert "ABCD-EFGH-JKLM-NPQR" in shown.text
    page = await browser.get("/proxies")
    assert "May see appointments until" in page.text
    assert "Waiting until they type the code." in page.text
    await browser.post(f"/proxies/{hospital.consents[0].id}/withdraw")
    assert "That is withdrawn" in browser.page
    assert hospital.consents == []


@pytest.mark.parametrize("form", [{"relationship": "boss"}, {"scope": "everything"}, {"days": "99999"}, {"days": ""}], ids=str)
async def test_what_is_on_no_list_is_not_asked_for(browser: Browser, hospital: Hospital, form: dict[str, str]) -> None:
    await browser.get("/proxies")
    fields = {"relationship": "child", "scope": "see", "days": "30"} | form
    answer = await browser.post("/proxies/give", None, **fields)
    assert (answer.status_code, hospital.consents) == (422, [])


async def test_a_code_that_is_not_right_is_said_kindly(browser: Browser, hospital: Hospital) -> None:
    await browser.get("/proxies")
    answer = await browser.post("/proxies/accept", code="AAAA")
    assert answer.status_code == 422
    assert "Please ask for a new one." in answer.text
    await browser.post("/proxies/accept", code="ABCD-EFGH-JKLM-NPQR")
    assert "You may act for them now" in browser.page


async def test_a_proxy_reads_for_whom_they_may_act_and_of_whom_not_yet_nothing(browser: Browser, hospital: Hospital) -> None:
    hospital.twin = replace(double.MARGARET, id=MOTHER, given=("Agnes",), family="Fairfax")
    access, now = double.DoubleAccess(hospital), hospital.clock.now()
    later = access.consent(MOTHER, ME)
    hospital.consents[:] = [replace(later, starts_at=now + timedelta(days=1))]
    page = (await browser.get("/proxies")).text
    assert ("Your parent" in page, "Fairfax" in page) == (True, False)
    access.consent(MOTHER, ME)
    page = (await browser.get("/proxies")).text
    assert "<strong>Agnes Fairfax</strong>" in page
    hospital.twin = None
    assert "Fairfax" not in (await browser.get("/proxies")).text


async def test_a_proxy_goes_on_for_the_other_and_comes_back(browser: Browser, hospital: Hospital) -> None:
    consent = double.DoubleAccess(hospital).consent(MOTHER, ME)
    browser.client.cookies.clear()
    before = double.DoubleAccess(hospital).start("patient").token
    browser.client.cookies.set(guard.SESSION, before, domain="portal.test")
    await browser.get("/proxies")
    assert "You are acting for" not in browser.page
    await browser.post(f"/proxies/{consent.id}/act")
    assert "You are acting for" in browser.page
    assert browser.client.cookies.get(guard.SESSION) not in (None, before)
    page = (await browser.get("/proxies")).text
    assert "Let somebody act for you" not in page, "nobody gives consent in another's name"
    await browser.post("/proxies/myself")
    assert "You are acting for" not in browser.page


async def test_a_consent_that_does_not_hold_yet_has_no_button(browser: Browser, hospital: Hospital) -> None:
    consent = double.DoubleAccess(hospital).consent(MOTHER, ME)
    assert f"/proxies/{consent.id}/act" in (await browser.get("/proxies")).text
    hospital.clock.advance(days=-1)
    assert f"/proxies/{consent.id}/act" not in (await browser.get("/proxies")).text


async def test_a_consent_that_is_none_is_a_kind_page(browser: Browser, hospital: Hospital) -> None:
    await browser.get("/proxies")
    answer = await browser.post(f"/proxies/{NOWHERE}/act")
    assert answer.status_code == httpx.codes.NOT_FOUND
    await browser.get("/proxies")
    await browser.post(f"/proxies/{NOWHERE}/withdraw")
    assert "That is withdrawn" in browser.page


async def test_a_form_of_another_site_acts_for_nobody(opened: object, browser: Browser, hospital: Hospital) -> None:
    consent = double.DoubleAccess(hospital).consent(MOTHER, ME)
    await browser.get("/proxies")
    answer = await browser.post(f"/proxies/{consent.id}/act", headers={"Origin": "https://evil.example.org"})
    assert answer.status_code == httpx.codes.FORBIDDEN
    sign_in(browser, hospital, "proxy")
    assert "You are acting for" in (await browser.get("/")).text
