import json
from copy import deepcopy
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carewright.fhir.model.limits import DEPTH_MAX, VALUES_MAX
from carewright.fhir.model.patching import (
    OPERATIONS_MAX,
    PatchDoesNotFit,
    PatchMalformed,
    PatchMisses,
    PatchTestFailed,
    PatchTooLarge,
    is_same,
    patched,
)
from carewright.kernel.errors import Refusal

FOLDER = Path(__file__).parent / "json_patch"
PUBLIC = [
    pytest.param(case, id=f"{name} {number}: {case.get('comment', '')[:40]}")
    for name in ("tests", "spec_tests")
    for number, case in enumerate(json.loads((FOLDER / f"{name}.json").read_text("utf-8")))
    if not case.get("disabled") and "patch" in case
]
Object = dict[str, Any]


@pytest.mark.parametrize("case", PUBLIC)
def test_the_public_tests_of_json_patch_hold(case: Object) -> None:
    before = deepcopy(case["doc"])
    if "error" in case:
        with pytest.raises(Refusal):
            patched(case["doc"], case["patch"])
    else:
        assert is_same(patched(case["doc"], case["patch"]), case.get("expected", case["doc"]))
    assert case["doc"] == before


def test_the_public_tests_are_all_there() -> None:
    assert len(PUBLIC) == 108


@pytest.mark.parametrize(
    ("patch", "refusal"),
    [
        ({}, PatchMalformed), ([7], PatchMalformed), ([{"op": "join", "path": ""}], PatchMalformed), ([{"op": ["add"]}], PatchMalformed),
        ([{"op": "add", "path": "/a"}], PatchMalformed), ([{"op": "add", "path": "a", "value": 1}], PatchMalformed),
        ([{"op": "remove", "path": "/a~2"}], PatchMalformed), ([{"op": "move", "path": "/a"}], PatchMalformed),
        ([{"op": "remove", "path": "/b"}], PatchMisses), ([{"op": "replace", "path": "/a/0", "value": 1}], PatchMisses),
        ([{"op": "add", "path": "/a/b/c", "value": 1}], PatchMisses), ([{"op": "remove", "path": "/l/-"}], PatchMisses),
        ([{"op": "remove", "path": "/l/01"}], PatchMisses), ([{"op": "add", "path": "/l/2", "value": 1}], PatchMisses),
        ([{"op": "move", "from": "/o", "path": "/o/p"}], PatchDoesNotFit), ([{"op": "remove", "path": ""}], PatchDoesNotFit),
        ([{"op": "test", "path": "/a", "value": True}], PatchTestFailed),
        ([{"op": "test", "path": "", "value": {}}] * (OPERATIONS_MAX + 1), PatchTooLarge),
        ([{"op": "test", "path": "/a" * (DEPTH_MAX + 1), "value": 1}], PatchTooLarge),
    ],
)  # fmt: skip
def test_a_patch_that_cannot_be_done_is_refused(patch: object, refusal: type[Refusal]) -> None:
    document = {"a": 1, "l": [1], "o": {}}
    with pytest.raises(refusal):
        patched(document, patch)
    assert document == {"a": 1, "l": [1], "o": {}}


def test_a_refusal_says_which_operation_it_was() -> None:
    with pytest.raises(PatchMisses) as refused:
        patched({"a": 1}, [{"op": "test", "path": "/a", "value": 1}, {"op": "remove", "path": "/Zebra"}])
    assert refused.value.facts == {"operation": 1}
    assert "Zebra" not in str(refused.value)


def test_copies_do_not_grow_without_end() -> None:
    with pytest.raises(PatchTooLarge):
        patched({"a": [1]}, [{"op": "copy", "from": "/a", "path": "/a/-"}] * 40)
    wide = [{"op": "copy", "from": "/a", "path": f"/b{number}"} for number in range(40)]
    with pytest.raises(PatchTooLarge):
        patched({"a": [1] * (VALUES_MAX // 20)}, wide)


def test_nothing_gets_deeper_than_can_be_walked() -> None:
    down = "/a" * (DEPTH_MAX - 2)
    chain: Any = {}
    for _ in range(DEPTH_MAX - 3):
        chain = {"a": chain}
    sinking = [
        {"op": "move", "from": "/a", "path": "/b"},
        {"op": "add", "path": "/a", "value": chain},
        {"op": "move", "from": "/b", "path": down},
    ]
    with pytest.raises(PatchTooLarge):
        patched({"a": chain}, sinking * 20)


def test_equality_is_that_of_json() -> None:
    assert is_same({"a": [1, None, "x"]}, {"a": [Decimal("1.0"), None, "x"]})
    assert is_same(True, True)
    for one, other in ((True, 1), (0, False), (None, 0), (None, False), ("1", 1), ([], {}), ([1], [1, 2]), ({"a": 1}, {"b": 1})):
        assert not is_same(one, other)
        assert not is_same(other, one)


values = st.recursive(st.none() | st.booleans() | st.integers(0, 3), lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
    st.sampled_from(["a", "b"]), inner, max_size=2), max_leaves=8)  # fmt: skip
pointers = st.lists(st.sampled_from(["a", "b", "0", "1", "-"]), max_size=3).map(lambda tokens: "".join(f"/{token}" for token in tokens))
operations = st.fixed_dictionaries(
    {"op": st.sampled_from(["add", "remove", "replace", "move", "copy", "test"]), "path": pointers, "from": pointers, "value": values}
)


@given(values, st.lists(operations, max_size=5))
def test_a_patch_is_done_as_a_whole_or_refused(document: Any, patch: list[Object]) -> None:
    before = deepcopy(document)
    try:
        first = patched(document, patch)
    except Refusal:
        first = None
    assert document == before
    if first is not None:
        assert is_same(patched(before, patch), first)


@given(values, values)
def test_what_is_replaced_as_a_whole_is_replaced(document: Any, other: Any) -> None:
    patch = [{"op": "test", "path": "", "value": document}, {"op": "replace", "path": "", "value": other}]
    assert is_same(patched(document, patch), other)
