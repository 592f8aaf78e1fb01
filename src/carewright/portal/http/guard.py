"""The door of the portal: what its cookies are called. What guards it stands in the kernel, and guards the staff's pages too."""

from carewright.kernel.http.guard import (
    CONTENT_POLICY_OF_ASKING,
    FormNotOurs,
    actor_of_session,
    form_token,
    local_path,
    noted,
    require_own_form,
    seal,
)  # fmt: skip

__all__ = [
    "APP", "BROWSER", "CONTENT_POLICY_OF_ASKING", "NOTICE", "NOTICE_SECONDS", "PASSKEY", "PLACE", "PLACE_SECONDS", "SESSION", "TRY",
    "FormNotOurs", "actor_of_session", "form_token", "local_path", "noted", "require_own_form", "seal",
]  # fmt: skip
SESSION = "carewright_session"
APP = "carewright_app"
BROWSER = "carewright_browser"
NOTICE = "carewright_notice"
PLACE = "carewright_place"
TRY = "carewright_sign_in"
PASSKEY = "carewright_passkey"
NOTICE_SECONDS = 60
PLACE_SECONDS = 3600
