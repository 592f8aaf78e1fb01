"""Time zones as calendars name them: by IANA, or as Windows does. A zone that nobody knows is refused, not guessed."""

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from carewright.contracts.calendars import CalendarNotUnderstood

WINDOWS = {
    "AUS Eastern Standard Time": "Australia/Sydney", "Alaskan Standard Time": "America/Anchorage", "Arabian Standard Time": "Asia/Dubai",
    "Atlantic Standard Time": "America/Halifax", "Central Europe Standard Time": "Europe/Budapest",
    "Central European Standard Time": "Europe/Warsaw", "Central Standard Time": "America/Chicago", "China Standard Time": "Asia/Shanghai",
    "E. South America Standard Time": "America/Sao_Paulo", "Eastern Standard Time": "America/New_York",
    "FLE Standard Time": "Europe/Kiev", "GMT Standard Time": "Europe/London", "GTB Standard Time": "Europe/Bucharest",
    "Greenwich Standard Time": "Atlantic/Reykjavik", "Hawaiian Standard Time": "Pacific/Honolulu", "India Standard Time": "Asia/Calcutta",
    "Mountain Standard Time": "America/Denver", "New Zealand Standard Time": "Pacific/Auckland",
    "Pacific Standard Time": "America/Los_Angeles", "Romance Standard Time": "Europe/Paris", "Russian Standard Time": "Europe/Moscow",
    "South Africa Standard Time": "Africa/Johannesburg", "Tokyo Standard Time": "Asia/Tokyo",
    "US Mountain Standard Time": "America/Phoenix",
    "UTC": "Etc/UTC",
    "W. Europe Standard Time": "Europe/Berlin",
}  # fmt: skip
"""Source: Unicode CLDR, windowsZones.xml, territory 001."""


def zone_named(name: str, line: int) -> ZoneInfo:
    """The zone of a TZID. Raises `CalendarNotUnderstood`."""
    known = WINDOWS.get(name, name.rpartition("/freeassociation.sourceforge.net/")[2])
    try:
        return ZoneInfo(known)
    except (ZoneInfoNotFoundError, ValueError, OSError) as fault:
        raise CalendarNotUnderstood(reason="unknown-zone", line=line) from fault
