"""Laws of searching, held against brute force over made-up dates, numbers, texts and tokens."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import get_args

from hypothesis import given
from hypothesis import strategies as st

from carewright.fhir.model.searching import strings
from carewright.fhir.model.searching.definitions import Path
from carewright.fhir.model.searching.escapes import escaped, plain, split
from carewright.fhir.model.searching.ranges import Prefix, Span, date_matches, number_matches, number_of, span_of
from carewright.fhir.model.searching.strings import folded
from tests.unit.fhir.searching.asking import is_found

ORIGIN = datetime(2026, 1, 1, tzinfo=UTC)
MOMENTS = st.integers(min_value=-2_000_000_000, max_value=700_000_000).map(lambda seconds: ORIGIN + timedelta(seconds=seconds))
FORMS = ["%Y", "%Y-%m", "%Y-%m-%d", "%Y-%m-%dT%H:%MZ", "%Y-%m-%dT%H:%M:%SZ"]
DATES = st.builds(lambda moment, form: moment.strftime(form), MOMENTS, st.sampled_from(FORMS))
PREFIXES = st.sampled_from(get_args(Prefix))
NUMBERS = st.decimals(min_value=-1000, max_value=1000, places=2).map(str)
TICKS = st.integers(min_value=0, max_value=8)
TEXTS = st.text(max_size=12)
LETTERS = st.text(alphabet="aÀbéßzØ", max_size=5)
SPANS = st.tuples(TICKS, TICKS).filter(lambda pair: pair[0] < pair[1])


def brute(prefix: Prefix, asked: tuple[int, int], held: tuple[int, int]) -> bool:
    """The sentences of R4's table of prefixes, over sets of ticks. Ticks 0 to 9 stand for all time."""
    mine, theirs = set(range(*asked)), set(range(*held))
    above, below = set(range(asked[1], 10)), set(range(asked[0]))
    says = {
        "eq": theirs <= mine,
        "ne": not theirs <= mine,
        "gt": bool(above & theirs),
        "lt": bool(below & theirs),
        "ge": bool(above & theirs) or theirs <= mine,
        "le": bool(below & theirs) or theirs <= mine,
        "sa": not mine & theirs and theirs <= above,
        "eb": not mine & theirs and theirs <= below,
        "ap": bool(mine & theirs),
    }
    return says[prefix]


def span(ticks: tuple[int, int]) -> Span:
    return Span(ORIGIN + timedelta(hours=ticks[0]), ORIGIN + timedelta(hours=ticks[1]))


@given(PREFIXES, SPANS, SPANS)
def test_a_prefix_says_of_ranges_what_it_says_of_sets(prefix: Prefix, asked: tuple[int, int], held: tuple[int, int]) -> None:
    now = span(asked).start
    assert date_matches(prefix, span(asked), span(held), now) == brute(prefix, asked, held)


@given(DATES)
def test_a_date_finds_itself(text: str) -> None:
    resource = {"resourceType": "Observation", "effectiveDateTime": text}
    assert [prefix for prefix in get_args(Prefix) if is_found(f"date={prefix}{text}", resource)] == ["eq", "ge", "le", "ap"]


@given(MOMENTS, DATES)
def test_a_moment_lies_before_within_or_after_a_date(moment: datetime, text: str) -> None:
    resource = {"resourceType": "Observation", "effectiveInstant": moment.isoformat().replace("+00:00", "Z")}
    assert sum(is_found(f"date={prefix}{text}", resource) for prefix in ("eb", "eq", "sa")) == 1


@given(DATES)
def test_a_coarser_date_contains_a_finer_one(text: str) -> None:
    whole = span_of(text, UTC)
    assert whole.start < whole.end
    assert span_of(text[:4], UTC).contains(whole)


@given(NUMBERS, NUMBERS)
def test_numbers_compare_by_their_values(asked: str, held: str) -> None:
    number, value = number_of(asked), Decimal(held)
    says = {prefix: number_matches(prefix, number, value, value) for prefix in get_args(Prefix)}
    assert says["gt"] == says["sa"] == (value > Decimal(asked))
    assert says["lt"] == says["eb"] == (value < Decimal(asked))
    assert (says["ge"], says["le"]) == (not says["lt"], not says["gt"])
    assert says["ne"] == (not says["eq"])
    assert says["eq"] == (number.low <= value < number.high)
    assert says["ap"] or not says["eq"]


@given(NUMBERS)
def test_a_number_lies_within_its_own_range(text: str) -> None:
    number = number_of(text)
    assert number.low < number.value < number.high


@given(st.lists(TEXTS, min_size=1, max_size=4), st.sampled_from(",|$"))
def test_escaped_values_come_apart_as_they_were_put_together(texts: list[str], separator: str) -> None:
    assert [plain(piece) for piece in split(separator.join(escaped(text) for text in texts), separator)] == texts


@given(LETTERS, LETTERS)
def test_every_beginning_of_a_text_finds_it_whatever_its_case_and_accents(begin: str, rest: str) -> None:
    path = Path("family", "string")
    assert all(strings.matches(text, "", path, begin + rest) for text in (begin, begin.upper(), begin.lower(), folded(begin)))
    assert strings.matches(begin, "contains", path, rest + begin)
    assert strings.matches(begin, "exact", path, begin + rest) == (not rest)


@given(
    st.text(alphabet="abcAB1", min_size=1, max_size=4), st.text(alphabet="abcAB1", min_size=1, max_size=4), st.sampled_from(["", "s", "t"])
)
def test_a_token_is_found_or_its_opposite_is(asked: str, held: str, system: str) -> None:
    resource = {"resourceType": "Patient", "identifier": [{"system": system, "value": held} if system else {"value": held}]}
    for text in (asked, f"s|{asked}", f"|{asked}", "s|"):
        assert is_found(f"identifier={text}", resource) != is_found(f"identifier:not={text}", resource)
    assert is_found(f"identifier={asked}", resource) == (asked.casefold() == held.casefold())
