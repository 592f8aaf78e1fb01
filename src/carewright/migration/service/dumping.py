"""Import of a known older system from a dump of its database: its patients, then its appointments, in one run.

The dump is read once to its end before anything is written, so that one which was cut off brings nothing, and once for each kind.
Memory grows with the number of ids, not with the size of the dump.
"""

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from carewright.contracts.directory import SOURCE_SYSTEM, FindByIdentifier, Identifier
from carewright.contracts.imports import ImportReport, Tally
from carewright.contracts.migration import DumpUnreadable
from carewright.migration.context import MigrationContext
from carewright.migration.model.mapping import NEEDED
from carewright.migration.model.reading import Fields, read_appointment
from carewright.migration.model.reasons import RowRejected
from carewright.migration.model.shaping import broken_rule, settled, values_of
from carewright.migration.model.system_mapping import SystemMapping, draft_of
from carewright.migration.model.systems import KNOWN, Rule, System, SystemName, Table
from carewright.migration.service.importing import BRINGS, Progress, bring_records
from carewright.migration.service.run import Run
from carewright.migration.store import dumps, exports
from carewright.migration.store.dumps import Entry, Said
from carewright.migration.store.files import Record

LOOKUP_IDENTIFIERS = 500
TELLABLE = re.compile(r"[0-9]{1,20}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""Ids that a system made up, and that say nothing of a person."""
_READS: Mapping[SystemName, Callable[..., Iterator[Entry]]] = {
    "easyappointments": dumps.entries_of, "openemr": dumps.entries_of, "medplum": exports.entries_of
}  # fmt: skip
PROGRESS_TOTAL, SURVEY_SHARE = 1_000, 200
SMALL_ROWS_MAX = 10_000
"""Rows of a table that is held while others are read, and entries of a draft."""


async def import_dump(
    ctx: MigrationContext, path: Path, mapping: SystemMapping, *, dry_run: bool = False, progress: Progress | None = None
) -> ImportReport:
    """Import one dump. A second run recognises what is here and changes nothing; a dry run reads all and writes nothing.

    Raises `DumpUnreadable`, `InvalidMapping`, and what the modules refuse the actor as a whole.
    """
    system = KNOWN[mapping.system]
    for table in system.tables:
        mapping.of(table)
    bar, tally, tried = _Bar(progress), Tally(), set[str]()
    survey = _survey(path, system, mapping, bar)
    known = {field: await _known(ctx, kind, survey.words[field]) for field, kind in system.known.items()}
    total, behind = sum(survey.counts.values()), 0
    for table in system.tables:
        run = Run(ctx, mapping.of(table, known), tally, dry_run, tried=tried)
        records = _records(path, table, settled(table.rules, survey.held), run, mapping)
        reached = partial(bar.brought, behind, total)
        await bring_records(run, f"{path.name}:{table.name}", records, partial(BRINGS[table.kind], run), reached)
        behind += survey.counts[table.name]
        bar.brought(behind, total, 0)
    return tally.report(1)


def draft_mapping(path: Path, name: SystemName) -> str:
    """A mapping for a dump, to fill in: what must be said of it, with the names that it has there. Raises `DumpUnreadable`."""
    system = KNOWN[name]
    survey = _survey(path, system, SystemMapping(system=name, source="", time_zone=""), _Bar(None))
    rules = {each.table: settled(each.rules, survey.held) for each in system.listings}
    rows: dict[str, dict[str, str]] = {each.field: {} for each in system.listings}
    listed = {each.table: each for each in system.listings}
    for entry in _READS[name](path, listed):
        one = listed[entry.table]
        if entry.values is None or broken_rule(rules[entry.table], _forgiving(entry.values)) or len(rows[one.field]) == SMALL_ROWS_MAX:
            continue
        text = _forgiving(entry.values)
        if text(one.id):
            rows[one.field][text(one.id)] = ", ".join(filter(None, map(text, one.shown)))
    return draft_of(name, system, {field: found.items() for field, found in rows.items()})


class _Survey(NamedTuple):
    """What the first reading found: rows by table, the small tables, and the words of fields that are looked up here."""

    counts: Counter[str]
    held: Mapping[str, list[Mapping[str, str]]]
    words: Mapping[str, set[str]]


def _survey(path: Path, system: System, mapping: SystemMapping, bar: "_Bar") -> _Survey:
    """Read the dump to its end. Raises `DumpUnreadable` also where it is one of something else."""
    found = _Survey(Counter(), {name: [] for name in system.small}, {field: set() for field in system.known})
    wanted = {table.name: table for table in system.tables}
    passed = partial(bar.surveyed, dumps.size_of(path))
    for entry in _READS[mapping.system](path, {*wanted, *system.small}, mapping.encoding, passed):
        if found.counts[entry.table] == 0 and entry.table in wanted and entry.values is not None:
            _ensure_columns(wanted[entry.table], entry.values)
        found.counts[entry.table] += 1
        for field, words in found.words.items():
            if entry.values is not None:
                words.update(filter(None, map(_forgiving(entry.values), wanted[entry.table].columns[field])))
        if entry.table in found.held and entry.values is not None and found.counts[entry.table] <= SMALL_ROWS_MAX:
            text = _forgiving(entry.values)
            found.held[entry.table].append({column: text(column) for column in entry.values.raw})
    if missing := [name for name in wanted if not found.counts[name]]:
        raise DumpUnreadable(f"The dump has no rows of the table {missing[0]}. Is it one of {system.title}?")
    for name in system.small:
        if not found.held[name]:
            raise DumpUnreadable(f"The dump has no rows of the table {name}. Dump the whole database.")
        del found.counts[name]
    return found


async def _known(ctx: MigrationContext, kind: str, words: Collection[str]) -> dict[str, str]:
    """Whom the ids stand for that an import of FHIR kept; of places only the sites."""
    rest, found = iter(sorted(words)), dict[str, str]()
    while some := tuple(Identifier(system=SOURCE_SYSTEM + kind, value=each) for each in islice(rest, LOOKUP_IDENTIFIERS)):
        query = FindByIdentifier(resource_type=kind, identifiers=some)
        found |= {match.identifier.value: str(match.id) for match in await ctx.directory.find_by_identifier(ctx.actor, query)}
    if kind != "Location":
        return found
    sites = {str(site.id) for site in (await ctx.directory.find_sites(ctx.actor)).items}
    return {word: ours for word, ours in found.items() if ours in sites}


def _ensure_columns(table: Table, values: Said) -> None:
    columns = {**table.columns, **table.joined}
    missing = [each for field in NEEDED[table.kind] for each in columns.get(field, ()) if each not in values.raw]
    if missing:
        raise DumpUnreadable(f"The table {table.name} has no column {missing[0]}.")


def _records(path: Path, table: Table, rules: tuple[Rule, ...], run: Run, mapping: SystemMapping) -> Iterator[Record]:
    for entry in _READS[mapping.system](path, {table.name}, mapping.encoding):
        record = _record(table, rules, entry)
        over = table.kind == "appointment" and not record.fault and not record.aside and _is_unreadably_over(run, record.values)
        yield replace(record, aside="migration.import.passed") if over else record


def _is_unreadably_over(run: Run, values: Mapping[str, str]) -> bool:
    """Whether it lies in the past and cannot be read: years of visits with those who left long ago are not told one by one."""
    try:
        start = Fields(run.mapping, values).instant("start")
    except RowRejected:
        return False
    if start is None or start > run.ctx.clock.now():
        return False
    try:
        read_appointment(run.mapping, values)
    except RowRejected:
        return True
    return False


def _record(table: Table, rules: tuple[Rule, ...], entry: Entry) -> Record:
    if entry.values is None:
        return Record(entry.number, {}, entry.fault)
    text = entry.values.text
    try:
        id_, broken, values = text(table.id), broken_rule(_that_rule(rules, entry.values), text), values_of(table, text)
    except (UnicodeError, LookupError):
        return Record(entry.number, {}, "not_text")
    fault, aside = ("", "") if broken is None else (broken.code, "") if broken.rejects else ("", f"migration.import.{broken.code}")
    return Record(entry.number, values, fault, aside, id_ if TELLABLE.fullmatch(id_) else None)


def _that_rule(rules: tuple[Rule, ...], values: Said) -> tuple[Rule, ...]:
    """Those of a column that the table has."""
    return tuple(rule for rule in rules if rule.column in values.raw)


def _forgiving(values: Said) -> Callable[[str], str]:
    """The text of a column; what is not of the encoding is shown as it may be."""

    def text(column: str) -> str:
        try:
            return values.text(column)
        except UnicodeError:
            return ""

    return text


class _Bar:
    """Tells the caller how far the import is: the first reading by bytes, the rest by rows."""

    def __init__(self, progress: Progress | None) -> None:
        self._progress, self._done = progress, -1

    def surveyed(self, total_bytes: int, done_bytes: int) -> None:
        self._reach(SURVEY_SHARE * done_bytes // max(total_bytes, 1))

    def brought(self, behind: int, total: int, row: int) -> None:
        self._reach(SURVEY_SHARE + (PROGRESS_TOTAL - SURVEY_SHARE) * (behind + row) // max(total, 1))

    def _reach(self, done: int) -> None:
        if self._progress and done > self._done:
            self._done = done
            self._progress(done, PROGRESS_TOTAL)
