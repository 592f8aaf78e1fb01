"""The key service that the settings name."""

from collections.abc import Mapping
from pathlib import Path

import httpx

from carewright.kernel.clock import Clock
from carewright.kernel.privacy import aws, gcp
from carewright.kernel.privacy.asking import Asking, Reach
from carewright.kernel.privacy.kek import KeyService, file_key, key_file_of
from carewright.kernel.privacy.settings import PrivacySettings
from carewright.kernel.privacy.transit import TransitKey
from carewright.kernel.settings import StartFailed
from carewright.kernel.transport import origin_in

HERE = ("127.0.0.1", "::1", "localhost")


def key_service(settings: PrivacySettings, default_file: Path, clock: Clock, reach: Reach, environ: Mapping[str, str]) -> KeyService:
    """The key service, asked through `reach`; `environ` may name credentials. Raises `StartFailed` for settings that lack some."""
    if settings.key_service == "transit":
        return _transit(settings, reach)
    if settings.key_service == "aws-kms":
        return _aws(settings, clock, reach, environ)
    if settings.key_service == "gcp-kms":
        return _gcp(settings, clock, reach, environ)
    return file_key(key_file_of(settings, default_file))


def _transit(settings: PrivacySettings, reach: Reach) -> KeyService:
    if not (settings.transit_url and settings.transit_token_file):
        raise StartFailed("A transit key needs CAREWRIGHT_PRIVACY_TRANSIT_URL and CAREWRIGHT_PRIVACY_TRANSIT_TOKEN_FILE.")
    asking = Asking(reach(*_origins("TRANSIT_URL", settings.transit_url)))
    return TransitKey(asking, settings.transit_url, settings.transit_mount, settings.transit_key, Path(settings.transit_token_file))


def _aws(settings: PrivacySettings, clock: Clock, reach: Reach, environ: Mapping[str, str]) -> KeyService:
    region, domain = aws.parts_of(settings.kms_key)
    url = settings.kms_url or f"https://kms.{region}.{domain}"
    token_url = settings.kms_credentials_url or f"https://sts.{region}.{domain}"
    sts = Asking(reach(*_origins("KMS_CREDENTIALS_URL", settings.kms_credentials_url)), aws.is_busy)
    kms = Asking(reach(*_origins("KMS_URL", settings.kms_url)), aws.is_busy)
    return aws.AwsKey(kms, aws.AwsLogin(sts, token_url, environ, clock), settings.kms_key, url, clock)


def _gcp(settings: PrivacySettings, clock: Clock, reach: Reach, environ: Mapping[str, str]) -> KeyService:
    name = gcp.ensure_name(settings.kms_key)
    machine_url = settings.kms_credentials_url or gcp.MACHINE
    asking = Asking(reach(*_origins("KMS_URL", settings.kms_url)))
    machine = Asking(reach(credentials=origin_in(machine_url)))
    return gcp.GcpKey(asking, gcp.GcpLogin(asking, machine, machine_url, environ, clock), name, settings.kms_url or gcp.API)


def _origins(field: str, url: str) -> list[str]:
    """The origin of an address that the operators set, if they did: it may lie inside. Keys go there, so beyond this machine it is TLS."""
    if not url:
        return []
    if not url.startswith("https://") and httpx.URL(url).host not in HERE:
        raise StartFailed(f"CAREWRIGHT_PRIVACY_{field} must begin with https://: keys go there.")
    return [origin_in(url)]
