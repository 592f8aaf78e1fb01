"""Every contract there is."""

from tests.pacts.clearing_house import CLEARING_HOUSE
from tests.pacts.contract import Contract
from tests.pacts.ehr import EPIC, ORACLE
from tests.pacts.pages import CONTRACTS

EVERY: tuple[Contract, ...] = (EPIC, ORACLE, CLEARING_HOUSE, *CONTRACTS)
