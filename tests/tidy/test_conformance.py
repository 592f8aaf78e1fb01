"""What we claim of the standards: each claim is held by a test that says so, and the page says what the list and the tests say."""

from collections import Counter

import pytest

from tests.tidy import conformance

REQUIREMENTS = [each for section in conformance.sections().values() for each in section]


def test_every_requirement_has_an_id_of_its_own() -> None:
    assert [id_ for id_, count in Counter(each.id for each in REQUIREMENTS).items() if count > 1] == []


def test_every_mark_of_a_test_names_a_requirement() -> None:
    assert conformance.tests_by_id().keys() - {each.id for each in REQUIREMENTS} == set()


def test_what_is_said_to_be_held_is_held_by_a_test() -> None:
    assert [each.id for each in REQUIREMENTS if each.mark == "" and each.id not in conformance.tests_by_id()] == []


def test_what_does_not_apply_is_held_by_no_test() -> None:
    assert [each.id for each in REQUIREMENTS if each.mark == "-" and each.id in conformance.tests_by_id()] == []


def test_the_page_is_the_one_that_the_list_and_the_tests_make() -> None:
    assert conformance.PAGE.read_text("utf-8") == conformance.page(), "run: python -m tests.tidy.conformance --write"


@pytest.mark.parametrize("line", ["A.1", "A.1 | SHALL", "A.1 | SHALL | words | ? perhaps it does", "A.1 | SHALL | words | ! short"])
def test_a_line_out_of_form_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match="out of form"):
        conformance.requirement(line)


def test_a_gap_that_tests_hold_a_part_of_is_partly_open() -> None:
    part = conformance.requirement("ITI-117.5 | SHALL | words | ! it is not wrapped yet")
    assert conformance.state_of(part) == "partly"
    assert conformance.state_of(part._replace(id="nobody")) == "open"
