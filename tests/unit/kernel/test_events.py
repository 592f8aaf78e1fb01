"""Facts: decoded by their topic, found under what they are about."""

from datetime import UTC, datetime

import msgspec
import pytest

from carewright.contracts.scheduling import ScheduleChanged
from carewright.kernel.events import Delivered, Event
from tests.samples import known_id

FACT = ScheduleChanged(organization_id=known_id(1), schedule_id=known_id(2), calendar_version=3)


def delivered(payload: bytes, topic: str = ScheduleChanged.topic) -> Delivered:
    return Delivered(
        id=known_id(9), organization_id=known_id(1), xid=5, position=6, occurred_at=datetime(2026, 11, 22, tzinfo=UTC), topic=topic,
        subject=known_id(2), origin=known_id(8), actor="tester", trace=None, payload=msgspec.Raw(payload),
    )  # fmt: skip


def test_a_fact_is_decoded_by_its_topic() -> None:
    assert delivered(msgspec.json.encode(FACT)).fact() == FACT


def test_a_field_that_came_later_does_not_disturb_an_older_reader() -> None:
    newer = msgspec.json.encode(msgspec.to_builtins(FACT) | {"more": [1, 2]})
    assert delivered(newer).fact() == FACT


def test_a_fact_knows_its_place_and_its_subject() -> None:
    assert delivered(b"{}").place() == (5, 6)
    assert FACT.subject == known_id(2)
    with pytest.raises(TypeError, match="names no subject"):
        _ = Event(organization_id=known_id(1)).subject


def test_a_payload_that_lacks_something_is_an_error_and_no_half_fact() -> None:
    with pytest.raises(msgspec.ValidationError):
        delivered(b'{"organization_id": "x"}').fact()
