"""What makes a patient's record sound, and how people are found by name: pure rules."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

import msgspec

from carewright.contracts.directory import Identifier
from carewright.contracts.patients import ContactPoint, FindPatients, InvalidPatient, Patient, RegisterPatient
from carewright.kernel.errors import BadInput
from carewright.kernel.folding import folded
from carewright.kernel.invariants import invariant

PATIENTS_MAX = 5_000
"""Records in one change. Larger loads come in batches."""
IDENTIFIERS_ASKED_MAX = 1_000
IDENTIFIER_LENGTH_MAX = 255
"""Keeps the longest identifier of four-byte letters within one index row (2,704 bytes)."""
BORN_ON_ONE_DAY_MAX = 2_000
FORM_BATCH = 100
"""Records held against the contract's limits at once; of 1 to 10,000 the fastest (measured on 120,000)."""
EARLIEST_BIRTH = date(1880, 1, 1)
"""Nobody older is alive: the longest documented life began in 1875 and lasted 122 years."""
FIRST_TO_SEE_A_DATE = timedelta(hours=14)
"""Kiribati, UTC+14, is the first place to write a date: a child born there may seem to be born tomorrow."""
PREFIX_LETTERS_MIN = 2
LAST_LETTER = "\U0010ffff"

PHONE = re.compile(r"\+?[0-9]{5,15}((x|ext\.?)[0-9]{1,6})?")
"""5 to 15 digits (ITU-T E.164), once spaces and the marks people write between them are gone; perhaps an extension."""
BETWEEN_DIGITS = re.compile(r"[\s()./\-]")
EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s.]+(\.[^@\s.]+)+")

OUT_OF_FORM = re.compile(r"\$\[([0-9]+)\]\.([a-z_]+)")
"""Where msgspec points to: the record's place in the sequence, and the field."""

Broken = tuple[str, str]
"""The field that breaks a rule, and the rule as a sentence."""


def new_patient(command: RegisterPatient, patient_id: UUID) -> Patient:
    """The first version of the record that the command describes."""
    return Patient(
        id=patient_id, family=command.family, given=command.given, birth_on=command.birth_on, gender=command.gender,
        language=command.language, telecom=command.telecom, identifiers=command.identifiers,
    )  # fmt: skip


def name_key(patient: Patient) -> str:
    """What a patient is found and sorted by."""
    return f"{folded(patient.family)}, {folded(' '.join(patient.given))}"


def name_range(query: FindPatients) -> tuple[str, str]:
    """The first name key that begins as asked, and the first behind all that do. Raises `BadInput` for too few letters."""
    prefix = folded(query.family)
    if sum(letter.isalnum() for letter in prefix) < PREFIX_LETTERS_MIN or not _printable(prefix):
        raise BadInput("Type at least two letters of the family name.", parameter="family")
    return prefix, prefix + LAST_LETTER


def carried(patients: Iterable[Patient]) -> Iterator[tuple[str, str, UUID]]:
    """System, value and carrier of every identifier, each once."""
    return ((one.system, one.value, patient.id) for patient in patients for one in dict.fromkeys(patient.identifiers))


def ensure_sound(patients: Sequence[Patient], now: datetime) -> None:
    """Raise `InvalidPatient` for the first record that breaks a rule, or shares its id or an identifier with an earlier one."""
    for start in range(0, len(patients), FORM_BATCH):
        _ensure_form(patients[start : start + FORM_BATCH])
    latest_birth = (now + FIRST_TO_SEE_A_DATE).date()
    ids: set[UUID] = set()
    carriers: set[Identifier] = set()
    for patient in patients:
        for field, rule in _broken_rules(patient, latest_birth):
            raise invalid(patient, field, rule)
        if patient.id in ids:
            raise invalid(patient, "id", "A patient may appear once in a change.")
        if not carriers.isdisjoint(patient.identifiers):
            raise taken_identifier(patient)
        ids.add(patient.id)
        carriers.update(patient.identifiers)


def ensure_within_limit(count: int, limit: int) -> None:
    """Raise `BadInput` for a request that holds more than `limit`."""
    if count > limit:
        raise BadInput(f"One request may hold {limit} at most. Send the rest in another.", count=count, limit=limit)


def taken_identifier(patient: Patient) -> InvalidPatient:
    """The refusal of a record whose identifier another patient carries."""
    return invalid(patient, "identifiers", "Another patient carries the identifier.")


def invalid(patient: Patient, field: str, rule: str) -> InvalidPatient:
    """A refusal that names the record and the field, and nothing of the person."""
    return InvalidPatient(rule, patient_id=str(patient.id), field=field)


def _broken_rules(patient: Patient, latest_birth: date) -> Iterator[Broken]:
    if not all(name.strip() and _printable(name) for name in (patient.family, *patient.given)):
        yield "family", "A name is not empty, and has no control characters."
    if patient.birth_on and not EARLIEST_BIRTH <= patient.birth_on <= latest_birth:
        yield "birth_on", f"A birth date lies between {EARLIEST_BIRTH.year} and today."
    if not all(_plausible(point) for point in patient.telecom):
        yield "telecom", "A phone number has 5 to 15 digits; an e-mail address looks like name@example.org."
    for identifier in patient.identifiers:
        if not (identifier.value.strip() and _printable(identifier.system + identifier.value) and _short(identifier)):
            yield "identifiers", f"An identifier has a value; system and value have {IDENTIFIER_LENGTH_MAX} letters at most."


def _ensure_form(patients: Sequence[Patient]) -> None:
    """Hold the records against the contract's own limits, for callers that did not come over the wire."""
    try:
        msgspec.json.decode(msgspec.json.encode(patients), type=tuple[Patient, ...])
    except msgspec.ValidationError as fault:
        found = OUT_OF_FORM.findall(str(fault))
        invariant(len(found) == 1, "msgspec says where a value is out of form")
        number, field = found[0]
        raise invalid(patients[int(number)], field, "This is longer than it may be, or not in its form.") from fault


def _plausible(point: ContactPoint) -> bool:
    if point.system == "email":
        return EMAIL.fullmatch(point.value) is not None and _printable(point.value)
    return PHONE.fullmatch(BETWEEN_DIGITS.sub("", point.value)) is not None


def _printable(text: str) -> bool:
    return text.isprintable() or not any(unicodedata.category(letter) == "Cc" for letter in text)


def _short(identifier: Identifier) -> bool:
    return max(len(identifier.system), len(identifier.value)) <= IDENTIFIER_LENGTH_MAX
