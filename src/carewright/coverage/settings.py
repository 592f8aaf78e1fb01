"""Settings of coverage, as `CAREWRIGHT_COVERAGE_<FIELD>` or the `[coverage]` table of a settings file."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageSettings:
    """Nothing to tune: what limits a coverage are rules, and those are in `model` and in the contract."""
