"""Settings of the edge, as `CAREWRIGHT_EDGE_<FIELD>` or the `[edge]` table of a settings file."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeSettings:
    """Who may knock how often, from where, and over what.

    Networks are written as `10.0.0.0/8,fd00::/8`. `trusted_proxies` are believed when they say whom they speak for (X-Forwarded-For,
    X-Forwarded-Proto); without any the address is that of the socket. `operator_networks` may read `/metrics` and `/roles`.
    `…_per_minute` fill a bucket that holds one minute's worth: somebody who was quiet may use it all at once.
    Requests from this machine itself count for their actor, not for their address.
    `tls_…_file` are PEM files; with a certificate the listener speaks TLS 1.3 and nothing else, and reads the files again when they change.
    `plain_http` lets it listen beyond this machine without one: where a proxy or a mesh in front ends TLS.
    `tls_client_authority_file` names who signs the certificates of our own processes; with it, calls between processes need one.
    `localhost` sends a browser that came under this machine's number on to its name, under which it makes passkeys and keeps its cookies.
    `outgoing_origins` are addresses inside (`https://login.hospital.internal:8443,…`) that we may ask besides the public internet.
    """

    trusted_proxies: str = ""
    operator_networks: str = "127.0.0.0/8,::1/128"
    actor_reads_per_minute: int = 1200
    actor_changes_per_minute: int = 300
    machine_roles: str = "integration"
    machine_requests_per_minute: int = 60_000
    address_requests_per_minute: int = 30_000
    address_unknowns_per_minute: int = 120
    address_sign_ins_per_minute: int = 60
    address_holds_per_minute: int = 20
    tls_certificate_file: str = ""
    tls_key_file: str = ""
    tls_client_authority_file: str = ""
    plain_http: bool = False
    localhost: bool = False
    outgoing_origins: str = ""
