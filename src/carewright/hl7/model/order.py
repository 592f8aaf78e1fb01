"""Order: what a message is about, and which of those that come together may be taken at once.

Messages about one appointment, one patient or one practitioner go one after the other, as they came. Whatever may free or close time goes
alone: those behind it may want that time.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from carewright.hl7.model.codes import Coded
from carewright.hl7.model.kinds import ACTIONS
from carewright.hl7.model.message import Message
from carewright.hl7.model.mrg import merges_in
from carewright.hl7.model.pid import person_in
from carewright.hl7.model.siu import ids_in, practitioners_in

ALONGSIDE = frozenset({"book", "register", "update"})
"""What may be done while others of these are: none of them gives time back."""
TOGETHER_MAX = 32


class Read(NamedTuple):
    """A message as it came and as it was read; of one that is none, as much of its header as there is, and `fault` says what is wrong."""

    raw: bytes
    message: Message
    fault: str | None = None


def things_in(message: Message) -> frozenset[tuple[str, ...]]:
    """The sender's names of whatever the message touches."""
    appointments = (("appointment", own_id) for own_id in ids_in(message))
    patients = (("patient", each.namespace, each.value) for each in people_in(message))
    practitioners = (("practitioner", each.namespace, each.value) for each in practitioners_in(message))
    return frozenset((*appointments, *patients, *practitioners))


def people_in(message: Message) -> tuple[Coded, ...]:
    """Every identifier of a patient that the message names."""
    merged = (each for one in merges_in(message) for each in (*one.person.identifiers, *one.prior))
    return tuple(dict.fromkeys((*person_in(message).identifiers, *merged)))


def runs_of(messages: Iterable[Read]) -> Iterator[list[Read]]:
    """The messages in their order, in runs of those that may be taken at once, `TOGETHER_MAX` at most."""
    run: list[Read] = []
    for each in messages:
        alongside = ACTIONS.get(each.message.kind) in ALONGSIDE
        if run and (not alongside or len(run) == TOGETHER_MAX):
            yield run
            run = []
        run.append(each)
        if not alongside:
            yield run
            run = []
    if run:
        yield run
