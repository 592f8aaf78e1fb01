"""The time zone of a place in the United States, where its state leaves no real doubt.

Boundaries are those of 49 CFR part 71 (Standard Time Zone Boundaries), zone names those of the IANA database.
"""

from typing import Literal

EASTERN, CENTRAL, MOUNTAIN, PACIFIC = "America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles"

WHOLE_STATE = {
    **dict.fromkeys(("CT", "DC", "DE", "GA", "MA", "MD", "ME", "NC", "NH", "NJ", "NY", "OH", "PA", "RI", "SC", "VA", "VT", "WV"), EASTERN),
    **dict.fromkeys(("AL", "AR", "IA", "IL", "LA", "MN", "MO", "MS", "OK", "WI"), CENTRAL),
    **dict.fromkeys(("CO", "MT", "NM", "UT", "WY"), MOUNTAIN),
    **dict.fromkeys(("CA", "WA"), PACIFIC),
    "AS": "Pacific/Pago_Pago", "GU": "Pacific/Guam", "HI": "Pacific/Honolulu", "MP": "Pacific/Saipan",
    "PR": "America/Puerto_Rico", "VI": "America/St_Thomas",
}  # fmt: skip
"""One zone for the whole state or territory."""

MAIN_ZONE = {
    "AK": "America/Anchorage",  # the western Aleutians differ
    "AZ": "America/Phoenix",  # the Navajo Nation keeps daylight saving time
    "KS": CENTRAL,  # four western counties are on mountain time
    "MI": "America/Detroit",  # four counties beside Wisconsin are on central time
    "NV": PACIFIC,  # West Wendover is on mountain time
    "OR": PACIFIC,  # most of Malheur County is on mountain time
    "TX": CENTRAL,  # two western counties and a corner of a third are on mountain time
}
"""One zone for all but a small corner. Florida, Idaho, Indiana, Kentucky, Nebraska, the Dakotas and Tennessee are truly divided."""

UNITED_STATES = frozenset({"", "US", "USA", "UNITED STATES", "UNITED STATES OF AMERICA"})


def zone_of(state: str | None, country: str | None) -> tuple[str, Literal["whole", "main"]] | None:
    """The IANA zone of a US state's postal code and how sure that is; None where the state does not decide it."""
    code = (state or "").strip().upper()
    if (country or "").strip().upper() not in UNITED_STATES:
        return None
    if code in WHOLE_STATE:
        return WHOLE_STATE[code], "whole"
    return (MAIN_ZONE[code], "main") if code in MAIN_ZONE else None
