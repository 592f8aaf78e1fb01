"""Python imports this by itself where its folder is on the path: the one clock of `carewright` then tells fast time, in every process."""

import os
from datetime import datetime

from carewright.kernel.clock import SystemClock
from tests.fast_time.clock import FROM, FastTime

if FROM in os.environ:
    TIME = FastTime.of(os.environ)

    def now(_: SystemClock) -> datetime:
        return TIME.now()

    def follow(_: SystemClock, *__: datetime) -> None:
        """The database's clock is the machine's: it is not followed."""

    for each in (now, follow):
        setattr(SystemClock, each.__name__, each)
