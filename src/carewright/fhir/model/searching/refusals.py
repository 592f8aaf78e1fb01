"""How a search is refused. The facts name the parameter and never its value, which may be a person's."""

import re
from typing import Self

from carewright.kernel.errors import Refusal

_NAME = re.compile(r"[A-Za-z0-9_.:*-]{1,100}")


class SearchRefused(Refusal):
    """The root. Its fact `parameter` is the name as it was sent, or empty where it has not the form of a name."""

    code = "fhir.search.refused"
    status = 400
    issue = "invalid"
    title = "This search cannot be answered."

    @classmethod
    def of(cls, parameter: str, detail: str | None = None) -> Self:
        """The refusal of what a parameter asks."""
        return cls(detail, parameter=parameter if _NAME.fullmatch(parameter) else "")

    @property
    def parameter(self) -> str:
        return str(self.facts.get("parameter", ""))


class UnknownParameter(SearchRefused):
    code = "fhir.search.unknown_parameter"
    issue = "not-supported"
    title = "This search parameter is not known here."


class UnsupportedModifier(SearchRefused):
    """R4, Modifiers: servers SHALL reject a search with a modifier that they do not support for the parameter."""

    code = "fhir.search.unsupported_modifier"
    issue = "not-supported"
    title = "This search parameter does not take this modifier here."


class BadValue(SearchRefused):
    code = "fhir.search.bad_value"
    issue = "value"
    title = "A value of this search parameter is not of the form that its type has."


class TooCostly(SearchRefused):
    code = "fhir.search.too_costly"
    issue = "too-costly"
    title = "This search asks for more at once than is answered here."


class AmbiguousChain(SearchRefused):
    code = "fhir.search.ambiguous_chain"
    issue = "invalid"
    title = "This chain leads to nothing that can be searched. Name a type, as in actor:Practitioner.name."


class BadCursor(SearchRefused):
    code = "fhir.search.bad_cursor"
    issue = "invalid"
    title = "This is not a page of this search. Begin again with its first page."
