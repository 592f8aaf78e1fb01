"""Codes of others and what they become: tables kept as data, each code of an organization's senders to one of ours."""

from typing import Literal, get_args

import msgspec

from carewright.contracts.directory import Identifier

Table = Literal["visit-type", "site", "practitioner", "calendar", "cancellation-reason", "status", "authority"]
TABLES: tuple[str, ...] = get_args(Table)
NPI = "http://hl7.org/fhir/sid/us-npi"
SCHEMES = {"ISO": "urn:oid:", "UUID": "urn:uuid:", "URI": ""}
"""Types of universal ids (table 0301) and how FHIR writes them as a system."""
BY_HAND = "hl7.by_hand"
"""Why something does not fit that a person must decide about."""


class Coded(msgspec.Struct, frozen=True):
    """An identifier with who assigned it: namespace, universal id and its type (HD)."""

    value: str
    namespace: str = ""
    universal: str = ""
    scheme: str = ""

    def identifier(self, authorities: dict[str, str]) -> Identifier:
        """With a system: that of the table of authorities, else of the universal id, else made of the name (as HL7's own examples do)."""
        if self.namespace in authorities:
            return Identifier(system=authorities[self.namespace], value=self.value)
        if self.universal and self.scheme in SCHEMES:
            return Identifier(system=SCHEMES[self.scheme] + self.universal, value=self.value)
        return Identifier(system=f"urn:id:{self.namespace}" if self.namespace else "urn:id:unnamed", value=self.value)


class DoesNotFit(Exception):
    """What a message asks for that we cannot do: `reason` is a code of ours, `about` says which of the sender's codes it is."""

    def __init__(self, reason: str, about: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.about = about[:200]
