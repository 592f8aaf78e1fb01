"""The invariants of R4, each under its key. `True` means that it holds.

The sentences are in the definitions (`Type.rules`, `Element.rules`); FHIRPath is written out by hand. A rule is asked only about a value
whose form is right, so it may rely on types, not on presence. What is not written out is in `LEFT_OUT` with its reason.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any

from carewright.fhir.model.narrative import is_plain, says_something

Value = dict[str, Any]

UCUM = "http://unitsofmeasure.org"
MEALS = frozenset({"C", "CM", "CD", "CV"})
WITH_REQUEST = frozenset({"batch", "transaction", "history"})
WITH_RESPONSE = frozenset({"batch-response", "transaction-response", "history"})
WITHOUT_TIMES = frozenset({"proposed", "cancelled", "waitlist"})


def has(value: Value, *names: str) -> bool:
    """Whether any of these elements is there, its value or an extension in its place."""
    return any(name in value or f"_{name}" in value for name in names)


def has_choice(value: Value, name: str) -> bool:
    """Whether the choice `name[x]` is there with any type."""
    size = len(name)
    return any(key[size : size + 1].isupper() for key in (each.removeprefix("_") for each in value) if key.startswith(name))


def implies(condition: bool, conclusion: bool) -> bool:  # noqa: FBT001 -- reads as the logic that it is
    return not condition or conclusion


def listed(value: Value, name: str) -> list[Any]:
    found = value.get(name, [])
    return found if isinstance(found, list) else [found]


def is_distinct(values: Iterable[Any]) -> bool:
    seen = list(values)
    return len(seen) == len({repr(each) for each in seen})


def is_not_after(start: str, end: str) -> bool:
    """Whether `start` is no later than `end`, as far as both say it: the time only where both have one, with its offset."""
    if "T" in start and "T" in end:
        return _instant(start) <= _instant(end)
    size = min(len(start.partition("T")[0]), len(end.partition("T")[0]))
    return start[:size] <= end[:size]


def _instant(text: str) -> datetime:
    """A dateTime with a time. A leap second counts as the second before it, and what is below a microsecond is cut off."""
    whole = re.sub(r":60(?=[.Z+-])", ":59", text)
    return datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", whole))


def _number(quantity: Value) -> Decimal:
    return Decimal(str(quantity["value"]))


def _is_coded(value: Value) -> bool:
    """(code.exists() or value.empty()) and (system.empty() or system = %ucum)."""
    return implies(has(value, "value"), has(value, "code")) and value.get("system", UCUM) == UCUM


def _age_is_positive(value: Value) -> bool:
    return _is_coded(value) and implies("value" in value, "value" in value and _number(value) > 0)


def _count_is_whole(value: Value) -> bool:
    return _is_coded(value) and value.get("code", "1") == "1" and "." not in str(value.get("value", ""))


def _period_runs_forward(value: Value) -> bool:
    return "start" not in value or "end" not in value or is_not_after(value["start"], value["end"])


def _range_rises(value: Value) -> bool:
    """Quantities in different units cannot be compared, and FHIRPath says nothing then."""
    low, high = value.get("low", {}), value.get("high", {})
    comparable = "value" in low and "value" in high and all(low.get(each) == high.get(each) for each in ("unit", "system", "code"))
    return not comparable or _number(low) <= _number(high)


def _ratio_is_whole(value: Value) -> bool:
    return has(value, "numerator") == has(value, "denominator") and has(value, "numerator", "extension")


def _parameter_or_task(value: Value) -> bool:
    """inv-1 is two rules of one name: of Task, and of a parameter."""
    if value.get("resourceType") == "Task":
        return "lastModified" not in value or "authoredOn" not in value or is_not_after(value["authoredOn"], value["lastModified"])
    return sum([has(value, "part"), has(value, "resource"), has_choice(value, "value")]) == 1


def _entries(value: Value) -> list[Value]:
    return listed(value, "entry")


def _entries_have(value: Value, name: str, types: frozenset[str]) -> bool:
    return all(has(entry, name) == (value.get("type") in types) for entry in _entries(value))


def _entries_differ(value: Value) -> bool:
    named = [entry for entry in _entries(value) if "fullUrl" in entry]
    return is_distinct((each["fullUrl"], each.get("resource", {}).get("meta", {}).get("versionId")) for each in named)


def _begins_with(value: Value, bundle_type: str, resource_type: str) -> bool:
    first = (_entries(value) or [{}])[0]
    return implies(value.get("type") == bundle_type, first.get("resource", {}).get("resourceType") == resource_type)


def _components_are_other_codes(value: Value) -> bool:
    """obs-7: with a value of its own, an observation has no component of the same code."""
    own = value.get("code", {}).get("coding", [])
    codings = [coding for each in listed(value, "component") for coding in each.get("code", {}).get("coding", [])]
    return not has_choice(value, "value") or not any(coding in own for coding in codings)


def _contained(value: Value) -> list[Value]:
    return listed(value, "contained")


def _contained_is_used(value: Value) -> bool:
    """dom-3: something in the resource points at each contained one, or it points at the resource."""
    pointers = {text for text in texts_of(value) if text.startswith("#")} if _contained(value) else ()
    return all(f"#{each.get('id')}" in pointers or "#" in texts_of(each) for each in _contained(value))


def texts_of(value: Any) -> Iterator[str]:
    """Every string inside a value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from texts_of(each)


def _trigger_is_complete(value: Value) -> bool:
    kind = value.get("type", "")
    return (
        implies(kind == "named-event", has(value, "name"))
        and implies(kind == "periodic", has_choice(value, "timing"))
        and implies(kind.startswith("data-"), has(value, "data"))
    )


def _messages_have_endpoints_of_an_instance(value: Value) -> bool:
    return value.get("kind") == "instance" or not any(has(each, "endpoint") for each in listed(value, "messaging"))


RULES: dict[str, Callable[[Any], bool]] = {
    "age-1": _age_is_positive,
    "app-1": lambda value: has(value, "type", "actor"),
    "app-2": lambda value: has(value, "start") == has(value, "end"),
    "app-3": lambda value: (has(value, "start") and has(value, "end")) or value.get("status") in WITHOUT_TIMES,
    "app-4": lambda value: implies(has(value, "cancelationReason"), value.get("status") in ("noshow", "cancelled")),
    "apr-1": lambda value: has(value, "participantType", "actor"),
    "att-1": lambda value: implies(has(value, "data"), has(value, "contentType")),
    "bdl-1": lambda value: implies(has(value, "total"), value.get("type") in ("searchset", "history")),
    "bdl-2": lambda value: value.get("type") == "searchset" or not any(has(entry, "search") for entry in _entries(value)),
    "bdl-3": lambda value: _entries_have(value, "request", WITH_REQUEST),
    "bdl-4": lambda value: _entries_have(value, "response", WITH_RESPONSE),
    "bdl-5": lambda value: has(value, "resource", "request", "response"),
    "bdl-7": lambda value: value.get("type") == "history" or _entries_differ(value),
    "bdl-8": lambda value: "/_history/" not in value.get("fullUrl", ""),
    "bdl-9": lambda value: implies(value.get("type") == "document", {"system", "value"} <= value.get("identifier", {}).keys()),
    "bdl-10": lambda value: implies(value.get("type") == "document", "timestamp" in value),
    "bdl-11": lambda value: _begins_with(value, "document", "Composition"),
    "bdl-12": lambda value: _begins_with(value, "message", "MessageHeader"),
    "ces-1": lambda value: has(value, "category") != has(value, "productOrService"),
    "cnt-3": _count_is_whole,
    "cpb-1": lambda value: has(value, "rest", "messaging", "document"),
    "cpb-2": lambda value: has(value, "description", "software", "implementation"),
    "cpb-3": _messages_have_endpoints_of_an_instance,
    "cpb-7": lambda value: is_distinct((each.get("profile"), each.get("mode")) for each in listed(value, "document")),
    "cpb-9": lambda value: is_distinct(each.get("type") for each in listed(value, "resource")),
    "cpb-12": lambda value: is_distinct(each.get("name") for each in listed(value, "searchParam")),
    "cpb-14": lambda value: implies(value.get("kind") == "instance", has(value, "implementation")),
    "cpb-15": lambda value: value.get("kind") != "capability" or (has(value, "software") and not has(value, "implementation")),
    "cpb-16": lambda value: value.get("kind") != "requirements" or not has(value, "implementation", "software"),
    "cpt-2": lambda value: implies(has(value, "value"), has(value, "system")),
    "dis-1": _is_coded,
    "dom-2": lambda value: not any(has(each, "contained") for each in _contained(value)),
    "dom-3": _contained_is_used,
    "dom-4": lambda value: not any(has(each.get("meta", {}), "versionId", "lastUpdated") for each in _contained(value)),
    "dom-5": lambda value: not any(has(each.get("meta", {}), "security") for each in _contained(value)),
    "drq-1": lambda value: has(value, "path") != has(value, "searchParam"),
    "drq-2": lambda value: has(value, "path") != has(value, "searchParam"),
    "drt-1": lambda value: implies(has(value, "code"), value.get("system") == UCUM and has(value, "value")),
    "exp-1": lambda value: has(value, "expression", "reference"),
    "ext-1": lambda value: has(value, "extension") != has_choice(value, "value"),
    "grp-1": lambda value: implies(has(value, "member"), value.get("actual") is True),
    "inv-1": _parameter_or_task,
    "obs-3": lambda value: has(value, "low", "high", "text"),
    "obs-6": lambda value: not has(value, "dataAbsentReason") or not has_choice(value, "value"),
    "obs-7": _components_are_other_codes,
    "org-1": lambda value: has(value, "identifier", "name"),
    "org-2": lambda value: value.get("use") != "home",
    "org-3": lambda value: value.get("use") != "home",
    "pat-1": lambda value: has(value, "name", "telecom", "address", "organization"),
    "per-1": _period_runs_forward,
    "prr-1": lambda value: implies(has(value, "orderDetail"), has(value, "code")),
    "qty-3": lambda value: implies(has(value, "code"), has(value, "system")),
    "rat-1": _ratio_is_whole,
    "rng-2": _range_rises,
    "sev-1": lambda value: not (has(value, "name") and has(value, "query")),
    "sqty-1": lambda value: not has(value, "comparator"),
    "tim-1": lambda value: implies(has(value, "duration"), has(value, "durationUnit")),
    "tim-2": lambda value: implies(has(value, "period"), has(value, "periodUnit")),
    "tim-4": lambda value: value.get("duration", 0) >= 0,
    "tim-5": lambda value: value.get("period", 0) >= 0,
    "tim-6": lambda value: implies(has(value, "periodMax"), has(value, "period")),
    "tim-7": lambda value: implies(has(value, "durationMax"), has(value, "duration")),
    "tim-8": lambda value: implies(has(value, "countMax"), has(value, "count")),
    "tim-9": lambda value: implies(has(value, "offset"), has(value, "when") and not MEALS & set(value.get("when", ()))),
    "tim-10": lambda value: not (has(value, "timeOfDay") and has(value, "when")),
    "trd-1": lambda value: not (has(value, "data") and has_choice(value, "timing")),
    "trd-2": lambda value: implies(has(value, "condition"), has(value, "data")),
    "trd-3": _trigger_is_complete,
    "txt-1": is_plain,
    "txt-2": says_something,
}

LEFT_OUT = {
    "ele-1": "`validating` says it of every object and list, where it stands",
    "ref-1": "`validating` says it, since it looks at the whole resource",
    "eld-*": "ElementDefinition stands in profiles alone, which are neither served nor taken",
    "dom-6": "a warning: resources made by machines have no narrative",
    "cpb-0": "a warning about names of conformance resources",
}
"""Rules that have no function here, and why."""
