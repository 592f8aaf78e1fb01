"""What orders does by itself: disposing of those that are past their time."""

from carewright.contracts.records import days_kept
from carewright.kernel.context import Context
from carewright.kernel.keeping import Keeps, disposing
from carewright.orders.service import dispose_requests

KEEPS: tuple[Keeps[Context], ...] = (Keeps("orders", dispose_requests),)
TIMERS = (disposing("orders.dispose", KEEPS, days_kept),)
