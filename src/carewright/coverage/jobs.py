"""What coverage does by itself: disposing of coverages that are past their time."""

from carewright.contracts.records import days_kept
from carewright.coverage.service import keeping
from carewright.kernel.context import Context
from carewright.kernel.keeping import Keeps, disposing

KEEPS: tuple[Keeps[Context], ...] = (Keeps("coverages", keeping.dispose_coverages),)
TIMERS = (disposing("coverage.dispose", KEEPS, days_kept),)
