"""The door of the portal: what its cookies are called. What guards it stands in the kernel, and guards the staff's pages too."""

from carewright.kernel.http.guard import (
    HEADERS,
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
CONTENT_POLICY_OF_ASKING = HEADERS["Content-Security-Policy"].replace("img-src 'self'", "img-src 'self'; connect-src 'self'")
"""Every page's, for those whose script asks this site for something."""
