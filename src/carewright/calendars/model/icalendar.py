"""Reading iCalendar (RFC 5545): content lines, components, and the events of a calendar, each property with its parameters.

What is not iCalendar to its end is refused whole: half a calendar would free the time that its other half takes.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from carewright.contracts.calendars import CalendarNotUnderstood

BYTES_MAX = 8 * 1024 * 1024
LINES_MAX = 200_000
EVENTS_MAX = 10_000
EVENT = ["VCALENDAR", "VEVENT"]
"""Where an event stands."""
LINE = re.compile(r'(?P<name>[A-Za-z0-9-]+)(?P<parameters>(?:;[A-Za-z0-9-]+=(?:"[^"]*"|[^";:]*))*):(?P<value>.*)', re.DOTALL)
PARAMETER = re.compile(r';([A-Za-z0-9-]+)=(?:"([^"]*)"|([^";:]*))')


@dataclass(frozen=True, slots=True)
class Property:
    """A value as it is written, its parameters by their names in capitals, and the line it begins in."""

    value: str
    parameters: Mapping[str, str]
    line: int


@dataclass(slots=True)
class Component:
    """A VEVENT's own properties: what stands in it, and not in its alarms."""

    line: int
    properties: dict[str, list[Property]] = field(default_factory=dict)

    def first(self, name: str) -> Property | None:
        found = self.properties.get(name)
        return found[0] if found else None

    def word(self, name: str) -> str:
        """The first value in capitals; empty where there is none."""
        found = self.first(name)
        return found.value.strip().upper() if found else ""


def events_in(content: bytes) -> list[Component]:
    """The events of a calendar. Raises `CalendarNotUnderstood`."""
    stack: list[str] = []
    events: list[Component] = []
    number = 0
    for number, name, found in _properties(content):
        if name == "BEGIN":
            stack.append(found.value.strip().upper())
            _ensure_known(stack, events, number)
            if stack == EVENT:
                events.append(Component(number))
        elif not stack or (name == "END" and stack.pop() != found.value.strip().upper()):
            raise CalendarNotUnderstood(reason="structure", line=number)
        elif name != "END" and stack == EVENT:
            events[-1].properties.setdefault(name, []).append(found)
    if stack or not number:
        raise CalendarNotUnderstood(reason="cut-off")
    return events


def _ensure_known(stack: Sequence[str], events: Sequence[Component], number: int) -> None:
    """Refuse what is no calendar, says when it is busy in another way than by events, or has too many of them."""
    if stack[0] != EVENT[0]:
        raise CalendarNotUnderstood(reason="structure", line=number)
    if stack[-1] == "VFREEBUSY":
        raise CalendarNotUnderstood(reason="free-busy", line=number)
    if len(events) >= EVENTS_MAX and list(stack) == EVENT:
        raise CalendarNotUnderstood(reason="too-many-events", line=number)


def _properties(content: bytes) -> Iterator[tuple[int, str, Property]]:
    for number, line in _unfolded(content):
        found = LINE.fullmatch(line)
        if found is None:
            raise CalendarNotUnderstood(reason="line", line=number)
        parameters = {name.upper(): quoted or plain for name, quoted, plain in PARAMETER.findall(found["parameters"])}
        yield number, found["name"].upper(), Property(found["value"], parameters, number)


def _unfolded(content: bytes) -> Iterator[tuple[int, str]]:
    """Lines with those that continue them, and the number of the first; empty ones left out (RFC 5545 section 3.1)."""
    if len(content) > BYTES_MAX:
        raise CalendarNotUnderstood(reason="too-large")
    try:
        lines = content.decode("utf-8-sig").replace("\r\n", "\n").split("\n")
    except UnicodeDecodeError as fault:
        raise CalendarNotUnderstood(reason="not-utf-8") from fault
    if len(lines) > LINES_MAX:
        raise CalendarNotUnderstood(reason="too-many-lines")
    whole, begun = "", 0
    for number, line in enumerate([*lines, ""], 1):
        if line[:1] in (" ", "\t") and whole:
            whole += line[1:]
            continue
        if whole:
            yield begun, whole
        whole, begun = line.rstrip("\r"), number
