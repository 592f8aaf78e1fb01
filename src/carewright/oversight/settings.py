"""Oversight's settings: whom to call, and how fresh a sign-in must be."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class OversightSettings:
    """What a hospital may set.

    `on_call_contact` is the telephone number or e-mail address that hears of every incident; administrators and privacy officers hear of
    it in their inbox too. Responding asks for a sign-in of the last `step_up_minutes`.

    The other settings say when an incident is opened by itself, and what is done then: of `end-sessions`, `quarantine` and `notify` any.
    Opening a record is looked at `unusual_settle_minutes` later, when whoever rang has an appointment. It is explained by one within
    `unusual_days_near` days, before or after. `organization_id` is whose incident it is when bad tokens come from nobody knows whom.
    """

    on_call_contact: str = ""
    step_up_minutes: int = 5
    organization_id: UUID | None = None
    reading_patients_per_minute: int = 40
    reading_steps: str = "end-sessions,notify"
    reading_exempt_roles: str = "integration"
    guessing_steps: str = "notify"
    bad_tokens_per_minute: int = 120
    client_failures_per_minute: int = 10
    client_steps: str = "notify"
    wrong_codes_per_minute: int = 30
    address_guesses_per_ten_minutes: int = 30
    unusual_settle_minutes: int = 15
    unusual_days_near: int = 30
    unusual_patients_per_hour: int = 150
