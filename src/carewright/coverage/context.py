"""What coverage's use cases run in: the common context, who asks payers, and whom they say they are."""

from dataclasses import dataclass
from datetime import timedelta

from carewright.coverage.clearing.drop import Drop
from carewright.coverage.clearing.port import ClearingHouse
from carewright.coverage.model.question import Provider
from carewright.kernel.context import Context


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageContext(Context):
    """`drops` are the folders in which answers come later; they are waited for so long."""

    clearing_house: ClearingHouse
    provider: Provider
    drops: tuple[Drop, ...]
    wait_for_files: timedelta
