"""Codes and topics are for ever: each is used once, and says which module it comes from."""

import importlib
import pkgutil
from collections import Counter
from collections.abc import Iterable, Iterator
from types import ModuleType
from typing import TypeVar

import carewright.contracts
import carewright.kernel
from carewright.kernel.errors import Refusal
from carewright.kernel.events import Event

# http://hl7.org/fhir/R4/valueset-issue-type.html
ISSUE_TYPES = frozenset({
    "invalid", "structure", "required", "value", "invariant", "security", "login", "unknown", "expired", "forbidden", "suppressed",
    "processing", "not-supported", "duplicate", "multiple-matches", "not-found", "deleted", "too-long", "code-invalid", "extension",
    "too-costly", "business-rule", "conflict", "transient", "lock-error", "no-store", "exception", "timeout", "incomplete",
    "throttled", "informational",
})  # fmt: skip
Kind = TypeVar("Kind")
OURS = ("carewright.contracts.", "carewright.kernel.")


def loaded(package: ModuleType) -> Iterator[ModuleType]:
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        yield importlib.import_module(module.name)


def descendants(kind: type[Kind]) -> Iterator[type[Kind]]:
    for each in kind.__subclasses__():
        yield each
        yield from descendants(each)


def published(root: type[Kind]) -> list[type[Kind]]:
    """Every kind below `root` that the kernel or a contract defines."""
    for package in (carewright.kernel, carewright.contracts):
        assert list(loaded(package))
    return [each for each in descendants(root) if each.__module__.startswith(OURS)]


def doubles(words: Iterable[str]) -> list[str]:
    return [word for word, count in Counter(words).items() if count > 1]


def test_no_code_is_used_twice() -> None:
    assert doubles(each.code for each in published(Refusal)) == []


def test_a_code_names_its_module() -> None:
    strangers = [each.code for each in published(Refusal) if each.code.partition(".")[0] not in each.__module__.split(".")]
    assert strangers == []


def test_a_refusal_has_a_status_an_issue_type_and_a_sentence() -> None:
    for each in published(Refusal):
        assert 400 <= each.status < 600, each.code
        assert each.issue in ISSUE_TYPES, each.code
        assert each.title.endswith("."), each.code


def test_no_topic_is_used_twice() -> None:
    assert doubles(each.topic for each in published(Event) if each.topic) == []
