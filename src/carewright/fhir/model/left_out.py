"""What of a resource that was sent is not in what came of it: told to whoever asks for an OperationOutcome.

What changes the meaning of the rest (R4: modifier elements) is never left out: it is refused.
"""

from collections.abc import Iterator
from typing import Any

from carewright.contracts.fhir.basics import Resource
from carewright.contracts.fhir.refusals import InvalidElement

MODIFIERS = frozenset({"implicitRules", "modifierExtension"})
ABOUT_ITSELF = frozenset({"resourceType", "id", "meta", "text", "language"})


def ensure_unmodified(sent: Resource, *more: str) -> None:
    """Raises `InvalidElement` for a modifier that no resource, or one of `more` that this type, is kept with."""
    for name in sorted(MODIFIERS.union(more) & sent.keys()):
        raise InvalidElement("This changes what the rest means, and is not known here.", expression=f"{sent['resourceType']}.{name}")


def left_out(sent: Resource, kept: Resource) -> tuple[str, ...]:
    """FHIRPaths of the elements that were not kept as they were sent, the outermost of each; where in a list they stood is not said."""
    wanted = {name: value for name, value in sent.items() if name not in ABOUT_ITSELF}
    return tuple(dict.fromkeys(_missing(wanted, [kept], str(sent["resourceType"]))))


def _missing(sent: Resource, kept: list[Any], path: str) -> Iterator[str]:
    for name, value in sent.items():
        there = [each for one in kept if isinstance(one, dict) for each in _several(one.get(name))]
        place = f"{path}.{name[1:]}.extension" if name.startswith("_") else f"{path}.{name}"
        if not there:
            yield place
            continue
        for each in _several(value):
            if isinstance(each, dict):
                yield from _missing(each, there, place)
            elif each not in there:
                yield place


def _several(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
