"""The whole system on one page: its modules, in the order in which they start, and what stands in each schema."""

from collections.abc import Sequence
from typing import Any

from carewright.access.module import MODULE as ACCESS
from carewright.audit.module import MODULE as AUDIT
from carewright.calendars.module import MODULE as CALENDARS
from carewright.cds.module import MODULE as CDS
from carewright.console.module import MODULE as CONSOLE
from carewright.coverage.module import MODULE as COVERAGE
from carewright.directory.module import MODULE as DIRECTORY
from carewright.ehr.module import MODULE as EHR
from carewright.fhir.module import MODULE as FHIR
from carewright.flow.module import MODULE as FLOW
from carewright.hl7.module import MODULE as HL7
from carewright.identity.module import MODULE as IDENTITY
from carewright.kernel.http.gate import Careful
from carewright.kernel.http.settings import EdgeSettings
from carewright.kernel.modules import Module
from carewright.kernel.privacy.settings import PrivacySettings
from carewright.kernel.settings import StartFailed
from carewright.lobby.module import MODULE as LOBBY
from carewright.migration.module import MODULE as MIGRATION
from carewright.notifications.module import MODULE as NOTIFICATIONS
from carewright.orders.module import MODULE as ORDERS
from carewright.oversight.module import MODULE as OVERSIGHT
from carewright.patients.module import MODULE as PATIENTS
from carewright.portal.module import MODULE as PORTAL
from carewright.records.module import MODULE as RECORDS
from carewright.roles.settings import SystemSettings
from carewright.scheduling.module import MODULE as SCHEDULING
from carewright.subscriptions.module import MODULE as SUBSCRIPTIONS
from carewright.vitals.module import MODULE as VITALS

MODULES: tuple[Module, ...] = (
    ACCESS,         # who may come in, as whom, and for how long
    DIRECTORY,      # who and what can be booked
    PATIENTS,       # who comes
    SCHEDULING,     # when, and with whom
    FLOW,           # what happens while they are here
    ORDERS,         # what somebody asks to be done for them
    VITALS,         # what is measured of them, and found
    COVERAGE,       # who pays
    NOTIFICATIONS,  # what we say to people
    AUDIT,          # what was done, by whom, and the proof of it
    OVERSIGHT,      # what is done when something goes wrong
    SUBSCRIPTIONS,  # who is told of changes, and the telling
    FHIR,           # what other systems see, and ask for
    CDS,            # what is said of an appointment that is about to be booked
    HL7,            # what other systems say in HL7 v2, and hear
    EHR,            # what the health record says, by FHIR
    RECORDS,        # how long it is all kept, and what must stay
    CALENDARS,      # what people's own calendar programs see
    PORTAL,         # what patients see
    CONSOLE,        # what staff see
    LOBBY,          # what everybody sees: screens on walls, kiosks
    MIGRATION,      # what older systems held
    IDENTITY,       # the made-up staff's identity provider, embedded only
)  # fmt: skip

SCHEMAS = ("kernel", *(module.name for module in MODULES if module.has_tables))
SECTIONS: dict[str, type[Any]] = {"system": SystemSettings, "privacy": PrivacySettings, "edge": EdgeSettings} | {
    module.name: module.settings for module in MODULES
}
CAREFUL = (
    Careful("/sign-in", "sign_in"),
    Careful("/sign-in/code", "sign_in"),
    Careful("/sign-in/again", "sign_in"),
    Careful("/sign-in/passkey", "sign_in"),
    Careful("/sign-in/passkey/begin", "sign_in"),
    Careful("/visits/{id}/hold", "hold"),
    Careful("/staff/sign-in", "sign_in"),
    Careful("/station", "sign_in"),
    Careful("/identity/authorize", "sign_in"),
    Careful("/oauth/token", "sign_in"),
    Careful("/oauth/introspect", "sign_in"),
    Careful("/oauth/revoke", "sign_in"),
    Careful("/apps/authorize", "sign_in"),
    Careful("/api/v1/holds", "hold"),
    Careful("/fhir/R4/Appointment/$hold", "hold"),
)
"""Where guessing or hoarding would begin: a POST here has a limit of its own for each address."""


def chosen(names: Sequence[str]) -> tuple[Module, ...]:
    """The modules a process runs: `all`, or some by name. Raises `StartFailed` for an unknown one."""
    known = {module.name: module for module in MODULES}
    unknown = [name for name in names if name not in known and name != "all"]
    if unknown:
        raise StartFailed(f"There is no role called {unknown[0]}. Choose from: all, {', '.join(known)}.")
    return MODULES if "all" in names else tuple(known[name] for name in known if name in names)
