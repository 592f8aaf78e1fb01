"""Signing in by a code, without a browser: what is told to whom, what a code is good for, and where one is signed in."""

import re
from collections.abc import AsyncIterator, Callable
from datetime import date, timedelta
from typing import Any

import httpx
import pytest
from msgspec.structs import replace

from carewright.contracts.access import AccountDisabled, AccountLocked
from carewright.contracts.patients import ContactPoint
from carewright.kernel.errors import TooManyRequests, Unavailable
from carewright.kernel.http.app import Health, build
from carewright.kernel.http.cookies import CLEAR, PREFIX
from carewright.portal import service
from carewright.portal.http import guard
from carewright.portal.http.pages import pages
from carewright.portal.http.sign_in import PURPOSE
from carewright.portal.model import sign_in as rules
from carewright.portal.model.sign_in import SignInTry
from tests.unit.portal import double
from tests.unit.portal.double import MARGARET, MORNING, Hospital
from tests.unit.portal.double_records import numbered
from tests.unit.portal.test_pages import ORIGIN, Browser

KNOWN = {"contact": "(312) 555-0147", "month": "5", "day": "17", "year": "1944"}
UNKNOWN = KNOWN | {"contact": "312 555 0199"}
Opened = Callable[..., Browser]


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "WRONG_CODE_SECONDS", 0.0)


@pytest.fixture
def hospital() -> Hospital:
    return double.build()


@pytest.fixture
async def opened(hospital: Hospital) -> AsyncIterator[Opened]:
    """Opens browsers on the portal; pass settings to have it otherwise."""
    clients: list[httpx.AsyncClient] = []

    def browser(**settings: Any) -> Browser:
        context = double.context(hospital, **settings)
        app = build([], pages(context), context.bearers, Health({}))
        clients.append(httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=ORIGIN))
        return Browser(clients[-1])

    yield browser
    for client in clients:
        await client.aclose()


@pytest.fixture
async def browser(opened: Opened) -> Browser:
    return opened()


async def asked(browser: Browser, form: dict[str, str] = KNOWN, next_place: str = "/appointments") -> httpx.Response:
    """The page that asks for the code."""
    await browser.get(f"/sign-in?next={next_place}")
    return await browser.post("/sign-in", headers=None, **form, next=next_place)


def latest_code(hospital: Hospital) -> str:
    code = hospital.said[-1].values["code"]
    assert isinstance(code, str)
    return code


async def signed_in(browser: Browser, hospital: Hospital) -> Browser:
    await asked(browser)
    await browser.post("/sign-in/code", code=latest_code(hospital))
    return browser


async def test_a_patient_signs_in_with_the_code_and_comes_to_where_they_wanted(browser: Browser, hospital: Hospital) -> None:
    page = await asked(browser)
    assert "Enter your code" in page.text
    code = latest_code(hospital)
    answer = await browser.post("/sign-in/code", code=f"{code[:4]} {code[4:]}")
    assert (answer.status_code, answer.url.path) == (200, "/appointments")
    assert browser.client.cookies[guard.SESSION] in hospital.sessions


async def test_the_code_goes_to_the_contact_in_the_record_in_the_patients_language(browser: Browser, hospital: Hospital) -> None:
    hospital.patient = replace(MARGARET, language="es-MX")
    await asked(browser)
    (notice,) = hospital.said
    assert (notice.template, notice.channel, notice.contact, notice.language) == ("sign_in_code", "sms", "+1 312 555 0147", "es-MX")
    assert notice.until_at == MORNING + timedelta(minutes=10)


async def test_an_address_works_as_well(browser: Browser, hospital: Hospital) -> None:
    await asked(browser, KNOWN | {"contact": "Margaret@Example.org"})
    assert [(one.channel, one.contact) for one in hospital.said] == [("email", "margaret@example.org")]


async def test_what_is_told_does_not_depend_on_who_is_known(opened: Opened, hospital: Hospital) -> None:
    texts = []
    for form in (KNOWN, UNKNOWN, KNOWN | {"year": "1945"}):
        browser = opened()
        answer = await asked(browser, form)
        tried = [(await browser.post("/sign-in/code", code="99999999")).text for _ in range(5)]
        page = answer.text + "".join(tried)
        texts.append(re.sub(r'value="[0-9a-f-]{36,64}"', "", page.replace(form["contact"], "it")))
    assert texts[0] == texts[1] == texts[2]
    assert len(hospital.said) == 1


async def test_nobody_is_looked_for_before_the_answer_is_out(hospital: Hospital) -> None:
    """By construction of the answer: what looks for somebody runs behind it."""
    context = double.context(hospital)
    app = build([], pages(context), context.bearers, Health({}))
    looked: list[int] = []

    async def noting(scope: Any, receive: Any, send: Any) -> None:
        async def sending(message: Any) -> None:
            if message["type"] == "http.response.body" and not message.get("more_body"):
                looked.append(sum(name == "find_patients_by_contact" for name, _ in hospital.calls))
            await send(message)

        await app(scope, receive, sending)

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=noting), base_url=ORIGIN) as client:
        browser = Browser(client)
        await browser.get("/sign-in")
        fields = {"form_token": browser.field("form_token")} | KNOWN
        await client.post("/sign-in", data=fields, headers={"Origin": ORIGIN})
    assert looked == [0, 0]
    assert [name for name, _ in hospital.calls].count("find_patients_by_contact") == 1


async def test_two_who_share_telephone_and_birth_date_are_asked_to_call(browser: Browser, hospital: Hospital) -> None:
    hospital.twin = replace(MARGARET, id=numbered(9, 2), given=("Mary",))
    await asked(browser)
    assert [one.template for one in hospital.said] == ["sign_in_call_us"]
    assert [key for name, key in hospital.calls if name == "notify"] == [f"portal.call_us:{MARGARET.id}:2026-11-23T08"], "once an hour"
    assert hospital.codes == {}


@pytest.mark.parametrize("refusal", [AccountLocked(), AccountDisabled(), TooManyRequests(), Unavailable()], ids=lambda one: one.code)
async def test_that_no_code_can_be_sent_is_not_told(browser: Browser, hospital: Hospital, refusal: Any) -> None:
    hospital.refuse_next("start_code", refusal)
    assert "Enter your code" in (await asked(browser)).text
    assert hospital.said == []


async def test_a_wrong_code_is_told_kindly_and_the_right_one_still_works(browser: Browser, hospital: Hospital) -> None:
    await asked(browser)
    answer = await browser.post("/sign-in/code", code="00000000")
    assert answer.status_code == 422
    assert 'href="#code"' in answer.text
    await browser.post("/sign-in/code", code=latest_code(hospital))
    assert guard.SESSION in browser.client.cookies


async def test_whoever_keeps_the_accounts_hears_from_which_address_a_code_was_tried(browser: Browser, hospital: Hospital) -> None:
    await asked(browser)
    await browser.post("/sign-in/code", code="00000000")
    assert ("redeem_code", "127.0.0.1") in hospital.calls


@pytest.mark.parametrize("typed", ["", "1234", "123456789", "abcdefgh", "１２３４５６７８", "1234567\0", "12345678" * 9])
async def test_what_is_no_code_is_not_even_tried(browser: Browser, hospital: Hospital, typed: str) -> None:
    await asked(browser)
    for _ in range(6):
        answer = await browser.post("/sign-in/code", code=typed)
        assert "Enter the 8 numbers" in answer.text
    await browser.post("/sign-in/code", code=latest_code(hospital))
    assert guard.SESSION in browser.client.cookies


async def test_after_five_wrong_codes_a_new_one_is_needed(browser: Browser, hospital: Hospital) -> None:
    await asked(browser)
    old = latest_code(hospital)
    for _ in range(5):
        await browser.post("/sign-in/code", code="00000000")
    assert "wrong too often" in browser.page
    assert "wrong too often" in (await browser.post("/sign-in/code", code=old)).text
    hospital.clock.advance(seconds=31)
    await browser.post("/sign-in/again")
    assert "A new code is on its way" in browser.page
    await browser.post("/sign-in/code", code=latest_code(hospital))
    assert guard.SESSION in browser.client.cookies


async def test_a_code_that_has_run_out_leads_to_a_new_one(browser: Browser, hospital: Hospital) -> None:
    await asked(browser)
    hospital.clock.advance(minutes=10)
    assert "This code has run out" in (await browser.post("/sign-in/code", code=latest_code(hospital))).text
    assert "This code has run out" in (await browser.get("/sign-in/code")).text
    await browser.post("/sign-in/again")
    await browser.post("/sign-in/code", code=latest_code(hospital))
    assert guard.SESSION in browser.client.cookies


async def test_a_new_code_is_not_sent_too_soon_nor_too_often(browser: Browser, hospital: Hospital) -> None:
    await asked(browser)
    assert "A code was sent a moment ago" in (await browser.post("/sign-in/again")).text
    assert len(hospital.said) == 1
    for _ in range(rules.SENDS_MAX + 2):
        hospital.clock.advance(seconds=31)
        await browser.post("/sign-in/again")
    assert "We have sent you several codes" in browser.page
    assert len(hospital.said) == rules.SENDS_MAX


async def test_an_earlier_code_does_not_work_once_a_new_one_was_sent(browser: Browser, hospital: Hospital) -> None:
    await asked(browser)
    old = latest_code(hospital)
    hospital.clock.advance(seconds=31)
    await browser.post("/sign-in/again")
    assert (await browser.post("/sign-in/code", code=old)).status_code == 422


async def test_a_code_works_in_the_browser_that_asked_for_it_alone(opened: Opened, hospital: Hospital) -> None:
    mine, thief = opened(), opened()
    await asked(mine)
    code = latest_code(hospital)
    await asked(thief, UNKNOWN)
    assert (await thief.post("/sign-in/code", code=code)).status_code == 422
    await mine.post("/sign-in/code", code=code)
    assert guard.SESSION in mine.client.cookies


async def test_whoever_was_locked_out_is_told_to_call(browser: Browser, hospital: Hospital) -> None:
    await asked(browser)
    hospital.refuse_next("redeem_code", AccountLocked())
    assert "locked for your safety" in (await browser.post("/sign-in/code", code="00000000")).text


@pytest.mark.parametrize("cookie", ["", "x", "e30.e30.e30.e30.e30"])
@pytest.mark.parametrize(("method", "path"), [("GET", "/sign-in/code"), ("POST", "/sign-in/code"), ("POST", "/sign-in/again")])
async def test_without_a_sign_in_under_way_one_begins_again(browser: Browser, cookie: str, method: str, path: str) -> None:
    await browser.get("/sign-in")
    browser.client.cookies.set(guard.TRY, cookie)
    answer = await browser.get(path) if method == "GET" else await browser.post(path, code="12345678")
    assert (answer.headers.get("location"), answer.url.path) in [("/sign-in", "/sign-in/code"), (None, "/sign-in")]


async def test_the_browser_keeps_what_it_can_neither_read_nor_change(browser: Browser, hospital: Hospital) -> None:
    await asked(browser)
    cookie = browser.client.cookies[guard.TRY]
    assert not re.search(r"555\D?01", cookie)
    assert double.context(hospital).sealer.open(PURPOSE, cookie)
    assert double.context(hospital).sealer.open("another", cookie) is None


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"contact": ""}, "Enter your phone number"),
        ({"contact": "Margaret"}, "Enter your phone number"),
        ({"contact": "12"}, "Enter your phone number"),
        ({"contact": "x" * 5000}, "Enter your phone number"),
        ({"month": "13"}, "Enter your date of birth"),
        ({"day": "31", "month": "2"}, "Enter your date of birth"),
        ({"year": "44"}, "Enter your date of birth"),
        ({"year": "2044"}, "Enter your date of birth"),
        ({"year": "1²44"}, "Enter your date of birth"),
        ({"day": ""}, "Enter your date of birth"),
        ({"day": "-1"}, "Enter your date of birth"),
    ],
    ids=str,
)
async def test_what_cannot_be_is_asked_for_again_and_what_was_typed_stays(
    browser: Browser, hospital: Hospital, changed: dict[str, str], said: str
) -> None:
    answer = await asked(browser, KNOWN | changed)
    assert answer.status_code == 422
    assert said in answer.text
    assert 'value="/appointments"' in answer.text
    assert hospital.calls == []


async def test_the_made_up_hospital_tells_whom_to_come_in_as(browser: Browser) -> None:
    page = (await browser.get("/sign-in")).text
    assert "+1 312 555 0147, born 5/17/1944" in page
    filled = (await browser.get("/sign-in?example=1")).text
    for value in ("+1 312 555 0147", "5", "17", "1944"):
        assert f'value="{value}"' in filled


async def test_a_real_hospital_tells_nothing_of_anybody(opened: Opened, hospital: Hospital) -> None:
    browser = opened(demonstration_patient_id=None)
    page = (await browser.get("/sign-in?example=1")).text
    assert "made up" not in page
    assert not re.search(r"555\D?01", page), "random ids have three fives in a row now and then"
    assert "/inbox" not in (await asked(browser)).text


async def test_where_no_hospital_is_named_the_page_says_that_nobody_can_sign_in(opened: Opened) -> None:
    answer = await opened(organization_id=None).get("/sign-in")
    assert (answer.status_code, "not set up" in answer.text) == (503, True)


async def test_nobody_is_sent_to_another_site_after_signing_in(browser: Browser, hospital: Hospital) -> None:
    await browser.get("/sign-in")
    await browser.post("/sign-in", headers=None, **KNOWN, next="//evil.test/x")
    answer = await browser.post("/sign-in/code", code=latest_code(hospital))
    assert answer.url.host == "portal.test"


async def test_every_form_of_the_way_in_must_be_ours(browser: Browser, hospital: Hospital) -> None:
    await asked(browser)
    code = latest_code(hospital)
    for path in ("/sign-in", "/sign-in/code", "/sign-in/again"):
        assert (await browser.post(path, headers={"Origin": "http://evil.test"}, code=code, **KNOWN)).status_code == 403
    assert guard.SESSION not in browser.client.cookies
    assert len(hospital.said) == 1


async def test_cookies_are_closed_to_scripts_to_other_sites_and_to_plain_http(browser: Browser, hospital: Hospital) -> None:
    browser.client.base_url = httpx.URL("https://portal.test")
    headers = {"Origin": "https://portal.test"}
    await browser.get("/sign-in")
    fields = {"form_token": browser.field("form_token")}
    answers = [await browser.client.post("/sign-in", data=fields | KNOWN, headers=headers)]
    answers.append(await browser.client.post("/sign-in/code", data=fields | {"code": latest_code(hospital)}, headers=headers))
    cookies = [one for answer in answers for one in answer.headers.get_list("set-cookie")]
    assert {one.partition("=")[0] for one in cookies} >= {PREFIX + guard.TRY, PREFIX + guard.SESSION}
    assert all("HttpOnly" in one and "SameSite=lax" in one for one in cookies)
    assert all("Secure" in one for one in cookies)
    assert all("strict-transport-security" in answer.headers for answer in answers)


async def test_signing_out_ends_the_session_on_our_side_too(browser: Browser, hospital: Hospital) -> None:
    await signed_in(browser, hospital)
    token = browser.client.cookies[guard.SESSION]
    form = {"form_token": browser.field("form_token")}
    answer = await browser.client.post("/sign-out", data=form, headers={"Origin": ORIGIN})
    assert answer.headers["clear-site-data"] == CLEAR
    assert "You are signed out" in (await browser.get(answer.headers["location"])).text
    assert token not in hospital.sessions
    hospital.clock.advance(seconds=2)
    browser.client.cookies.set(guard.SESSION, token)
    assert (await browser.get("/appointments")).status_code == 303


async def test_a_signed_token_is_no_session_of_the_portal(browser: Browser, hospital: Hospital) -> None:
    """It could not be ended."""
    tokens = double.context(hospital).bearers._tokens
    actor = tokens.actor("patient", "p", double.ORGANIZATION_ID, MARGARET.id)
    browser.client.cookies.set(guard.SESSION, tokens.issue(actor, timedelta(hours=1)))
    assert (await browser.get("/appointments")).status_code == 303


async def test_devices_are_shown_and_signed_out_one_by_one_or_all_others_at_once(opened: Opened, hospital: Hospital) -> None:
    here, there, third = [await signed_in(opened(), hospital) for _ in range(3)]
    page = (await here.get("/devices")).text
    assert (page.count("This device"), page.count("Another device")) == (1, 2)
    gone = hospital.sessions[there.client.cookies[guard.SESSION]]
    await here.post(f"/devices/{gone.id}/end")
    assert "That device is signed out" in here.page
    await here.post("/devices/end-others")
    assert list(hospital.sessions) == [here.client.cookies[guard.SESSION]]
    hospital.clock.advance(seconds=2)
    assert (await third.get("/appointments")).status_code == 303
    assert "Another device" not in (await here.get("/devices")).text


async def test_signing_out_this_device_on_the_page_is_signing_out(browser: Browser, hospital: Hospital) -> None:
    await signed_in(browser, hospital)
    (session,) = hospital.sessions.values()
    await browser.get("/devices")
    await browser.post(f"/devices/{session.id}/end")
    assert "You are signed out" in browser.page
    assert hospital.sessions == {}


async def test_the_inbox_shows_a_telephones_messages_newest_first(browser: Browser, hospital: Hospital) -> None:
    await asked(browser)
    await asked(browser)
    await asked(browser, KNOWN | {"contact": "margaret@example.org"})
    page = (await browser.get("/inbox")).text
    assert page.count('class="thread"') == 2
    assert page.index("margaret@example.org") < page.index("+1 312 555 0147")
    first = re.findall(r'href="(/inbox/[0-9a-f-]{36})"', page)[1]
    texts = re.findall(r"<p>(\d) (\d{8})</p>", (await browser.get(first)).text)
    assert [number for number, _ in texts] == ["2", "1"]
    assert "contact" not in first


async def test_the_inbox_is_not_there_where_messages_are_real(browser: Browser, hospital: Hospital) -> None:
    hospital.inbox_open = False
    for path in ("/inbox", f"/inbox/{numbered(8, 1)}"):
        answer = await browser.get(path)
        assert (answer.status_code, "There is no inbox here" in answer.text) == (404, True)


async def test_a_message_that_is_gone_leads_back_to_the_inbox(browser: Browser) -> None:
    assert (await browser.get(f"/inbox/{numbered(8, 99)}")).headers["location"] == "/inbox"


@pytest.mark.parametrize("path", ["/sign-in", "/sign-in/code", "/devices", "/inbox"])
async def test_no_page_of_the_way_in_carries_inline_code(browser: Browser, hospital: Hospital, path: str) -> None:
    await signed_in(browser, hospital)
    await asked(browser)
    answer = await browser.get(path)
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=", answer.text)
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")


def test_a_try_is_the_same_size_for_everybody() -> None:
    trying = SignInTry(
        code_id=numbered(1, 1), binding="b" * 32, contact=ContactPoint(system="phone", value="1"), birth_on=date(1944, 5, 17), next="/",
        sent_at=MORNING,
    )  # fmt: skip
    assert not trying.has_run_out(MORNING + timedelta(minutes=9, seconds=59))
    assert trying.has_run_out(MORNING + timedelta(minutes=10))
    assert not trying.may_send_again(MORNING + timedelta(seconds=29))
    assert trying.may_send_again(MORNING + timedelta(seconds=30))
