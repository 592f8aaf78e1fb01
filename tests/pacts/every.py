"""Every contract there is."""

from tests.pacts.clearing_house import CLEARING_HOUSE
from tests.pacts.contract import Contract
from tests.pacts.ehr import EPIC, ORACLE, R4
from tests.pacts.pages import CONTRACTS

EVERY: tuple[Contract, ...] = (EPIC, ORACLE, R4, CLEARING_HOUSE, *CONTRACTS)
