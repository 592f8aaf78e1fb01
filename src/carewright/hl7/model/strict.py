"""What the messages that we write must have, held against each before it leaves: segments in the order of SIU_S12, required fields said.

Required is what any version from 2.3.1 to 2.5.1 requires (2.15.9, 3.4.2, 10.6). A test holds the table against hl7apy's, which is no part
of what is installed.
"""

from carewright.contracts.hl7 import NotHl7
from carewright.hl7.model.message import Message

REQUIRED = {
    "MSH": (7, 9, 10, 11, 12),
    "SCH": (6, 11, 16, 20),
    "PID": (3, 5),
    "RGS": (1,),
    "AIS": (1, 3),
    "AIG": (1, 4),
    "AIL": (1, 4),
    "AIP": (1, 4),
}
"""By segment, in the order of the structure, and after MSH-1 and MSH-2, which `written` sees to."""
ORDER = tuple(REQUIRED)
ALWAYS = frozenset({"MSH", "SCH", "RGS"})
SEPARATORS = "^&~"


def ensure_whole(message: Message) -> None:
    """Raise `NotHl7` for a segment that is missing or out of place (`segment`), and for a required field without a value (`missing`)."""
    names = [each.name for each in message.segments]
    if not ALWAYS <= set(names) <= set(ORDER) or names != sorted(names, key=ORDER.index):
        raise NotHl7(rule="segment")
    for segment in message.segments:
        if not all(segment.field(number).strip(SEPARATORS) for number in REQUIRED[segment.name]):
            raise NotHl7(rule="missing")
