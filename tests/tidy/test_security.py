"""What we claim of ASVS and HIPAA: every requirement is on the list, every named test exists, and the pages say what the lists say."""

from collections import Counter

import pytest

from tests.tidy import security

SECTIONS = {
    "V1.1": 2, "V1.2": 10, "V1.3": 12, "V1.4": 3, "V1.5": 3, "V2.1": 3, "V2.2": 3, "V2.3": 5, "V2.4": 2, "V3.1": 1, "V3.2": 3,
    "V3.3": 5, "V3.4": 8, "V3.5": 8, "V3.6": 1, "V3.7": 5, "V4.1": 5, "V4.2": 5, "V4.3": 2, "V4.4": 4, "V5.1": 1, "V5.2": 6, "V5.3": 3,
    "V5.4": 3, "V6.1": 3, "V6.2": 12, "V6.3": 8, "V6.4": 6, "V6.5": 8, "V6.6": 4, "V6.7": 2, "V6.8": 4, "V7.1": 3, "V7.2": 4,
    "V7.3": 2, "V7.4": 5, "V7.5": 3, "V7.6": 2, "V8.1": 4, "V8.2": 4, "V8.3": 3, "V8.4": 2, "V9.1": 3, "V9.2": 4, "V10.1": 2,
    "V10.2": 3, "V10.3": 5, "V10.4": 16, "V10.5": 5, "V10.6": 2, "V10.7": 3, "V11.1": 4, "V11.2": 5, "V11.3": 5, "V11.4": 4,
    "V11.5": 2, "V11.6": 2, "V11.7": 2, "V12.1": 5, "V12.2": 2, "V12.3": 5, "V13.1": 4, "V13.2": 6, "V13.3": 4, "V13.4": 7, "V14.1": 2,
    "V14.2": 8, "V14.3": 3, "V15.1": 5, "V15.2": 5, "V15.3": 7, "V15.4": 4, "V16.1": 1, "V16.2": 5, "V16.3": 4, "V16.4": 3, "V16.5": 4,
    "V17.1": 2, "V17.2": 8, "V17.3": 2,
}  # fmt: skip
"""Requirements in each section of ASVS 5.0.0: https://github.com/OWASP/ASVS/tree/v5.0.0."""
LEVELS = {"L1": 70, "L2": 183, "L3": 92}
CLAUSES = {"164.308": 30, "164.312": 12, "164.316": 5, "164.528": 10}


@pytest.mark.parametrize("name", security.TITLES)
def test_every_named_test_exists(name: str) -> None:
    known = security.tests_by_name()
    missing = [f"{each.id}: {test}" for each in security.requirements(name) for test in each.tests if f"test_{test}" not in known]
    assert missing == []


@pytest.mark.parametrize("name", security.TITLES)
def test_the_page_is_the_one_that_its_list_makes(name: str) -> None:
    assert security.path_of(name).read_text("utf-8") == security.page(name), "run: python -m tests.tidy.security --write"


def test_every_requirement_of_asvs_is_on_the_list_once() -> None:
    wanted = [f"{section}.{number}" for section, count in SECTIONS.items() for number in range(1, count + 1)]
    listed = security.requirements("asvs")
    assert [each.id for each in listed] == wanted
    assert Counter(each.level for each in listed) == LEVELS


def test_every_clause_of_hipaa_is_on_the_list_once() -> None:
    ids = [each.id for each in security.requirements("hipaa")]
    assert len(set(ids)) == len(ids)
    assert Counter(each.partition("(")[0] for each in ids) == CLAUSES


@pytest.mark.parametrize(
    "line", ["V1.1.1 L1 | words", "V1.1.1 L1 | words | ? perhaps not", "V1.1.1 L1 | words | ! short", "V1.1.1 | L1 | a | b | ! a reason"]
)
def test_a_line_out_of_form_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match="out of form"):
        security.requirement(line)
