"""The pages without a browser: who may see them, what a form must carry, and what a refusal becomes."""

import asyncio
import io
import json
import re
import zipfile
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from msgspec.structs import replace

from carewright.contracts.access import StepUpNeeded
from carewright.contracts.directory import VisitType
from carewright.contracts.scheduling import (
    Appointment,
    HoldLimitReached,
    OutsideRules,
    PatientBusy,
    PrerequisiteMissing,
    UnknownPatient,
)
from carewright.kernel.errors import OutcomeUnknown, PreconditionFailed, Refusal, Unavailable
from carewright.kernel.http.app import Health, build
from carewright.kernel.http.guard import FORM_FIELDS_MAX
from carewright.portal.http import assets, guard
from carewright.portal.http.pages import pages
from carewright.portal.model.times import parse_slot, slot_value
from tests.unit.portal import double
from tests.unit.portal.double import Hospital

ORIGIN = "http://portal.test"
NOWHERE = UUID(int=404)


class Browser:
    """A browser without a screen: keeps cookies, sends forms with what the last page put into them."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client
        self.page = ""

    async def get(self, path: str) -> httpx.Response:
        return self._seen(await self.client.get(path))

    async def post(self, path: str, headers: dict[str, str] | None = None, **fields: str) -> httpx.Response:
        data = {"form_token": self.field("form_token"), "once": self.field("once")} | fields
        answer = await self.client.post(path, data=data, headers={"Origin": ORIGIN} | (headers or {}))
        return self._seen(await self.client.get(answer.headers["location"])) if answer.status_code == 303 else self._seen(answer)

    def field(self, name: str) -> str:
        found = re.search(rf'name="{name}" value="([^"]*)"', self.page)
        return found[1] if found else ""

    def times(self) -> list[str]:
        """The values of the free times on the page."""
        return re.findall(r'class="time" form="pick" name="slot" value="([^"]+)"', self.page)

    def _seen(self, answer: httpx.Response) -> httpx.Response:
        self.page = answer.text
        return answer


@pytest.fixture
def hospital() -> Hospital:
    return double.build()


@pytest.fixture
def visit(hospital: Hospital) -> VisitType:
    return hospital.visit_named("Dermatology", "Follow-up visit")


Opened = Callable[..., Browser]


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
async def browser(opened: Opened, hospital: Hospital) -> Browser:
    """A browser with the demonstration patient signed in."""
    one = opened()
    sign_in(one, hospital)
    return one


def sign_in(browser: Browser, hospital: Hospital, role: str = "patient") -> None:
    """Let the browser in, as if the code had been typed."""
    browser.client.cookies.set(guard.SESSION, double.DoubleAccess(hospital).start(role).token)


async def slot_of(browser: Browser, visit: VisitType, number: int = 0) -> str:
    await browser.get(f"/visits/{visit.id}/times")
    return browser.times()[number]


async def held(browser: Browser, hospital: Hospital, visit: VisitType, number: int = 0) -> Appointment:
    await browser.post(
        f"/visits/{visit.id}/hold", slot=await slot_of(browser, visit, number), place=f"/visits/{visit.id}/times?part=morning"
    )
    return list(hospital.appointments.values())[-1]


async def booked(browser: Browser, hospital: Hospital, visit: VisitType, number: int = 0) -> Appointment:
    one = await held(browser, hospital, visit, number)
    await browser.post(f"/holds/{one.id}/book")
    return hospital.appointments[one.id]


async def test_whoever_is_not_signed_in_is_asked_to_and_brought_back(opened: Opened, visit: VisitType) -> None:
    browser = opened()
    answer = await browser.get(f"/visits/{visit.id}/times?part=morning")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/sign-in?next=%2Fvisits%2F{visit.id}%2Ftimes%3Fpart%3Dmorning")
    assert browser.client.cookies.get(guard.SESSION) is None


async def test_a_session_ends_after_its_time(browser: Browser, hospital: Hospital) -> None:
    assert (await browser.get("/appointments")).status_code == 200
    hospital.clock.advance(hours=12, seconds=1)
    assert (await browser.get("/appointments")).headers["location"] == "/sign-in?next=%2Fappointments"


async def test_cookies_are_secure_behind_a_proxy_where_settings_say_so(opened: Opened) -> None:
    answer = await opened(secure_cookies=True).get("/sign-in")
    assert "Secure" in answer.headers["set-cookie"]


async def test_every_page_forbids_foreign_and_inline_code(browser: Browser) -> None:
    for path in ("/", "/appointments", "/services/nothing", "/sign-in"):
        answer = await browser.get(path)
        assert answer.headers["content-security-policy"].startswith("default-src 'none'")
        assert answer.headers["cache-control"] == "no-store"
        assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=", answer.text)


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.test"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
async def test_a_form_of_another_site_changes_nothing(
    browser: Browser, hospital: Hospital, visit: VisitType, headers: dict[str, str]
) -> None:
    slot = await slot_of(browser, visit)
    assert (await browser.post(f"/visits/{visit.id}/hold", headers=headers, slot=slot)).status_code == 403
    assert not hospital.appointments


@pytest.mark.parametrize("token", ["", "0" * 64, "é"])
async def test_a_form_without_our_token_changes_nothing(browser: Browser, hospital: Hospital, visit: VisitType, token: str) -> None:
    slot = await slot_of(browser, visit)
    assert (await browser.post(f"/visits/{visit.id}/hold", slot=slot, form_token=token)).status_code == 403
    assert not hospital.appointments


async def test_a_page_of_an_earlier_session_is_refused(browser: Browser, hospital: Hospital, visit: VisitType) -> None:
    slot, old = await slot_of(browser, visit), browser.field("form_token")
    sign_in(browser, hospital)
    assert (await browser.post(f"/visits/{visit.id}/hold", slot=slot, form_token=old)).status_code == 403


@pytest.mark.parametrize(
    "place", ["//evil.test/x", "https://evil.test", "/\\evil.test", "javascript:alert(1)", "/x\ny", "", "/" + "x" * 3000]
)
def test_nobody_is_sent_to_another_site(place: str) -> None:
    assert guard.local_path(place, "/here") == "/here"


async def test_a_time_is_held_reviewed_and_booked(browser: Browser, hospital: Hospital, visit: VisitType) -> None:
    one = await held(browser, hospital, visit)
    assert "We keep this time for you until" in browser.page
    await browser.post(f"/holds/{one.id}/book", note="I use a wheelchair.")
    assert "You are booked" in browser.page
    assert hospital.appointments[one.id].status == "booked"
    assert ("book_appointment", "I use a wheelchair.") in [(name, getattr(what, "note", None)) for name, what in hospital.calls]


async def test_a_patient_sees_what_they_wrote(browser: Browser, hospital: Hospital, visit: VisitType) -> None:
    one = await held(browser, hospital, visit)
    await browser.post(f"/holds/{one.id}/book")
    assert "What you wrote" not in browser.page
    hospital.appointments[one.id] = replace(hospital.appointments[one.id], note="I use a <wheelchair>.")
    page = (await browser.get(f"/appointments/{one.id}")).text
    assert "What you wrote" in page
    assert "I use a &lt;wheelchair&gt;." in page


async def test_two_clicks_at_once_hold_and_book_once(browser: Browser, hospital: Hospital, visit: VisitType) -> None:
    hospital.slowness_seconds = 0.05
    slot = await slot_of(browser, visit)
    data = {"form_token": browser.field("form_token"), "once": browser.field("once"), "slot": slot}
    answers = await asyncio.gather(*(browser.client.post(f"/visits/{visit.id}/hold", data=data, headers={"Origin": ORIGIN}) for _ in "ab"))
    assert len({answer.headers["location"] for answer in answers}) == 1
    assert len(hospital.appointments) == 1
    (one,) = hospital.appointments.values()
    await browser.get(f"/holds/{one.id}")
    data = {"form_token": browser.field("form_token"), "once": browser.field("once")}
    answers = await asyncio.gather(*(browser.client.post(f"/holds/{one.id}/book", data=data, headers={"Origin": ORIGIN}) for _ in "ab"))
    assert {answer.headers["location"] for answer in answers} == {f"/appointments/{one.id}"}


async def test_a_step_back_and_another_time_let_the_first_one_go(browser: Browser, hospital: Hospital, visit: VisitType) -> None:
    first, second = await slot_of(browser, visit, 0), await slot_of(browser, visit, 1)
    token, once = browser.field("form_token"), browser.field("once")
    await browser.post(f"/visits/{visit.id}/hold", slot=first, form_token=token, once=once)
    await browser.post(f"/visits/{visit.id}/hold", slot=second, form_token=token, once=once)
    assert [one.status for one in hospital.appointments.values()] == ["cancelled", "pending"]
    await browser.post(f"/visits/{visit.id}/hold", slot=first, form_token=token, once=once)
    assert "We keep this time for you until" in browser.page
    assert [one.status for one in hospital.appointments.values()] == ["cancelled", "cancelled", "pending"]


@pytest.mark.parametrize("refusal", [PatientBusy(), HoldLimitReached()])
async def test_an_earlier_hold_in_the_way_makes_room(browser: Browser, hospital: Hospital, visit: VisitType, refusal: Refusal) -> None:
    await held(browser, hospital, visit)
    hospital.refuse_next("hold_time", refusal)
    await held(browser, hospital, visit, 1)
    assert "We keep this time for you until" in browser.page
    assert [one.status for one in hospital.appointments.values()] == ["cancelled", "pending"]


@pytest.mark.parametrize(
    ("refusal", "said"),
    [
        (PatientBusy(), "already have an appointment at that time"),
        (HoldLimitReached(), "already keeping other times for you"),
        (OutsideRules(), "can no longer be booked online"),
        (PrerequisiteMissing(), "has to happen before this visit"),
        (Unavailable(), "cannot reach the calendar"),
    ],
)
async def test_a_refusal_leads_back_to_the_place_with_a_kind_word(
    browser: Browser, hospital: Hospital, visit: VisitType, refusal: Refusal, said: str
) -> None:
    slot = await slot_of(browser, visit)
    hospital.refuse_next("hold_time", refusal)
    answer = await browser.post(f"/visits/{visit.id}/hold", slot=slot, place=f"/visits/{visit.id}/times?part=evening")
    assert said in answer.text
    assert answer.url.path == f"/visits/{visit.id}/times"
    assert answer.url.params["part"] == "evening"
    assert said not in (await browser.get("/")).text


async def test_a_time_taken_meanwhile_is_said_so(browser: Browser, hospital: Hospital, visit: VisitType) -> None:
    slot = await slot_of(browser, visit)
    picked = parse_slot(slot)
    assert picked
    hospital.take(visit.id, *picked)
    assert "has just been taken" in (await browser.post(f"/visits/{visit.id}/hold", slot=slot)).text


async def test_a_hold_that_ran_out_leads_back_to_the_times(browser: Browser, hospital: Hospital, visit: VisitType) -> None:
    one = await held(browser, hospital, visit)
    token, once = browser.field("form_token"), browser.field("once")
    hospital.clock.advance(minutes=11)
    assert "no longer keep this time" in (await browser.get(f"/holds/{one.id}")).text
    answer = await browser.post(f"/holds/{one.id}/book", form_token=token, once=once)
    assert "could not keep that time any longer" in answer.text
    assert answer.url.params["part"] == "morning"


async def test_a_missing_referral_is_asked_for_beside_its_field_and_what_was_typed_stays(browser: Browser, hospital: Hospital) -> None:
    visit = hospital.visit_named("Cardiology", "New patient visit")
    one = await held(browser, hospital, visit)
    answer = await browser.post(f"/holds/{one.id}/book", note="<b>bold</b>")
    assert answer.status_code == 422
    assert 'href="#referral"' in answer.text
    assert "&lt;b&gt;bold&lt;/b&gt;" in answer.text
    await browser.post(f"/holds/{one.id}/book", referral="R-1")
    assert "You are booked" in browser.page
    assert hospital.appointments[one.id].based_on == "R-1"


async def test_a_visit_that_staff_confirm_is_a_request_first(browser: Browser, hospital: Hospital) -> None:
    await booked(browser, hospital, hospital.visit_named("Dermatology", "Second opinion"))
    assert "We have your request" in browser.page


async def test_a_broken_connection_tells_where_to_look(browser: Browser, hospital: Hospital, visit: VisitType) -> None:
    one = await held(browser, hospital, visit)
    hospital.refuse_next("book_appointment", OutcomeUnknown())
    answer = await browser.post(f"/holds/{one.id}/book")
    assert "connection broke" in answer.text
    assert answer.url.path == f"/holds/{one.id}"


async def test_choosing_another_time_lets_the_held_one_go(browser: Browser, hospital: Hospital, visit: VisitType) -> None:
    one = await held(browser, hospital, visit)
    answer = await browser.post(f"/holds/{one.id}/release")
    assert "no longer keep that time" in answer.text
    assert answer.url.params["part"] == "morning"
    assert hospital.appointments[one.id].status == "cancelled"


async def test_a_booked_hold_shows_as_the_appointment(browser: Browser, hospital: Hospital, visit: VisitType) -> None:
    one = await booked(browser, hospital, visit)
    assert (await browser.get(f"/holds/{one.id}")).headers["location"] == f"/appointments/{one.id}"


async def test_an_appointment_is_cancelled_after_a_second_look(browser: Browser, hospital: Hospital, visit: VisitType) -> None:
    one = await booked(browser, hospital, visit)
    assert "Cancel this appointment?" in (await browser.get(f"/appointments/{one.id}/cancel")).text
    await browser.post(f"/appointments/{one.id}/cancel", version=browser.field("version"))
    assert "This appointment is cancelled" in browser.page
    assert (await browser.get(f"/appointments/{one.id}/cancel")).headers["location"] == f"/appointments/{one.id}"


async def test_a_change_by_somebody_else_is_shown_before_deciding_again(browser: Browser, hospital: Hospital, visit: VisitType) -> None:
    one = await booked(browser, hospital, visit)
    await browser.get(f"/appointments/{one.id}/cancel")
    hospital.refuse_next("cancel_appointment", PreconditionFailed())
    await browser.post(f"/appointments/{one.id}/cancel", version="1")
    assert "was changed in the meantime" in browser.page
    assert hospital.appointments[one.id].status == "booked"


async def test_an_appointment_moves_and_keeps_its_id(browser: Browser, hospital: Hospital, visit: VisitType) -> None:
    one = await booked(browser, hospital, visit)
    await browser.get(f"/visits/{visit.id}/times?moving={one.id}")
    slot = browser.times()[3]
    await browser.get(f"/appointments/{one.id}/move?slot={slot}")
    await browser.post(f"/appointments/{one.id}/move", slot=slot, version=browser.field("version"), place=browser.field("place"))
    assert "has a new time" in browser.page
    moved = hospital.appointments[one.id]
    assert slot_value(moved.site_id, moved.start) == slot


async def test_a_move_to_a_taken_time_keeps_the_old_one(browser: Browser, hospital: Hospital, visit: VisitType) -> None:
    one = await booked(browser, hospital, visit)
    taken = hospital.take(visit.id, one.site_id, one.start + timedelta(days=1))
    await browser.get(f"/appointments/{one.id}/move?slot={slot_value(taken.site_id, taken.start)}")
    await browser.post(f"/appointments/{one.id}/move", slot=slot_value(taken.site_id, taken.start))
    assert "has just been taken" in browser.page
    assert "Choose a new time" in browser.page
    assert hospital.appointments[one.id].start == one.start


async def test_the_calendar_file_downloads(browser: Browser, hospital: Hospital, visit: VisitType) -> None:
    one = await booked(browser, hospital, visit)
    answer = await browser.get(f"/appointments/{one.id}/calendar.ics")
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    assert "attachment" in answer.headers["content-disposition"]
    assert answer.text.startswith("BEGIN:VCALENDAR\r\n")


async def test_my_appointments_tells_kept_coming_and_past_apart(browser: Browser, hospital: Hospital, visit: VisitType) -> None:
    first = await booked(browser, hospital, visit)
    await browser.get(f"/appointments/{first.id}/cancel")
    await browser.post(f"/appointments/{first.id}/cancel")
    await booked(browser, hospital, visit, 3)
    await held(browser, hospital, hospital.visit_named("Urology", "Follow-up visit"), 6)
    text = (await browser.get("/appointments")).text
    assert text.index("Kept for you, not booked yet") < text.index("Coming up") < text.index("Past and cancelled")
    assert "Continue" in (await browser.get("/")).text


@pytest.mark.parametrize(
    "path", ["/appointments/{}", "/holds/{}", "/appointments/{}/cancel", "/appointments/{}/move?slot=x", "/appointments/{}/calendar.ics"]
)
async def test_what_belongs_to_somebody_else_does_not_exist(browser: Browser, hospital: Hospital, visit: VisitType, path: str) -> None:
    other = hospital.take(visit.id, hospital.sites[0].id, double.MORNING + timedelta(days=2))
    answer = await browser.get(path.format(other.id))
    assert answer.status_code == 404
    assert "cannot find this appointment" in answer.text


@pytest.mark.parametrize(
    "path",
    [
        "/services/x",
        f"/services/{NOWHERE}",
        "/visits/x/times",
        f"/visits/{NOWHERE}/times",
        "/holds/x",
        "/appointments/%00",
        f"/holds/{NOWHERE}",
    ],
)
async def test_an_id_that_names_nothing_is_a_kind_page(browser: Browser, path: str) -> None:
    answer = await browser.get(path)
    assert answer.status_code in (404, 422)
    assert "<h1>" in answer.text
    assert "See all services" in answer.text


@pytest.mark.parametrize(
    "query",
    [
        "day=tomorrow", "day=2026-02-30", "day=0001-01-01", "day=9999-12-31", "site=x", f"site={NOWHERE}", f"practitioner={NOWHERE}",
        "language=%00", "language=" + "x" * 500, "part=night", "moving=x", "day=%F0%9F%92%A5", "day=2026-11-24&day=x", "unknown=1",
    ],
)  # fmt: skip
async def test_wishes_that_cannot_be_read_do_no_harm(browser: Browser, visit: VisitType, query: str) -> None:
    answer = await browser.get(f"/visits/{visit.id}/times?{query}")
    assert answer.status_code == 200
    assert "Choose a" in answer.text


async def test_a_day_that_cannot_be_read_is_said_beside_its_field(browser: Browser, visit: VisitType) -> None:
    text = (await browser.get(f"/visits/{visit.id}/times?day=tomorrow")).text
    assert 'href="#day"' in text
    assert 'aria-describedby="day-error"' in text


async def test_wishes_that_leave_nothing_are_met_with_an_offer(browser: Browser, hospital: Hospital, visit: VisitType) -> None:
    text = (await browser.get(f"/visits/{visit.id}/times?language=ja&part=evening&site={hospital.sites[1].id}")).text
    assert "No free time with these wishes" in text
    assert "First free time, any place and anyone" in text
    for way in ("Look at all locations", "Look at any time of day", "Look at any language"):
        assert way in text


async def test_a_full_hospital_says_so_and_gives_a_number(browser: Browser, hospital: Hospital, visit: VisitType) -> None:
    hospital.empty = True
    text = (await browser.get(f"/visits/{visit.id}/times")).text
    assert "No free time at the moment" in text
    assert 'href="tel:+13125550100"' in text


async def test_what_staff_arrange_has_no_times_page(browser: Browser, hospital: Hospital) -> None:
    kind = hospital.visit_named("Dermatology", "Planned procedure")
    assert (await browser.get(f"/visits/{kind.id}/times")).status_code == 404


@pytest.mark.parametrize("slot", ["", "x", "2026-11-24T14:00Z~", "\0"])
async def test_a_slot_that_cannot_be_read_asks_to_choose(browser: Browser, hospital: Hospital, visit: VisitType, slot: str) -> None:
    await slot_of(browser, visit)
    assert "Please choose a time" in (await browser.post(f"/visits/{visit.id}/hold", slot=slot)).text
    assert not hospital.appointments


@pytest.mark.parametrize(
    ("content", "media", "status"),
    [
        (b"a=1", "application/json", 400),
        (b"\xff\xfe", "application/x-www-form-urlencoded", 400),
        (b"&".join(b"a=1" for _ in range(FORM_FIELDS_MAX + 1)), "application/x-www-form-urlencoded", 400),
        (b"a" * 300_000, "application/x-www-form-urlencoded", 413),
    ],
)
async def test_a_body_that_is_no_form_is_refused_kindly(
    browser: Browser, visit: VisitType, content: bytes, media: str, status: int
) -> None:
    headers = {"Origin": ORIGIN, "Content-Type": media}
    answer = await browser.client.post(f"/visits/{visit.id}/hold", content=content, headers=headers)
    assert answer.status_code == status
    assert "<h1>" in answer.text


@pytest.mark.parametrize(
    ("path", "to"),
    [("/visits/{}/hold", "/visits/{}/times"), ("/holds/{}/book", "/holds/{}"), ("/holds/{}/release", "/holds/{}")],
)
async def test_the_address_of_a_form_leads_to_its_page(browser: Browser, path: str, to: str) -> None:
    assert (await browser.get(path.format(NOWHERE))).headers["location"] == to.format(NOWHERE)


async def test_what_people_type_is_text_and_never_markup(browser: Browser) -> None:
    text = (await browser.get("/?q=%3Cscript%3Ealert(1)%3C/script%3E%22%20onfocus=x")).text
    assert "<script>alert" not in text
    assert "&lt;script&gt;" in text
    assert '" onfocus' not in text


async def test_staff_have_no_business_here(opened: Opened, hospital: Hospital) -> None:
    browser = opened()
    sign_in(browser, hospital, "front-desk")
    assert (await browser.get("/")).status_code == 403


async def test_a_patient_who_is_unknown_meets_a_page_and_not_a_fault(browser: Browser, hospital: Hospital, visit: VisitType) -> None:
    slot = await slot_of(browser, visit)
    hospital.refuse_next("hold_time", UnknownPatient())
    answer = await browser.post(f"/visits/{visit.id}/hold", slot=slot)
    assert (answer.status_code, "We cannot do that" in answer.text) == (422, True)


async def test_assets_are_kept_until_they_change(browser: Browser) -> None:
    for name, asset in assets.assets().items():
        answer = await browser.client.get(assets.address(name))
        assert (answer.status_code, answer.content) == (200, asset.content)
        assert "immutable" in answer.headers["cache-control"]
    address = assets.address("design/tokens.css")
    old = await browser.client.get(
        address.partition("?")[0], headers={"If-None-Match": f'"{assets.assets()["design/tokens.css"].version}"'}
    )
    assert old.status_code == 304
    assert "immutable" not in old.headers["cache-control"]
    assert (await browser.client.get("/static/../module.py")).status_code == 404
    assert (await browser.client.get("/static/%2e%2e/module.py")).status_code == 404


async def test_the_file_holds_every_page_and_says_in_words_what_is_in_it(browser: Browser, hospital: Hospital) -> None:
    assert "/my-record/download" in (await browser.get("/my-record")).text
    answer = await browser.client.get("/my-record/download")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/zip")
    archive = zipfile.ZipFile(io.BytesIO(answer.content))
    assert archive.testzip() is None
    lines = [json.loads(line) for line in archive.read("record.ndjson").splitlines()]
    assert [line["resourceType"] for line in lines] == ["Patient", "Appointment"]
    index = archive.read("index.html").decode()
    assert "1 appointments" in index
    assert "Foot check" in index
    assert "<b>Zoë</b>" not in index, "whatever a record says is text"
    asked = [command for method, command in hospital.calls if method == "export_record"]
    assert [command.after for command in asked] == [None, "appointments~"]


async def test_whoever_signed_in_too_long_ago_types_a_code_and_comes_back(browser: Browser, hospital: Hospital) -> None:
    hospital.refusals["export_record"] = [StepUpNeeded()]
    answer = await browser.client.get("/my-record/download")
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?next=%2Fmy-record%2Fdownload")
