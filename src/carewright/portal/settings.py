"""Settings of the portal."""

from dataclasses import dataclass
from typing import Literal
from uuid import UUID


@dataclass(frozen=True, slots=True)
class PortalSettings:
    """What a hospital may set.

    `locale` decides how dates and times are written: "Tuesday, November 24 at 2:30 PM" or "Tuesday 24 November at 14:30".
    `session_minutes` is how long a sign-in lasts. `secure_cookies` marks cookies Secure also where a proxy hides HTTPS from us; over
    HTTPS that we see ourselves they always are.
    With `demonstration_sign_in`, anyone may enter as the one demonstration patient: only for a hospital that is made up.
    """

    hospital_name: str = "Carewright"
    locale: Literal["en-US", "en-GB"] = "en-US"
    session_minutes: int = 480
    secure_cookies: bool = False
    demonstration_sign_in: bool = False
    demonstration_organization_id: UUID | None = None
    demonstration_patient_id: UUID | None = None
