"""Refusals as problem documents, there and back."""

import msgspec

from carewright.kernel.errors import PreconditionFailed, Refusal
from carewright.kernel.http.problems import document, refusal_from


def test_a_fact_never_takes_the_place_of_a_standard_member() -> None:
    shown = document(Refusal("No.", status="booked", type="visit", title="Dr", code_given="x"))
    assert (shown["status"], shown["type"], shown["title"]) == (400, "/api/docs#kernel.refused", "The request was refused.")
    assert shown["code_given"] == "x"


def test_a_refusal_comes_over_the_wire_as_it_went() -> None:
    got = refusal_from(msgspec.json.encode(document(PreconditionFailed("Changed.", version=3))))
    assert (type(got), got.detail, got.facts) == (PreconditionFailed, "Changed.", {"version": 3})
