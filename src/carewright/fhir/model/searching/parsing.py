"""What a client asked, read into a `Search` (http://hl7.org/fhir/R4/search.html)."""

from collections.abc import Iterable

import msgspec

from carewright.fhir.model.searching import results
from carewright.fhir.model.searching.definitions import Definitions, Parameter
from carewright.fhir.model.searching.reading import criterion_of
from carewright.fhir.model.searching.refusals import AmbiguousChain, TooCostly, UnknownParameter
from carewright.fhir.model.searching.search import (
    CHAIN_DEPTH_MAX,
    PARAMETERS_MAX,
    STEPS_MAX,
    Criterion,
    Linked,
    Search,
    Server,
    Step,
    Warned,
)


def parse(
    definitions: Definitions, resource_type: str, pairs: Iterable[tuple[str, str]], server: Server, *, strict: bool = False
) -> Search:
    """The search of `pairs`, names and values as they were sent, decoded, in their order.

    What is not known, or has no value, is left out with a warning, or refused where `strict` (R4: `Prefer: handling=strict`). Values that
    cannot be read and modifiers that are not served are refused always. Raises `SearchRefused`.
    """
    held = tuple(pairs)
    if len(held) > PARAMETERS_MAX:
        raise TooCostly.of("")
    reader = _Reader(definitions, Search(type=resource_type, server=server), is_strict=strict, depth=0)
    for name, value in held:
        reader.take(name, value)
    return reader.search


class _Reader:
    """Reads pair after pair into `search`. `depth` counts the links that led here."""

    def __init__(self, definitions: Definitions, search: Search, *, is_strict: bool, depth: int) -> None:
        self.search = search
        self._definitions = definitions
        self._parameters = definitions.of(search.type)
        self._is_strict = is_strict
        self._depth = depth

    def take(self, name: str, value: str) -> None:
        try:
            self._read(name, value)
        except UnknownParameter as unknown:
            self._leave_out(unknown)
        else:
            self._change(used=(*self.search.used, (name, value)))

    def _leave_out(self, unknown: UnknownParameter) -> None:
        if self._is_strict:
            raise unknown
        self._change(warnings=(*self.search.warnings, Warned(unknown.parameter, unknown.detail)))

    def _change(self, **fields: object) -> None:
        self.search = msgspec.structs.replace(self.search, **fields)

    def _read(self, name: str, value: str) -> None:
        if not value:
            raise UnknownParameter.of(name, "A search parameter without a value asks nothing.")
        if name.startswith("_has:"):
            self._link(name, self._reverse(name, value))
        elif (kind := results.kind_of(name)) and not self._depth:
            self._change(**results.read(self._definitions, self.search, kind, name, value))
        elif "." in name:
            self._link(name, *self._chain(name, value))
        else:
            self.search = self.search.with_criteria(self._criterion(name, value))

    def _link(self, name: str, *steps: Step) -> None:
        links = (*self.search.links, Linked(steps))
        if _size(step for linked in links for step in linked.steps) > STEPS_MAX:
            raise TooCostly.of(name)
        self._change(links=links)

    def _criterion(self, name: str, value: str) -> Criterion:
        code, _, modifier = name.partition(":")
        return criterion_of(self.search.server, self._parameter(code, name), modifier, value)

    def _parameter(self, code: str, name: str) -> Parameter:
        if parameter := self._parameters.get(code):
            return parameter
        raise UnknownParameter.of(name)

    def _chain(self, name: str, value: str) -> tuple[Step, ...]:
        """`parameter.rest` or `parameter:Type.rest`: a step for each type that knows the rest."""
        head, _, rest = name.partition(".")
        code, _, wanted = head.partition(":")
        parameter = self._parameter(code, name)
        types = [each for each in self._definitions.targets(parameter) if wanted in ("", each)]
        steps, refusals = [], []
        for each in types:
            try:
                steps.append(Step(parameter, self._inner(each, rest, value)))
            except UnknownParameter as refusal:
                refusals.append(refusal)
        if not steps:
            raise AmbiguousChain.of(name) if not refusals else UnknownParameter.of(name)
        return tuple(steps)

    def _reverse(self, name: str, value: str) -> Step:
        """`_has:Type:reference:rest`."""
        _, resource_type, code, rest = [*name.split(":", 3), "", "", ""][:4]
        parameter = self._definitions.of(resource_type).get(code)
        if not parameter or not rest or parameter.type != "reference":
            raise UnknownParameter.of(name)
        return Step(parameter, self._inner(resource_type, rest, value), is_reverse=True)

    def _inner(self, resource_type: str, rest: str, value: str) -> Search:
        if self._depth == CHAIN_DEPTH_MAX:
            raise TooCostly.of(rest)
        empty = Search(type=resource_type, server=self.search.server)
        reader = _Reader(self._definitions, empty, is_strict=True, depth=self._depth + 1)
        reader.take(rest, value)
        return reader.search


def _size(steps: Iterable[Step]) -> int:
    return sum(1 + _size(inner for linked in step.inner.links for inner in linked.steps) for step in steps)
