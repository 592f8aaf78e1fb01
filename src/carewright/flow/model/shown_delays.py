"""What staff who watch a site see of late running: which calendar, which appointment, and by how much. Whose it is, they ask by the API."""

from collections.abc import Iterable, Mapping
from uuid import UUID

from carewright.contracts.flow import AppointmentExpected, DelayChanged
from carewright.kernel.shown import Shown

MAY_SEE = frozenset({"flow.delay.list"})


def delay_shown(fact: DelayChanged) -> Iterable[tuple[UUID, Mapping[str, str]]]:
    """A calendar, and how late it runs."""
    said = {"day": fact.day.isoformat(), "late": str(fact.minutes), "by": fact.source}
    yield fact.site_id, {"id": str(fact.calendar_id), "version": str(fact.version)} | said


def expected_shown(fact: AppointmentExpected) -> Iterable[tuple[UUID, Mapping[str, str]]]:
    """An appointment, how late it is expected to begin, and where an emergency is why."""
    start = fact.start.isoformat().replace("+00:00", "Z")
    said = {"id": str(fact.appointment_id), "version": str(fact.version), "start": start, "late": str(fact.late_minutes)}
    yield fact.site_id, said | ({"why": "emergency"} if fact.by_emergency else {})


DELAYS = Shown("delay", MAY_SEE, {DelayChanged: delay_shown})
EXPECTED = Shown("expected", MAY_SEE, {AppointmentExpected: expected_shown})
