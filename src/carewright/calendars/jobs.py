"""What calendars do by themselves: read those of others again."""

from carewright.calendars.context import CalendarsContext
from carewright.calendars.service.busy import read_due
from carewright.kernel.jobs import Timer

LOOK_SECONDS = 60.0
TIMERS: tuple[Timer[CalendarsContext], ...] = (Timer("calendars.read", LOOK_SECONDS, read_due),)
