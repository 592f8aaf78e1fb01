"""Records, as the portal asks for them: two pages about the patient. And how everything in the hospital in memory is numbered."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from carewright.contracts.records import ExportPage, ExportRecord
from carewright.kernel.authz import Actor
from carewright.kernel.errors import Refusal


def numbered(kind: int, number: int) -> UUID:
    return UUID(int=(kind << 64) | number)


class DoubleRecords:
    """Two pages about the patient, for whoever signed in a moment ago."""

    def __init__(self, family: str, calls: list[Any], refusals: Mapping[str, list[Refusal]]) -> None:
        self.family, self.calls, self.refusals = family, calls, refusals

    async def export_record(self, actor: Actor, command: ExportRecord) -> ExportPage:
        actor.require("records.export")
        if waiting := self.refusals.get("export_record"):
            raise waiting.pop(0)
        self.calls.append(("export_record", command))
        name = {"family": self.family, "given": ["<b>Zoë</b>"]}
        if command.after is None:
            return ExportPage(items=({"resourceType": "Patient", "id": str(command.patient_id), "name": [name]},), next="appointments~")
        return ExportPage(items=({
            "resourceType": "Appointment", "status": "booked", "start": "2026-11-02", "serviceType": [{"text": "Foot check"}],
        },))  # fmt: skip
