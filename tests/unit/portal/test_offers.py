"""The page that a message about another time leads to, and the message: in the patient's language, and answered by a form of ours alone."""

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from carewright.contracts.notifications import Moment
from carewright.contracts.offers import AnswerByLink, LinkedOffer, Offer, OfferNotOpen, OfferStatus
from carewright.contracts.scheduling import CalendarMoved, IllegalStep, PatientBusy, TimeNotFree
from carewright.kernel.errors import PreconditionFailed, Refusal, Unavailable
from carewright.kernel.values import utc
from carewright.portal.http.texts import languages
from carewright.portal.model.jobs import OfferHeard
from carewright.portal.model.wall import Wall, clock_of
from carewright.portal.service import telling
from tests.samples import known_id
from tests.unit.portal import double
from tests.unit.portal.double import MORNING, Hospital
from tests.unit.portal.double_queues import TOKEN
from tests.unit.portal.double_records import numbered
from tests.unit.portal.test_pages import Browser, Opened, hospital, opened

__all__ = ("hospital", "opened")
PLACE = f"/answer/offer/{TOKEN}"
ZONE, SITE = "America/Chicago", "Lakeside Hospital"
BOOKED, INSTEAD = utc(MORNING + timedelta(hours=3)), utc(MORNING + timedelta(days=1, hours=2))
OFFER = Offer(
    id=known_id(1), purpose="moved", status="open", appointment_id=known_id(2), patient_id=double.MARGARET.id, site_id=numbered(1, 1),
    site_name=SITE, time_zone=ZONE, booked_start=BOOKED, start=INSTEAD, end=INSTEAD + timedelta(minutes=30), actor_ids=(known_id(3),),
    made_at=utc(MORNING), expires_at=utc(MORNING + timedelta(hours=1)), version=3,
)  # fmt: skip
LINKED = LinkedOffer(offer=OFFER, start=BOOKED, site_name=SITE, time_zone=ZONE, is_to_come=True)
ABOUT = OfferHeard(double.ORGANIZATION_ID, OFFER.id)


@pytest.fixture
def visitor(opened: Opened, hospital: Hospital) -> Browser:
    """Nobody who is signed in, with somebody's link."""
    hospital.offers.linked = LINKED
    return opened(organization_id=double.ORGANIZATION_ID)


async def test_opening_the_page_says_what_is_offered_changes_nothing_and_names_nobody(visitor: Browser, hospital: Hospital) -> None:
    await visitor.get(PLACE)
    answer = await visitor.get(PLACE)
    assert answer.status_code == 200
    for told in ("May we see you at another time?", "Yes, I come then", "No, thank you", SITE, 'href="tel:'):
        assert told in visitor.page
    assert hospital.offers.answered == []
    for kept in (double.MARGARET.family, double.MARGARET.given[0], str(double.MARGARET.id), str(OFFER.appointment_id)):
        assert kept not in visitor.page
    assert answer.headers["cache-control"] == "no-store"


async def test_the_same_time_with_somebody_else_is_said_to_be_that(visitor: Browser, hospital: Hospital) -> None:
    await visitor.get(PLACE)
    assert "with somebody else" not in visitor.page
    hospital.offers.linked = replace(LINKED, offer=replace(OFFER, start=BOOKED))
    await visitor.get(PLACE)
    assert "It is the same time as planned, with somebody else of our team." in visitor.page


@pytest.mark.parametrize("said", ["accepted", "declined"])
async def test_one_tap_answers(visitor: Browser, hospital: Hospital, said: Any) -> None:
    await visitor.get(PLACE)
    hospital.offers.linked = replace(LINKED, offer=replace(OFFER, status=said), start=INSTEAD if said == "accepted" else BOOKED)
    await visitor.post(PLACE, answer=said, version="3")
    assert hospital.offers.answered == [AnswerByLink(token=TOKEN, answer=said, expected_version=3)]
    assert {"accepted": "Thank you. Your appointment is now at the new time:", "declined": "does not suit you"}[said] in visitor.page
    assert 'name="answer"' not in visitor.page


@pytest.mark.parametrize(
    ("status", "more", "said"),
    [("open", {"expires_at": utc(MORNING)}, "We did not hear from you in time"), ("expired", {}, "We did not hear from you in time"),
     ("withdrawn", {}, "We do not keep the new time any more."),
     ("withdrawn", {"booked_start": INSTEAD}, "This question is settled, there is nothing to do.")],
)  # fmt: skip
async def test_what_is_over_is_told_kindly(
    visitor: Browser, hospital: Hospital, status: OfferStatus, more: dict[str, Any], said: str
) -> None:
    hospital.offers.linked = replace(LINKED, offer=replace(OFFER, status=status, **more))
    await visitor.get(PLACE)
    assert said in visitor.page
    assert 'name="answer"' not in visitor.page


@pytest.mark.parametrize("status", ["open", "accepted", "withdrawn"])
async def test_an_appointment_that_is_off_or_over_is_asked_about_no_more(visitor: Browser, hospital: Hospital, status: Any) -> None:
    hospital.offers.linked = replace(LINKED, offer=replace(OFFER, status=status), is_to_come=False)
    await visitor.get(PLACE)
    assert "This appointment does not take place any more, or is over." in visitor.page
    assert 'name="answer"' not in visitor.page


@pytest.mark.parametrize(
    ("refusal", "said"),
    [(OfferNotOpen(), "That is not possible any more."), (PreconditionFailed(version=4), "That is not possible any more."),
     (TimeNotFree(), "that time cannot be had any more"), (CalendarMoved(), "that time cannot be had any more"),
     (PatientBusy(), "You have another appointment with us at that time."), (IllegalStep(), "We could not do that just now.")],
)  # fmt: skip
async def test_what_cannot_be_is_told_kindly_above_how_it_stands(visitor: Browser, hospital: Hospital, refusal: Refusal, said: str) -> None:
    await visitor.get(PLACE)
    hospital.offers.refusal = refusal
    await visitor.post(PLACE, answer="accepted", version="3")
    assert said in visitor.page


async def test_a_fault_is_no_answer(visitor: Browser, hospital: Hospital) -> None:
    await visitor.get(PLACE)
    hospital.offers.refusal = Unavailable()
    assert (await visitor.post(PLACE, answer="accepted", version="3")).status_code == 503


@pytest.mark.parametrize(("answer", "version"), [("", ""), ("", "3"), ("maybe", "3"), ("accepted", "x")])
async def test_what_is_nonsense_changes_nothing(visitor: Browser, hospital: Hospital, answer: str, version: str) -> None:
    await visitor.get(PLACE)
    await visitor.post(PLACE, answer=answer, version=version)
    assert "We did not understand that." in visitor.page
    assert hospital.offers.answered == []


async def test_a_form_that_is_not_ours_changes_nothing(visitor: Browser, hospital: Hospital) -> None:
    await visitor.get(PLACE)
    answer = await visitor.post(PLACE, {"Origin": "https://evil.example"}, answer="accepted", version="3")
    assert answer.status_code == 403
    assert hospital.offers.answered == []


async def test_it_speaks_the_patients_language(visitor: Browser, hospital: Hospital) -> None:
    hospital.patient = replace(double.MARGARET, language="es-MX")
    await visitor.get(PLACE)
    assert '<html lang="es">' in visitor.page
    assert "Sí, vendré entonces" in visitor.page
    assert "lunes, 23 de noviembre, 5:07 a. m." in visitor.page


@pytest.mark.parametrize("token", ["cwl_" + "f" * 32, "x", "0" * 500])
async def test_whatever_is_wrong_with_a_link_is_told_in_one_way(visitor: Browser, token: str) -> None:
    answer = await visitor.get(f"/answer/offer/{token}")
    assert answer.status_code == 403
    assert "This address does not work any more" in visitor.page
    assert SITE not in visitor.page.partition("<main")[2].partition("</main>")[0]


async def test_the_message_leads_to_the_offers_own_page(hospital: Hospital) -> None:
    hospital.offers.linked = LINKED
    await telling.ask_by_offer(double.context(hospital, public_url="https://lakeside.example/"), ABOUT)
    [said] = hospital.said
    assert (said.template, said.about_id, said.until_at) == ("appointment_offer_link", OFFER.id, OFFER.expires_at)
    assert said.values["link"] == f"https://lakeside.example/answer/offer/{TOKEN}"
    assert (said.values["when"], said.values["instead"]) == (Moment(at=BOOKED, zone=ZONE), Moment(at=INSTEAD, zone=ZONE))
    assert hospital.calls[-1] == ("notify", f"portal.ask_by_offer:{OFFER.id}")
    assert hospital.offers.unreached == []


async def test_where_the_pages_have_no_address_the_message_asks_to_call(hospital: Hospital) -> None:
    hospital.offers.linked = LINKED
    await telling.ask_by_offer(double.context(hospital), ABOUT)
    [said] = hospital.said
    assert (said.template, "link" in said.values) == ("appointment_offer", False)


async def test_what_is_settled_is_not_asked_and_who_cannot_be_told_is_noted(hospital: Hospital) -> None:
    ctx = double.context(hospital)
    await telling.ask_by_offer(ctx, ABOUT)
    hospital.offers.linked = replace(LINKED, offer=replace(OFFER, status="withdrawn"))
    await telling.ask_by_offer(ctx, ABOUT)
    assert (hospital.said, hospital.offers.unreached) == ([], [])
    hospital.offers.linked = replace(LINKED, offer=replace(OFFER, patient_id=known_id(404)))
    await telling.ask_by_offer(ctx, ABOUT)
    assert (hospital.said, hospital.offers.unreached) == ([], [OFFER.id])


WAITED = replace(OFFER, purpose="waitlist", booked_start=INSTEAD, entry_id=known_id(2), freed_id=known_id(5))
EARLIER = replace(OFFER, purpose="earlier", start=BOOKED, booked_start=INSTEAD, entry_id=known_id(4), freed_id=known_id(5))


async def test_who_waits_is_told_what_has_come_free_and_of_no_other_appointment(visitor: Browser, hospital: Hospital) -> None:
    hospital.offers.linked = replace(LINKED, offer=WAITED, start=INSTEAD)
    await visitor.get(PLACE)
    for told in ("Would this time suit you?", "A time has come free", "Yes, I come then"):
        assert told in visitor.page
    for wrong in ("Planned:", "We are sorry", "Others who wait", "the same time as planned"):
        assert wrong not in visitor.page
    hospital.offers.linked = replace(LINKED, offer=replace(WAITED, is_shared=True))
    await visitor.get(PLACE)
    assert "Others who wait may be asked too: whoever says yes first has it." in visitor.page


@pytest.mark.parametrize(
    ("offer", "status", "said", "shows"),
    [(WAITED, "accepted", "Your appointment is booked for this time", True), (WAITED, "declined", "you keep waiting", False),
     (WAITED, "expired", "You keep waiting", False), (WAITED, "withdrawn", "This time cannot be had any more", False),
     (EARLIER, "accepted", "Your appointment is now at this time", True), (EARLIER, "declined", "You keep your appointment as it is", True),
     (EARLIER, "expired", "You keep your appointment as it is", True), (EARLIER, "withdrawn", "cannot be had any more", True)],
)  # fmt: skip
async def test_how_an_offer_to_who_waits_ended_is_told(
    visitor: Browser, hospital: Hospital, offer: Offer, status: OfferStatus, said: str, shows: bool
) -> None:
    hospital.offers.linked = replace(LINKED, offer=replace(offer, status=status), start=INSTEAD)
    await visitor.get(PLACE)
    assert said in visitor.page
    assert ("Tuesday, November 24" in visitor.page) == shows
    assert 'name="answer"' not in visitor.page


@pytest.mark.parametrize(("offer", "template", "names_booked"), [(WAITED, "waitlist_offer", False), (EARLIER, "earlier_offer", True)])
async def test_the_message_to_who_waits_says_what_it_is_about(hospital: Hospital, offer: Offer, template: str, names_booked: bool) -> None:
    hospital.offers.linked = replace(LINKED, offer=offer)
    await telling.ask_by_offer(double.context(hospital), ABOUT)
    await telling.ask_by_offer(double.context(hospital, public_url="https://lakeside.example/"), ABOUT)
    assert [each.template for each in hospital.said] == [template, f"{template}_link"]
    assert [("when" in each.values) for each in hospital.said] == [names_booked] * 2


async def test_where_hours_are_counted_to_24_every_language_does() -> None:
    spanish = clock_of(languages()["es"])
    assert Wall(ZoneInfo(ZONE)).time(utc(MORNING), spanish).endswith(" a. m.")
    assert Wall(ZoneInfo(ZONE), "en-GB").time(utc(MORNING), spanish)[-3] == ":"
