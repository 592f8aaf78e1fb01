"""What an incident that nobody reported asks for: enough, and never a whole ward."""

import pytest

from carewright.contracts.audit import Busy
from carewright.kernel.authz import BREAKING_GLASS
from carewright.oversight.model import triggers as model
from carewright.oversight.settings import OversightSettings
from tests.samples import known_id

EXEMPT = frozenset({"integration"})
STEPS = ("end-sessions", "notify")


def busy(agent: str = "nurse-1", *, role: str = "nurse", purpose: str = "TREAT", count: int = 50) -> Busy:
    return Busy(organization_id=known_id(1), agent=agent, role=role, purpose=purpose, count=count)


def test_who_reads_faster_than_a_person_is_signed_out_and_told_of() -> None:
    (trigger,) = model.fast_readers([busy()], EXEMPT, STEPS)
    assert (trigger.about, trigger.steps) == ("nurse-1", STEPS)
    command = model.response_to(trigger)
    assert (command.end_sessions_of, command.quarantine_clients, command.notify) == (("nurse-1",), (), True)
    assert "50 patients" in command.reason


def test_machines_are_left_alone() -> None:
    assert model.fast_readers([busy(role="integration")], EXEMPT, STEPS) == []


def test_nobody_is_signed_out_in_an_emergency() -> None:
    (trigger,) = model.fast_readers([busy(purpose=BREAKING_GLASS)], EXEMPT, STEPS)
    assert trigger.steps == ("notify",)


@pytest.mark.parametrize(("people", "steps"), [(model.AT_ONCE_MAX, STEPS), (model.AT_ONCE_MAX + 1, ("notify",))])
def test_where_many_are_fast_at_once_nobody_is_signed_out(people: int, steps: tuple[str, ...]) -> None:
    machines = [busy(f"lab-{number}", role="integration") for number in range(9)]
    triggers = model.fast_readers([busy(f"nurse-{number}") for number in range(people)] + machines, EXEMPT, STEPS)
    assert [trigger.steps for trigger in triggers] == [steps] * people


def test_bad_tokens_of_nobody_are_one_incident_of_the_named_hospital() -> None:
    many = [busy("unknown", count=70), busy("unknown", purpose="", count=60), busy("lab", count=500)]
    (trigger,) = model.bad_tokens(many, known_id(3), 130)
    assert (trigger.organization_id, trigger.about, trigger.steps) == (known_id(3), "", ("notify",))
    assert "130 requests" in trigger.reason
    assert model.bad_tokens(many, known_id(3), 131) == []


def test_a_client_that_cannot_prove_itself_is_named_and_nobody_is_not() -> None:
    (trigger,) = model.failing_clients([busy("unknown"), busy("client/lab", count=12)], ("quarantine", "notify"))
    assert (trigger.organization_id, trigger.about) == (known_id(1), "client/lab")
    command = model.response_to(trigger)
    assert (command.quarantine_clients, command.end_sessions_of, command.notify) == (("client/lab",), (), True)


def test_guessing_a_little_at_many_is_told_and_names_nobody() -> None:
    (trigger,) = model.guessing_around([busy("system", role="system", count=31)])
    assert (trigger.kind, trigger.about, trigger.steps) == ("codes_guessed", "", ("notify",))
    assert "31 codes" in trigger.reason


def test_guessing_from_one_address_is_told_and_ends_nothing() -> None:
    (trigger,) = model.guessing_from([Busy(organization_id=known_id(1), address="2001:db8::7", count=31)])
    assert (trigger.kind, trigger.about, trigger.steps) == ("codes_guessed", "address/2001:db8::7", ("notify",))
    assert "31 codes or passwords from the address 2001:db8::7" in trigger.reason
    assert model.response_to(trigger).end_sessions_of == ()


def test_whose_account_is_guessed_at_stays_signed_in() -> None:
    trigger = model.guessed(known_id(1), known_id(2), 10, model.steps_of(OversightSettings().guessing_steps))
    command = model.response_to(trigger)
    assert (trigger.about, command.end_sessions_of, command.notify) == (f"patient/{known_id(2)}", (), True)


@pytest.mark.parametrize("text", ["lock-out", "notify,notfy", "end sessions"])
def test_a_step_that_there_is_none_of_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no step"):
        model.steps_of(text)


def test_no_step_at_all_is_a_choice() -> None:
    assert model.steps_of("") == ()
