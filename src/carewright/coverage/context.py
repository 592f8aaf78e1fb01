"""What coverage's use cases run in: the common context, who asks payers, and whom they say they are."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from carewright.coverage.clearing.drop import Drop
from carewright.coverage.clearing.port import ClearingHouse, Reviewer
from carewright.coverage.model.question import Provider
from carewright.kernel.context import Context


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageContext(Context):
    """`reviewer_of` says whom to ask for a payer's agreement. `drops` are the folders in which answers come later, waited for so long."""

    clearing_house: ClearingHouse
    reviewer_of: Callable[[str], Reviewer | None]
    provider: Provider
    drops: tuple[Drop, ...]
    wait_for_files: timedelta
