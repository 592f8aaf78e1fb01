"""`carewright mock eligibility` as a process of its own, as a user starts it, and coverage's context asking it over a real socket."""

from contextlib import AbstractAsyncContextManager
from dataclasses import fields
from datetime import timedelta
from pathlib import Path
from typing import Any

from carewright.coverage.clearing.by_payer import ByPayer, houses_by_payer
from carewright.coverage.clearing.chosen import clearing_house_of, house_of
from carewright.coverage.clearing.port import ClearingHouse, House, Reviewer
from carewright.coverage.context import CoverageContext
from carewright.coverage.model.question import Provider
from carewright.coverage.settings import CoverageSettings
from carewright.kernel.context import Context
from carewright.kernel.http.outgoing import Outgoing
from tests.made_up_ehr import made_up

SET: dict[str, Any] = {
    "sender": "LAKESIDE", "receiver": "HOUSE", "provider_name": "Lakeside Hospital", "provider_npi": "1234567893", "usage": "T",
}  # fmt: skip


def mock_clearing_house(*switches: str) -> AbstractAsyncContextManager[str]:
    """Where questions are posted."""
    return made_up("eligibility", *switches)


def house_at(url: str, **settings: Any) -> ClearingHouse:
    """The way to a clearing-house, as the settings make it."""
    return clearing_house_of(CoverageSettings(clearing_house="core", url=url, **(SET | settings)), Outgoing())


def houses_at(file: Path, **settings: Any) -> ByPayer:
    """The ways to several, as the settings and a file make them."""
    outgoing = Outgoing()
    return houses_by_payer(CoverageSettings(reaches_file=str(file), **(SET | settings)), lambda each: house_of(each, outgoing))


def asking(context: Context, house: ClearingHouse, reviewer: Reviewer | None = None) -> CoverageContext:
    """Coverage's context that asks there, and `reviewer` for agreements."""
    world = {field.name: getattr(context, field.name) for field in fields(Context)}
    provider = Provider(name=SET["provider_name"], npi=SET["provider_npi"])
    houses = house if isinstance(house, ByPayer) else ByPayer(House(house, reviewer), {})
    return CoverageContext(
        **world, clearing_house=house, reviewer_of=houses.reviewer_of, provider=provider, drops=houses.drops,
        wait_for_files=timedelta(hours=1),
    )  # fmt: skip


def reviewer_at(**settings: Any) -> Reviewer:
    """Who asks for agreements, as the settings make it."""
    reviewer = house_of(CoverageSettings(**(SET | settings)), Outgoing()).reviewer
    assert reviewer is not None
    return reviewer
