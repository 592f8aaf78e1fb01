"""The API's document changes only when somebody means it to, and describes every operation in full."""

import json
from typing import Any

import pytest

from tests.contracts import openapi

DOCUMENT = openapi.current()
OPERATIONS = [
    pytest.param(operation, id=operation["operationId"]) for methods in DOCUMENT["paths"].values() for operation in methods.values()
]


def test_the_stored_document_is_the_one_served() -> None:
    assert json.loads(openapi.FILE.read_text("utf-8")) == DOCUMENT, "run: python -m tests.contracts.openapi --write"
    assert openapi.FILE.read_text("utf-8") == openapi.text()


def test_every_operation_has_a_name_of_its_own() -> None:
    names = [operation["operationId"] for methods in DOCUMENT["paths"].values() for operation in methods.values()]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_operation_says_what_it_does_needs_and_refuses(operation: dict[str, Any]) -> None:
    assert operation["summary"]
    assert operation["x-permission"]
    assert {"400", "401", "403", "413", "500", "503"} <= set(operation["responses"])
    assert {"200", "201"} & set(operation["responses"])
    for status, answer in operation["responses"].items():
        assert set(answer["content"]) == {"application/problem+json" if status >= "4" else "application/json"}


def test_every_list_and_text_that_comes_in_has_a_limit() -> None:
    """Bodies of imports are limited by the module that takes them, and by the size of a request."""
    unlimited = [
        f"{parameter['name']} of {operation['operationId']}"
        for methods in DOCUMENT["paths"].values()
        for operation in methods.values()
        for parameter in operation["parameters"]
        if not limited(parameter["schema"])
    ]
    assert unlimited == []


def limited(schema: dict[str, Any]) -> bool:
    if "anyOf" in schema:
        return all(limited(option) for option in schema["anyOf"])
    if schema.get("type") == "array":
        return "maxItems" in schema and limited(schema["items"])
    if schema.get("type") == "integer":
        return "maximum" in schema
    return schema.get("type") != "string" or bool({"maxLength", "format", "enum", "pattern"} & set(schema))
