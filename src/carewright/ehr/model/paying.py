"""What an EHR says of who pays: FHIR R4 Coverage, as far as we keep it, and in what ours says otherwise.

Sources: HL7 FHIR R4 Coverage; US Core 6.1 Coverage (a member id is an identifier of type `MB`, or the subscriberId); Oracle Health,
Millennium Platform APIs, FHIR R4 Coverage (plans are ids with names, periods are instants, who pays themselves is a payor called SELF PAY).
"""

from datetime import date, datetime
from typing import Any, Literal, get_args
from zoneinfo import ZoneInfo

import msgspec

from carewright.contracts.coverage import Coverage, CoverageDetails, CoverageStatus, Insured, Payer, Relationship
from carewright.contracts.fhir import datatypes
from carewright.contracts.patients import Patient
from carewright.ehr.model.reading import Misread, Person, Resource, read

NAME_MAX, WORD_MAX = 100, 200
MEMBER = "MB"
"""A member number, of http://terminology.hl7.org/CodeSystem/v2-0203."""
DAY_LENGTH = 10
DETAILS = CoverageDetails.__struct_fields__


class Class(msgspec.Struct, frozen=True):
    """Coverage.class."""

    type: datatypes.CodeableConcept = datatypes.CodeableConcept()
    value: str | None = None
    name: str | None = None


class Policy(Resource, frozen=True, kw_only=True, rename="camel"):
    """A Coverage."""

    status: CoverageStatus
    type: datatypes.CodeableConcept = datatypes.CodeableConcept()
    subscriber: datatypes.Reference | None = None
    subscriber_id: str | None = None
    relationship: datatypes.CodeableConcept = datatypes.CodeableConcept()
    period: datatypes.Period = datatypes.Period()
    payor: tuple[datatypes.Reference, ...] = ()
    order: int | None = None
    contained: tuple[dict[str, Any], ...] = ()
    classes: tuple[Class, ...] = msgspec.field(default=(), name="class")

    @property
    def payer(self) -> str | None:
        return next((each.display[:NAME_MAX] for each in self.payor if each.display), None)

    @property
    def member_id(self) -> str | None:
        numbers = (each.value for each in self.identifier if each.type and MEMBER in _codes(each.type))
        return next(numbers, None) or self.subscriber_id

    @property
    def is_self_paid(self) -> bool:
        """Whether the patient or their kin pays, and no plan does."""
        by_person = any((each.reference or "").startswith(("Patient/", "RelatedPerson/")) for each in self.payor)
        named = (self.payer or "").casefold().replace(" ", "").replace("-", "") == "selfpay"
        return by_person or named or "pay" in _codes(self.type)

    @property
    def relation(self) -> Relationship | None:
        """What the patient is to the subscriber: a code that we do not know is `other`, and nothing is nothing."""
        codes = _codes(self.relationship)
        if not codes:
            return None
        return next((code for code in get_args(Relationship) if code in codes), "other")

    @property
    def insured(self) -> Insured | None:
        """Whose plan it is, where that is said within; otherwise `subscriber` names them by reference."""
        wanted = (self.subscriber.reference or "").removeprefix("#") if self.subscriber else ""
        found = next((each for each in self.contained if wanted and each.get("id") == wanted), None)
        return insured_of(read(found, Person)) if found is not None else None

    def word(self, kind: Literal["plan", "group"]) -> str | None:
        """A plan is called by its name, a group by its number."""
        for each in self.classes:
            if kind in _codes(each.type):
                found = (each.name or each.value) if kind == "plan" else (each.value or each.name)
                return found[:WORD_MAX] if found else None
        return None

    def days(self, zone: ZoneInfo) -> tuple[date | None, date | None]:
        """The first and the last day; of an instant the day on which it is in `zone`. Raises `Misread`."""
        return _day(self.period.start, zone), _day(self.period.end, zone)


def insured_of(person: Person) -> Insured:
    """A person as the payer knows them. Raises `Misread` for somebody without a family name."""
    return Insured(family=person.official.family or "", given=person.given, birth_on=person.birth_on, gender=person.gender)


def beneficiary_of(ours: Patient) -> Insured:
    return Insured(family=ours.family, given=ours.given[:10], birth_on=ours.birth_on, gender=ours.gender)


def said_of(theirs: Policy, zone: ZoneInfo) -> dict[str, Any]:
    """What they say, by element of ours; None for what they do not say."""
    starts_on, ends_on = theirs.days(zone)
    return {
        "payer": Payer(name=theirs.payer) if theirs.payer else None, "member_id": theirs.member_id, "relationship": theirs.relation,
        "subscriber": theirs.insured, "plan": theirs.word("plan"), "group": theirs.word("group"), "starts_on": starts_on,
        "ends_on": ends_on, "order": theirs.order, "status": theirs.status,
    }  # fmt: skip


def otherwise(said: dict[str, Any], ours: Coverage) -> dict[str, Any]:
    """What they say otherwise. A payer of the same name is the same one, and keeps the number that we know it by."""
    differing = {name: value for name, value in said.items() if value is not None and value != getattr(ours, name)}
    if "payer" in differing and _plain(differing["payer"].name) == _plain(ours.payer.name):
        del differing["payer"]
    if "member_id" in differing and _plain(differing["member_id"]) == _plain(ours.member_id):
        del differing["member_id"]
    if "subscriber" in differing and ours.subscriber is not None:
        spoken = {name: value for name, value in msgspec.structs.asdict(differing.pop("subscriber")).items() if value}
        person = msgspec.structs.replace(ours.subscriber, **spoken)
        differing |= {"subscriber": person} if person != ours.subscriber else {}
    return differing


def is_same(said: dict[str, Any], ours: Coverage) -> bool:
    """Whether ours is the same contract, however it is written."""
    return _plain(said["payer"].name) == _plain(ours.payer.name) and _plain(said["member_id"]) == _plain(ours.member_id)


def details_from(said: dict[str, Any], base: dict[str, Any]) -> CoverageDetails:
    """Details with what they say upon what was there. Raises `Misread` for what is not in form."""
    merged = {name: base[name] for name in DETAILS if name in base} | {name: value for name, value in said.items() if value is not None}
    if merged.get("relationship", "self") == "self":
        merged["subscriber"] = None
    try:
        return msgspec.convert(msgspec.to_builtins(merged), CoverageDetails)
    except msgspec.ValidationError:
        raise Misread("form") from None


def _codes(concept: datatypes.CodeableConcept) -> set[str]:
    return {each.code for each in concept.coding if each.code}


def _plain(text: str) -> str:
    """Letters and digits alone, small."""
    return "".join(each for each in text.casefold() if each.isalnum())


def _day(text: str | None, zone: ZoneInfo) -> date | None:
    if not text or len(text) < DAY_LENGTH:
        return None
    try:
        return date.fromisoformat(text) if len(text) == DAY_LENGTH else datetime.fromisoformat(text).astimezone(zone).date()
    except ValueError:
        raise Misread("period") from None
