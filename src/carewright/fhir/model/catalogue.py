"""What one import holds of one resource type: who carries which identifier, and which rows the directory has."""

from uuid import UUID

from carewright.contracts.directory import Identifier
from carewright.fhir.model.reading import Draft
from carewright.fhir.model.references import Ref


class Catalogue:
    """Rows by source id. `ids` are ours; `standing` are those the directory has, from before or by now."""

    def __init__(self) -> None:
        self.identifiers: dict[str, set[Identifier]] = {}
        self.carriers: dict[Identifier, set[str]] = {}
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

    def telling(self, source_id: str) -> list[Identifier]:
        """The identifiers that this row alone carries: a number shared by several tells none of them apart."""
        return [one for one in sorted(self.identifiers[source_id], key=by_text) if len(self.carriers[one]) == 1]


def by_text(identifier: Identifier) -> tuple[str, str]:
    """The key that puts identifiers in a fixed order."""
    return identifier.system, identifier.value
