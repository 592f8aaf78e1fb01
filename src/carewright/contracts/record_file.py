"""The one file of an export, as both rims hand it out: NDJSON, and a page for people that says what is in it."""

from collections import Counter
from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from html import escape
from typing import Any

import msgspec
from msgspec.structs import replace

from carewright.contracts.records import ExportPage, ExportRecord, Records
from carewright.kernel.authz import Actor

NDJSON, INDEX = "record.ndjson", "index.html"
KINDS = {
    "Patient": "details and contacts", "Appointment": "appointments, with what was written about them",
    "AppointmentResponse": "other times that were offered for them, and what was answered",
    "Coverage": "coverages: who pays",
    "CoverageEligibilityRequest": "questions to payers",
    "CoverageEligibilityResponse": "what became of them: what payers answered",
    "ClaimResponse": "what payers authorised beforehand, or did not",
    "Encounter": "visits and stays",
    "Flag": "precautions against what may be passed on, as they are kept",
    "Task": "turns in queues: since when, how urgent, when called and seen",
    "ServiceRequest": "orders and referrals",
    "Observation": "measurements and findings",
    "DocumentReference": "what other systems told us of you, and were told, as it was written (HL7 v2); kept for 90 days",
    "Communication": "messages; the text of each is kept for a month",
    "Consent": "what apps may do with the record, or might",
    "AuditEvent": "entries about who looked at the record or changed it",
}  # fmt: skip


class Index:
    """What is in the file: counted while it is written, read as a page of HTML (`str`) once it is."""

    def __init__(self, hospital: str, made_at: datetime) -> None:
        self._hospital, self._made_at = hospital, made_at
        self._kinds: Counter[str] = Counter()
        self._who = ""
        self._appointments: list[str] = []

    def note(self, resource: Mapping[str, Any]) -> None:
        kind = resource["resourceType"]
        self._kinds[kind] += 1
        if kind == "Patient":
            self._who = " ".join([*resource["name"][0].get("given", ()), resource["name"][0]["family"]])
        if kind == "Appointment":
            self._appointments.append(f"{resource['start']}: {resource['serviceType'][0]['text']} ({resource['status']})")

    def __str__(self) -> str:
        counts = "".join(f"<li>{number} {escape(KINDS.get(kind, kind))} ({escape(kind)})</li>" for kind, number in self._kinds.items())
        visits = "".join(f"<li>{escape(one)}</li>" for one in self._appointments) or "<li>None.</li>"
        title = f"Record of {escape(self._who)}"
        made = f"Made by {escape(self._hospital)} on {self._made_at:%d %B %Y, %H:%M} UTC."
        return (
            f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title></head>\n<body><h1>{title}</h1>\n'
            f"<p>{made} This is everything that is held about this person here (45 CFR 164.524).</p>\n"
            f"<h2>What is in {NDJSON}</h2>\n<p>One FHIR R4 resource a line.</p>\n<ul>{counts}</ul>\n"
            f"<h2>Appointments</h2>\n<ul>{visits}</ul>\n</body></html>\n"
        )


async def lines_of(records: Records, actor: Actor, command: ExportRecord, page: ExportPage, index: Index) -> AsyncIterator[bytes]:
    """NDJSON, a page of resources at a time. `page` is the first one: it was asked for before anything was sent."""
    while True:
        for resource in page.items:
            index.note(resource)
        yield b"".join(msgspec.json.encode(resource) + b"\n" for resource in page.items)
        if page.next is None:
            return
        page = await records.export_record(actor, replace(command, after=page.next))
