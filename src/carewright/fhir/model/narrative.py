"""XHTML in a narrative: well formed, one `div`, and only what txt-1 allows (https://hl7.org/fhir/R4/narrative.html).

A narrative is shown to people, so a script, a form, an event handler or an address of another scheme in it is refused here, at the door.
"""

import re
from html.entities import name2codepoint
from xml.parsers import expat

XHTML = "http://www.w3.org/1999/xhtml"
DEPTH_MAX = 64
SEPARATOR = " "
ENTITY = re.compile(r"&([A-Za-z][A-Za-z0-9]*);")
XML_ENTITIES = frozenset({"amp", "lt", "gt", "quot", "apos"})
SCHEME = re.compile(r"([^/?#]*):")
IGNORED = re.compile(r"[\x00-\x20]+")
"""Browsers pass over these in an address, so `java\\tscript:` is a scheme too."""

SCHEMES = {"href": frozenset({"http", "https", "ftp", "mailto", "tel"}), "src": frozenset({"http", "https", "data"})}

ELEMENTS = frozenset({
    "a", "abbr", "acronym", "address", "area", "b", "bdo", "big", "blockquote", "br", "caption", "cite", "code", "col", "colgroup",
    "dd", "dfn", "div", "dl", "dt", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "img", "kbd", "li", "map", "ol", "p", "pre",
    "q", "samp", "small", "span", "strong", "sub", "sup", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "tt", "ul", "var",
})  # fmt: skip
"""HTML 4.0, chapters 7 to 11 and 15 without section 4 of chapter 9 (ins, del), with links and images."""

ATTRIBUTES = frozenset({
    "abbr", "accesskey", "align", "alt", "axis", "bgcolor", "border", "cellpadding", "cellspacing", "char", "charoff", "cite", "class",
    "clear", "color", "colspan", "compact", "coords", "dir", "frame", "headers", "height", "href", "hspace", "id", "ismap", "lang",
    "longdesc", "name", "nohref", "noshade", "nowrap", "rel", "rowspan", "rules", "scope", "shape", "size", "span", "src", "start",
    "style", "summary", "tabindex", "title", "type", "usemap", "valign", "value", "vspace", "width",
})  # fmt: skip
XML_ATTRIBUTES = frozenset({"http://www.w3.org/XML/1998/namespace lang", "http://www.w3.org/XML/1998/namespace space"})


class _Refused(Exception):
    """The text is not what is asked for."""


def is_xhtml(text: str) -> bool:
    """Whether it is one well-formed `div` of XHTML, without a document type or entities of its own."""
    return _read(text) is not None


def is_plain(text: str) -> bool:
    """txt-1: basic formatting, links and images alone. Also false where the text cannot be read."""
    found = _read(text)
    return found is not None and found.is_plain


def says_something(text: str) -> bool:
    """txt-2: there is something to read or an image. Also false where the text cannot be read."""
    found = _read(text)
    return found is not None and found.says_something


def without_html_entities(text: str) -> str:
    """The same XHTML with the characters themselves for HTML's names of them (`&nbsp;`), which XML does not know."""
    return ENTITY.sub(_character, text)


def _character(match: re.Match[str]) -> str:
    point = name2codepoint.get(match[1])
    return match[0] if point is None or match[1] in XML_ENTITIES else chr(point)


def _read(text: str) -> "_Reading | None":
    reading = _Reading()
    try:
        reading.read(text)
    except (_Refused, expat.ExpatError):
        return None
    return reading


class _Reading:
    """One pass of expat over a narrative."""

    def __init__(self) -> None:
        self.is_plain = True
        self.says_something = False
        self._depth = 0

    def read(self, text: str) -> None:
        parser = expat.ParserCreate("utf-8", SEPARATOR)
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        parser.XmlDeclHandler = self._refuse
        parser.StartDoctypeDeclHandler = self._refuse
        parser.ProcessingInstructionHandler = self._refuse
        parser.Parse(without_html_entities(text).encode("utf-8", "surrogatepass"), True)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        namespace, _, local = name.rpartition(SEPARATOR)
        if namespace != XHTML or (self._depth == 0 and local != "div") or self._depth >= DEPTH_MAX:
            raise _Refused
        self._depth += 1
        self.is_plain &= local in ELEMENTS and all(_is_harmless(*each) for each in attributes.items())
        self.says_something |= local == "img"

    def _end(self, _name: str) -> None:
        self._depth -= 1

    def _characters(self, text: str) -> None:
        self.says_something |= bool(text.strip())

    def _refuse(self, *_parts: object) -> None:
        raise _Refused


def _is_harmless(name: str, value: str) -> bool:
    if name not in ATTRIBUTES | XML_ATTRIBUTES:
        return False
    scheme = SCHEME.match(IGNORED.sub("", value))
    return scheme is None or name not in SCHEMES or scheme[1].lower() in SCHEMES[name]
