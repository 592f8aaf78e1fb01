"""What somebody types to find a patient, understood."""

from datetime import date

import pytest

from carewright.console.http.find import HITS_MAX, wanted
from carewright.contracts.patients import FindPatients


@pytest.mark.parametrize(
    ("words", "family", "birth_on"),
    [
        ("Meyer", "Meyer", None), ("Meyer, Anna", "Meyer, Anna", None), ("Meyer 1980-02-29", "Meyer", date(1980, 2, 29)),
        ("1980-02-29  van Dyk", "van Dyk", date(1980, 2, 29)), ("1980-02-29", None, date(1980, 2, 29)),
    ],
)  # fmt: skip
def test_a_name_and_a_birth_date_are_told_apart(words: str, family: str | None, birth_on: date | None) -> None:
    assert wanted(words) == FindPatients(family=family, birth_on=birth_on, limit=HITS_MAX)


@pytest.mark.parametrize("words", ["", "M", "1980-02-31", "1980-13-01 Meyer"])
def test_what_is_too_little_or_no_date_looks_for_nobody(words: str) -> None:
    assert wanted(words) is None
