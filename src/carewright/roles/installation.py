"""What a data directory remembers for its commands: where the database is, whose hospital it is, and the token key."""

from pathlib import Path
from uuid import UUID

import msgspec

from carewright.kernel.private_file import write_private
from carewright.kernel.rng import new_secret
from carewright.kernel.settings import StartFailed

KEY_BYTES = 32
PASSWORD_BYTES = 8


class Installation(msgspec.Struct, frozen=True, kw_only=True):
    """`installation.json`, readable by its owner only.

    `demonstration_password` is that of the made-up staff, made for this installation alone. The servers' URLs appear once they have been
    started, `addresses` (of our own processes, by name) once everything runs.
    """

    organization_id: UUID | None = None
    demonstration_patient_id: UUID | None = None
    demonstration_password: str = ""
    demonstration_password_hash: str = ""
    database_url: str = ""
    valkey_url: str = ""
    addresses: dict[str, str] = {}

    @classmethod
    def read(cls, data: Path) -> "Installation":
        """What is remembered; an empty one where nothing is yet."""
        try:
            return msgspec.json.decode((data / "installation.json").read_bytes(), type=cls)
        except (FileNotFoundError, NotADirectoryError):
            return cls()
        except (OSError, msgspec.DecodeError) as fault:
            raise StartFailed(f"{data / 'installation.json'} cannot be read. Remove it and start `carewright up` again.") from fault

    def write(self, data: Path) -> None:
        write_private(data / "installation.json", msgspec.json.format(msgspec.json.encode(self)))

    def with_password(self) -> "Installation":
        """The same with a password for the made-up staff; argon2 is imported by the one start that needs it."""
        if self.demonstration_password:
            return self
        from argon2 import PasswordHasher  # noqa: PLC0415  (one start in a lifetime needs it)

        password = new_secret(PASSWORD_BYTES).hex()
        return msgspec.structs.replace(self, demonstration_password=password, demonstration_password_hash=PasswordHasher().hash(password))


def token_key_file(data: Path) -> Path:
    """The file with the key that signs tokens; made on first use. Raises `StartFailed` where nothing can be written."""
    return _key_file(data, "token.key", new_secret(KEY_BYTES))


def audit_key_file(data: Path) -> Path:
    """The file with the key that signs the audit log's checkpoints; made on first use. Raises as `token_key_file`."""
    return _key_file(data, "audit.key", new_secret(KEY_BYTES))


def client_secret_file(data: Path) -> Path:
    """The file with the secret by which the built-in identity provider knows its one client; made on first use, as the token key."""
    return _key_file(data, "identity.secret", new_secret(KEY_BYTES).hex().encode())


def _key_file(data: Path, name: str, fresh: bytes) -> Path:
    path = data / name
    try:
        if not path.exists():
            data.mkdir(parents=True, exist_ok=True)
            write_private(path, fresh)
    except OSError as fault:
        raise StartFailed(f"The data directory {data} cannot be used: {fault.strerror}. Name another with --data.") from fault
    return path
