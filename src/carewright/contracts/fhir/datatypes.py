"""The datatypes of FHIR R4 that are read from others (https://hl7.org/fhir/R4/datatypes.html), as far as we understand them.

Other elements are passed over. Arrays may hold nulls where only an extension has the value
(https://hl7.org/fhir/R4/json.html#primitive), so text lists allow them.
"""

import msgspec


class Coding(msgspec.Struct, frozen=True):
    system: str | None = None
    code: str | None = None
    display: str | None = None


class CodeableConcept(msgspec.Struct, frozen=True):
    coding: tuple[Coding, ...] = ()
    text: str | None = None


class Identifier(msgspec.Struct, frozen=True):
    system: str | None = None
    value: str | None = None
    use: str | None = None
    type: CodeableConcept | None = None


class Reference(msgspec.Struct, frozen=True):
    reference: str | None = None
    identifier: Identifier | None = None
    display: str | None = None


class Period(msgspec.Struct, frozen=True):
    start: str | None = None
    end: str | None = None


class HumanName(msgspec.Struct, frozen=True):
    use: str | None = None
    text: str | None = None
    family: str | None = None
    given: tuple[str | None, ...] = ()
    prefix: tuple[str | None, ...] = ()


class ContactPoint(msgspec.Struct, frozen=True):
    system: str | None = None
    value: str | None = None
    use: str | None = None
    rank: int | None = None
