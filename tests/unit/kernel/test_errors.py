"""Refusals: rebuilt from their codes, whole after a journey as a problem document."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from carewright.kernel import errors
from carewright.kernel.errors import BadInput, NotFound, OutcomeUnknown, Refusal, Unauthenticated, Unavailable, UpstreamRefused, refusal_of
from carewright.kernel.http import problems

KINDS = sorted(Refusal.by_code.values(), key=lambda kind: kind.code)
FACTS = st.dictionaries(
    st.text(st.characters(categories=["Ll"]), min_size=1).filter(lambda name: name not in (*problems.STANDARD, "self")),
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text() | st.lists(st.text()),
)


def test_a_refusal_says_its_sentence_unless_told_better() -> None:
    assert str(NotFound()) == NotFound.title
    assert NotFound("We know no such room.", room_id="7").detail == "We know no such room."
    assert NotFound(room_id="7").facts == {"room_id": "7"}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.code)
def test_a_refusal_is_rebuilt_from_its_code(kind: type[Refusal]) -> None:
    assert type(refusal_of(kind.code)) is kind


def test_a_code_that_nobody_knows_is_another_parts_refusal() -> None:
    unknown = refusal_of("elsewhere.odd", "Because.", number=5)
    assert isinstance(unknown, UpstreamRefused)
    assert unknown.facts == {"upstream_code": "elsewhere.odd", "number": 5}


@given(st.sampled_from(KINDS), st.text(min_size=1), FACTS)
def test_a_refusal_survives_the_wire(kind: type[Refusal], detail: str, facts: dict[str, errors.Fact]) -> None:
    sent = kind(detail, **facts)
    received = problems.refusal_from(msgspec.json.encode(problems.document(sent)))
    assert (type(received), received.detail, received.facts) == (kind, detail, facts)


def test_a_problem_document_has_the_members_of_rfc_9457() -> None:
    document = problems.document(BadInput("Too short.", field="name"))
    assert document == {
        "type": "/api/docs#kernel.bad_input", "title": BadInput.title, "status": 400, "detail": "Too short.",
        "code": "kernel.bad_input", "field": "name",
    }  # fmt: skip


def test_an_answer_says_when_to_come_back_and_how_to_sign_in() -> None:
    away = problems.response(Unavailable())
    assert away.media_type == "application/problem+json"
    assert away.status_code == 503
    assert away.headers["retry-after"].isdigit()
    assert problems.response(Unauthenticated()).headers["www-authenticate"].startswith("Bearer")
    assert "retry-after" not in problems.response(NotFound()).headers
    assert problems.response(NotFound()).headers["cache-control"] == "no-store"


@pytest.mark.parametrize("body", [b"", b"<html>502 Bad Gateway</html>", b"[]", b'"x"', b'{"title": "no code"}', b"\xff"])
def test_an_answer_that_is_no_problem_document_is_another_parts_refusal(body: bytes) -> None:
    assert isinstance(problems.refusal_from(body), UpstreamRefused)


def test_who_waits_for_the_database_waits_whatever_the_outcome() -> None:
    assert issubclass(OutcomeUnknown, Unavailable)
