"""Which status can be told to whom (Oracle Health, Millennium Platform APIs, FHIR R4 Appointment: the sequences of Appointment.status)."""

import pytest

from carewright.ehr.model.profiles import PROFILES, way


@pytest.mark.parametrize(("before", "after", "steps"), [
    ("booked", "arrived", ("arrived",)), ("booked", "checked-in", ("checked-in",)), ("booked", "fulfilled", ("checked-in", "fulfilled")),
    ("arrived", "cancelled", ("cancelled",)), ("booked", "noshow", None), ("cancelled", "booked", None),
])  # fmt: skip
def test_a_status_is_told_in_the_sequences_that_oracle_health_takes(before: str, after: str, steps: tuple[str, ...] | None) -> None:
    assert way(PROFILES["oracle"], before, after) == steps


def test_epic_is_told_of_no_status() -> None:
    assert way(PROFILES["epic"], "booked", "arrived") is None
