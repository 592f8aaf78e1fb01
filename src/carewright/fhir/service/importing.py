"""Import of a folder of FHIR rows: survey every line once, then store type after type, each after what it refers to.

Memory grows with the number of different ids, not with the size of the files: little for patients, encounters and observations, more for
the staff, places and devices that are catalogued, most for organizations and locations, whose drafts are kept to put parents before their
parts.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import NamedTuple, TypeVar, cast
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from carewright.contracts.directory import (
    Device,
    Directory,
    FindByIdentifier,
    Identifier,
    IdentifierMatch,
    Location,
    Organization,
    Practitioner,
    PractitionerRole,
    PutResources,
    PutResult,
    UnknownResource,
)
from carewright.contracts.encounters import Encounter, PutEncounters, PutEncountersResult, SearchEncounters
from carewright.contracts.flow import Flow
from carewright.contracts.imports import ImportReport, Issue, Position, Tally
from carewright.contracts.patients import Patient, PatientMatch, Patients, PutPatients, PutPatientsResult
from carewright.contracts.vitals import Observation, PutObservations, PutObservationsResult, SearchObservations, Vitals
from carewright.fhir import store
from carewright.fhir.model.catalogue import Catalogue, by_text
from carewright.fhir.model.completing import Links, complete
from carewright.fhir.model.reading import Draft, Value, read_draft, read_head
from carewright.fhir.model.references import ORDER, Ref, ResourceType, by_depth, source_identifier
from carewright.fhir.model.reports import REASONS, FilesChanged, Remark, RowRejected
from carewright.fhir.model.staff import StaffKind, strongest
from carewright.kernel.authz import Actor
from carewright.kernel.errors import BadInput, Refusal
from carewright.kernel.halves import in_halves
from carewright.kernel.ids import Ids

BATCH_ROWS = 500
LOOKUP_IDENTIFIERS = 500
MANY: frozenset[ResourceType] = frozenset({"Patient", "Encounter", "Observation"})
"""Of these there may be millions: they are counted in the first reading and looked up batch by batch, and not catalogued."""
PROGRESS_TOTAL = 1_000
SURVEY_SHARE = 200

Progress = Callable[[int, int], None]
Item = TypeVar("Item")
Stored = PutResult | PutPatientsResult | PutEncountersResult | PutObservationsResult


class Into(NamedTuple):
    """Whom an import hands its rows, and in whose name."""

    directory: Directory
    patients: Patients
    flow: Flow
    vitals: Vitals
    actor: Actor


async def import_directory(
    into: Into,
    paths: Sequence[Path],
    ids: Ids,
    progress: Progress | None = None,
    *,
    time_zone: str = "UTC",
    note: Callable[[Issue], None] | None = None,
) -> ImportReport:
    """Import the FHIR R4 resources of NDJSON files (`paths`: files, or folders of `*.ndjson` and `*.ndjson.gz`).

    Rows that are stored stay stored: a second run recognises them and changes nothing. `progress(done, total)` is called with rising
    `done`; `time_zone` is given to sites whose address does not decide it; `note` is told every issue as it comes up.
    Raises `NothingToImport`, `BadInput` for an unknown time zone, `FilesChanged`, and what the modules refuse the actor as a whole.
    """
    _ensure_time_zone(time_zone)
    files = store.ndjson_files(paths)
    tally, bar = Tally(note), _Bar(progress)
    survey = _Survey(files, tally, bar)
    survey.run()
    await _Loading(into, ids, survey, tally, bar, time_zone).run()
    if tally.lines != survey.lines:
        raise FilesChanged(lines=survey.lines, settled=tally.lines)
    bar.reach(PROGRESS_TOTAL)
    return tally.report(len(files))


def _ensure_time_zone(name: str) -> None:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise BadInput("The default time zone is not an IANA time zone name, such as America/Chicago.") from None


class _Bar:
    """Tells the caller how far the import is: the survey by bytes, the rest by rows. It never goes back."""

    def __init__(self, progress: Progress | None) -> None:
        self._progress = progress
        self._done = -1

    def surveyed(self, done_bytes: int, total_bytes: int) -> None:
        self.reach(SURVEY_SHARE * min(done_bytes, total_bytes) // max(total_bytes, 1))

    def settled(self, done_rows: int, total_rows: int) -> None:
        self.reach(SURVEY_SHARE + (PROGRESS_TOTAL - SURVEY_SHARE) * done_rows // max(total_rows, 1))

    def reach(self, done: int) -> None:
        if self._progress and done > self._done:
            self._done = done
            self._progress(done, PROGRESS_TOTAL)


class _Row(msgspec.Struct, frozen=True):
    at: Position
    draft: Draft


class _Ready(msgspec.Struct, frozen=True):
    """A row with the value it became, about to be stored."""

    row: _Row
    value: Value
    remarks: tuple[Remark, ...]


class _Survey:
    """The first reading: every line that is no importable row is settled here, and the rest is catalogued or, of `MANY`, counted."""

    def __init__(self, files: Sequence[Path], tally: Tally, bar: _Bar) -> None:
        self.catalogues: dict[ResourceType, Catalogue] = {resource_type: Catalogue(resource_type) for resource_type in ORDER}
        self.files: dict[ResourceType, dict[Path, None]] = {resource_type: {} for resource_type in ORDER}
        self.role_kinds: dict[Ref, list[StaffKind]] = {}
        self.lines = 0
        self._paths = files
        self._tally = tally
        self._bar = bar

    def run(self) -> None:
        total, behind = sum(map(store.size_of, self._paths)), 0
        for file in self._paths:
            for line in store.read_lines(file):
                self.lines += 1
                self._survey(file, line)
                if self.lines % BATCH_ROWS == 0:
                    self._bar.surveyed(behind + line.read_bytes, total)
            behind += store.size_of(file)
            self._bar.surveyed(behind, total)

    def _survey(self, file: Path, line: store.Line) -> None:
        try:
            resource_type, source_id = _head(line)
        except RowRejected as rejected:
            self._tally.reject(Position(str(file), line.number), rejected.remark.code, rejected.remark.reason)
            return
        if resource_type not in ORDER:
            at = Position(str(file), line.number, resource_type, source_id)
            self._tally.skip(at, "fhir.import.not_imported", REASONS["fhir.import.not_imported"])
            return
        self.files[resource_type][file] = None
        if resource_type not in MANY:
            self._catalogue(resource_type, line.text)

    def _catalogue(self, resource_type: ResourceType, text: str) -> None:
        try:
            draft = read_draft(resource_type, text)
        except RowRejected:
            return  # told when the row's turn comes
        self.catalogues[resource_type].add(draft)
        if resource_type == "PractitionerRole" and draft.practitioner and draft.staff_kind:
            self.role_kinds.setdefault(draft.practitioner, []).append(draft.staff_kind)


def _head(line: store.Line) -> tuple[str, str | None]:
    if line.fault:
        raise RowRejected(line.fault)
    return read_head(line.text)


class _Loading:
    """The second reading: rows become values, get their ids and references, and are stored in batches."""

    def __init__(
        self,
        into: Into,
        ids: Ids,
        survey: _Survey,
        tally: Tally,
        bar: _Bar,
        time_zone: str,
    ) -> None:
        self._directory, self._patients, self._flow, self._vitals, self._actor = into
        self._ids = ids
        self._survey = survey
        self._tally = tally
        self._bar = bar
        self._rows_waiting = survey.lines - tally.lines
        self._time_zone = time_zone
        self._sites: dict[UUID, UUID] = {}
        self._elsewhere: dict[tuple[ResourceType, Identifier], UUID | None] = {}
        self._staff_kinds: dict[str, StaffKind] = {}

    async def run(self) -> None:
        present = [resource_type for resource_type in ORDER if self._survey.files[resource_type]]
        if present and present != ["Patient"]:
            sites = await self._directory.find_sites(self._actor)
            self._sites = {site.id: site.id for site in sites.items}
        for resource_type in present:
            await self._load(resource_type)

    async def _load(self, resource_type: ResourceType) -> None:
        await self._identify(resource_type)
        if resource_type == "Practitioner":
            self._staff_kinds = self._kinds_by_role()
        rows = self._rows(resource_type)
        for level in self._levels(rows) if resource_type in ("Organization", "Location") else (rows,):
            for batch in batches(level, BATCH_ROWS):
                await self._load_batch(resource_type, batch)
                waiting = self._survey.lines - self._tally.lines
                self._bar.settled(self._rows_waiting - waiting, self._rows_waiting)

    def _rows(self, resource_type: ResourceType) -> Iterator[_Row]:
        """The good rows of one type, each id once. The others are settled on the way."""
        seen: dict[str, int] = {}
        for at, text in self._texts(resource_type):
            try:
                draft = read_draft(resource_type, text)
            except RowRejected as rejected:
                self._tally.reject(at, rejected.remark.code, rejected.remark.reason)
                continue
            if draft.source_id not in seen:
                seen[draft.source_id] = hash(draft)
                yield _Row(at, draft)
            elif seen[draft.source_id] == hash(draft):
                self._tally.skip(at, "fhir.import.repeated", REASONS["fhir.import.repeated"])
            else:
                self._tally.skip(at, "fhir.import.repeated_differently", REASONS["fhir.import.repeated_differently"])

    def _texts(self, resource_type: ResourceType) -> Iterator[tuple[Position, str]]:
        for file in self._survey.files[resource_type]:
            for line in store.read_lines(file):
                try:
                    found, source_id = read_head(line.text)
                except RowRejected:
                    continue  # told by the survey
                if found == resource_type:
                    yield Position(str(file), line.number, resource_type, source_id), line.text

    def _levels(self, rows: Iterator[_Row]) -> Iterator[Sequence[_Row]]:
        """Rows of a type that refers to itself, parents before their parts."""
        held = {row.draft.source_id: row for row in rows}
        levels, circular = by_depth({source_id: self._parent(row.draft) for source_id, row in held.items()})
        for source_id in circular:
            remark = RowRejected("circular_part_of").remark
            self._tally.reject(held[source_id].at, remark.code, remark.reason)
        for level in levels:
            yield [held[source_id] for source_id in level]

    def _parent(self, draft: Draft) -> str | None:
        is_site = isinstance(draft.value, Location) and draft.value.kind == "site"
        if draft.part_of is None or is_site:
            return None
        return self._survey.catalogues[draft.part_of.resource_type].sole_carrier(draft.part_of)

    # --- ids ------------------------------------------------------------------------------------------------------------------

    async def _identify(self, resource_type: ResourceType) -> None:
        """Give every source id of the import its id: the one it had, the one its business identifiers have, or a new one.

        One of `MANY` is recognised by the source id alone, batch by batch: whose record a number belongs to is not ours to guess.
        """
        catalogue = self._survey.catalogues[resource_type]
        catalogue.owners = await self._find(resource_type, sorted(catalogue.carriers, key=by_text))
        catalogue.ids = _ids_by_source(resource_type, catalogue.identifiers, catalogue.owners)
        catalogue.standing = set(catalogue.ids)
        taken = set(catalogue.ids.values())
        for source_id in [one for one in catalogue.identifiers if one not in catalogue.ids]:
            candidates = catalogue.owners_of(source_id)
            if len(candidates) == 1 and not candidates & taken:
                catalogue.standing.add(source_id)
                taken |= candidates
            catalogue.ids[source_id] = candidates.pop() if source_id in catalogue.standing else self._ids.new()

    async def _ids_of(self, resource_type: ResourceType, rows: Sequence[_Row]) -> dict[str, UUID]:
        if resource_type not in MANY:
            return self._survey.catalogues[resource_type].ids
        source_ids = [row.draft.source_id for row in rows]
        owners = await self._find(resource_type, [source_identifier(resource_type, source_id) for source_id in source_ids])
        known = _ids_by_source(resource_type, source_ids, owners)
        return {source_id: known.get(source_id) or self._ids.new() for source_id in source_ids}

    async def _find(self, resource_type: ResourceType, identifiers: Sequence[Identifier]) -> dict[Identifier, set[UUID]]:
        found: dict[Identifier, set[UUID]] = {}
        for some in batches(identifiers, LOOKUP_IDENTIFIERS):
            matches: Iterable[IdentifierMatch | PatientMatch]
            if resource_type == "Patient":
                matches = await self._patients.find_patients_by_identifier(self._actor, tuple(some))
            elif resource_type == "Encounter":
                matches = await self._encounters(some)
            elif resource_type == "Observation":
                matches = await self._observations(some)
            else:
                query = FindByIdentifier(resource_type=resource_type, identifiers=tuple(some))
                matches = await self._directory.find_by_identifier(self._actor, query)
            for match in matches:
                found.setdefault(match.identifier, set()).add(match.id)
        return found

    async def _encounters(self, identifiers: Sequence[Identifier]) -> list[IdentifierMatch]:
        page = await self._flow.search_encounters(self._actor, SearchEncounters(identifiers=tuple(identifiers), limit=LOOKUP_IDENTIFIERS))
        return [IdentifierMatch(identifier=one, id=each.id) for each in page.items for one in each.identifiers]

    async def _observations(self, identifiers: Sequence[Identifier]) -> list[IdentifierMatch]:
        query = SearchObservations(identifiers=tuple(identifiers), limit=LOOKUP_IDENTIFIERS)
        page = await self._vitals.search_observations(self._actor, query)
        return [IdentifierMatch(identifier=one, id=each.id) for each in page.items for one in each.identifiers]

    # --- references -----------------------------------------------------------------------------------------------------------

    async def _links(self, resource_type: ResourceType, rows: Sequence[_Row]) -> Links:
        refs = {ref for row in rows for ref in row.draft.refs}
        resolved = {ref: found for ref in refs if (found := self._imported(ref))}
        await self._look_elsewhere(refs - resolved.keys())
        for ref in refs - resolved.keys():
            if found := next(filter(None, (self._elsewhere.get((ref.resource_type, one)) for one in ref.identifiers)), None):
                resolved[ref] = found
        kinds = await self._kinds(rows) if resource_type == "Practitioner" else {}
        left_out = self._left_out(resource_type, rows)
        return Links(ids=resolved, sites=self._sites, staff_kinds=kinds, left_out=left_out, time_zone=self._time_zone)

    def _left_out(self, resource_type: ResourceType, rows: Sequence[_Row]) -> dict[str, frozenset[Identifier]]:
        """The directory keeps an identifier for one entry of a type. What tells a patient or an encounter is not ours to leave out."""
        if resource_type in MANY:
            return {}
        catalogue = self._survey.catalogues[resource_type]
        return {row.draft.source_id: catalogue.not_its_own(row.draft.source_id) for row in rows}

    def _imported(self, ref: Ref) -> UUID | None:
        catalogue = self._survey.catalogues[ref.resource_type]
        source_id = catalogue.sole_carrier(ref)
        return catalogue.ids[source_id] if source_id in catalogue.standing else None

    async def _look_elsewhere(self, refs: Iterable[Ref]) -> None:
        """Ask the directory about references to what this import does not bring. Several owners of one identifier are none."""
        for resource_type in ORDER:
            catalogue = self._survey.catalogues[resource_type]
            wanted = {one for ref in refs if ref.resource_type == resource_type for one in ref.identifiers}
            unasked = [one for one in wanted if one not in catalogue.carriers and (resource_type, one) not in self._elsewhere]
            found = await self._find(resource_type, sorted(unasked, key=by_text))
            for one in unasked:
                owners = found.get(one, set())
                self._elsewhere[resource_type, one] = next(iter(owners)) if len(owners) == 1 else None

    def _kinds_by_role(self) -> dict[str, StaffKind]:
        """What the roles of this import say about its practitioners."""
        kinds: dict[str, StaffKind] = {}
        for ref, said in self._survey.role_kinds.items():
            source_id = self._survey.catalogues["Practitioner"].sole_carrier(ref)
            kind = strongest((kinds.get(source_id or ""), *said))
            if source_id and kind:
                kinds[source_id] = kind
        return kinds

    async def _kinds(self, rows: Sequence[_Row]) -> dict[str, StaffKind]:
        """Roles decide, then qualifications; somebody about whom the import says nothing stays what they were."""
        kinds: dict[str, StaffKind] = {}
        for draft in (row.draft for row in rows):
            kind = self._staff_kinds.get(draft.source_id) or draft.staff_kind or await self._kind_so_far(draft.source_id)
            if kind:
                kinds[draft.source_id] = kind
        return kinds

    async def _kind_so_far(self, source_id: str) -> StaffKind | None:
        catalogue = self._survey.catalogues["Practitioner"]
        if source_id not in catalogue.standing:
            return None
        try:
            return (await self._directory.get_staff(self._actor, catalogue.ids[source_id])).practitioner.kind
        except UnknownResource:
            return None

    # --- storing --------------------------------------------------------------------------------------------------------------

    async def _load_batch(self, resource_type: ResourceType, rows: Sequence[_Row]) -> None:
        ids = await self._ids_of(resource_type, rows)
        if not all(row.draft.source_id in ids for row in rows):
            raise FilesChanged
        links = await self._links(resource_type, rows)
        ready: list[_Ready] = []
        for row in rows:
            try:
                ready.append(_Ready(row, *complete(row.draft, ids[row.draft.source_id], links)))
            except RowRejected as rejected:
                self._tally.reject(row.at, rejected.remark.code, rejected.remark.reason)
        await in_halves(ready, partial(self._put, resource_type), partial(self._refuse, resource_type))

    async def _put(self, resource_type: ResourceType, ready: Sequence[_Ready]) -> None:
        """Store a batch together."""
        result = await self._send(resource_type, [one.value for one in ready])
        self._tally.stored(resource_type, created=result.created, changed=result.changed, unchanged=result.unchanged)
        for one in ready:
            self._settle(resource_type, one)

    def _refuse(self, resource_type: ResourceType, one: _Ready, refusal: Refusal) -> None:
        self._tally.reject(one.row.at, refusal.code, _reason(refusal, resource_type))

    def _settle(self, resource_type: ResourceType, one: _Ready) -> None:
        self._tally.accept(one.row.at, [(each.code, each.reason) for each in one.remarks])
        if resource_type not in MANY:
            self._survey.catalogues[resource_type].standing.add(one.row.draft.source_id)
        if isinstance(one.value, Location):
            self._sites[one.value.id] = one.value.site_id

    async def _send(self, resource_type: ResourceType, values: Sequence[Value]) -> Stored:
        if resource_type == "Patient":
            return await self._patients.put_patients(self._actor, PutPatients(patients=cast("tuple[Patient, ...]", tuple(values))))
        if resource_type == "Encounter":
            return await self._flow.put_encounters(self._actor, PutEncounters(encounters=cast("tuple[Encounter, ...]", tuple(values))))
        if resource_type == "Observation":
            return await self._vitals.put_observations(
                self._actor, PutObservations(observations=cast("tuple[Observation, ...]", tuple(values)))
            )
        return await self._directory.put_resources(self._actor, _command(values))


def _ids_by_source(resource_type: ResourceType, source_ids: Iterable[str], owners: Mapping[Identifier, set[UUID]]) -> dict[str, UUID]:
    """Our ids of the source ids that are known."""
    found = ((source_id, owners.get(source_identifier(resource_type, source_id))) for source_id in source_ids)
    return {source_id: min(ids) for source_id, ids in found if ids}


def _reason(refusal: Refusal, resource_type: ResourceType) -> str:
    """Why a module refused a row. For people only the title and the field: a detail could hold something of a person's."""
    if resource_type not in ("Practitioner", "Patient", "Encounter", "Observation"):
        return refusal.detail
    field = refusal.facts.get("field")
    return f"{refusal.title} ({field})" if isinstance(field, str) and field.replace("_", "").isalpha() else refusal.title


def _command(values: Sequence[Value]) -> PutResources:
    return PutResources(
        organizations=tuple(value for value in values if isinstance(value, Organization)),
        locations=tuple(value for value in values if isinstance(value, Location)),
        practitioners=tuple(value for value in values if isinstance(value, Practitioner)),
        practitioner_roles=tuple(value for value in values if isinstance(value, PractitionerRole)),
        devices=tuple(value for value in values if isinstance(value, Device)),
    )


def batches(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """`items` in lists of `size`, the last one shorter."""
    rest = iter(items)
    while batch := list(islice(rest, size)):
        yield batch
