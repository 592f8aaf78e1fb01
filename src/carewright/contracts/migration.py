"""Migration's language: what ends an import of an older system's rows, and how its appointments differ from ours."""

from typing import Literal
from uuid import UUID

import msgspec

from carewright.kernel.errors import Refusal
from carewright.kernel.values import Instant

ComparedField = Literal["patient", "visit_type", "site", "status", "start", "end", "practitioner"]


class FieldDifference(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One field that says different things there and here: instants, ids and codes. Of a patient neither value is told."""

    field: ComparedField
    theirs: str = ""
    ours: str = ""


class Difference(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One appointment that differs: `line` is where it stands in their file, `appointment_id` is ours, `code` says why it was not taken."""

    kind: Literal["theirs-only", "ours-only", "differs"]
    line: int | None = None
    appointment_id: UUID | None = None
    code: str | None = None
    fields: tuple[FieldDifference, ...] = ()


class DifferenceReport(msgspec.Struct, frozen=True, kw_only=True):
    """What an older system has of a service at a site and what we have, from `made_at` on.

    `theirs` counts their appointments, `ours` ours; of theirs `same` agree. `unread` rows of the file could not be read, and may be of any
    service. Counts are whole, `differences` the first of them.
    """

    id: UUID
    service_id: UUID
    site_id: UUID
    source: str
    made_at: Instant
    theirs: int
    ours: int
    same: int
    theirs_only: int
    ours_only: int
    differing: int
    unread: int
    differences: tuple[Difference, ...] = ()

    @property
    def open(self) -> int:
        """How much somebody must look at before the two can be said to agree."""
        return self.theirs_only + self.ours_only + self.differing + self.unread


class InvalidMapping(Refusal):
    code = "migration.invalid_mapping"
    status = 422
    issue = "invalid"
    title = "The mapping cannot be used."


class FileUnreadable(Refusal):
    code = "migration.file_unreadable"
    status = 422
    issue = "invalid"
    title = "The file cannot be read as CSV with a header."


class DumpUnreadable(Refusal):
    code = "migration.dump_unreadable"
    status = 422
    issue = "invalid"
    title = "The file cannot be read as a dump of MySQL."


class NothingMirrored(Refusal):
    code = "migration.nothing_mirrored"
    status = 409
    issue = "business-rule"
    title = "That system was never made master of a service here. Begin with: carewright legacy begin."


class ReportMissing(Refusal):
    code = "migration.report_missing"
    status = 409
    issue = "business-rule"
    title = "There is no report of differences that is new enough. Mirror the system's last export first."


class DifferencesOpen(Refusal):
    code = "migration.differences_open"
    status = 409
    issue = "business-rule"
    title = "The older system and ours still differ. Look at the report first, or switch despite the differences."
