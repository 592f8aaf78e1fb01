"""Passkeys without a browser: what its page offers and asks, where each refusal leads, and who is told."""

from uuid import UUID

import httpx
import pytest

from carewright.contracts.access import AccountDisabled, PasskeysEnough, SignInNotSetUp, StepUpNeeded
from carewright.contracts.passkeys import Passkey
from carewright.portal.http import guard
from carewright.portal.model.jobs import PasskeyChange
from carewright.portal.service import telling
from tests.unit.portal import double
from tests.unit.portal.double import MARGARET, ORGANIZATION_ID, Hospital
from tests.unit.portal.double_passkeys import RIGHT
from tests.unit.portal.test_pages import NOWHERE, ORIGIN, Browser, Opened, browser, hospital, opened, sign_in

__all__ = ["browser", "hospital", "opened"]


async def begun(browser: Browser, path: str) -> httpx.Response:
    """What the page's script does first."""
    data = {"form_token": browser.field("form_token")}
    return await browser.client.post(f"{path}/begin", data=data, headers={"Origin": ORIGIN})


@pytest.fixture
def passkey(hospital: Hospital) -> Passkey:
    made = Passkey(id=UUID(int=5), name="<b>My phone</b>", created_at=hospital.clock.now())
    hospital.passkeys.kept.append(made)
    return made


async def test_a_passkey_opens_a_session_in_the_place_of_the_earlier_one(browser: Browser, hospital: Hospital) -> None:
    earlier = double.DoubleAccess(hospital).start("patient").token
    browser.client.cookies.clear()
    browser.client.cookies.set(guard.SESSION, earlier, domain="portal.test")
    await browser.get("/sign-in?next=/appointments")
    asked = await begun(browser, "/sign-in/passkey")
    assert (asked.status_code, asked.headers["content-type"]) == (200, "application/json")
    answer = await browser.post("/sign-in/passkey", credential=RIGHT, next="/appointments")
    assert answer.url.path == "/appointments"
    assert browser.client.cookies[guard.SESSION] not in ("", earlier)
    assert earlier not in hospital.sessions
    assert guard.PASSKEY not in browser.client.cookies


async def test_the_answer_serves_in_the_browser_that_asked_alone(opened: Opened, hospital: Hospital) -> None:
    first, second = opened(), opened()
    await first.get("/sign-in")
    await begun(first, "/sign-in/passkey")
    await second.get("/sign-in")
    answer = await second.post("/sign-in/passkey", credential=RIGHT)
    assert "That did not work with this passkey" in answer.text
    assert guard.SESSION not in second.client.cookies


async def test_what_did_not_hold_keeps_where_somebody_wanted_to_go(browser: Browser) -> None:
    await browser.get("/sign-in")
    answer = await browser.post("/sign-in/passkey", credential="forged", next="/appointments")
    assert 'name="next" value="/appointments"' in answer.text


async def test_nobody_is_sent_to_another_site_by_a_passkey(browser: Browser) -> None:
    await browser.get("/sign-in")
    await begun(browser, "/sign-in/passkey")
    answer = await browser.post("/sign-in/passkey", credential=RIGHT, next="//evil.test/x")
    assert (answer.url.host, answer.url.path) == ("portal.test", "/")


async def test_an_account_that_is_disabled_is_told_so(browser: Browser, hospital: Hospital) -> None:
    await browser.get("/sign-in")
    hospital.refuse_next("redeem_passkey", AccountDisabled())
    assert "You cannot sign in at the moment" in (await browser.post("/sign-in/passkey", credential=RIGHT)).text


async def test_where_there_are_no_passkeys_none_are_offered(browser: Browser, hospital: Hospital) -> None:
    hospital.passkeys.origin = None
    for path in ("/sign-in", "/devices"):
        page = (await browser.get(path)).text
        assert "data-passkeys" not in page
        assert "passkey.js" not in page
    hospital.refuse_next("start_passkey_sign_in", SignInNotSetUp())
    assert (await begun(browser, "/sign-in/passkey")).status_code == 503


async def test_a_passkey_is_added_under_a_name_and_the_other_sessions_can_be_ended_right_there(
    browser: Browser, hospital: Hospital
) -> None:
    sign_in(browser, hospital)
    assert "You have none yet" in (await browser.get("/devices")).text
    await begun(browser, "/devices/passkeys")
    page = (await browser.post("/devices/passkeys", credential=RIGHT, name="  Margaret's   phone ")).text
    assert [one.name for one in hospital.passkeys.kept] == ["Margaret's phone"]
    assert "Your passkey is ready" in page
    assert page.index("Sign out everywhere else?") < page.index("This device")
    assert "Sign out everywhere else?" not in (await browser.get("/devices")).text
    await browser.post("/devices/end-others")
    assert len(hospital.sessions) == 1


async def test_a_passkey_without_a_name_gets_one(browser: Browser, hospital: Hospital) -> None:
    await browser.get("/devices")
    await begun(browser, "/devices/passkeys")
    await browser.post("/devices/passkeys", credential=RIGHT, name="  ")
    assert [one.name for one in hospital.passkeys.kept] == ["My passkey"]


@pytest.mark.parametrize("path", ["/devices/passkeys", f"/devices/passkeys/{UUID(int=5)}/remove"])
async def test_whoever_signed_in_too_long_ago_signs_in_once_more_and_stays_signed_in(
    browser: Browser, hospital: Hospital, passkey: Passkey, path: str
) -> None:
    session = browser.client.cookies[guard.SESSION]
    await browser.get("/devices")
    hospital.refusals |= {name: [StepUpNeeded()] for name in ("start_passkey", "add_passkey", "remove_passkey")}
    if not path.endswith("/remove"):
        assert (await begun(browser, path)).status_code == 401
        hospital.refuse_next("start_passkey", StepUpNeeded())
    answer = await browser.post(path)
    assert (answer.url.path, answer.url.query) == ("/sign-in", b"next=%2Fdevices")
    assert "Please sign in once more" in answer.text
    assert browser.client.cookies[guard.SESSION] == session
    assert hospital.passkeys.kept == [passkey]


async def test_a_browser_that_made_none_is_told_why(browser: Browser, hospital: Hospital) -> None:
    await browser.get("/devices")
    assert "This browser could not make a passkey" in (await browser.post("/devices/passkeys", name="x")).text
    hospital.refuse_next("start_passkey", PasskeysEnough())
    assert "You have as many passkeys as we keep" in (await browser.post("/devices/passkeys", name="x")).text


async def test_a_passkey_is_removed_and_one_that_is_gone_already_is_no_fault(
    browser: Browser, hospital: Hospital, passkey: Passkey
) -> None:
    page = (await browser.get("/devices")).text
    assert "&lt;b&gt;My phone&lt;/b&gt;" in page, "a name is text"
    assert "That passkey is removed" in (await browser.post(f"/devices/passkeys/{passkey.id}/remove")).text
    assert hospital.passkeys.kept == []
    assert "That passkey is gone already" in (await browser.post(f"/devices/passkeys/{NOWHERE}/remove")).text


async def test_whoever_acts_for_somebody_else_sees_no_passkeys(opened: Opened, hospital: Hospital, passkey: Passkey) -> None:
    proxy = opened()
    sign_in(proxy, hospital, "proxy")
    page = (await proxy.get("/devices")).text
    assert "Where you are signed in" in page
    assert "passkey" not in page


@pytest.mark.parametrize("path", ["/devices/passkeys", "/sign-in/passkey"])
async def test_every_form_of_a_passkey_must_be_ours(browser: Browser, hospital: Hospital, path: str) -> None:
    await browser.get("/devices")
    await begun(browser, path)
    answer = await browser.post(path, headers={"Origin": "http://evil.test"}, credential=RIGHT)
    assert (answer.status_code, hospital.passkeys.kept) == (403, [])


async def test_the_owner_is_told_once_and_nobody_is_told_of_the_erased(hospital: Hospital) -> None:
    ctx = double.context(hospital)
    await telling.tell_of_passkey(ctx, PasskeyChange(ORGANIZATION_ID, MARGARET.id, UUID(int=5), "passkey_added"))
    assert [(one.template, one.contact, one.values) for one in hospital.said] == [
        ("passkey_added", "+1 312 555 0147", {"hospital": "Lakeside Hospital"})
    ]
    assert hospital.calls[-1] == ("notify", f"portal.tell_of_passkey:{UUID(int=5)}:passkey_added")
    await telling.tell_of_passkey(ctx, PasskeyChange(ORGANIZATION_ID, UUID(int=404), UUID(int=5), "passkey_added"))
    assert len(hospital.said) == 1
