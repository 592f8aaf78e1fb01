"""What EHR connections do by themselves: tell of what changed here, and pull from those whose turn it is."""

from carewright.ehr.service.pulling import pull_due
from carewright.ehr.service.pushing import PUSH, push_queued
from carewright.kernel.jobs import Job, Timer

LOOK_SECONDS = 60.0
JOBS = (Job(PUSH, push_queued),)
TIMERS = (Timer("ehr.pull", LOOK_SECONDS, pull_due),)
