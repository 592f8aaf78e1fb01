"""Nothing that was released is taken back: of the API, of FHIR; and whatever is taken back is seen."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from tests.contracts import released
from tests.contracts.breaking import breaks

NOW = released.described()
BOOK = "/api/v1/appointments"
Spoil = Callable[[dict[str, Any]], Any]


def schema(document: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = document["components"]["schemas"][name]
    return found


def answer(document: dict[str, Any]) -> dict[str, Any]:
    return schema(document, "Appointment")


def body(document: dict[str, Any]) -> dict[str, Any]:
    return schema(document, "BookAppointment")


def note(document: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = body(document)["properties"]["note"]["anyOf"][0]
    return found


def parameter(document: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = document["paths"][BOOK]["get"]["parameters"][0]
    return found


def test_nothing_that_was_released_is_missing() -> None:
    assert released.missing() == [], "put it back, or offer the new beside the old"


SPOILED: list[tuple[Spoil, str]] = [
    (lambda document: document["paths"].pop(BOOK), f"POST {BOOK} is gone"),
    (lambda document: document["paths"][BOOK].pop("get"), f"GET {BOOK} is gone"),
    (lambda document: document["paths"][BOOK]["post"]["responses"].pop("201"), f"POST {BOOK} answers 201 no more"),
    (lambda document: document["paths"][BOOK]["post"].update({"x-permission": "other"}), f"POST {BOOK} asks for another permission"),
    (lambda document: document["paths"][BOOK]["post"].pop("requestBody"), f"POST {BOOK} body came or went"),
    (lambda document: document["paths"][BOOK]["get"]["parameters"].pop(0), "no more"),
    (lambda document: parameter(document).update(required=True), f"GET {BOOK} requires"),
    (lambda document: answer(document)["properties"].pop("start"), f"POST {BOOK} 201.start is gone"),
    (lambda document: answer(document)["required"].remove("start"), f"POST {BOOK} 201.start may be missing"),
    (lambda document: answer(document)["properties"].update(start={"type": "integer"}), f"POST {BOOK} 201.start may be integer"),
    (lambda document: body(document)["properties"].pop("note"), f"POST {BOOK} body.note is gone"),
    (lambda document: body(document)["required"].append("note"), f"POST {BOOK} body.note is required"),
    (lambda document: body(document)["properties"].update(note={"type": "string"}), f"POST {BOOK} body.note may be null no more"),
    (lambda document: note(document).update(maxLength=10), f"POST {BOOK} body.note has a lower maxLength"),
    (lambda document: note(document).update(minLength=9), f"POST {BOOK} body.note has a higher minLength"),
    (lambda document: note(document).update(pattern="x"), f"POST {BOOK} body.note has another pattern"),
    (lambda document: note(document).update(enum=["x"]), f"POST {BOOK} body.note may be any other no more"),
]


@pytest.mark.parametrize(("spoil", "says"), SPOILED, ids=[says for _, says in SPOILED])
def test_what_is_taken_back_is_seen(spoil: Spoil, says: str) -> None:
    spoiled = deepcopy(NOW)
    spoil(spoiled)
    assert any(says in each for each in breaks(NOW, spoiled)), breaks(NOW, spoiled)


@pytest.mark.parametrize("name", ["start", "site_id"])
def test_a_value_less_to_choose_from_is_seen(name: str) -> None:
    before, after = deepcopy(NOW), deepcopy(NOW)
    schema(before, "PickedTime")["properties"][name] = {"type": "string", "enum": ["a", "b"]}
    schema(after, "PickedTime")["properties"][name] = {"type": "string", "enum": ["a"]}
    assert any(f".{name} may be b no more" in each for each in breaks(before, after))
    assert breaks(after, before) == []


def test_what_comes_new_breaks_nobody() -> None:
    grown = deepcopy(NOW)
    grown["paths"]["/api/v1/new"] = deepcopy(grown["paths"][BOOK])
    answer(grown)["properties"]["more"] = {"type": "string"}
    body(grown)["properties"]["more"] = {"type": "string"}
    parameter(grown)["schema"].pop("maxLength", None)
    assert breaks(NOW, grown) == []


def test_prose_is_no_promise() -> None:
    told = {
        "properties": {"title": {"type": "string", "description": "a word"}},
        "title": "Book",
        "responses": {"200": {"description": "Done."}},
    }
    assert released.without_prose(told) == {"properties": {"title": {"type": "string"}}, "responses": {"200": {}}}


STATEMENT: dict[str, Any] = {"format": ["json"], "rest": [{"resource": [{
    "type": "Slot", "interaction": [{"code": "read"}], "searchParam": [{"name": "start", "type": "date"}],
    "searchInclude": ["Slot:schedule"], "operation": [{"name": "find", "definition": "urn:find"}],
}]}]}  # fmt: skip


@pytest.mark.parametrize("name", ["interaction", "searchParam", "searchInclude", "operation"])
def test_whatever_the_statement_says_no_more_is_seen(name: str) -> None:
    spoiled = deepcopy(STATEMENT)
    spoiled["rest"][0]["resource"][0][name] = []
    assert len(released.facts(STATEMENT) - released.facts(spoiled)) == 1


def test_a_type_and_a_form_are_promises() -> None:
    assert released.facts({"format": ["json"], "rest": [{"resource": []}]}) == {"form json"}
    assert released.facts(STATEMENT) >= {"form json", "Slot"}
