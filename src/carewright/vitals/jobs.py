"""What vitals does by itself: disposing of observations that are past their time."""

from carewright.contracts.records import days_kept
from carewright.kernel.context import Context
from carewright.kernel.keeping import Keeps, disposing
from carewright.vitals.service import dispose_observations

KEEPS: tuple[Keeps[Context], ...] = (Keeps("observations", dispose_observations),)
TIMERS = (disposing("vitals.dispose", KEEPS, days_kept),)
