"""The patients module's language: identity and how to reach a person."""

from typing import Annotated, ClassVar, Literal, Protocol
from uuid import UUID

import msgspec
from msgspec import Meta

from carewright.contracts.directory import Identifier
from carewright.contracts.groups import Group, GroupDetails, SearchGroups, UpdateGroup
from carewright.kernel.authz import Actor
from carewright.kernel.errors import Refusal
from carewright.kernel.events import Event
from carewright.kernel.privacy.cipher import FieldCipher
from carewright.kernel.values import Day, Instant, Language, Reason, ShortText, Version

Name = Annotated[str, Meta(min_length=1, max_length=100)]
PHONE_DIGITS = 10
"""Of a telephone number without its country in the North American plan; where numbers are shorter, all of them."""
PatientIds = Annotated[tuple[UUID, ...], Meta(max_length=200)]
Gender = Literal["male", "female", "other", "unknown"]
ALIKE_MAX = 20
Likeness = Literal[
    "identifier", "birth-date", "birth-date-nearly", "family", "family-sound", "given", "given-sound", "names-swapped", "contact"
]
"""What two records have in common. `birth-date-nearly` differs in the year, the month or the day alone, or has day and month exchanged."""
UnlikeReason = Literal["same-name", "relative", "cannot-tell"]
"""Another person of that name; a twin, or somebody of the family; or nobody can say now, and the records are merged should they be one."""


class ContactPoint(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    system: Literal["phone", "email"]
    value: ShortText

    def key(self) -> str:
        """What is the same however a person writes it: an address without case; of a number the last ten digits, country or not."""
        if self.system == "email":
            return self.value.strip().casefold()
        return "".join(letter for letter in self.value.lower().partition("x")[0] if letter in "0123456789")[-PHONE_DIGITS:]


class Patient(msgspec.Struct, frozen=True, kw_only=True):
    """A person who receives care. Birth dates are calendar dates; `language` is a BCP 47 tag.

    `withheld` names what is empty here because the reader's role does not need it. `replaced_by` is the record into which this one was
    merged, and `replaces` are those that were merged into it.
    """

    id: UUID
    family: Name
    given: Annotated[tuple[Name, ...], Meta(max_length=10)] = ()
    birth_on: Day | None = None
    gender: Gender | None = None
    language: Language | None = None
    telecom: Annotated[tuple[ContactPoint, ...], Meta(max_length=20)] = ()
    identifiers: Annotated[tuple[Identifier, ...], Meta(max_length=50)] = ()
    active: bool = True
    version: int = 1
    withheld: tuple[Literal["telecom", "identifiers"], ...] = ()
    replaced_by: UUID | None = None
    replaces: tuple[UUID, ...] = ()


class Traits(msgspec.Struct, frozen=True, kw_only=True):
    """What a patient has in common with many others. It is no answer to anybody: the extract without names is made of it."""

    birth_on: Day | None = None
    gender: Gender | None = None
    language: Language | None = None


class Identity(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who somebody is."""

    family: Name
    given: Annotated[tuple[Name, ...], Meta(max_length=10)] = ()
    birth_on: Day | None = None
    gender: Gender | None = None
    language: Language | None = None


class NewPatient(Identity, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who somebody is whom nobody registered yet, and how to reach them."""

    telecom: Annotated[tuple[ContactPoint, ...], Meta(max_length=20)] = ()
    identifiers: Annotated[tuple[Identifier, ...], Meta(max_length=50)] = ()


class Unlike(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whom somebody was shown as likely the same person, and why they are registered all the same."""

    patient_ids: Annotated[tuple[UUID, ...], Meta(min_length=1, max_length=ALIKE_MAX)]
    because: UnlikeReason


class RegisterPatient(NewPatient, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`unlike` is kept in the journal, as the code and the entities of the entry that tells of the registration."""

    unlike: Unlike | None = None


class FindAlike(NewPatient, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who is known already and may be the person who is to be registered."""

    limit: Annotated[int, Meta(ge=1, le=ALIKE_MAX)] = 10


class AlikePatient(msgspec.Struct, frozen=True, kw_only=True):
    """A record that may be of the same person, and what the two have in common."""

    patient: Patient
    why: tuple[Likeness, ...]


class AlikePatients(msgspec.Struct, frozen=True, kw_only=True):
    """The likeliest first. `more` says that others may be, too: a birth date, or a given name, would tell."""

    items: tuple[AlikePatient, ...]
    more: bool = False


class PatientBody(Identity, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a record says. `telecom` and `identifiers` stay as they are where none are given: who may not see them cannot say them."""

    telecom: Annotated[tuple[ContactPoint, ...], Meta(max_length=20)] | None = None
    identifiers: Annotated[tuple[Identifier, ...], Meta(max_length=50)] | None = None
    active: bool = True


class UpdatePatient(PatientBody, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Replace what a record says."""

    patient_id: UUID
    expected_version: Version | None = None


class FindPatients(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Front-desk search: the beginning of the family name (two letters at least), and to narrow, that of the given names or a birth date.

    "family, given" in `family` is understood. With a birth date the given names alone will do. `sounds_like` also finds people whose
    names sound alike in English: Meyer, Maier.
    """

    family: Annotated[str, Meta(min_length=2, max_length=100)] | None = None
    given: Annotated[str, Meta(min_length=1, max_length=100)] | None = None
    birth_on: Day | None = None
    sounds_like: bool = False
    limit: Annotated[int, Meta(ge=1, le=50)] = 20


class SearchPatients(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Search as other systems do: records that meet every condition that has a value. Names are asked by their beginning.

    An identifier, a birth date, or two letters of the family name there must be: by these records are indexed, by a contact or a gender
    alone they are not.
    """

    identifiers: Annotated[tuple[Identifier, ...], Meta(max_length=50)] = ()
    family: Annotated[str, Meta(min_length=2, max_length=100)] | None = None
    given: Annotated[str, Meta(min_length=1, max_length=100)] | None = None
    birth_on: Day | None = None
    gender: Gender | None = None
    contact: ContactPoint | None = None
    limit: Annotated[int, Meta(ge=1, le=200)] = 50


class PatientsPage(msgspec.Struct, frozen=True, kw_only=True):
    """`more` says that others may fit too: narrow the search."""

    items: tuple[Patient, ...]
    more: bool = False


class ListPatients(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Every record, by id, in pages: those with ids behind `after`."""

    after: UUID | None = None
    limit: Annotated[int, Meta(ge=1, le=1000)] = 1000


class PutPatients(msgspec.Struct, frozen=True, kw_only=True):
    """Create or change many at once, matched by id; for imports."""

    patients: tuple[Patient, ...]


class PutPatientsResult(msgspec.Struct, frozen=True, kw_only=True):
    created: int
    changed: int
    unchanged: int


class PatientMatch(msgspec.Struct, frozen=True, kw_only=True):
    identifier: Identifier
    id: UUID


class ErasePatient(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Erase everything that tells who a patient is, and everybody's words about them, for good."""

    patient_id: UUID
    reason: Reason


class Erased(msgspec.Struct, frozen=True, kw_only=True):
    """The record is gone; what others keep of it follows within moments."""

    patient_id: UUID
    erased_by: str
    erased_at: Instant


class MergeBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which record is of the same person, and how that was found out."""

    prior_id: UUID
    reason: Reason


class MergePatients(MergeBody, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Two records are of one person: `survivor_id` stays and takes over what was kept of `prior_id`."""

    survivor_id: UUID


class MergedPatients(msgspec.Struct, frozen=True, kw_only=True):
    """The prior record is inactive and points to the survivor; what other modules keep follows within moments."""

    survivor_id: UUID
    prior_id: UUID
    merged_by: str
    merged_at: Instant


class Merge(MergedPatients, frozen=True, kw_only=True):
    """A merge with why, and with both records as they were: the survivor and the prior. Empty once the person was erased."""

    reason: str
    before: tuple[Patient, ...]


class UnknownMerge(Refusal):
    code = "patients.unknown_merge"
    status = 404
    issue = "not-found"
    title = "This record was not merged into another one."


class RecordMerged(Refusal):
    """`survivor_id` is the record that stands."""

    code = "patients.merged"
    status = 409
    issue = "business-rule"
    title = "This record was merged into another one of the same person. Take that one."


class PatientOnHold(Refusal):
    code = "patients.on_hold"
    status = 409
    issue = "business-rule"
    title = "A legal hold covers this patient. Nothing of the record is erased until the hold is lifted."


NameRelation = Literal["same-person", "same-surname", "other"]
"""What a name of a member of staff has to do with a patient's: all of it, the family name, or nothing."""


class UnknownPatient(Refusal):
    code = "patients.unknown_patient"
    status = 404
    issue = "not-found"
    title = "We do not know this patient."


class InvalidPatient(Refusal):
    code = "patients.invalid_patient"
    status = 422
    issue = "business-rule"
    title = "Something in the patient's details is not right."


class PatientChanged(Event, frozen=True, kw_only=True):
    """A patient was registered or changed. Carries no person data: whoever needs more asks, and is authorised when asking."""

    topic: ClassVar[str] = "patients.patient.changed.v1"
    patient_id: UUID
    active: bool
    version: int

    @property
    def subject(self) -> UUID:
        return self.patient_id


class PatientErased(Event, frozen=True, kw_only=True):
    """A patient was erased. Whoever keeps words, contacts or messages of this patient, or lets them in, ends that now.

    `identifier_hashes` are those of the identifiers that the record had (`hash_of`), in hexadecimal digits: for who keeps something of a
    person whom nobody knew by then.
    """

    topic: ClassVar[str] = "patients.patient.erased.v1"
    patient_id: UUID
    version: int
    identifier_hashes: tuple[str, ...] = ()

    @property
    def subject(self) -> UUID:
        return self.patient_id


class PatientMerged(Event, frozen=True, kw_only=True):
    """Two records turned out to be of one person. What a module keeps of `prior_id` is from now on the patient's whom it points to.

    That is `patient_id`, or whoever that one was merged into since: `kernel.survivor_of`. It comes again when somebody merges again.
    """

    topic: ClassVar[str] = "patients.patient.merged.v1"
    patient_id: UUID
    prior_id: UUID

    @property
    def subject(self) -> UUID:
        return self.patient_id


def hash_of(cipher: FieldCipher, identifier: Identifier) -> bytes:
    """The keyed hash by which an identifier is unique in its organization, and by which it is known again where it must not be read."""
    return cipher.mark("patients.identifier", "mark", f"{identifier.system}\0{identifier.value}".encode())


class Patients(Protocol):
    """What the rims may ask about patients and groups of them."""

    async def get_patient(self, actor: Actor, patient_id: UUID) -> Patient: ...

    async def find_patients(self, actor: Actor, query: FindPatients) -> PatientsPage: ...

    async def search_patients(self, actor: Actor, query: SearchPatients) -> PatientsPage: ...

    async def find_alike(self, actor: Actor, query: FindAlike) -> AlikePatients: ...

    async def get_patients(self, actor: Actor, ids: PatientIds) -> tuple[Patient, ...]: ...

    async def list_patients(self, actor: Actor, query: ListPatients) -> PatientsPage: ...

    async def update_patient(self, actor: Actor, command: UpdatePatient, idempotency_key: str | None = None) -> Patient: ...

    async def merge_patients(self, actor: Actor, command: MergePatients) -> MergedPatients: ...

    async def register_patient(self, actor: Actor, command: RegisterPatient, idempotency_key: str | None = None) -> Patient: ...

    async def find_patients_by_identifier(self, actor: Actor, identifiers: tuple[Identifier, ...]) -> tuple[PatientMatch, ...]: ...

    async def find_patients_by_contact(self, actor: Actor, contact: ContactPoint, birth_on: Day) -> tuple[UUID, ...]: ...

    async def put_patients(self, actor: Actor, command: PutPatients) -> PutPatientsResult: ...

    async def compare_names(self, actor: Actor, patient_id: UUID, display: ShortText) -> NameRelation: ...

    async def get_group(self, actor: Actor, group_id: UUID) -> Group: ...

    async def list_members(self, actor: Actor, group_id: UUID) -> tuple[UUID, ...]: ...

    async def search_groups(self, actor: Actor, query: SearchGroups) -> tuple[Group, ...]: ...

    async def create_group(self, actor: Actor, details: GroupDetails, idempotency_key: str | None = None) -> Group: ...

    async def update_group(self, actor: Actor, command: UpdateGroup, idempotency_key: str | None = None) -> Group: ...

    async def delete_group(self, actor: Actor, group_id: UUID) -> Group: ...
