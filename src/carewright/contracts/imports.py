"""The account of an import, whatever it reads: every row counted once, every rejected one with its code and reason, no person's data."""

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Literal

import msgspec

Severity = Literal["rejected", "skipped", "warning"]
LISTED_MAX = 10_000
TYPES_COUNTED_MAX = 200
UNREADABLE = "unreadable"
OTHERS = "others"


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

    @property
    def rejected(self) -> int:
        return sum(counts.rejected for counts in self._by_type.values())

    def reject(self, at: Position, code: str, reason: str) -> None:
        self._counts(at.resource_type).rejected += 1
        self._tell("rejected", at, code, reason)

    def skip(self, at: Position, code: str, reason: str) -> None:
        self._counts(at.resource_type).skipped += 1
        self._tell("skipped", at, code, reason)

    def accept(self, at: Position, warnings: Iterable[tuple[str, str]] = ()) -> None:
        """`warnings` are codes with their reasons."""
        self._counts(at.resource_type).accepted += 1
        for code, reason in warnings:
            self._tell("warning", at, code, reason)

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
            rejected=self.rejected,
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
