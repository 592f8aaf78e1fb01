"""Every contract there is."""

from tests.pacts.clearing_house import CLEARING_HOUSE
from tests.pacts.contract import Contract
from tests.pacts.ehr import EPIC, ORACLE

EVERY: tuple[Contract, ...] = (EPIC, ORACLE, CLEARING_HOUSE)
