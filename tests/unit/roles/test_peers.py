"""Where other processes may answer: in the clear on this machine alone, or behind a mesh that somebody vouches for."""

import pytest

from carewright.kernel.http.settings import EdgeSettings
from carewright.kernel.settings import StartFailed
from carewright.roles.lifecycle import peers_of
from carewright.roles.settings import SystemSettings


@pytest.mark.parametrize(
    "address", ["http://10.0.0.5:8080", "http://directory:8080", "http://127.0.0.1.example.org", "http://[fd00::5]:80"]
)
def test_no_process_calls_another_machine_in_the_clear(address: str) -> None:
    settings = SystemSettings(peers=f"directory=http://127.0.0.1:8080,patients={address}")
    with pytest.raises(StartFailed, match="another machine"):
        peers_of(settings, EdgeSettings())
    assert peers_of(settings, EdgeSettings(plain_http=True))
    assert peers_of(SystemSettings(peers=f"patients={address.replace('http:', 'https:')}"), EdgeSettings())


@pytest.mark.parametrize("address", ["http://127.0.0.1:8080", "http://localhost:8080", "http://[::1]:8080"])
def test_on_this_machine_processes_may_be_called_in_the_clear_without_an_authority(address: str) -> None:
    settings = SystemSettings(peers=f"patients={address}")
    assert peers_of(settings, EdgeSettings())
    with pytest.raises(StartFailed, match="need certificates"):
        peers_of(settings, EdgeSettings(tls_client_authority_file="authority.pem"))
