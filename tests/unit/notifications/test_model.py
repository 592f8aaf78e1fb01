"""Messages: every language says everything, in few and plain words, and a notice is put into them whole or refused."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from carewright.contracts.notifications import TEMPLATES, Communication, Message, Moment, Notice, Recipient, TemplateName
from carewright.kernel.errors import BadInput
from carewright.kernel.jobs import ATTEMPTS_MAX
from carewright.notifications import model
from carewright.notifications.model import DELIVERIES_MAX, Words
from carewright.notifications.store import languages
from tests.samples import known_id

NOW = datetime(2026, 11, 24, 20, 5, tzinfo=UTC)
WHEN = Moment(at=NOW, zone="America/Chicago")
LONGEST = {
    "hospital": "St. Bartholomew Regional Medical Center", "site": "North Lakeside Ambulatory Center", "code": "12345678", "minutes": "10",
    "ticket": "A1017", "link": "https://appointments.st-bartholomew-regional.example/answer/offer/cwl_" + "0" * 32,
    "when": Moment(at=datetime(2026, 9, 30, 17, 59, tzinfo=UTC), zone="America/Chicago"), "until": WHEN,
    "instead": Moment(at=datetime(2026, 9, 30, 23, 45, tzinfo=UTC), zone="America/Chicago"),
}  # fmt: skip
PATIENT = Recipient(kind="patient", id=str(known_id(1)))
CODE = Notice(
    template="sign_in_code", recipient=PATIENT, channel="sms", contact="+1 312 555 0147",
    values={"hospital": "Lakeside", "code": "04711234", "minutes": "10"},
)  # fmt: skip
BOOKED = replace(
    CODE, template="appointment_booked", values={"hospital": "Lakeside", "when": WHEN, "site": "Main Hospital", "code": "KMT 4RW"}
)


def notice_of(template: TemplateName) -> Notice:
    return replace(CODE, template=template, values={name: LONGEST[name] for name in TEMPLATES[template]})


@pytest.fixture(params=sorted(languages()))
def words(request: pytest.FixtureRequest) -> Words:
    return languages()[request.param]


def test_english_and_spanish_are_written() -> None:
    assert {"en", "es"} <= set(languages())


def test_a_language_has_every_template_and_no_other(words: Words) -> None:
    assert set(words.templates) == set(TEMPLATES)


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_uses_every_value_it_is_given_and_no_other(words: Words, name: TemplateName) -> None:
    template = words.templates[name]
    assert model.names_in(template.text) == TEMPLATES[name]
    assert model.names_in(template.title) <= TEMPLATES[name]


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_message_fits_and_leaves_nothing_unfilled(words: Words, name: TemplateName) -> None:
    content = model.content_of(notice_of(name), words)
    assert not set("{}") & set(content.title + content.text)
    assert len(content.title) <= model.TITLE_LENGTH_MAX
    assert len(content.text) <= model.TEXT_LENGTH_MAX


def test_a_language_names_every_day_and_month_and_writes_the_whole_date(words: Words) -> None:
    dates = words.dates
    assert (len(set(dates.weekdays)), len(set(dates.months))) == (7, 12)
    assert {"weekday", "month", "day", "year", "minute"} <= model.names_in(dates.instant)
    assert model.names_in(dates.instant) & {"hour24", "hour12"}
    assert ("hour12" in model.names_in(dates.instant)) <= ("half" in model.names_in(dates.instant))


def test_a_time_is_written_as_the_wall_of_its_place_shows_it() -> None:
    assert "Tuesday, November 24, 2026 at 2:05 PM, Main Hospital" in model.content_of(BOOKED, languages()["en"]).text
    assert "martes, 24 de noviembre de 2026, a las 2:05 p. m., Main Hospital" in model.content_of(BOOKED, languages()["es"]).text


@pytest.mark.parametrize(("hour", "shown"), [(0, "12:05 AM"), (11, "11:05 AM"), (12, "12:05 PM"), (23, "11:05 PM")])
def test_midnight_and_noon_are_told_apart(hour: int, shown: str) -> None:
    at = Moment(at=datetime(2026, 1, 5, hour, 5, tzinfo=UTC), zone="UTC")
    assert shown in model.content_of(replace(BOOKED, values=BOOKED.values | {"when": at}), languages()["en"]).text


def test_what_a_value_holds_is_text_and_never_a_name_again() -> None:
    content = model.content_of(replace(CODE, values=CODE.values | {"hospital": "{code}"}), languages()["en"])
    assert content.title == "Your code for {code}"


@pytest.mark.parametrize(
    ("asked", "found"),
    [("es", "es"), ("es-MX", "es"), ("es-Latn-MX", "es"), ("en-GB", "en"), ("ja", "en"), (None, "en"), ("", "en"), ("e", "en")],
)
def test_the_nearest_language_is_chosen(asked: str | None, found: str) -> None:
    assert model.language_for(asked, {"en", "es"}, "en") == found


@pytest.mark.parametrize(
    "changed",
    [
        {"contact": None},
        {"channel": "inbox"},
        {"contact": "a\nb"},
        {"contact": ""},
        {"values": {}},
        {"values": CODE.values | {"name": "Margaret"}},
        {"values": CODE.values | {"code": ""}},
        {"values": CODE.values | {"code": "1\r\nBcc: x"}},
        {"recipient": Recipient(kind="patient", id="Margaret")},
    ],
    ids=str,
)
def test_a_notice_that_is_not_sound_is_refused(changed: dict[str, Any]) -> None:
    model.ensure_sound(CODE)
    with pytest.raises(BadInput):
        model.ensure_sound(replace(CODE, **changed))


@pytest.mark.parametrize("zone", ["Mars/Olympus", "../etc/passwd", "/etc/localtime", "America"])
def test_a_zone_that_does_not_exist_is_refused(zone: str) -> None:
    at = Moment(at=NOW, zone=zone)
    with pytest.raises(BadInput):
        model.content_of(replace(BOOKED, values=BOOKED.values | {"when": at}), languages()["en"])


def test_a_text_is_forgotten_as_soon_as_it_is_worth_nothing() -> None:
    soon = NOW + timedelta(minutes=10)
    assert model.forget_at(replace(CODE, until_at=soon), NOW, 30) == soon
    assert model.forget_at(CODE, NOW, 30) == NOW + timedelta(days=30)
    assert model.forget_at(replace(CODE, until_at=NOW + timedelta(days=99)), NOW, 30) == NOW + timedelta(days=30)


def test_tries_end_before_the_job_is_given_up() -> None:
    assert DELIVERIES_MAX < ATTEMPTS_MAX


def test_messages_to_one_contact_lie_on_one_telephone(message: Message) -> None:
    assert model.reader_of(message) == model.reader_of(replace(message, text="another"))
    assert model.reader_of(message) != model.reader_of(replace(message, contact="+1 312 555 0148"))
    to_role = replace(message.communication, recipient=Recipient(kind="role", id="privacy-officer"))
    assert model.reader_of(replace(message, communication=to_role, contact=None)) == ("role", "privacy-officer")


@pytest.fixture
def message() -> Message:
    sent = Communication(
        id=known_id(2), status="completed", status_reason=None, template="sign_in_code", language="en", channel="sms", recipient=PATIENT,
        created_at=NOW, sent_at=NOW,
    )  # fmt: skip
    return Message(communication=sent, contact="+1 312 555 0147", title="x", text="y")
