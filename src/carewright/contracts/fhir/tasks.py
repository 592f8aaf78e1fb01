"""How far the fulfilment of an order has come (https://hl7.org/fhir/R4/task.html), made of the order and its appointments."""

from collections.abc import Iterable, Mapping, Sequence

from carewright.contracts.fhir.basics import Resource, instant, moment, period, reference, resource
from carewright.contracts.fhir.orders import party
from carewright.contracts.orders import RequestStatus, ServiceRequest
from carewright.contracts.scheduling import Appointment, AppointmentStatus

TASK_CODES = "http://hl7.org/fhir/CodeSystem/task-code"
BUSINESS_STATUS = "urn:carewright:task-status"
ENDED: Mapping[RequestStatus, str] = {
    "draft": "draft", "on-hold": "on-hold", "revoked": "cancelled", "completed": "completed", "entered-in-error": "entered-in-error",
}  # fmt: skip
"""What the order itself says. One that is active goes on as its appointments do; of one whose status nobody knows there is no task."""
STEPS: Sequence[tuple[frozenset[AppointmentStatus], str, str]] = (
    (frozenset({"arrived", "checked-in", "fulfilled"}), "in-progress", "visited"),
    (frozenset({"pending", "booked"}), "accepted", "scheduled"),
)
"""Statuses of appointments, what any of them makes of the task, and the word for it; the furthest first."""
WAITING = ("requested", "to-be-scheduled")
INTENTS = frozenset({
    "proposal", "plan", "order", "original-order", "reflex-order", "filler-order", "instance-order", "option",
})  # fmt: skip
"""http://hl7.org/fhir/R4/valueset-task-intent.html has no `directive`."""


def task(order: ServiceRequest, appointments: Iterable[Appointment]) -> Resource | None:
    """What is to be done for the order and how far that is; None where its status says nothing. `appointments` are those based on it."""
    lasting = [each for each in appointments if any(each.status in statuses for statuses, _, _ in STEPS)]
    status, business = _standing(order, lasting)
    if status is None:
        return None
    changed_at = max((at for at in (order.updated_at, *(each.updated_at for each in lasting)) if at), default=None)
    is_later = changed_at is not None and (order.authored_at is None or changed_at >= order.authored_at)
    return resource("Task", order.id, {
        "status": status,
        "businessStatus": {"coding": [{"system": BUSINESS_STATUS, "code": business}]} if business else None,
        "intent": order.intent if order.intent in INTENTS else "unknown",
        "priority": order.priority,
        "code": {"coding": [{"system": TASK_CODES, "code": "fulfill", "display": "Fulfill the focal request"}]},
        "focus": reference("ServiceRequest", order.id),
        "for": reference("Patient", order.patient_id),
        "authoredOn": moment(order.authored_at),
        "lastModified": instant(changed_at) if changed_at and is_later else None,
        "requester": party(order.requester) if order.requester else None,
        "owner": party(order.performers[0]) if order.performers else None,
        "restriction": _restriction(order),
        "output": [_output(each) for each in lasting],
    })  # fmt: skip


def _standing(order: ServiceRequest, lasting: Sequence[Appointment]) -> tuple[str | None, str | None]:
    """R4's status and our word; the word only while the order is active."""
    if order.status != "active":
        return ENDED.get(order.status), None
    held = {each.status for each in lasting}
    return next(((status, word) for statuses, status, word in STEPS if held & statuses), WAITING)


def _restriction(order: ServiceRequest) -> Resource | None:
    within = period(order.occurs_from, order.occurs_until)
    return {"period": within} if within else None


def _output(appointment: Appointment) -> Resource:
    return {"type": {"text": "Appointment"}, "valueReference": reference("Appointment", appointment.id)}
