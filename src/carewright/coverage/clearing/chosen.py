"""The clearing-house that is set."""

from functools import partial
from pathlib import Path

from carewright.coverage.clearing.core import CoreHttp
from carewright.coverage.clearing.drop import Drop
from carewright.coverage.clearing.pas import PasHttp
from carewright.coverage.clearing.port import ClearingHouse, House, Nobody
from carewright.coverage.clearing.x12 import Account
from carewright.coverage.settings import CoverageSettings
from carewright.kernel.http.outgoing import Outgoing
from carewright.kernel.settings import StartFailed
from carewright.kernel.transport import origin_in

PAS_NEEDED = ("provider_name", "provider_npi", "pas_url")
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
    account = Account(settings.sender, settings.receiver, settings.usage, settings.user, _line_of(settings.password_file, "PASSWORD_FILE"))
    if settings.clearing_house == "drop":
        return Drop(Path(settings.drop_folder), account)
    return CoreHttp(settings.url, outgoing.reaching(origin_in(settings.url)), account, settings.answer_seconds)


def house_of(settings: CoverageSettings, outgoing: Outgoing) -> House:
    """Who answers whether somebody is covered, and who is asked for an agreement. Raises `StartFailed`, as `clearing_house_of`."""
    clearing_house = clearing_house_of(settings, outgoing)
    match settings.authorisations:
        case "none":
            return House(clearing_house, None)
        case "x12":
            if not isinstance(clearing_house, CoreHttp | Drop):
                raise StartFailed("CAREWRIGHT_COVERAGE_AUTHORISATIONS=x12 needs a clearing-house.")
            return House(clearing_house, clearing_house)
        case "pas":
            for name in PAS_NEEDED:
                if not getattr(settings, name):
                    raise StartFailed(f"CAREWRIGHT_COVERAGE_AUTHORISATIONS=pas needs CAREWRIGHT_COVERAGE_{name.upper()}.")
            token = partial(_line_of, settings.pas_token_file, "PAS_TOKEN_FILE")
            token()  # a file that cannot be read stops the start
            there = outgoing.reaching(origin_in(settings.pas_url))
            return House(clearing_house, PasHttp(settings.pas_url.rstrip("/"), there, token, settings.answer_seconds))


def _line_of(file: str, setting: str) -> str:
    try:
        return Path(file).read_text("utf-8").partition("\n")[0] if file else ""
    except (OSError, UnicodeDecodeError) as fault:
        raise StartFailed(f"CAREWRIGHT_COVERAGE_{setting} names no file that can be read.") from fault
