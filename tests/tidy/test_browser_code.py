"""What runs or stands in a browser, held to rules that browsers do not enforce: nothing is kept there, nobody's name becomes code, and
nothing of a person stands in an address."""

import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import msgspec
import pytest

from carewright.roles.registry import MODULES
from tests.tidy.source import PACKAGE

SCRIPTS = sorted(PACKAGE.rglob("*.js"))
TEMPLATES = sorted(PACKAGE.rglob("*.html"))
STORES = re.compile(r"\b(localStorage|sessionStorage|indexedDB|caches|serviceWorker|cookieStore)\b|document\.cookie|window\.name")
POLLUTES = re.compile(
    r"__proto__|\bprototype\b|\.constructor\b|Object\.(assign|defineProperty|setPrototypeOf)|JSON\.parse|\]\s*=[^=]|\.json\(\)"
)
"""Keys out of data, and what would let them reach the prototype of every object. Our scripts read no data and write no computed key."""
HANDED_ON = re.compile(r"parse(Creation|Request)OptionsFromJSON\(await \w+\.json\(\)\)")
"""Data that goes into the browser's own parser and nowhere else: it takes the members it knows (Web Authentication Level 3, 5.1)."""
INTO_MARKUP = re.compile(
    r"\b(innerHTML|outerHTML|srcdoc)\s*\+?=[^=]|insertAdjacentHTML|document\.write|\beval\b|new Function|setHTMLUnsafe"
)
OF_DOCUMENT = re.compile(r"\bdocument\.(\w+)")
NAMES_IN_MARKUP = re.compile(r'<(?!/)[a-z]+\s[^>]*?\b(?:id|name)="([^"]*)"', re.DOTALL)
ADDRESS_WORDS = frozenset({
    "action", "address", "after", "agent", "clashing", "closed", "code", "count", "day", "days", "earliest_minute", "event", "from_at",
    "grace_minutes", "ids", "kind", "kinds", "language", "latest", "latest_minute", "lifted", "limit", "offset", "outcome", "purpose",
    "role", "room_type", "site_ids", "sort", "specialty", "states", "status", "statuses", "text", "until_at", "urgency", "weekdays",
    "whose",
})  # fmt: skip
"""What may be asked for in an address besides ids: choices, instants, and words to find a service by. A new one is weighed before it is
added: addresses are kept in histories and logs of others. `address` is an IP address that an auditor looks
for, as FHIR's search of AuditEvents takes it: it says of nobody that they are a patient."""

TYPED_INTO_ADDRESSES = frozenset({
    "day", "kind", "language", "moving", "patient", "place", "practitioner", "q", "queue", "service", "type", "zoom",
})  # fmt: skip
"""Fields of the forms that are sent by GET: choices, words to find a service by, and ids. `type` is that of a room or a bed."""


def faults(paths: Iterable[Path], looks: Callable[[str], Iterator[str]]) -> list[str]:
    return [f"{path.relative_to(PACKAGE)}: {each}" for path in paths for each in looks(path.read_text("utf-8"))]


def kept(text: str) -> Iterator[str]:
    """Where a page or script would leave something in the browser."""
    return (found[0] for found in STORES.finditer(text))


def polluting(text: str) -> Iterator[str]:
    return (found[0] for found in POLLUTES.finditer(HANDED_ON.sub("", text)))


def markup_made(text: str) -> Iterator[str]:
    return (found[0] for found in INTO_MARKUP.finditer(text))


def test_no_page_and_no_script_keeps_anything_in_the_browser() -> None:
    assert len(SCRIPTS) > 3
    assert len(TEMPLATES) > 20
    assert faults([*SCRIPTS, *TEMPLATES], kept) == []


def test_no_script_takes_an_objects_keys_from_outside() -> None:
    assert faults(SCRIPTS, polluting) == []


def test_no_script_makes_markup_or_code_of_text() -> None:
    assert faults(SCRIPTS, markup_made) == []


def test_no_element_is_named_like_what_scripts_ask_the_document_for() -> None:
    asked = {name for path in SCRIPTS for name in OF_DOCUMENT.findall(path.read_text("utf-8"))}
    named = {name for path in TEMPLATES for name in NAMES_IN_MARKUP.findall(path.read_text("utf-8"))}
    assert {"getElementById", "querySelectorAll"} <= asked
    assert {"form_token", "once"} <= named
    assert asked & named == set()


def test_every_script_is_a_module_so_that_no_element_becomes_one_of_its_names() -> None:
    tags = [tag for path in TEMPLATES for tag in re.findall(r"<script\b[^>]*>", path.read_text("utf-8"))]
    assert tags
    assert [tag for tag in tags if 'type="module"' not in tag or "src=" not in tag] == []
    assert faults(SCRIPTS, lambda text: (found[0] for found in re.finditer(r"\bwindow[.\[]", text))) == []


def address_words() -> dict[str, str]:
    """Every word that the API takes in an address, and one route that takes it."""
    words: dict[str, str] = {}
    for route in (route for module in MODULES for route in module.routes):
        for name in (*route.parameters, *(field.encode_name for field in msgspec.structs.fields(route.query))):
            words[name] = f"{route.method} {route.path}"
    return words


def test_no_address_of_the_api_takes_anything_that_tells_of_a_person() -> None:
    words = address_words()
    assert {name: where for name, where in words.items() if not name.endswith("_id") and name not in ADDRESS_WORDS} == {}
    assert words.keys() >= ADDRESS_WORDS, "words that no route takes any more"


def test_no_form_of_a_page_puts_what_tells_of_a_person_into_an_address() -> None:
    forms = [form for path in TEMPLATES for form in re.findall(r"<form\b.*?</form>", path.read_text("utf-8"), re.DOTALL)]
    by_address = [form for form in forms if 'method="post"' not in form.partition(">")[0]]
    fields = [field for form in by_address for field in re.findall(r"<(?:input|textarea|select)\b[^>]*>", form)]
    names = {name for field in fields for name in re.findall(r'\bname="([^"]*)"', field)}
    assert names == TYPED_INTO_ADDRESSES


@pytest.mark.parametrize(
    ("looks", "planted"),
    [
        (kept, 'localStorage.setItem("a", 1)'), (kept, "document.cookie = 'a'"), (polluting, "settings[key] = value"),
        (polluting, "Object.assign(here, await answer.json())"),
        (polluting, "const asked = await answer.json(); parseRequestOptionsFromJSON(asked)"),
        (markup_made, "screen.innerHTML = text"), (markup_made, "eval(text)"),
    ],
)  # fmt: skip
def test_what_breaks_a_rule_is_seen(looks: Callable[[str], Iterator[str]], planted: str) -> None:
    assert list(looks(planted))
