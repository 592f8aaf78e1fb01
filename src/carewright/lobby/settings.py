"""Settings of the pages on walls and kiosks."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class LobbySettings:
    """`secure_cookies` marks cookies Secure also where a proxy hides HTTPS from us; over HTTPS that we see they always are."""

    hospital_name: str = "Carewright"
    secure_cookies: bool = False
