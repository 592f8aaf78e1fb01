"""Which calendars the page of late running shows, where a hospital has hundreds."""

from datetime import date
from uuid import UUID

from carewright.console.http.disruptions import ON_TIME_MAX, Line, of_letter
from carewright.contracts.delays import Delay


def line(number: int, letter: str, minutes: int = 0) -> Line:
    delay = Delay(
        calendar_id=UUID(int=number), site_id=UUID(int=0), day=date(2026, 1, 1), minutes=minutes, source="detected", affected=0, version=0
    )
    return Line(delay, f"Dr. {letter}", "Practitioner", "", "", letter)


def test_few_are_shown_as_they_are() -> None:
    lines = [line(number, "A") for number in range(ON_TIME_MAX)]
    assert of_letter(lines, "B") == ([], "", lines)


def test_of_many_those_of_one_letter_are_shown_and_whoever_is_late() -> None:
    late = line(0, "Z", 15)
    many = [line(number, "AB"[number % 2]) for number in range(1, ON_TIME_MAX + 2)]
    assert of_letter([late, *many], "B") == (["A", "B"], "B", [late, *(each for each in many if each.letter == "B")])
    assert of_letter([late, *many], "nonsense")[1] == "A"
