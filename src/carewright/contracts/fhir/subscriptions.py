"""Subscriptions and what is sent for them, as FHIR R4 has them by the topic-based backport.

Source: https://hl7.org/fhir/uv/subscriptions-backport/STU1.1.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal
from uuid import UUID

from carewright.contracts.fhir.basics import Resource, instant, moment, resource, said
from carewright.contracts.subscriptions import TOPICS, Noted, Subscription

Kind = Literal["handshake", "heartbeat", "event-notification", "query-status", "query-event"]
BACKPORT = "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition"
FILTER = f"{BACKPORT}/backport-filter-criteria"
CONTENT = f"{BACKPORT}/backport-payload-content"
HEARTBEAT = f"{BACKPORT}/backport-heartbeat-period"
MAX_COUNT = f"{BACKPORT}/backport-max-count"
PROFILE = f"{BACKPORT}/backport-subscription"
STATUS_PROFILE = f"{BACKPORT}/backport-subscription-status-r4"
TOPICS_EXTENSION = f"{BACKPORT}/capabilitystatement-subscriptiontopic-canonical"
SIGNED_BY = "urn:carewright:webhook-secret"
ERRORS = "urn:carewright:subscription-error"


def subscription(one: Subscription, secret: str | None = None) -> Resource:
    """A subscription without its headers; with the secret that signs, the once that it is told."""
    asked = one.request
    made = resource("Subscription", one.id, {
        "extension": [{"url": SIGNED_BY, "valueString": secret}] if secret else [],
        "status": one.status,
        "end": moment(asked.end_at),
        "reason": asked.reason,
        "criteria": asked.topic,
        "_criteria": {"extension": [
            {"url": FILTER, "valueString": f"{TOPICS[asked.topic].focus}?{each.name}={','.join(each.values)}"} for each in asked.filters
        ]} if asked.filters else None,
        "error": one.error,
        "channel": _channel(one),
    }, one.version, one.updated_at)  # fmt: skip
    made["meta"]["profile"] = [PROFILE]
    return made


def _channel(one: Subscription) -> Resource:
    asked = one.request
    periods = [{"url": HEARTBEAT, "valueUnsignedInt": asked.heartbeat_seconds}] if asked.heartbeat_seconds else []
    return {
        "extension": [*periods, {"url": MAX_COUNT, "valuePositiveInt": asked.max_count}],
        "type": "rest-hook",
        "endpoint": asked.endpoint,
        "payload": asked.media_type,
        "_payload": {"extension": [{"url": CONTENT, "valueCode": asked.content}]},
    }


def status(one: Subscription, kind: Kind, events: int, noted: Sequence[Noted] = ()) -> Resource:
    """How a subscription stands, as a Parameters: `events` is how many there were until what is told here."""
    asked = one.request
    topic = [] if asked.content == "empty" and kind != "query-status" else [{"name": "topic", "valueCanonical": asked.topic}]
    error = {"coding": [{"system": ERRORS, "code": one.error}], "text": one.error}
    return {
        "resourceType": "Parameters",
        "id": str(one.id),
        "meta": {"profile": [STATUS_PROFILE]},
        "parameter": [
            {"name": "subscription", "valueReference": {"reference": f"{asked.base}/Subscription/{one.id}"}},
            *topic,
            {"name": "status", "valueCode": one.status},
            {"name": "type", "valueCode": kind},
            {"name": "events-since-subscription-start", "valueString": str(events)},
            *(_event(one, each) for each in noted),
            *([{"name": "error", "valueCodeableConcept": error}] if one.error else []),
        ],
    }


def _event(one: Subscription, each: Noted) -> Resource:
    parts: list[Resource] = [
        {"name": "event-number", "valueString": str(each.number)}, {"name": "timestamp", "valueInstant": instant(each.occurred_at)},
    ]  # fmt: skip
    if one.request.content != "empty" and each.focus_id:
        parts.append({"name": "focus", "valueReference": {"reference": f"{one.request.base}/{each.focus}/{each.focus_id}"}})
    return {"name": "notification-event", "part": parts}


def notification(
    one: Subscription, kind: Kind, id_: UUID, at: datetime, events: int, noted: Sequence[Noted], resources: Mapping[UUID, Resource]
) -> Resource:
    """What is sent: a history Bundle, first how the subscription stands, then what changed, whole where `resources` has it."""
    base = one.request.base
    shown = [] if one.request.content == "empty" else [each for each in noted if each.focus_id]
    return {
        "resourceType": "Bundle",
        "type": "history",
        "timestamp": instant(at),
        "entry": [
            {
                "fullUrl": f"urn:uuid:{id_}",
                "resource": status(one, kind, events, noted),
                "request": {"method": "GET", "url": f"{base}/Subscription/{one.id}/$status"},
                "response": {"status": "200"},
            },
            *(_entry(base, each, resources) for each in shown),
        ],
    }


def _entry(base: str, each: Noted, resources: Mapping[UUID, Resource]) -> Resource:
    """Something that changed. What is cancelled is still there, so that it was deleted is never said."""
    method = "POST" if each.change == "create" else "PUT"
    return said({
        "fullUrl": f"{base}/{each.focus}/{each.focus_id}",
        "resource": resources.get(each.focus_id) if each.focus_id else None,
        "request": {"method": method, "url": each.focus if method == "POST" else f"{each.focus}/{each.focus_id}"},
        "response": {"status": "201" if method == "POST" else "200"},
    })  # fmt: skip
