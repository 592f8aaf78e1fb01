"""The account of an import: every line counted once, every rejected row with its code and reason, no person's data."""

from collections import Counter
from collections.abc import Callable
from typing import Literal

import msgspec

from carewright.kernel.errors import Refusal

Severity = Literal["rejected", "skipped", "warning"]
LISTED_MAX = 10_000
TYPES_COUNTED_MAX = 200

REASONS = {
    # whole lines and files
    "fhir.import.unreadable_file": "The file cannot be opened or read.",
    "fhir.import.damaged_gzip": "The compressed file is damaged or cut off; everything before this line was read.",
    "fhir.import.line_too_long": "The line is longer than we read.",
    "fhir.import.bad_utf8": "The line is not UTF-8 text.",
    "fhir.import.bad_json": "The line is not JSON.",
    "fhir.import.not_an_object": "The line is JSON, but not a resource.",
    "fhir.import.bad_resource_type": "The resourceType is missing or is not the name of a resource.",
    "fhir.import.not_imported": "Rows of this type are not imported.",
    "fhir.import.repeated": "An earlier row of this import is the same.",
    "fhir.import.repeated_differently": "An earlier row of this import has the same id and other content; the earlier one was taken.",
    # rows
    "fhir.import.missing_id": "The row has no id.",
    "fhir.import.invalid_id": "The id is not a FHIR id (letters, digits, dash and dot, at most 64).",
    "fhir.import.wrong_shape": "An element does not have the shape FHIR R4 gives it.",
    "fhir.import.missing_name": "The row has no name.",
    "fhir.import.text_too_long": "A text is longer than we keep.",
    "fhir.import.control_character": "A text holds a control character.",
    "fhir.import.too_many_values": "A list is longer than we keep.",
    "fhir.import.invalid_birth_date": "The birth date is not a date.",
    "fhir.import.missing_device_type": "The device has no coded type.",
    "fhir.import.kind_of_place": "The row describes a kind of place, not a place.",
    "fhir.import.unsupported_place": "A place of this physical type is not used for scheduling.",
    "fhir.import.missing_part_of": "The place does not say which site it is part of.",
    "fhir.import.missing_practitioner": "The role does not say whose it is.",
    "fhir.import.unresolved_reference": "A needed reference points at nothing that was imported or is known.",
    "fhir.import.site_unknown": "The place is known, but not the site it belongs to; import the places together.",
    "fhir.import.circular_part_of": "The chain of partOf is circular or deeper than we keep.",
    "fhir.import.missing_class": "The encounter has no coded class.",
    "fhir.import.missing_patient": "The encounter does not say whose it is.",
    "fhir.import.unknown_status": "The status is not one of FHIR's codes.",
    "fhir.import.invalid_time": "A time is not a FHIR dateTime with its zone.",
    # warnings
    "fhir.import.reference_dropped": "A reference points at nothing that was imported or is known; the row was kept without it.",
    "fhir.import.text_repaired": "A text had Windows-1252 punctuation in a wrong encoding; it was put right.",
    "fhir.import.identifier_without_system": "An identifier without a system was left out.",
    "fhir.import.identifier_of_another": "An identifier that another row or entry carries too was left out: it tells nobody apart.",
    "fhir.import.code_without_system": "A code without a system was left out.",
    "fhir.import.name_incomplete": "The name has no family name; what there is was taken for it.",
    "fhir.import.partial_birth_date": "The birth date lacks its day or month and was left out.",
    "fhir.import.partial_time": "A time is not known to the second and was left out.",
    "fhir.import.unknown_gender_code": "The gender is not one of FHIR's codes and was left out.",
    "fhir.import.invalid_language": "A language is not a BCP 47 tag and was left out.",
    "fhir.import.invalid_contact": "A phone number or e-mail address cannot be one and was left out.",
    "fhir.import.address_list": "The address is a list, which FHIR R4 does not have here; the first was taken.",
    "fhir.import.assumed_kind": "The place does not say what it is; the kind was taken from its position.",
    "fhir.import.site_within_site": "A site is not kept as part of another place; the reference was left out.",
    "fhir.import.time_zone_assumed": "The state has a second time zone in a small part; its main one was taken.",
    "fhir.import.time_zone_defaulted": "The address does not decide the time zone; the default was taken.",
    "fhir.import.role_without_site": "The role names no place, so nobody can be booked through it.",
    "fhir.import.device_without_place": "The device has no known place; it was kept, but cannot be booked.",
}  # fmt: skip
"""What each code means, in words. Codes are never renamed."""


class NothingToImport(Refusal):
    code = "fhir.import.nothing_to_import"
    status = 422
    issue = "not-found"
    title = "There are no .ndjson or .ndjson.gz files here."


class FilesChanged(Refusal):
    code = "fhir.import.files_changed"
    status = 409
    issue = "conflict"
    title = "The files changed while they were read. Run the import again; what is stored already will be recognised."


class Remark(msgspec.Struct, frozen=True):
    """A code and where in the row it applies, as a FHIR path such as `Patient.birthDate`."""

    code: str
    where: str = ""

    @property
    def reason(self) -> str:
        text = REASONS.get(self.code, "The row was refused.")
        return f"{text} ({self.where})" if self.where else text


class RowRejected(Exception):
    """A row that cannot be taken, with the reason. It ends that row alone."""

    def __init__(self, code: str, where: str = "") -> None:
        super().__init__(code)
        self.remark = Remark(f"fhir.import.{code}", where)


class Position(msgspec.Struct, frozen=True):
    """Where a row stands: its file, its line counted from 1 (0 is the file itself), and what is known of it."""

    file: str
    line: int
    resource_type: str | None = None
    source_id: str | None = None


class Issue(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to tell about one row."""

    severity: Severity
    file: str
    line: int
    resource_type: str | None
    source_id: str | None
    code: str
    reason: str


class TypeCounts(msgspec.Struct, kw_only=True):
    """Rows of one resource type. `created + changed + unchanged` is what the stores answered about the accepted ones."""

    accepted: int = 0
    rejected: int = 0
    skipped: int = 0
    created: int = 0
    changed: int = 0
    unchanged: int = 0


class ImportReport(msgspec.Struct, frozen=True, kw_only=True):
    """What became of an import. `accepted + rejected + skipped == lines`; blank lines are not counted.

    `by_type` has rows whose type could not be read under `unreadable`; `codes` counts every rejection, skip and warning by code.
    `rejections` and `warnings` list the first 10,000 of each; the `note` callback of the import gets all.
    """

    files: int
    lines: int
    accepted: int
    rejected: int
    skipped: int
    created: int
    changed: int
    unchanged: int
    by_type: dict[str, TypeCounts]
    codes: dict[str, int]
    rejections: tuple[Issue, ...]
    warnings: tuple[Issue, ...]


UNREADABLE = "unreadable"
OTHERS = "others"


class Tally:
    """Counts while an import runs. Every line is told once, to `accept`, `reject` or `skip`."""

    def __init__(self, note: Callable[[Issue], None] | None = None) -> None:
        self._note = note
        self._by_type: dict[str, TypeCounts] = {}
        self._codes: Counter[str] = Counter()
        self._listed: dict[Severity, list[Issue]] = {"rejected": [], "warning": []}

    @property
    def lines(self) -> int:
        return sum(counts.accepted + counts.rejected + counts.skipped for counts in self._by_type.values())

    def reject(self, at: Position, code: str, reason: str) -> None:
        self._counts(at.resource_type).rejected += 1
        self._tell("rejected", at, code, reason)

    def skip(self, at: Position, code: str) -> None:
        self._counts(at.resource_type).skipped += 1
        self._tell("skipped", at, code, REASONS[code])

    def accept(self, at: Position, warnings: tuple[Remark, ...]) -> None:
        self._counts(at.resource_type).accepted += 1
        for remark in warnings:
            self._tell("warning", at, remark.code, remark.reason)

    def stored(self, resource_type: str, *, created: int, changed: int, unchanged: int) -> None:
        """Add what a store answered about a batch."""
        counts = self._counts(resource_type)
        counts.created += created
        counts.changed += changed
        counts.unchanged += unchanged

    def report(self, files: int) -> ImportReport:
        """The account so far."""
        rows = self._by_type.values()
        return ImportReport(
            files=files,
            lines=self.lines,
            accepted=sum(counts.accepted for counts in rows),
            rejected=sum(counts.rejected for counts in rows),
            skipped=sum(counts.skipped for counts in rows),
            created=sum(counts.created for counts in rows),
            changed=sum(counts.changed for counts in rows),
            unchanged=sum(counts.unchanged for counts in rows),
            by_type=dict(self._by_type),
            codes=dict(self._codes.most_common()),
            rejections=tuple(self._listed["rejected"]),
            warnings=tuple(self._listed["warning"]),
        )

    def _counts(self, resource_type: str | None) -> TypeCounts:
        name = resource_type or UNREADABLE
        if name not in self._by_type and len(self._by_type) >= TYPES_COUNTED_MAX:
            name = OTHERS
        return self._by_type.setdefault(name, TypeCounts())

    def _tell(self, severity: Severity, at: Position, code: str, reason: str) -> None:
        self._codes[code] += 1
        if self._note is None and severity == "skipped":
            return
        issue = Issue(
            severity=severity, file=at.file, line=at.line, resource_type=at.resource_type, source_id=at.source_id,
            code=code, reason=reason,
        )  # fmt: skip
        if severity in self._listed and len(self._listed[severity]) < LISTED_MAX:
            self._listed[severity].append(issue)
        if self._note:
            self._note(issue)
