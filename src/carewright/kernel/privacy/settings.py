"""Settings of privacy at rest, as `CAREWRIGHT_PRIVACY_<FIELD>` or the `[privacy]` table of a settings file."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivacySettings:
    """`key_service` says where the key is that wraps all others: in `key_file`, or in a service (OpenBao or HashiCorp Vault, AWS, Google).

    Without `key_file` it is `field.key` beside the token key. `kms_key` is an ARN of AWS or a resource name of Google. `kms_url` and
    `kms_credentials_url` are where the service and its credentials (AWS STS, Google's metadata server) are asked if not at their public
    addresses. `keys_fresh_seconds` is how long a process uses the keys of an organization before it asks again whether they were rotated
    or destroyed. `regions` names, with commas, the regions in which this installation's data lies: an organization that declared another
    one is not served.
    """

    key_service: Literal["file", "transit", "aws-kms", "gcp-kms"] = "file"
    key_file: str = ""
    transit_url: str = ""
    transit_mount: str = "transit"
    transit_key: str = "carewright"
    transit_token_file: str = ""
    kms_key: str = ""
    kms_url: str = ""
    kms_credentials_url: str = ""
    keys_fresh_seconds: float = 15.0
    regions: str = ""
