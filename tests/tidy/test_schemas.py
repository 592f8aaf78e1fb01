"""Every event has a stored schema, and no event changes its meaning."""

import json
import re
from typing import Any, Literal

import msgspec
import pytest

from tests.tidy import schemas

TOPIC = re.compile(r"^(?P<module>[a-z]+)\.[a-z_]+\.[a-z_]+\.v[1-9]\d*$")
TOPICS = sorted(schemas.events())


@pytest.mark.parametrize("topic", TOPICS)
def test_the_stored_schema_is_the_one_published(topic: str) -> None:
    path = schemas.FOLDER / f"{topic}.json"
    assert path.exists(), "run: python -m tests.tidy.schemas --write"
    stored, current = json.loads(path.read_text("utf-8")), schemas.schema_of(schemas.events()[topic])
    assert schemas.breaks(stored, current) == []
    assert path.read_text("utf-8") == schemas.text_of(current), "run: python -m tests.tidy.schemas --write"


@pytest.mark.parametrize("topic", TOPICS)
def test_a_topic_names_its_module_and_its_version(topic: str) -> None:
    match = TOPIC.match(topic)
    assert match
    assert schemas.events()[topic].__module__ == f"carewright.contracts.{match['module']}"


def test_no_stored_schema_is_left_over() -> None:
    assert {path.stem for path in schemas.FOLDER.glob("*.json")} == set(TOPICS)


class Before(msgspec.Struct):
    id: int
    note: str = ""


def fact(**fields: Any) -> schemas.Schema:
    """The schema of a fact called `Before` with these fields."""
    rows = [(name, *kind) if isinstance(kind, tuple) else (name, kind) for name, kind in fields.items()]
    return schemas.schema_of(msgspec.defstruct("Before", rows))


BEFORE = schemas.schema_of(Before)


def test_a_new_optional_field_breaks_nothing() -> None:
    assert schemas.breaks(BEFORE, fact(id=int, note=(str, ""), more=(str, ""))) == []


def test_a_removed_field_breaks_readers() -> None:
    assert schemas.breaks(BEFORE, fact(id=int)) == ["Before.note is gone"]


def test_a_field_of_another_type_breaks_readers() -> None:
    assert schemas.breaks(BEFORE, fact(id=str, note=(str, ""))) == ["Before.id changed"]


def test_a_new_required_field_breaks_stored_events() -> None:
    assert schemas.breaks(BEFORE, fact(id=int, more=int, note=(str, ""))) == ["Before.more is new and required"]


def test_a_value_less_to_choose_from_breaks_readers() -> None:
    assert schemas.breaks(fact(id=Literal["a", "b"]), fact(id=Literal["a"])) == ["Before.id changed"]
