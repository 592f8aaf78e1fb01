"""Text as people search for it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carewright.kernel.folding import folded


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("  GARCÍA  Øre ", "garcia ore"),
        ("Straße", "strasse"),
        ("İstanbul Işık", "istanbul isik"),
        ("Łódź", "lodz"),
        ("O'Neil-Smith", "o'neil-smith"),
        ("Åsa", "asa"),
        ("Đặng", "dang"),
        ("ﬁnch", "finch"),
        ("Ελένη", "ελενη"),
        ("王 小明", "王 小明"),
    ],
)
def test_case_accents_and_odd_spaces_do_not_count(text: str, expected: str) -> None:
    assert folded(text) == expected


@given(st.text(max_size=50))
def test_folded_text_stays_as_it_is(text: str) -> None:
    assert folded(folded(text)) == folded(text)


@given(st.text(max_size=50))
def test_what_differs_in_case_alone_is_found_alike(text: str) -> None:
    assert folded(text.lower()) == folded(text.lower().casefold())
