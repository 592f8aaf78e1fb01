"""When a subscription is renewed, and looked at again."""

from datetime import UTC, datetime, timedelta

import pytest

from carewright.ehr.model.subscribing import ends_soon, pause, subscription

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
LASTS, USUAL = timedelta(hours=48), timedelta(minutes=10)


@pytest.mark.parametrize(("hours", "soon"), [(25, False), (24, False), (23, True), (-1, True), (None, False)])
def test_it_is_renewed_when_half_of_its_time_is_over(hours: int | None, soon: bool) -> None:
    assert ends_soon(NOW + timedelta(hours=hours) if hours is not None else None, NOW, LASTS) is soon


@pytest.mark.parametrize(("age", "seconds"), [(0, 5), (4, 5), (20, 20), (300, 300), (7200, 600)])
def test_one_that_is_not_active_yet_is_looked_at_again_soon_and_then_more_rarely(age: int, seconds: int) -> None:
    assert pause(NOW - timedelta(seconds=age) + LASTS, NOW, LASTS, USUAL) == timedelta(seconds=seconds)


def test_what_is_sent_is_requested_without_a_payload() -> None:
    """HL7 FHIR R4, subscription.html: clients submit `requested`; without a payload there is none in the notification."""
    sent = subscription("https://ours.test/hook", "secret", NOW, None)
    assert (sent["status"], sent["criteria"], sent["end"]) == ("requested", "Appointment?", "2026-11-27T12:00:00Z")
    assert sent["channel"] == {"type": "rest-hook", "endpoint": "https://ours.test/hook", "header": ["Authorization: Bearer secret"]}
    assert "id" not in sent
    assert subscription("https://ours.test/hook", "secret", NOW, "7")["id"] == "7"
