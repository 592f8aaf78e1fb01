"""What makes a patient's record sound, and how people are found by name: pure rules."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Literal, NamedTuple
from uuid import UUID

import msgspec
from jellyfish import metaphone

from carewright.contracts.directory import Identifier
from carewright.contracts.patients import (
    AlikePatient,
    ContactPoint,
    FindPatients,
    InvalidPatient,
    Likeness,
    NameRelation,
    NewPatient,
    Patient,
    SearchPatients,
    UpdatePatient,
    hash_of,
)
from carewright.kernel.errors import BadInput
from carewright.kernel.folding import folded
from carewright.kernel.invariants import invariant
from carewright.kernel.privacy.cipher import FieldCipher
from carewright.kernel.privacy.index import PrefixIndex

SoundColumn = Literal["family_sound", "given_sound"]

PATIENTS_MAX = 5_000
"""Records in one change. Larger loads come in batches."""
IDENTIFIERS_ASKED_MAX = 1_000
PATIENTS_READ_MAX = 200
"""Records in one reading."""
IDENTIFIER_LENGTH_MAX = 255
"""Keeps the longest identifier of four-byte letters within one index row (2,704 bytes)."""
FORM_BATCH = 100
"""Records held against the contract's limits at once; of 1 to 10,000 the fastest (measured on 120,000)."""
EARLIEST_BIRTH = date(1880, 1, 1)
"""Nobody older is alive: the longest documented life began in 1875 and lasted 122 years."""
FIRST_TO_SEE_A_DATE = timedelta(hours=14)
"""Kiribati, UTC+14, is the first place to write a date: a child born there may seem to be born tomorrow."""
PREFIX_LETTERS_MIN = 2

TABLE = "patients.patient"
FAMILY = PrefixIndex(TABLE, "family_index", ((2, 8), (3, 4), (4, 2), (5, 1), (6, 1)))
GIVEN = PrefixIndex(TABLE, "given_index", ((2, 6), (3, 3), (4, 2), (6, 1)))
SOUND_BITS: dict[SoundColumn, int] = {"family_sound": 13, "given_sound": 10}
BIRTH_BITS = 14
"""Bits of each index: few enough that a number stands for many people, enough that a search opens few. docs/concepts/privacy.md counts."""

PHONE = re.compile(r"\+?[0-9]{5,15}((x|ext\.?)[0-9]{1,6})?")
"""5 to 15 digits (ITU-T E.164), once spaces and the marks people write between them are gone; perhaps an extension."""
BETWEEN_DIGITS = re.compile(r"[\s()./\-]")
EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s.]+(\.[^@\s.]+)+")

OUT_OF_FORM = re.compile(r"\$\[([0-9]+)\]\.([a-z_]+)")
"""Where msgspec points to: the record's place in the sequence, and the field."""


WEIGHTS: Mapping[Likeness, int] = {
    "identifier": 16, "birth-date": 8, "names-swapped": 4, "birth-date-nearly": 3, "contact": 3, "family": 2, "given": 2,
    "family-sound": 1, "given-sound": 1,
}  # fmt: skip
"""How much each speaks for one person: an order by judgement, no probability."""


class Broken(NamedTuple):
    """The field that breaks a rule, the rule as a sentence, and of contacts which kind it is."""

    field: str
    rule: str
    system: str | None = None


class Person(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is sealed of who somebody is: as much as a search must open."""

    family: str
    given: tuple[str, ...] = ()
    birth_on: date | None = None


class Reach(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is sealed of how somebody is reached, and known elsewhere."""

    telecom: tuple[ContactPoint, ...] = ()
    identifiers: tuple[Identifier, ...] = ()


class Numbers(NamedTuple):
    """The blind indexes of one person."""

    family_index: int
    family_sound: int
    given_index: int
    given_sound: int
    birth_index: int | None


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A search, folded. `whole` is for a family name that was followed by a comma."""

    family: str
    whole: bool
    given: str
    birth_on: date | None
    sounds_like: bool


def new_patient(said: NewPatient, patient_id: UUID) -> Patient:
    """The first version of the record of whom that describes."""
    return Patient(id=patient_id, **{name: getattr(said, name) for name in NewPatient.__struct_fields__})


def changed_patient(before: Patient, command: UpdatePatient) -> Patient:
    """The record as the command has it. What it leaves out of contacts and identifiers stays."""
    return msgspec.structs.replace(
        before, family=command.family, given=command.given, birth_on=command.birth_on, gender=command.gender, language=command.language,
        telecom=before.telecom if command.telecom is None else command.telecom,
        identifiers=before.identifiers if command.identifiers is None else command.identifiers, active=command.active,
    )  # fmt: skip


def merged(survivor: Patient, prior: Patient) -> tuple[Patient, Patient]:
    """Both records after a merge. The survivor has every identifier, and of the rest what it did not have; the prior is inactive."""
    identifiers = tuple(dict.fromkeys((*survivor.identifiers, *prior.identifiers)))
    stays = msgspec.structs.replace(
        survivor, identifiers=identifiers, birth_on=survivor.birth_on or prior.birth_on, gender=survivor.gender or prior.gender,
        language=survivor.language or prior.language, telecom=survivor.telecom or prior.telecom,
    )  # fmt: skip
    return stays, msgspec.structs.replace(prior, identifiers=(), active=False)


def name_key(person: Person | Patient) -> str:
    """What people are sorted by."""
    return f"{folded(person.family)}, {given_of(person)}"


def given_of(person: Person | NewPatient | Patient) -> str:
    """The given names as they are searched."""
    return folded(" ".join(person.given))


def sound_of(name: str) -> str:
    """How a name sounds in English (Metaphone, Lawrence Philips 1990), Y taken as the vowel it mostly is: Meyer, Maier and Meier are one.

    A name without Latin consonants stands for itself.
    """
    text = folded(name)
    return metaphone(text).replace(" ", "").replace("Y", "") or text


def asked(query: FindPatients) -> Asked:
    """The query as it is compared. Raises `BadInput` for too little to search by."""
    family, comma, rest = folded(query.family or "").partition(",")
    family = family.strip()
    given = folded(query.given or "") or rest.strip()
    for name, text in (("family", family), ("given", given)):
        if not _printable(text):
            raise BadInput("A name has no control characters.", parameter=name)
    if _letters(family) < PREFIX_LETTERS_MIN and not (query.birth_on and not family and _letters(given) >= PREFIX_LETTERS_MIN):
        raise BadInput("Type at least two letters of the family name, or of the given names with the birth date.", parameter="family")
    return Asked(family=family, whole=bool(comma), given=given, birth_on=query.birth_on, sounds_like=query.sounds_like)


def fits(asked: Asked, person: Person) -> bool:
    """Whether somebody whom an index brought up is one of those asked for."""
    if asked.birth_on is not None and person.birth_on != asked.birth_on:
        return False
    family, given = folded(person.family), given_of(person)
    begins = family == asked.family if asked.whole else family.startswith(asked.family)
    if begins and given.startswith(asked.given):
        return True
    first = person.given[0] if person.given else ""
    return asked.sounds_like and _sounds(asked.family, family) and (given.startswith(asked.given) or _sounds(asked.given, first))


def searched(query: SearchPatients) -> Asked:
    """The names and the birth date of a search, folded. Raises `BadInput` where nothing that it asks for is indexed."""
    family, given = folded(query.family or "").strip(), folded(query.given or "").strip()
    if not (query.identifiers or query.birth_on or _letters(family) >= PREFIX_LETTERS_MIN):
        raise BadInput("Ask for an identifier, a birth date, or two letters of the family name.", parameter="family")
    return Asked(family=family, whole=False, given=given, birth_on=query.birth_on, sounds_like=False)


def meets(query: SearchPatients, patient: Patient) -> bool:
    """Whether a record meets the conditions of a search that no index knows."""
    if query.gender is not None and patient.gender != query.gender:
        return False
    wanted = query.contact
    return wanted is None or any((each.system, each.key()) == (wanted.system, wanted.key()) for each in patient.telecom)


def carried(patients: Iterable[Patient]) -> Iterator[tuple[Identifier, UUID]]:
    """Every identifier with its carrier, each once."""
    return ((one, patient.id) for patient in patients for one in dict.fromkeys(patient.identifiers))


class Indexing:
    """Makes the numbers and marks by which records are found. It remembers the names it met, so one lives as long as one use case."""

    def __init__(self, cipher: FieldCipher) -> None:
        self._cipher = cipher
        self._names: dict[str, tuple[int, int]] = {}
        self._givens: dict[tuple[str, ...], tuple[int, int]] = {}
        self._births: dict[date, int] = {}

    def of(self, person: Person) -> Numbers:
        """The numbers under which a person is found."""
        return Numbers(*self.family(person.family), *self.given(person.given), self.birth(person.birth_on))

    def family(self, name: str) -> tuple[int, int]:
        """Where a family name lies, and the number of its sound."""
        if name not in self._names:
            self._names[name] = FAMILY.number(self._cipher, folded(name)), self.sound("family_sound", name)
        return self._names[name]

    def given(self, names: tuple[str, ...]) -> tuple[int, int]:
        """Where given names lie, and the number of the first one's sound."""
        if names not in self._givens:
            number = GIVEN.number(self._cipher, folded(" ".join(names)))
            self._givens[names] = number, self.sound("given_sound", names[0] if names else "")
        return self._givens[names]

    def birth(self, on: date | None) -> int | None:
        """The number of a birth date."""
        if on is None:
            return None
        if on not in self._births:
            self._births[on] = self._cipher.blind(TABLE, "birth_index", on.isoformat(), BIRTH_BITS)
        return self._births[on]

    def sound(self, column: SoundColumn, name: str) -> int:
        """The number of a name's sound."""
        return self._cipher.blind(TABLE, column, sound_of(name), SOUND_BITS[column])

    def mark(self, identifier: Identifier) -> bytes:
        """What an identifier is unique by."""
        return hash_of(self._cipher, identifier)


def ensure_sound(patients: Sequence[Patient], now: datetime) -> None:
    """Raise `InvalidPatient` for the first record that breaks a rule, or shares its id or an identifier with an earlier one."""
    for start in range(0, len(patients), FORM_BATCH):
        _ensure_form(patients[start : start + FORM_BATCH])
    latest_birth = (now + FIRST_TO_SEE_A_DATE).date()
    ids: set[UUID] = set()
    carriers: set[Identifier] = set()
    for patient in patients:
        for broken in _broken_rules(patient, latest_birth):
            raise invalid(patient, broken.field, broken.rule, broken.system)
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


def invalid(patient: Patient, field: str, rule: str, system: str | None = None) -> InvalidPatient:
    """A refusal that names the record and the field, of contacts the kind, and nothing of the person."""
    return InvalidPatient(rule, patient_id=str(patient.id), field=field, **({"system": system} if system else {}))


def _broken_rules(patient: Patient, latest_birth: date) -> Iterator[Broken]:
    if not all(name.strip() and _printable(name) for name in (patient.family, *patient.given)):
        yield Broken("family", "A name is not empty, and has no control characters.")
    if patient.birth_on and not EARLIEST_BIRTH <= patient.birth_on <= latest_birth:
        yield Broken("birth_on", f"A birth date lies between {EARLIEST_BIRTH.year} and today.")
    for point in patient.telecom:
        if not _plausible(point):
            yield Broken("telecom", "A phone number has 5 to 15 digits; an e-mail address looks like name@example.org.", point.system)
    for identifier in patient.identifiers:
        if not (identifier.value.strip() and _printable(identifier.system + identifier.value) and _short(identifier)):
            yield Broken("identifiers", f"An identifier has a value; system and value have {IDENTIFIER_LENGTH_MAX} letters at most.")


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


def _letters(text: str) -> int:
    return sum(letter.isalnum() for letter in text)


def _sounds(asked: str, name: str) -> bool:
    return sound_of(asked) == sound_of(name)


def _short(identifier: Identifier) -> bool:
    return max(len(identifier.system), len(identifier.value)) <= IDENTIFIER_LENGTH_MAX


def names_in(display: str) -> list[tuple[str, tuple[str, ...]]]:
    """Every way to read a name as a family name with words before it, folded: "Ana García López" has two."""
    family, comma, given = folded(display).partition(",")
    if comma:
        return [(family.strip(), tuple(given.split()))]
    words = family.split()
    return [(" ".join(words[at:]), tuple(words[:at])) for at in range(min(1, len(words) - 1), len(words))] if words else []


def name_relation(person: Person, display: str) -> NameRelation:
    """What the name of a member of staff has to do with a patient's. Titles and second names make no difference."""
    families = [given for family, given in names_in(display) if family == folded(person.family)]
    if not families:
        return "other"
    first = given_of(person).split()[:1]
    return "same-person" if first and any(first[0] in given for given in families) else "same-surname"


def likeness(said: NewPatient, person: Person | Patient) -> tuple[Likeness, ...]:
    """What somebody has in common with whom one would register; nothing where they are likely another person.

    They are alike whose names are the same, by sound or exchanged too, unless both birth dates are known and differ in more than one part;
    and who were born on the same day and have one of the names. A given name that is not known contradicts none.
    """
    first, other = given_of(said).partition(" ")[0], given_of(person).partition(" ")[0]
    family = _name_likeness(folded(said.family), folded(person.family), "family", "family-sound")
    given = _name_likeness(first, other, "given", "given-sound")
    swapped = folded(said.family) == other and folded(person.family) == first
    names: tuple[Likeness, ...] = ("names-swapped",) if swapped else (*family, *given)
    is_same_name = swapped or bool(family and (given or not first or not other))
    if said.birth_on is None or person.birth_on is None:
        return names if is_same_name else ()
    if said.birth_on == person.birth_on:
        return ("birth-date", *names) if names else ()
    return ("birth-date-nearly", *names) if is_same_name and _nearly(said.birth_on, person.birth_on) else ()


def all_likeness(said: NewPatient, patient: Patient, *, with_contacts: bool) -> tuple[Likeness, ...]:
    """The same of an opened record, by identifiers too. A contact speaks beside something else alone: families share telephones."""
    carried = not set(said.identifiers).isdisjoint(patient.identifiers)
    why: tuple[Likeness, ...] = (*(("identifier",) if carried else ()), *likeness(said, patient))
    contacts = {(each.system, each.key()) for each in said.telecom} if why and with_contacts else set()
    shared = any((each.system, each.key()) in contacts for each in patient.telecom)
    return (*why, "contact") if shared else why


def likelier(alike: AlikePatient) -> tuple[int, str, UUID]:
    """What alike records are sorted by: the more they have in common, the earlier; then by name."""
    return -sum(WEIGHTS[each] for each in alike.why), name_key(alike.patient), alike.patient.id


def _name_likeness(one: str, other: str, same: Likeness, sound: Likeness) -> tuple[Likeness, ...]:
    if not one or not other:
        return ()
    return (same,) if one == other else (sound,) if _sounds(one, other) else ()


def _nearly(one: date, other: date) -> bool:
    """Whether two birth dates differ as a slip of the hand makes them: in one part alone, or with day and month exchanged."""
    exchanged = one.year == other.year and (one.month, one.day) == (other.day, other.month)
    return exchanged or [one.year == other.year, one.month == other.month, one.day == other.day].count(False) == 1
