"""Settings of coverage, as `CAREWRIGHT_COVERAGE_<FIELD>` or the `[coverage]` table of a settings file."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageSettings:
    """How payers are asked.

    `clearing_house` is `core` (X12 over HTTP, CAQH CORE vC2.2.0, at `url`), `drop` (files in `drop_folder`) or `none`.
    `sender` and `receiver` are how the clearing-house knows us and itself (X12 ISA06 and ISA08, 15 letters at most); `user` and the first
    line of `password_file` are the account there. `provider_name` and `provider_npi` say who asks. `usage` T marks every question as a
    test. Nobody waits for an answer longer than `answer_seconds`, the operating rules' 20, or for a file longer than `drop_hours`.
    `reaches_file` names payers who are asked through other clearing-houses than this one.
    `authorisations` says how payers are asked for their agreement beforehand: `x12`, by 278 through the clearing-house; `pas`, by FHIR
    (Da Vinci PAS) at the base `pas_url`, with the first line of `pas_token_file` as a bearer token; or `none`, by the desk.
    """

    clearing_house: Literal["none", "core", "drop"] = "none"
    url: str = ""
    sender: str = ""
    receiver: str = ""
    user: str = ""
    password_file: str = ""
    provider_name: str = ""
    provider_npi: str = ""
    usage: Literal["T", "P"] = "P"
    answer_seconds: float = 20.0
    drop_folder: str = ""
    drop_hours: float = 24.0
    reaches_file: str = ""
    authorisations: Literal["none", "x12", "pas"] = "none"
    pas_url: str = ""
    pas_token_file: str = ""
