"""What flow does by itself: disposing of encounters that are past their time."""

from carewright.contracts.records import days_kept
from carewright.flow.service.encounters import dispose_encounters
from carewright.kernel.context import Context
from carewright.kernel.keeping import Keeps, disposing

KEEPS: tuple[Keeps[Context], ...] = (Keeps("encounters", dispose_encounters),)
TIMERS = (disposing("flow.dispose", KEEPS, days_kept),)
