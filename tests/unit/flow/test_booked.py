"""For whom a practitioner's time is kept, by hand."""

from datetime import UTC, datetime, timedelta
from typing import Any

from carewright.contracts.queue import KeptFor, QueuePolicy
from carewright.flow.model.coming import Due, kept_for

NOW = datetime(2026, 11, 2, 10, tzinfo=UTC)


def kept(*due: Due, usual: float = 20.0, **policy: Any) -> KeptFor | None:
    return kept_for(due, usual, QueuePolicy(**policy), NOW)


def at(minutes: int, arrived: int | None = None) -> Due:
    """An appointment so many minutes from now, of a patient who came so many minutes before now."""
    return Due(start=NOW + timedelta(minutes=minutes), arrived_at=None if arrived is None else NOW - timedelta(minutes=arrived))


def test_a_walk_in_fits_where_the_booked_patient_waits_no_longer_than_they_may() -> None:
    """A service takes 20 minutes, and who is booked may wait 10."""
    assert kept(at(10)) is None
    assert kept(at(11), usual=21.5) is not None
    assert kept(at(9)) is not None
    assert kept(at(9), booked_may_wait_minutes=None) is None
    assert kept(at(12), booked_may_wait_minutes=5) is not None
    assert kept() is None


def test_who_does_not_come_is_waited_for_until_the_grace_is_over() -> None:
    assert kept(at(-15)) is not None
    assert kept(at(-16)) is None


def test_who_came_in_time_keeps_their_time_and_who_came_too_late_has_given_it_up() -> None:
    assert kept(at(-90, arrived=80)) is not None
    assert kept(at(-90, arrived=70)) is None


def test_the_first_of_several_is_named_and_why_in_plain_words() -> None:
    found = kept(at(8), at(-5, arrived=9), at(-40))
    assert found is not None
    assert (found.booked_at, found.is_here, found.usual_minutes) == (NOW - timedelta(minutes=5), True, 20)
    assert found.text == (
        "The next booked patient is here and was due 5 minutes ago. A service here usually takes 20 minutes, so a walk-in does not fit"
        " before them."
    )
    texts = [told.text.split(".")[0] for told in (kept(at(1)), kept(at(0, arrived=1))) if told]
    assert texts == ["The next booked patient has not come yet and is due in 1 minute", "The next booked patient is here and is due now"]
