"""Settings of the portal."""

from dataclasses import dataclass
from typing import Literal
from uuid import UUID


@dataclass(frozen=True, slots=True)
class PortalSettings:
    """What a hospital may set.

    `organization_id` is whose patients sign in here. `locale` decides how dates and times are written: "Tuesday, November 24 at 2:30 PM" or
    "Tuesday 24 November at 14:30". `secure_cookies` marks cookies Secure also where a proxy hides HTTPS from us; over HTTPS that we see
    ourselves they always are. `public_url` is the address under which patients reach these pages: messages lead there; without it they say
    where to sign in. `demonstration_patient_id` is somebody whose contact and birth date the sign-in page tells everybody: only
    for a hospital that is made up.
    """

    hospital_name: str = "Carewright"
    organization_id: UUID | None = None
    locale: Literal["en-US", "en-GB"] = "en-US"
    secure_cookies: bool = False
    public_url: str = ""
    demonstration_patient_id: UUID | None = None
