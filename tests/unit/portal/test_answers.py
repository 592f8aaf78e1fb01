"""The page that a message leads to: without signing in, in the patient's language, and changed by a form of ours alone."""

import re
import string

import pytest
from msgspec.structs import replace

from carewright.contracts.elsewhere import NoMoreTime, SayByLink, StayNear, TellTheDesk
from carewright.contracts.flow import StepNotAllowed
from carewright.kernel.errors import PreconditionFailed, Refusal
from carewright.portal.http.texts import language_for, languages
from tests.unit.portal import double
from tests.unit.portal.double import Hospital
from tests.unit.portal.double_queues import TOKEN
from tests.unit.portal.test_pages import Browser, Opened, hospital, opened
from tests.unit.portal.test_turn import ASKED, AWAY, COMES, TOLD, TURN

__all__ = ("hospital", "opened")
PLACE = f"/answer/turn/{TOKEN}"


@pytest.fixture
def visitor(opened: Opened, hospital: Hospital) -> Browser:
    """Nobody who is signed in, with somebody's link."""
    hospital.queues.turns, hospital.queues.told = [ASKED], {TURN.id: TOLD}
    return opened(organization_id=double.ORGANIZATION_ID)


def names_in(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_every_language_says_everything_with_the_same_names_in_it() -> None:
    english = languages()["en"]
    for words in languages().values():
        assert words.keys() == english.keys()
        assert all(names_in(words[key]) == names_in(english[key]) for key in words)
        assert all(words.values())
    assert (language_for("es-MX"), language_for("tlh"), language_for(None)) == ("es", "en", "en")


async def test_opening_the_page_changes_nothing_and_names_nobody(visitor: Browser, hospital: Hospital) -> None:
    await visitor.get(PLACE)
    answer = await visitor.get(PLACE)
    assert answer.status_code == 200
    for told in ("A017", "How far away will you be?", "Most likely between 10 and 35 minutes."):
        assert told in visitor.page
    assert re.findall(r'name="minutes" value="(\d+)"', visitor.page) == ["5", "10", "20", "30", "45"]
    assert hospital.queues.said_by_link == []
    for kept in (double.MARGARET.family, double.MARGARET.given[0], str(double.MARGARET.id), str(TURN.patient_id)):
        assert kept not in visitor.page
    assert answer.headers["cache-control"] == "no-store"


async def test_one_tap_answers(visitor: Browser, hospital: Hospital) -> None:
    await visitor.get(PLACE)
    await visitor.post(PLACE, say="away", minutes="20", version="1")
    assert hospital.queues.said_by_link == [SayByLink(token=TOKEN, say="away", travel_minutes=20, expected_version=1)]
    assert "Thank you, we have noted that." in visitor.page
    hospital.queues.turns = [replace(AWAY, status="left")]
    await visitor.post(PLACE, say="leave", version="2")
    assert "You do not wait any more." in visitor.page
    assert 'name="say"' not in visitor.page


async def test_a_form_that_is_not_ours_changes_nothing(visitor: Browser, hospital: Hospital) -> None:
    await visitor.get(PLACE)
    answer = await visitor.post(PLACE, {"Origin": "https://evil.example"}, say="leave", version="1")
    assert answer.status_code == 403
    assert hospital.queues.said_by_link == []


async def test_it_speaks_the_patients_language(visitor: Browser, hospital: Hospital) -> None:
    hospital.patient = replace(double.MARGARET, language="es-MX")
    hospital.queues.turns = [replace(COMES, patient_id=double.MARGARET.id)]
    await visitor.get(PLACE)
    assert '<html lang="es">' in visitor.page
    assert "Necesito 10 minutos más" in visitor.page
    await visitor.post(PLACE, say="back", version="1")
    assert "Gracias, lo hemos anotado." in visitor.page


@pytest.mark.parametrize(("say", "minutes"), [("", ""), ("dance", ""), ("away", ""), ("away", "61"), ("back", "5")])
async def test_what_is_nonsense_changes_nothing(visitor: Browser, hospital: Hospital, say: str, minutes: str) -> None:
    await visitor.get(PLACE)
    await visitor.post(PLACE, say=say, minutes=minutes, version="1")
    assert "We did not understand that." in visitor.page
    assert hospital.queues.said_by_link == []


@pytest.mark.parametrize(
    ("refusal", "said"),
    [(StepNotAllowed(), "That is not possible any more."), (StayNear(why="soon"), "Please stay near"),
     (TellTheDesk(), "Please tell the desk"), (NoMoreTime(), "We cannot give you more time."),
     (PreconditionFailed(version=3), "That is not possible any more.")],
)  # fmt: skip
async def test_answering_twice_or_too_late_is_told_kindly(visitor: Browser, hospital: Hospital, refusal: Refusal, said: str) -> None:
    await visitor.get(PLACE)
    hospital.queues.refusal = refusal
    await visitor.post(PLACE, say="more-time", version="1")
    assert said in visitor.page
    assert "A017" in visitor.page


@pytest.mark.parametrize("token", ["cwl_" + "f" * 32, "x", "0" * 500])
async def test_whatever_is_wrong_with_a_link_is_told_in_one_way(visitor: Browser, token: str) -> None:
    answer = await visitor.get(f"/answer/turn/{token}")
    assert answer.status_code == 403
    assert "This address does not work any more" in visitor.page
    assert "A017" not in visitor.page
