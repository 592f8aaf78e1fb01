"""What makes an encounter sound, and how its status goes on: pure rules."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from uuid import UUID

import msgspec

from carewright.contracts.directory import Coding, Identifier
from carewright.contracts.encounters import ChangeEncounter, Encounter, EncounterParticipant, EncounterStatus, RecordEncounter
from carewright.contracts.flow import InvalidEncounter, StatusNotAllowed
from carewright.kernel.errors import BadInput

ENCOUNTERS_MAX = 1_000
"""Encounters in one change. Larger loads come in batches."""
TEXT_MAX = 200
STEPS: Mapping[EncounterStatus, frozenset[str]] = {
    "planned": frozenset({"arrived", "triaged", "in-progress", "onleave", "finished", "cancelled", "entered-in-error", "unknown"}),
    "arrived": frozenset({"triaged", "in-progress", "onleave", "finished", "cancelled", "entered-in-error", "unknown"}),
    "triaged": frozenset({"in-progress", "onleave", "finished", "cancelled", "entered-in-error", "unknown"}),
    "in-progress": frozenset({"onleave", "finished", "cancelled", "entered-in-error", "unknown"}),
    "onleave": frozenset({"in-progress", "finished", "cancelled", "entered-in-error", "unknown"}),
    "finished": frozenset({"in-progress", "entered-in-error"}),
    "cancelled": frozenset({"entered-in-error"}),
    "entered-in-error": frozenset(),
    "unknown": frozenset({"planned", "arrived", "triaged", "in-progress", "onleave", "finished", "cancelled", "entered-in-error"}),
}
"""Forward, over what nobody noted; back from the end where a discharge was a mistake. R4 lists the codes and leaves the order to us."""
MASKED = Coding(system="http://terminology.hl7.org/CodeSystem/v3-NullFlavor", code="MSK", display="masked")
"""The class of an encounter whose patient was erased: R4 wants one."""


class Detail(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is sealed of an encounter."""

    encounter_class: Coding = MASKED
    types: tuple[Coding, ...] = ()
    service_type: Coding | None = None
    location_ids: tuple[UUID, ...] = ()
    participants: tuple[EncounterParticipant, ...] = ()
    identifiers: tuple[Identifier, ...] = ()


def new_encounter(command: RecordEncounter, encounter_id: UUID) -> Encounter:
    """The encounter that the command describes."""
    return Encounter(id=encounter_id, **msgspec.structs.asdict(command))


def changed_encounter(before: Encounter, command: ChangeEncounter) -> Encounter:
    """The encounter as the command has it; what it does not say stays."""
    said = msgspec.structs.asdict(command)
    changes = {name: said[name] for name in said.keys() & set(before.__struct_fields__) if said[name] is not None}
    after = msgspec.structs.replace(before, **changes)
    return msgspec.structs.replace(after, end=None) if command.is_open_again else after


def detail_of(encounter: Encounter) -> Detail:
    return Detail(**{name: getattr(encounter, name) for name in Detail.__struct_fields__})


def actors_of(encounter: Encounter) -> set[UUID]:
    """By whom and by which places it is found."""
    return {*encounter.location_ids, *(each.practitioner_id for each in encounter.participants)}


def ensure_sound(encounters: Sequence[Encounter]) -> None:
    """Raise `InvalidEncounter` for the first that breaks a rule, or shares its id or an identifier with an earlier one."""
    if len(encounters) > ENCOUNTERS_MAX:
        raise BadInput("Too many encounters in one request. Send the rest in another.", count=len(encounters), limit=ENCOUNTERS_MAX)
    ids: set[UUID] = set()
    carried: set[Identifier] = set()
    for each in encounters:
        for field, rule in _broken_rules(each):
            raise invalid(each, field, rule)
        if each.id in ids:
            raise invalid(each, "id", "An encounter may appear once in a change.")
        if not carried.isdisjoint(each.identifiers):
            raise taken_identifier(each)
        ids.add(each.id)
        carried.update(each.identifiers)


def ensure_follows(before: Encounter, after: Encounter) -> None:
    """Raise `StatusNotAllowed` for a step that is none, and `InvalidEncounter` for another patient."""
    if before.patient_id != after.patient_id:
        raise invalid(after, "patient_id", "An encounter stays its patient's.")
    if after.status != before.status and after.status not in STEPS[before.status]:
        raise StatusNotAllowed(encounter_id=str(before.id), status=before.status)


def taken_identifier(encounter: Encounter) -> InvalidEncounter:
    """The refusal of one whose identifier another carries."""
    return invalid(encounter, "identifiers", "Another encounter carries the identifier.")


def invalid(encounter: Encounter, field: str, rule: str) -> InvalidEncounter:
    """A refusal that names the encounter and the field, and nothing of what it says."""
    return InvalidEncounter(rule, encounter_id=str(encounter.id), field=field)


def _broken_rules(encounter: Encounter) -> Iterator[tuple[str, str]]:
    """The field that breaks a rule, and the rule as a sentence."""
    if encounter.end is not None and (encounter.start is None or encounter.start > encounter.end):
        yield "end", "An encounter that ends has a start before its end."
    if any(len(text) > TEXT_MAX for each in encounter.identifiers for text in (each.system, each.value)):
        yield "identifiers", f"System and value of an identifier have {TEXT_MAX} letters at most."
    if any(len(text) > TEXT_MAX for each in _codings(encounter) for text in (each.system, each.code, each.display)):
        yield "types", f"System, code and display of a coding have {TEXT_MAX} letters at most."


def _codings(encounter: Encounter) -> Iterable[Coding]:
    yield from (encounter.encounter_class, *encounter.types)
    yield from (each for each in (encounter.service_type, *(one.role for one in encounter.participants)) if each)
