"""What one import holds of one resource type: who carries which identifier, and which rows the directory has."""

from uuid import UUID

from carewright.contracts.directory import Identifier
from carewright.fhir.model.reading import Draft
from carewright.fhir.model.references import Ref, ResourceType

ENTERPRISE_SYSTEMS = frozenset({"http://hl7.org/fhir/sid/us-npi", "urn:oid:2.16.840.1.113883.4.4"})
"""Provider and tax numbers: parts of one enterprise share them, so that they do not tell one place or organization from another."""


class Catalogue:
    """Rows by source id. `ids` are ours; `standing` are those the directory has, from before or by now.

    `owners` says which of our ids carried an identifier before this import.
    """

    def __init__(self, resource_type: ResourceType) -> None:
        self._enterprise = resource_type in ("Organization", "Location")
        self.identifiers: dict[str, set[Identifier]] = {}
        self.carriers: dict[Identifier, set[str]] = {}
        self.owners: dict[Identifier, set[UUID]] = {}
        self.ids: dict[str, UUID] = {}
        self.standing: set[str] = set()

    def add(self, draft: Draft) -> None:
        """Note a row; several rows of one id count as one."""
        known = self.identifiers.setdefault(draft.source_id, set())
        for identifier in draft.value.identifiers:
            known.add(identifier)
            self.carriers.setdefault(identifier, set()).add(draft.source_id)

    def sole_carrier(self, ref: Ref) -> str | None:
        """The one row that `ref` means; None where there is none, or where its identifiers are carried by several."""
        for identifier in ref.identifiers:
            carriers = self.carriers.get(identifier, set())
            if len(carriers) == 1:
                return next(iter(carriers))
        return None

    def owners_of(self, source_id: str) -> set[UUID]:
        """Whose the identifiers are that this row alone carries; numbers that parts of one enterprise share do not count."""
        alone = [one for one in self.identifiers[source_id] if len(self.carriers[one]) == 1]
        telling = [one for one in alone if not (self._enterprise and one.system in ENTERPRISE_SYSTEMS)]
        return set().union(*(self.owners.get(one, set()) for one in telling))

    def not_its_own(self, source_id: str) -> frozenset[Identifier]:
        """The identifiers of a row that other rows carry too, or somebody else in the directory."""
        own = {self.ids[source_id]}
        return frozenset(one for one in self.identifiers[source_id] if len(self.carriers[one]) > 1 or self.owners.get(one, own) - own)


def by_text(identifier: Identifier) -> tuple[str, str]:
    """The key that puts identifiers in a fixed order."""
    return identifier.system, identifier.value
