"""The orders module's settings."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class OrdersSettings:
    """Nothing to tune: what limits an order are rules, and those are in `model` and in the contract."""
