"""TLS of a listener: version 1.3 and nothing older, with a certificate that can be changed while it runs."""

import asyncio
import ssl
from pathlib import Path
from typing import NamedTuple

from prometheus_client import Counter

from carewright.kernel import telemetry
from carewright.kernel.http.settings import EdgeSettings
from carewright.kernel.settings import StartFailed

LOOK_SECONDS = 5.0
RELOADS = Counter("carewright_tls_reloads_total", "Times that a changed certificate was read.", ["outcome"])
log = telemetry.logger(__name__)


class Files(NamedTuple):
    """PEM files. Without an authority, callers show no certificate of their own."""

    certificate: str
    key: str
    authority: str = ""

    @classmethod
    def of(cls, settings: EdgeSettings) -> "Files | None":
        """Those of the settings. Raises `StartFailed` for one without the other."""
        named = bool(settings.tls_certificate_file), bool(settings.tls_key_file)
        if all(named):
            return cls(settings.tls_certificate_file, settings.tls_key_file, settings.tls_client_authority_file)
        if any(named) or settings.tls_client_authority_file:
            raise StartFailed("TLS needs both CAREWRIGHT_EDGE_TLS_CERTIFICATE_FILE and CAREWRIGHT_EDGE_TLS_KEY_FILE.")
        return None


class ListenerTls:
    """The TLS of a listener. `context` stays the same object; connections that begin after a reload get the new certificate."""

    def __init__(self, files: Files) -> None:
        self._files = files
        try:
            self.context = made_context(files)
        except (OSError, ValueError) as fault:  # ssl.SSLError is an OSError
            raise StartFailed("The TLS certificate, its key or the authority cannot be read, or they do not belong together.") from fault
        self._seen = self._times()

    def reload(self) -> None:
        """Read the files again. If they do not fit, the old certificate goes on serving, and the log says so."""
        self._seen = self._times()
        try:
            made_context(self._files)
            self.context.load_cert_chain(self._files.certificate, self._files.key)
        except (OSError, ValueError) as fault:
            RELOADS.labels("failed").inc()
            log.error("tls.reload_failed", error=type(fault).__name__)
        else:
            RELOADS.labels("success").inc()
            log.info("tls.reloaded")

    async def follow(self) -> None:
        """Reload when the files change, until cancelled."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            if self._times() != self._seen:
                self.reload()

    def _times(self) -> tuple[int, ...]:
        """When each file was written; 0 for one that is just being replaced."""
        return tuple(_written_at(Path(name)) for name in self._files if name)


def made_context(files: Files) -> ssl.SSLContext:
    """A server's context with these files. TLS 1.3 has forward secrecy and authenticated ciphers only (RFC 8446)."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_cert_chain(files.certificate, files.key)
    if files.authority:
        context.load_verify_locations(files.authority)
        context.verify_mode = ssl.CERT_OPTIONAL  # patients' browsers have none; doors for processes ask for it
    return context


def _written_at(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0
