"""Settings of HL7 v2, as `CAREWRIGHT_HL7_<FIELD>` or the `[hl7]` table of a settings file."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Hl7Settings:
    """Who may send, and over what.

    `port` 0 leaves MLLP off. `senders` says which registered client (`carewright client add`) a connection stands for:
    `CLIENT` for every connection, or `NAME=CLIENT,NAME=CLIENT` by the common name of its certificate, which `tls_client_authority_file`
    signed. `tls_…_file` are PEM files; with a certificate the listener speaks TLS 1.3 and nothing else. `plain` lets it listen, and tell
    partners, beyond this machine without one: where a tunnel ends TLS. `processing_ids` are those of MSH-11 that are taken: a test's
    message books nothing. `partner_…_file` are PEM files for connections that we make: who signs partners' certificates (the system's
    authorities unless named), and ours with its key, where partners ask for one.
    A connection that says nothing for `idle_seconds`, or takes `message_seconds` for one message, is closed.
    """

    host: str = "127.0.0.1"
    port: int = 0
    senders: str = ""
    tls_certificate_file: str = ""
    tls_key_file: str = ""
    tls_client_authority_file: str = ""
    plain: bool = False
    partner_authority_file: str = ""
    partner_certificate_file: str = ""
    partner_key_file: str = ""
    processing_ids: str = "P"
    message_bytes_max: int = 262144
    connections_max: int = 100
    idle_seconds: float = 3600.0
    message_seconds: float = 20.0
    pool_connections: int = 8
