"""What screens and kiosks say: the same in every language that is written, and waits that are no finer than anybody can tell."""

import string

import pytest

from carewright.console.http.stations import LANGUAGES
from carewright.lobby.http.texts import languages
from carewright.lobby.model.words import spoken, wait_range

ENGLISH = languages()["en"]


def fields_of(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("tag", sorted(languages()))
def test_every_language_says_everything_with_the_same_names_in_it(tag: str) -> None:
    language = languages()[tag]
    for words, english in ((language.words, ENGLISH.words), (language.kiosk, ENGLISH.kiosk)):
        assert words.keys() == english.keys()
        assert all(fields_of(words[key]) == fields_of(english[key]) for key in words)
        assert all(words.values())


def test_the_staffs_page_offers_the_languages_that_are_written() -> None:
    assert {tag: each.name for tag, each in languages().items()} == LANGUAGES


@pytest.mark.parametrize(
    ("wanted", "tags"),
    [(("es", "en"), ["es", "en"]), (("es-MX", "es"), ["es"]), (("xx",), ["en"]), (("xx", "es"), ["es"]), ((), ["en"])],
)
def test_a_station_speaks_what_it_is_asked_to_as_far_as_that_is_written(wanted: tuple[str, ...], tags: list[str]) -> None:
    assert [each.tag for each in spoken(wanted, languages())] == tags


@pytest.mark.parametrize(
    ("low", "high", "written"), [(0, 0, "0–5"), (7, 21, "5–25"), (10, 25, "10–25"), (None, 5, ""), (5, None, "")]
)  # fmt: skip
def test_a_wait_is_told_in_steps_of_five_minutes_outwards(low: int | None, high: int | None, written: str) -> None:
    assert wait_range(low, high) == written
