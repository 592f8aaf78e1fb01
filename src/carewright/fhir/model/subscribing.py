"""From a Subscription resource to what is asked for, by the topic-based backport. What is not understood is refused."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import msgspec

from carewright.contracts.fhir.basics import Resource
from carewright.contracts.fhir.refusals import InvalidElement
from carewright.contracts.fhir.subscriptions import CONTENT, FILTER, HEARTBEAT, MAX_COUNT
from carewright.contracts.subscriptions import TOPICS, Filter, Subscribe

REST_HOOK = "rest-hook"
KNOWN = {"Subscription.criteria": {FILTER}, "Subscription.channel": {HEARTBEAT, MAX_COUNT}, "Subscription.channel.payload": {CONTENT}}
"""The extensions that may stand at each element."""


def read_subscription(one: Resource, base: str) -> Subscribe:
    """What `one` asks for; `base` is the address it was asked at. Raises `InvalidElement`."""
    if one.get("resourceType") != "Subscription":
        raise InvalidElement("A Subscription belongs here.", expression="Subscription")
    if one.get("status") != "requested":
        raise InvalidElement("A new subscription has the status `requested`.", expression="Subscription.status")
    channel = one["channel"]
    if channel.get("type") != REST_HOOK:
        raise InvalidElement("Notifications are sent by `rest-hook` alone.", expression="Subscription.channel.type")
    if one.get("extension") or one.get("modifierExtension"):
        raise InvalidElement("We do not know this extension.", expression="Subscription.extension")
    of_channel = _extensions(channel, "Subscription.channel")
    said = {
        "topic": one["criteria"],
        "filters": [_filter(text, one["criteria"]) for text in _many(one.get("_criteria", {}), "Subscription.criteria")],
        "endpoint": channel.get("endpoint", ""),
        "headers": channel.get("header", ()),
        "content": _extensions(channel.get("_payload", {}), "Subscription.channel.payload").get(CONTENT, "empty"),
        "media_type": channel.get("payload", "application/fhir+json"),
        "heartbeat_seconds": of_channel.get(HEARTBEAT),
        "max_count": of_channel.get(MAX_COUNT, 20),
        "end_at": datetime.fromisoformat(one["end"]) if "end" in one else None,
        "reason": one.get("reason", ""),
        "base": base,
    }
    try:
        return msgspec.convert(said, Subscribe)
    except msgspec.ValidationError as fault:
        raise InvalidElement(f"This is more, or other, than we do: {fault}.", expression="Subscription.channel") from None


def _extensions(element: Mapping[str, Any], expression: str) -> dict[str, Any]:
    """The values of the extensions of an element, by their addresses. Raises `InvalidElement` for one that we do not know."""
    given = element.get("extension", ())
    if any(each.get("url") not in KNOWN[expression] for each in given):
        raise InvalidElement("We do not know this extension.", expression=f"{expression}.extension")
    return {each["url"]: _value(each) for each in given}


def _many(element: Mapping[str, Any], expression: str) -> Iterable[str]:
    """The values of an extension that may repeat."""
    _extensions(element, expression)
    return (_value(each) for each in element.get("extension", ()))


def _value(extension: Mapping[str, Any]) -> Any:
    return next((value for name, value in extension.items() if name.startswith("value")), None)


def _filter(text: Any, topic: str) -> Filter:
    """`Appointment?patient=Patient/1,Patient/2`: the type is that of the topic, and its name may be left out. Ids stand for references."""
    focus, _, criterion = str(text).rpartition("?")
    name, separator, values = criterion.partition("=")
    if not separator or (topic in TOPICS and focus not in ("", TOPICS[topic].focus)):
        raise InvalidElement("A filter looks like Appointment?patient=Patient/123.", expression="Subscription.criteria.extension")
    return Filter(name="patient" if name == "_id" and focus == "Patient" else name, values=tuple(
        value.rpartition("/")[2] for value in values.split(",") if value
    ))  # fmt: skip
