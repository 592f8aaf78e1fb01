"""What access's use cases run in: the common context and its settings."""

from dataclasses import dataclass
from datetime import timedelta

from carewright.access.settings import AccessSettings
from carewright.contracts.access import StepUpNeeded
from carewright.kernel.context import Context


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessContext(Context):
    settings: AccessSettings

    def require_recent(self) -> None:
        """Raise `StepUpNeeded` unless the actor proved who they are a moment ago."""
        proved = self.actor.authenticated_at
        if proved is None or self.clock.now() - proved > timedelta(minutes=self.settings.step_up_minutes):
            raise StepUpNeeded
