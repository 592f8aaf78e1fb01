"""Parts of a resource: `_summary` and `_elements` (https://hl7.org/fhir/R4/search.html#summary).

Whatever is left out, the result is marked as a part by the tag SUBSETTED, so that nobody writes it back as the whole.
"""

from typing import Any, Literal

from carewright.fhir.model.definitions import Definitions, Element, Type

Summary = Literal["true", "text", "data", "count", "false"]
TAG = {
    "system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue",
    "code": "SUBSETTED",
    "display": "Resource encoded in summary mode",
}
ALWAYS = frozenset({"id", "meta", "implicitRules"})
Object = dict[str, Any]


def summary_of(definitions: Definitions, resource: Object, summary: Summary) -> Object:
    """The part of `resource` that a `_summary` asks for; the resource itself for `false`.

    `true` keeps what the definitions mark, inside data types too, and what they require; `text` the narrative and what is required at the
    top, which may break invariants; `data` all but the narrative. For `count` no resource is told, so here it is as `true`: the caller
    tells the bundle's total alone.
    """
    kind = definitions.types[resource["resourceType"]]
    if summary == "false":
        return resource
    if summary == "data":
        return _marked({name: value for name, value in resource.items() if name != "text"})
    if summary == "text":
        kept = ALWAYS | {"text"} | {each.name for each in kind.elements if each.min}
        return _marked(_top(kind, resource, kept))
    return _marked(_summarized(definitions, kind, resource))


def elements_of(definitions: Definitions, resource: Object, elements: frozenset[str]) -> Object:
    """The named elements of the top, with those that are required or modify the meaning. Names that it does not have count for nothing."""
    kind = definitions.types[resource["resourceType"]]
    return _marked(_top(kind, resource, elements | ALWAYS | {each.name for each in kind.elements if each.min or each.is_modifier}))


def _top(kind: Type, resource: Object, kept: frozenset[str] | set[str]) -> Object:
    return {name: value for name, value in resource.items() if name == "resourceType" or _element(kind, name).name in kept}


def _element(kind: Type, name: str) -> Element:
    return kind.properties[name.removeprefix("_")].element


def _summarized(definitions: Definitions, kind: Type, value: Object) -> Object:
    """What is marked of an object, and of the objects inside it."""
    made: Object = {}
    for name, found in value.items():
        if name == "resourceType":
            made[name] = found
            continue
        known = kind.properties[name.removeprefix("_")]
        if _is_kept(known.element):
            inside = None if name.startswith("_") else definitions.types[known.type_name]
            made[name] = found if inside is None else _each(definitions, inside, found)
    return made


def _is_kept(element: Element) -> bool:
    """Ids of elements are not marked, and tell nothing without what refers to them; extensions are not marked, but modifiers are."""
    return element.is_summary or bool(element.min) or element.is_modifier


def _each(definitions: Definitions, kind: Type, found: Any) -> Any:
    """Values of a type, each summarized. An extension is kept whole, since it says nothing without its value."""
    if isinstance(found, list):
        return [_each(definitions, kind, each) for each in found]
    if not isinstance(found, dict) or kind.name == "Extension":
        return found
    own = definitions.types[found["resourceType"]] if kind.kind == "resource" else kind
    return _summarized(definitions, own, found) or found


def _marked(resource: Object) -> Object:
    """The resource with the tag, which it gets once."""
    meta = resource.get("meta", {})
    tags = [each for each in meta.get("tag", []) if (each.get("system"), each.get("code")) != (TAG["system"], TAG["code"])]
    return resource | {"meta": meta | {"tag": [*tags, TAG]}}
