"""Oversight's settings: whom to call, and how fresh a sign-in must be."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class OversightSettings:
    """What a hospital may set.

    `on_call_contact` is the telephone number or e-mail address that hears of every incident; administrators and privacy officers hear of
    it in their inbox too. Responding asks for a sign-in of the last `step_up_minutes`.
    """

    on_call_contact: str = ""
    step_up_minutes: int = 5
