"""An OpenID Connect provider that others wrote (oidc-provider-mock), on a port of its own: what we say to it is not only what we meant."""

import warnings
from collections.abc import Iterator

import pytest

CLIENT_SECRET = "secret"


@pytest.fixture(scope="session")
def independent_issuer() -> Iterator[str]:
    """Its issuer. It knows Ada, of the group `doctors`. Importing it warns of its own libraries, which is not ours to mend."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from oidc_provider_mock import User, run_server_in_thread  # noqa: PLC0415  (so that its warnings are caught)
    people = [User(sub="ada", claims={"name": "Ada", "groups": ["doctors"]})]
    with run_server_in_thread(user_claims=people, require_nonce=True) as server:
        yield f"http://localhost:{server.server_port}"
