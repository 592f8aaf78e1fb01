"""Keys for tests: one key file for the whole run, so that every vault of it opens what another sealed."""

from carewright.kernel.clock import Clock
from carewright.kernel.privacy.kek import FileKey, new_key_file
from carewright.kernel.privacy.vault import Vault

KEY_FILE = new_key_file()
FOR_EVER = 1e12
"""Seconds for which a test's vault keeps what it read, unless the test is about asking again."""


def new_vault(clock: Clock, fresh_seconds: float = FOR_EVER) -> Vault:
    """The keys of one process."""
    return Vault(FileKey(KEY_FILE), clock, fresh_seconds)
