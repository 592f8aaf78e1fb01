"""How an order goes on: whatever is asked of it, in whatever order."""

from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec.structs import replace

from carewright.contracts.directory import Coding, Identifier
from carewright.contracts.orders import InvalidRequest, Party, RequestDetails, RequestStatus, RequestStatusNotAllowed, ServiceRequest
from carewright.orders import model
from tests.samples import known_id

NOW = datetime(2026, 11, 26, 9, tzinfo=UTC)
PLACER, FILLER = Identifier(system="urn:test:placer", value="P-1"), Identifier(system="urn:test:filler", value="F-1")
DETAILS = RequestDetails(status="active", intent="order", placer=PLACER, filler=FILLER, identifiers=(PLACER,))
ORDER = model.new_request(known_id(1), known_id(2), DETAILS, NOW)
ENDS = {"revoked", "completed", "entered-in-error"}
STATUSES = st.lists(st.sampled_from(get_args(RequestStatus)), max_size=12)


def tried(before: ServiceRequest, status: RequestStatus) -> ServiceRequest:
    """The order after the step, or as it was where that is refused."""
    try:
        return model.changed_request(before, replace(DETAILS, status=status), NOW + timedelta(minutes=before.version))
    except RequestStatusNotAllowed:
        return before


@given(STATUSES)
@example(["revoked", "active"])
@example(["completed", "on-hold"])
@example(["entered-in-error", "completed"])
def test_whatever_is_asked_what_has_ended_begins_no_more(asked: list[RequestStatus]) -> None:
    """The way an order goes is one of `STEPS`; an end is left only for the error that it was; a version is a change."""
    order = ORDER
    for status in asked:
        after = tried(order, status)
        assert after.status == order.status or after.status in model.STEPS[order.status]
        assert order.status not in ENDS or after.status in (order.status, "entered-in-error")
        assert after.version - order.version == (after.status != order.status)
        assert (after.id, after.patient_id, after.intent) == (ORDER.id, ORDER.patient_id, "order")
        order = after


def test_every_status_has_its_steps_and_any_may_turn_out_an_error() -> None:
    assert set(model.STEPS) == set(get_args(RequestStatus))
    assert all("entered-in-error" in steps for status, steps in model.STEPS.items() if status != "entered-in-error")


def test_an_order_keeps_its_intent_and_the_same_again_is_no_change() -> None:
    assert model.changed_request(ORDER, DETAILS, NOW + timedelta(hours=1)) is ORDER
    with pytest.raises(InvalidRequest):
        model.changed_request(ORDER, replace(DETAILS, intent="plan"), NOW)


def test_an_order_is_named_by_each_number_once() -> None:
    assert model.identifiers_of(ORDER) == (PLACER, FILLER)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"occurs_from": NOW, "occurs_until": NOW - timedelta(minutes=1)}, "occurs_until"),
        ({"requester": Party(kind="Practitioner")}, "requester"), ({"performers": (Party(id=known_id(3)),)}, "performers"),
        ({"requester": Party()}, "requester"), ({"code": Coding(system="urn:test", code="c" * 201)}, "code"),
        ({"placer": Identifier(system="urn:test", value="p" * 201)}, "identifiers"),
    ],
)  # fmt: skip
def test_what_is_not_sound_is_refused_by_its_field(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        model.ensure_sound(replace(DETAILS, **changes))
    assert refused.value.facts["field"] == field


def test_what_is_wanted_at_one_moment_is_sound() -> None:
    model.ensure_sound(replace(DETAILS, occurs_from=NOW, occurs_until=NOW, requester=Party(display="Dr. Numbat, elsewhere")))
