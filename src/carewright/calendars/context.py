"""The context, with whom feeds ask for what they show."""

from dataclasses import dataclass

from carewright.calendars.settings import CalendarsSettings
from carewright.contracts.access import Access
from carewright.contracts.directory import Directory
from carewright.contracts.scheduling import Scheduling
from carewright.kernel.context import Context


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarsContext(Context):
    """`access` knows whether an account still stands, `directory` where sites are, `scheduling` what is booked."""

    settings: CalendarsSettings
    access: Access
    directory: Directory
    scheduling: Scheduling
