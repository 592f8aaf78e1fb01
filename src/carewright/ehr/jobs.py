"""What EHR connections do by themselves: pull from those whose turn it is."""

from carewright.ehr.service.pulling import pull_due
from carewright.kernel.jobs import Timer

LOOK_SECONDS = 60.0
TIMERS = (Timer("ehr.pull", LOOK_SECONDS, pull_due),)
