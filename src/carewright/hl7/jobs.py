"""What HL7 v2 does by itself: disposing of messages that are past their time."""

from carewright.contracts.records import days_kept
from carewright.hl7.context import Hl7Context
from carewright.hl7.service.keeping import dispose_messages, dispose_outgoing
from carewright.kernel.keeping import Keeps, disposing

KEEPS: tuple[Keeps[Hl7Context], ...] = (Keeps("hl7-messages", dispose_messages), Keeps("hl7-messages", dispose_outgoing))
TIMERS = (disposing("hl7.dispose", KEEPS, days_kept),)
