"""References in requests: to what, by which id. Relative, or absolute below our own address; nothing is followed over the network."""

from collections.abc import Iterable
from typing import Any, NamedTuple
from uuid import UUID

from carewright.contracts.fhir.refusals import InvalidElement, UnknownId
from carewright.fhir.model.searching.elements import local

LENGTH_MAX = 2048


class Pointer(NamedTuple):
    """A resource's type and FHIR id, and where in the request it was named."""

    kind: str
    id: str
    expression: str

    @property
    def uuid(self) -> UUID:
        """Raises `InvalidElement` for an id that none of ours can be."""
        found = uuid_or_none(self.id)
        if found is None:
            raise InvalidElement(f"There is no {self.kind} under this id.", expression=self.expression)
        return found


def pointer(reference: Any, expression: str, base: str = "") -> Pointer | None:
    """What a Reference points at, None where it names no address. Raises `InvalidElement` for an address that is not ours."""
    text = reference.get("reference") if isinstance(reference, dict) else None
    if text is None:
        return None
    place = local(text, base) if isinstance(text, str) and len(text) <= LENGTH_MAX else None
    if place is None:
        raise InvalidElement("References are relative, as in Patient/123, or begin with this server's address.", expression=expression)
    kind, _, id_ = place.partition("/")
    return Pointer(kind, id_, f"{expression}.reference")


def pointers(many: Iterable[Any], expression: str, base: str = "") -> list[Pointer]:
    return [found for number, each in enumerate(many) if (found := pointer(each, f"{expression}[{number}]", base))]


def known_uuid(id_: str) -> UUID:
    """The id in an address, of something that is stored. Raises `UnknownId`."""
    found = uuid_or_none(id_)
    if found is None:
        raise UnknownId
    return found


def uuid_or_none(text: str) -> UUID | None:
    try:
        return UUID(text) if len(text) == 36 else None
    except ValueError:
        return None
