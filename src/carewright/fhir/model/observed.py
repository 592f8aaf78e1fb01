"""An Observation of a file to ours: what was looked at, what it was, and when."""

from collections.abc import Sequence
from typing import cast, get_args
from uuid import UUID

from carewright.contracts.directory import Coding, Identifier
from carewright.contracts.vitals import Comparator, Concept, Finding, Observation, ObservationStatus, Quantity
from carewright.fhir.model import r4
from carewright.fhir.model.fields import Reader
from carewright.fhir.model.reports import RowRejected

NIL = UUID(int=0)
NOT_KEPT = (
    "value_boolean", "value_integer", "value_range", "value_ratio", "value_sampled_data", "value_time", "value_date_time", "value_period",
)  # fmt: skip


def read_observation(row: r4.Observation, reader: Reader, identifiers: tuple[Identifier, ...]) -> Observation:
    """Whose it is and in which encounter is still to be found out. Who observed, how, and what is usual are passed over.

    Raises `RowRejected` for a status that is none, without a code, and for a value that would be lost.
    """
    if row.status not in get_args(ObservationStatus):
        raise RowRejected("unknown_status", "Observation.status")
    moment = row.effective_date_time or row.effective_instant
    period = row.effective_period or r4.Period(moment, moment)
    found = _finding(row, reader, "")
    return Observation(
        id=NIL, patient_id=NIL, status=cast("ObservationStatus", row.status), about=found.about, quantity=found.quantity,
        concept=found.concept, words=found.words, absent=found.absent, identifiers=identifiers,
        categories=reader.each(row.category, "category", lambda each: _concept(each, reader, "category")),
        components=reader.each(row.component, "component", lambda each: _finding(each, reader, "component.")),
        effective_from=reader.instant(period.start, "effective"), effective_until=reader.instant(period.end, "effective"),
        issued_at=reader.instant(row.issued, "issued"),
    )  # fmt: skip


def _finding(row: r4.Finding, reader: Reader, where: str) -> Finding:
    about = _concept(row.code, reader, f"{where}code")
    if about is None:
        raise RowRejected("missing_code", reader.path(f"{where}code"))
    if any(getattr(row, name) is not None for name in NOT_KEPT):
        raise RowRejected("unsupported_value", reader.path(f"{where}value"))
    return Finding(
        about=about, quantity=_quantity(row.value_quantity, reader, where), words=reader.text(row.value_string, f"{where}value"),
        concept=_concept(row.value_codeable_concept, reader, f"{where}value"),
        absent=_concept(row.data_absent_reason, reader, f"{where}dataAbsentReason"),
    )  # fmt: skip


def _quantity(given: r4.Quantity | None, reader: Reader, where: str) -> Quantity | None:
    if given is None:
        return None
    if given.value is None or given.comparator not in (None, *get_args(Comparator)):
        raise RowRejected("unsupported_value", reader.path(f"{where}value"))
    unit, system, code = (reader.text(each, f"{where}value") for each in (given.unit, given.system, given.code))
    return Quantity(value=given.value, comparator=cast("Comparator | None", given.comparator), unit=unit, system=system, code=code)


def _concept(given: r4.CodeableConcept | None, reader: Reader, where: str) -> Concept | None:
    """None for one that says nothing."""
    concepts: Sequence[r4.CodeableConcept] = (given,) if given else ()
    codings: tuple[Coding, ...] = reader.codings(concepts, where)
    text = reader.text(given.text if given else None, where)
    return Concept(codings=codings, text=text) if codings or text else None
