from zoneinfo import ZoneInfo

import pytest

from carewright.fhir.model.zones import MAIN_ZONE, WHOLE_STATE, zone_of


def test_every_zone_is_in_the_iana_database() -> None:
    for zone in {*WHOLE_STATE.values(), *MAIN_ZONE.values()}:
        assert ZoneInfo(zone).key == zone


def test_fifty_states_the_capital_and_five_territories_are_accounted_for() -> None:
    divided = {"FL", "ID", "IN", "KY", "ND", "NE", "SD", "TN"}
    assert not WHOLE_STATE.keys() & MAIN_ZONE.keys()
    assert not divided & (WHOLE_STATE.keys() | MAIN_ZONE.keys())
    assert len(WHOLE_STATE) + len(MAIN_ZONE) + len(divided) == 50 + 1 + 5


@pytest.mark.parametrize(
    ("state", "country", "zone"),
    [
        ("MO", "US", ("America/Chicago", "whole")),
        (" ny ", None, ("America/New_York", "whole")),
        ("KS", "USA", ("America/Chicago", "main")),
        ("TN", "US", None),
        ("CA", "CA", None),
        ("Kansas", "US", None),
        (None, None, None),
    ],
)
def test_a_state_decides_the_zone_where_it_can(state: str | None, country: str | None, zone: tuple[str, str] | None) -> None:
    assert zone_of(state, country) == zone
