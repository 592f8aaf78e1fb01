"""Who fills which role: nobody twice at once, somebody for everybody, and who is there now stays where that can be."""

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from carewright.scheduling.model.naming import Span, named

UNITS = (1, 2, 3)
SPANS = st.lists(st.tuples(st.integers(0, 20), st.integers(1, 6), st.sampled_from((None, *UNITS)), st.booleans()), max_size=14)


def most_at_once(spans: list[Span]) -> int:
    return max((sum(each.since <= tick < each.until for each in spans) for tick in range(30)), default=0)


@given(SPANS)
def test_nobody_is_in_two_places_and_somebody_in_each(drawn: list[tuple[int, int, int | None, bool]]) -> None:
    spans: list[Span] = []
    for since, ticks, _, _ in drawn:
        one = Span(since, since + ticks, len(spans))
        spans += [one] if most_at_once([*spans, one]) <= len(UNITS) else []
    now = {span.role: drawn[span.role][2] for span in spans}
    who = dict(named(UNITS, sorted(spans), now, {span.role for span in spans if drawn[span.role][3]}))
    assert set(who) == {span.role for span in spans}
    for one, other in combinations(spans, 2):
        assert one.until <= other.since or other.until <= one.since or who[one.role] != who[other.role]


def test_who_has_not_moved_keeps_theirs_before_somebody_who_comes_earlier() -> None:
    spans = [Span(0, 6, 0), Span(4, 9, 1)]
    assert dict(named((1, 2), spans, {0: 1, 1: 1}, {1})) == {0: 2, 1: 1}


def test_one_makes_room_and_the_others_stay() -> None:
    """Nobody is free for role 3 all the time, until who fills role 1 changes places; the rest goes on."""
    spans = [Span(0, 4, 0), Span(4, 8, 1), Span(0, 3, 2), Span(3, 8, 3), Span(0, 8, 4)]
    now = {0: 1, 1: 2, 2: 2, 3: None, 4: 3}
    assert dict(named(UNITS, sorted(spans), now, {0, 1, 2, 4})) == {0: 1, 1: 1, 2: 2, 3: 2, 4: 3}


def test_where_everybody_cannot_stay_somebody_is_there_for_everybody() -> None:
    """Both units are wanted by one after the other, and the third visit lasts over both: one has to change."""
    spans = [Span(0, 4, 0), Span(2, 9, 1), Span(4, 8, 2)]
    who = dict(named((1, 2), spans, {0: 1, 1: None, 2: 2}))
    assert who[0] != who[1] != who[2]
