"""FHIR XML to and from the same value as JSON, by the table of forms (https://hl7.org/fhir/R4/xml.html).

Reading is expat's, with the guard in it: a document type ends it before an entity is declared, so nothing expands. What is read may still
be wrong in itself; `validating` says so. The `div` of a narrative is kept letter by letter.
"""

import re
from decimal import Decimal
from typing import Any
from xml.parsers import expat

from carewright.fhir.model.definitions import Definitions, Element, Property, Type
from carewright.fhir.model.limits import DEPTH_MAX, excess_of
from carewright.fhir.model.narrative import XHTML, is_xhtml, without_html_entities
from carewright.fhir.model.primitives import CONTROL, INTEGERS
from carewright.kernel.errors import Refusal

NAMESPACE = "http://hl7.org/fhir"
SCHEMA_PLACE = "http://www.w3.org/2001/XMLSchema-instance schemaLocation"
SEPARATOR = " "
BYTES_MAX = 16 * 1024 * 1024
NODES_MAX = 200_000
"""Elements and attributes together."""

TAG = re.compile(rb"""<(?:[^>"']|"[^"]*"|'[^']*')*>""")
INTEGER = re.compile(r"-?[0-9]{1,18}", re.ASCII)
ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\n": "&#10;", "\r": "&#13;", "\t": "&#9;"})
Object = dict[str, Any]


class XmlMalformed(Refusal):
    code = "fhir.xml.malformed"
    status = 400
    issue = "structure"
    title = "The body is not well-formed XML in UTF-8."


class XmlForbidden(Refusal):
    code = "fhir.xml.forbidden"
    status = 400
    issue = "security"
    title = "FHIR XML has no document type and no entities."


class XmlTooLarge(Refusal):
    code = "fhir.xml.too_large"
    status = 413
    issue = "too-costly"
    title = "The XML is larger or nested deeper than we read."


class XmlNotFhir(Refusal):
    """`expression` is the FHIRPath to the place, as far as it is FHIR."""

    code = "fhir.xml.not_fhir"
    status = 400
    issue = "structure"
    title = "The XML is not FHIR R4."


class NotWritable(Refusal):
    """A value that `validating` would have refused."""

    code = "fhir.xml.not_writable"
    status = 422
    issue = "structure"
    title = "The resource is not FHIR R4, and cannot be written as XML."


def from_xml(definitions: Definitions, raw: bytes) -> Object:
    """The resource as JSON has it, decimals as Decimal. A primitive whose text is not of its type stays text.

    Raises `XmlMalformed`, `XmlForbidden`, `XmlTooLarge`, and `XmlNotFhir` for names that R4 does not have and for what cannot repeat.
    """
    return _Reading(definitions).resource(_tree(raw), "")


def to_xml(definitions: Definitions, resource: Object) -> bytes:
    """UTF-8 with elements in the order of their definitions. Raises `NotWritable` for a value that is no resource of R4."""
    if excess_of(resource):
        raise NotWritable
    writing = _Writing(definitions)
    writing.resource(resource, f' xmlns="{NAMESPACE}"')
    return ('<?xml version="1.0" encoding="UTF-8"?>\n' + "".join(writing.parts)).encode()


class _Node:
    """An element of FHIR's namespace; a `div` has its text as it stands in `xhtml`."""

    __slots__ = ("attributes", "children", "name", "xhtml")

    def __init__(self, name: str, attributes: dict[str, str]) -> None:
        self.name = name
        self.attributes = attributes
        self.children: list[_Node] = []
        self.xhtml = ""


def _tree(raw: bytes) -> _Node:
    if len(raw) > BYTES_MAX:
        raise XmlTooLarge
    building = _Building(raw)
    try:
        raw.decode("utf-8")
        building.parser.Parse(raw, True)
    except (expat.ExpatError, UnicodeDecodeError):
        raise XmlMalformed from None
    return building.root.children[0]


class _Building:
    """Expat's events made into nodes."""

    def __init__(self, raw: bytes) -> None:
        self.root = _Node("", {})
        self.parser = expat.ParserCreate("utf-8", SEPARATOR)
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._characters
        self.parser.StartDoctypeDeclHandler = self._forbid
        self._raw = raw
        self._open = [self.root]
        self._count = 0
        self._div_at = -1
        self._div_depth = 0

    def _start(self, full_name: str, attributes: dict[str, str]) -> None:
        self._count += 1 + len(attributes)
        if self._count > NODES_MAX or len(self._open) + self._div_depth > DEPTH_MAX:
            raise XmlTooLarge
        namespace, _, name = full_name.rpartition(SEPARATOR)
        if self._div_depth or namespace == XHTML:
            self._div_at = self._div_at if self._div_depth else self.parser.CurrentByteIndex
            self._div_depth += 1
            return
        if namespace != NAMESPACE:
            raise XmlNotFhir("The XML has an element of another namespace than FHIR's.")
        attributes.pop(SCHEMA_PLACE, None)
        node = _Node(name, attributes)
        self._open[-1].children.append(node)
        self._open.append(node)

    def _end(self, _name: str) -> None:
        if not self._div_depth:
            self._open.pop()
            return
        self._div_depth -= 1
        if not self._div_depth:
            self._keep_div()

    def _keep_div(self) -> None:
        """The text from the first tag of the narrative to its last."""
        first, last = TAG.match(self._raw, self._div_at), TAG.match(self._raw, self.parser.CurrentByteIndex)
        end = first.end() if first and first[0].endswith(b"/>") else last.end() if last else self._div_at
        text = self._raw[self._div_at : end].decode()
        if not is_xhtml(text):
            raise XmlNotFhir("A narrative is one div that declares the namespace of XHTML itself.")
        node = _Node("div", {})
        node.xhtml = text
        self._open[-1].children.append(node)

    def _characters(self, text: str) -> None:
        if not self._div_depth and text.strip():
            raise XmlNotFhir("FHIR XML has text in attributes and narratives only.")

    def _forbid(self, *_parts: object) -> None:
        raise XmlForbidden


class _Reading:
    """Nodes to the value that JSON has."""

    def __init__(self, definitions: Definitions) -> None:
        self._definitions = definitions

    def resource(self, node: _Node, path: str) -> Object:
        kind = self._definitions.resource(node.name)
        if kind is None:
            raise XmlNotFhir("This is not a resource type of FHIR R4.", expression=path)
        return {"resourceType": kind.name} | self._content(kind, node, path or kind.name)

    def _content(self, kind: Type, node: _Node, path: str) -> Object:
        made = self._attributes(kind, node, path)
        children: dict[str, list[_Node]] = {}
        for child in node.children:
            children.setdefault(child.name, []).append(child)
        for name, nodes in children.items():
            known = kind.properties.get(name)
            if known is None or known.element.is_attribute or (known.type_name == "xhtml") != bool(nodes[0].xhtml):
                raise XmlNotFhir("The XML has an element that does not belong here.", expression=path)
            if len(nodes) > 1 and not known.element.is_list:
                raise XmlNotFhir("An element is repeated that cannot be.", expression=f"{path}.{name}")
            made |= self._property(known, name, nodes, f"{path}.{name}")
        return made

    def _attributes(self, kind: Type, node: _Node, path: str) -> Object:
        if not node.attributes.keys() <= kind.attributes:
            raise XmlNotFhir("The XML has an attribute that does not belong here.", expression=path)
        return dict(node.attributes)

    def _property(self, known: Property, name: str, nodes: list[_Node], path: str) -> Object:
        kind = self._definitions.types[known.type_name]
        if kind.kind != "primitive":
            values = [self._value(kind, node, path) for node in nodes]
            return {name: values if known.element.is_list else values[0]}
        found = {name: [self._primitive(kind, node) for node in nodes], f"_{name}": [self._beside(node, path) for node in nodes]}
        kept = {key: values for key, values in found.items() if any(each is not None for each in values)}
        if not kept:
            raise XmlNotFhir("A primitive has neither a value nor extensions.", expression=path)
        return kept if known.element.is_list else {key: values[0] for key, values in kept.items()}

    def _value(self, kind: Type, node: _Node, path: str) -> Object:
        if kind.kind != "resource":
            return self._content(kind, node, path)
        if len(node.children) != 1 or node.attributes:
            raise XmlNotFhir("Exactly one resource belongs here.", expression=path)
        return self.resource(node.children[0], path)

    def _primitive(self, kind: Type, node: _Node) -> Any:
        if node.xhtml:
            return node.xhtml
        text = node.attributes.get("value")
        if text is None:
            return None
        if kind.name == "boolean":
            return {"true": True, "false": False}.get(text, text)
        if kind.name in INTEGERS:
            return int(text) if INTEGER.fullmatch(text) else text
        if kind.name == "decimal":
            return Decimal(text) if re.fullmatch(kind.pattern, text, re.ASCII) else text
        return text

    def _beside(self, node: _Node, path: str) -> Object | None:
        """What JSON puts under the name with an underscore: id and extensions of a primitive."""
        rest = _Node(node.name, {name: value for name, value in node.attributes.items() if name != "value"})
        rest.children = node.children
        return self._content(self._definitions.types["Element"], rest, path) or None


class _Writing:
    """A value to the pieces of a document."""

    def __init__(self, definitions: Definitions) -> None:
        self.parts: list[str] = []
        self._definitions = definitions

    def resource(self, value: Any, namespace: str = "") -> None:
        kind = self._definitions.resource(value.get("resourceType")) if isinstance(value, dict) else None
        if kind is None:
            raise NotWritable
        self._element(kind, kind.name, {name: each for name, each in value.items() if name != "resourceType"}, namespace)

    def _element(self, kind: Type, tag: str, value: Any, attributes: str = "") -> None:
        """`<tag …>…</tag>` of an object."""
        names = _names(kind, value)
        marks = [f' {name}="{_escaped(value[name])}"' for name in names if name in kind.attributes]
        self.parts.append(f"<{tag}{attributes}{''.join(marks)}")
        before = len(self.parts)
        self.parts.append(">")
        for name in names:
            if name not in kind.attributes:
                self._property(kind.properties[name], name, value)
        if len(self.parts) == before + 1:
            self.parts[before] = "/>"
        else:
            self.parts.append(f"</{tag}>")

    def _property(self, known: Property, name: str, value: Object) -> None:
        kind = self._definitions.types[known.type_name]
        values, beside = self._items(known.element, value.get(name)), self._items(known.element, value.get(f"_{name}"))
        if kind.kind == "primitive":
            for number in range(max(len(values), len(beside))):
                self._primitive(kind, name, _at(values, number), _at(beside, number))
            return
        for each in values:
            if kind.kind == "resource":
                self.parts.append(f"<{name}>")
                self.resource(each)
                self.parts.append(f"</{name}>")
            else:
                self._element(kind, name, each)

    def _items(self, element: Element, value: Any) -> list[Any]:
        if value is None:
            return []
        if element.is_list != isinstance(value, list):
            raise NotWritable
        return value if isinstance(value, list) else [value]

    def _primitive(self, kind: Type, tag: str, value: Any, beside: Any) -> None:
        if kind.name == "xhtml":
            if not isinstance(value, str) or not is_xhtml(value):
                raise NotWritable
            self.parts.append(without_html_entities(value))
            return
        mark = "" if value is None else f' value="{_escaped(_text(value))}"'
        self._element(self._definitions.types["Element"], tag, {} if beside is None else beside, mark)


def _names(kind: Type, value: Any) -> list[str]:
    """The properties that an object has, with or without an underscore, in the order of their definitions."""
    names = {name.removeprefix("_") for name in value} if isinstance(value, dict) else {""}
    bare = {name for name in value if name.startswith("_") and name[1:] in kind.attributes} if isinstance(value, dict) else ()
    if bare or not names <= kind.properties.keys():
        raise NotWritable
    return [name for name in kind.properties if name in names]


def _at(values: list[Any], number: int) -> Any:
    return values[number] if number < len(values) else None


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float | Decimal):
        return str(value)
    if isinstance(value, str):
        return value
    raise NotWritable


def _escaped(text: Any) -> str:
    if not isinstance(text, str) or CONTROL.search(text):
        raise NotWritable
    return text.translate(ESCAPES)
