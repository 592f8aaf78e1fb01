"""TLS of a listener: version 1.3 and nothing older, with a certificate that can be changed while it runs."""

import asyncio
import ssl
from pathlib import Path
from typing import NamedTuple

from prometheus_client import Counter

from carewright.kernel import telemetry
from carewright.kernel.http.settings import EdgeSettings
from carewright.kernel.settings import StartFailed
from carewright.kernel.transport import is_here

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
    """The TLS of a process: `context` of its listener, `calling` of its calls to our other processes, if they have an authority.

    Both stay the same objects; connections that begin after a reload get the new certificate.
    """

    def __init__(self, files: Files) -> None:
        self._files = files
        try:
            self.context = made_context(files)
            self.calling = calling_context(files) if files.authority else None
        except (OSError, ValueError) as fault:  # ssl.SSLError is an OSError
            raise StartFailed("The TLS certificate, its key or the authority cannot be read, or they do not belong together.") from fault
        self._seen = self._times()

    def reload(self) -> None:
        """Read the files again. If they do not fit, the old certificate goes on serving, and the log says so."""
        self._seen = self._times()
        try:
            made_context(self._files)
            for context in filter(None, (self.context, self.calling)):
                context.load_cert_chain(self._files.certificate, self._files.key)
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


def calling_context(files: Files) -> ssl.SSLContext:
    """The context of a process that calls another: it trusts our own authority alone, and shows its own certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_verify_locations(files.authority)
    context.load_cert_chain(files.certificate, files.key)
    return context


def probing_context(certificate_file: str) -> ssl.SSLContext:
    """The context of whoever asks a process on this machine whether it is ready: it knows that certificate and needs no name in it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.load_verify_locations(certificate_file)
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return context


def ensure_listener(host: str, settings: EdgeSettings) -> None:
    """Raise `StartFailed` where patients' data would leave this machine in the clear."""
    if Files.of(settings) is None and not settings.plain_http and not is_here(host):
        raise StartFailed(
            f"{host} is reached from other machines, so it needs TLS: set CAREWRIGHT_EDGE_TLS_CERTIFICATE_FILE and _KEY_FILE, "
            "or CAREWRIGHT_EDGE_PLAIN_HTTP=true where a proxy in front ends TLS."
        )


def _written_at(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0
