"""The context, with whom feeds ask for what they show."""

from dataclasses import dataclass

from carewright.calendars.settings import CalendarsSettings
from carewright.contracts.access import Access
from carewright.contracts.directory import Directory
from carewright.contracts.scheduling import Scheduling
from carewright.kernel.context import Context
from carewright.kernel.http.outgoing import Outgoing


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarsContext(Context):
    """`access` knows whether an account still stands, `directory` where sites are, `scheduling` what is booked.

    `outgoing` reaches calendars of others.
    """

    settings: CalendarsSettings
    access: Access
    directory: Directory
    scheduling: Scheduling
    outgoing: Outgoing
