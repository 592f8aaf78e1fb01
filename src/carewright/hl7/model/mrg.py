"""Records that are one person: PID with its MRG (HL7 v2.8.2, 3.3.40 and 3.4.10), as often as a message has them."""

from typing import NamedTuple

from carewright.hl7.model.codes import Coded
from carewright.hl7.model.message import Message
from carewright.hl7.model.pid import Person, coded_in, person_in


class Merge(NamedTuple):
    """Who stays, and by which identifiers the record that goes was known."""

    person: Person
    prior: tuple[Coded, ...]


def merges_in(message: Message) -> list[Merge]:
    """Each PID that an MRG follows. MRG-1 names the prior record, and MRG-4 where an old sender has nothing else."""
    found = []
    for at, segment in enumerate(message.segments):
        if segment.name == "MRG":
            before = next((each for each in reversed(message.segments[:at]) if each.name == "PID"), None)
            person = person_in(Message(message.delimiters, (message.segments[0], *([before] if before else []))))
            found.append(Merge(person, coded_in(message, segment.field(1) or segment.field(4))))
    return found
