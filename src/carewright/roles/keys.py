"""The key that wraps all others: found as the settings say; its file is made once, and never a second time over encrypted data."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from carewright.kernel.clock import Clock
from carewright.kernel.db import Database
from carewright.kernel.migrate import role_of
from carewright.kernel.privacy.asking import Reach
from carewright.kernel.privacy.kek import RUNBOOK, KeyService, key_file_of, new_key_file
from carewright.kernel.privacy.services import key_service
from carewright.kernel.privacy.settings import PrivacySettings
from carewright.kernel.privacy.vault import Vault
from carewright.kernel.private_file import write_private
from carewright.kernel.settings import StartFailed
from carewright.kernel.sql import load

Q = load("carewright.kernel")
FIELD_KEY_FILE = "field.key"


def vault_of(sections: Mapping[str, Any], clock: Clock, reach: Reach) -> Vault:
    """The keys that privacy at rest needs. Raises `StartFailed` where their key file is missing."""
    privacy: PrivacySettings = sections["privacy"]
    regions = [region.strip() for region in privacy.regions.split(",") if region.strip()]
    return Vault(service_of(sections, clock, reach), clock, privacy.keys_fresh_seconds, regions)


def service_of(sections: Mapping[str, Any], clock: Clock, reach: Reach) -> KeyService:
    """What holds the key above all. The environment is where clouds, and their own tools, say who we are to them."""
    return key_service(sections["privacy"], field_key_file(sections), clock, reach, os.environ)


def field_key_file(sections: Mapping[str, Any]) -> Path:
    """Where the key file is unless the settings name another: beside the token key."""
    return Path(sections["system"].token_key_file or FIELD_KEY_FILE).with_name(FIELD_KEY_FILE)


async def ensure_key_file(sections: Mapping[str, Any]) -> Path | None:
    """Make the key file of a migrated database that holds nothing encrypted yet; returns it if it was made.

    Raises `StartFailed` where the file is missing and there is encrypted data: a new key would open nothing of it.
    """
    privacy = sections["privacy"]
    path = key_file_of(privacy, field_key_file(sections))
    if privacy.key_service != "file" or path.exists():
        return None
    db = await Database.connect(sections["system"].database_url, role_of("kernel"), 1)
    try:
        if await db.fetch(Q.keysets_by_service):
            raise StartFailed(f"The key file {path} is missing, and there is encrypted data. Put the file back. {RUNBOOK}")
    finally:
        await db.close()
    try:
        write_private(path, new_key_file())
    except OSError as fault:
        raise StartFailed(f"The key file {path} cannot be written: {fault.strerror}.") from fault
    return path
