"""The clearing-house that is set."""

from pathlib import Path

from carewright.coverage.clearing.core import CoreHttp
from carewright.coverage.clearing.drop import Drop
from carewright.coverage.clearing.port import ClearingHouse, Nobody
from carewright.coverage.clearing.x12 import Account
from carewright.coverage.settings import CoverageSettings
from carewright.kernel.http.outgoing import Outgoing
from carewright.kernel.settings import StartFailed
from carewright.kernel.transport import origin_in

NEEDED = ("sender", "receiver", "provider_name", "provider_npi")
PARTY_LETTERS_MAX = 15
"""ISA06 and ISA08."""


def clearing_house_of(settings: CoverageSettings, outgoing: Outgoing) -> ClearingHouse:
    """Raises `StartFailed` where something that the chosen way needs is not set. The address may lie inside."""
    if settings.clearing_house == "none":
        return Nobody()
    needed = (*NEEDED, "url") if settings.clearing_house == "core" else (*NEEDED, "drop_folder")
    for name in needed:
        if not getattr(settings, name):
            raise StartFailed(f"A clearing-house needs CAREWRIGHT_COVERAGE_{name.upper()}.")
    if max(len(settings.sender), len(settings.receiver)) > PARTY_LETTERS_MAX or settings.answer_seconds <= 0:
        raise StartFailed("CAREWRIGHT_COVERAGE_SENDER and _RECEIVER have 15 letters at most, and _ANSWER_SECONDS is more than 0.")
    account = Account(settings.sender, settings.receiver, settings.usage, settings.user, _password(settings.password_file))
    if settings.clearing_house == "drop":
        return Drop(Path(settings.drop_folder), account)
    return CoreHttp(settings.url, outgoing.reaching(origin_in(settings.url)), account, settings.answer_seconds)


def _password(file: str) -> str:
    try:
        return Path(file).read_text("utf-8").partition("\n")[0] if file else ""
    except (OSError, UnicodeDecodeError) as fault:
        raise StartFailed("CAREWRIGHT_COVERAGE_PASSWORD_FILE names no file that can be read.") from fault
