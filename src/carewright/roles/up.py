"""`carewright up`: the servers, the migrations, the demonstration hospital and the server processes, kept running until Ctrl-C."""

import asyncio
import os
import ssl
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from carewright.contracts.permissions import STAFF
from carewright.kernel import migrate, valkey
from carewright.kernel.http.server import listen
from carewright.kernel.http.settings import EdgeSettings
from carewright.kernel.http.tls import ensure_listener, probing_context
from carewright.kernel.settings import load
from carewright.roles.demo import Demonstration, clear, load_demo, was_broken_off
from carewright.roles.embedded import EmbeddedSettings, Place, start_postgres, start_valkey
from carewright.roles.installation import Installation, audit_key_file, client_secret_file, token_key_file
from carewright.roles.keys import ensure_key_file
from carewright.roles.registry import MODULES, SCHEMAS, SECTIONS
from carewright.roles.supervisor import Program, Supervisor, start_command

SERVER_READY_SECONDS_MAX = 120.0
PROBE_SECONDS_MAX = 2.0
EVERY_IPV4 = "0.0.0.0"  # noqa: S104  # nosec B104  # what may be asked for, told apart from what can be opened
STAFF_CLIENT = "carewright-console"


@dataclass(frozen=True, slots=True, kw_only=True)
class Up:
    """What was asked for on the command line. `hospital` builds the demonstration hospital; None leaves an empty database empty."""

    data: Path
    host: str
    port: int
    split: bool = False
    hospital: Callable[[], Demonstration] | None = None
    database_url: str | None = None
    valkey_url: str | None = None
    settings_file: Path | None = None
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)


class Start:
    """One run of `carewright up`. Addresses are known only once the servers have started, so programs ask for them late.

    `tell` hears of progress, `show` of the addresses.
    """

    def __init__(self, wanted: Up, tell: Callable[[str], None], show: Callable[[str], None]) -> None:
        self._wanted = wanted
        self._tell = tell
        self._show = show
        self._database_url = wanted.database_url or ""
        self._valkey_url = wanted.valkey_url or ""
        self._ports = self._choose_ports()
        self._edge = EdgeSettings()

    async def run(self) -> int:
        """Keep everything running until a signal; the exit code."""
        self._edge = self.sections()["edge"]  # an unknown setting stops the start before anything has started
        ensure_listener(self._wanted.host, self._edge)
        if self._wanted.valkey_url:
            await valkey.ensure_reachable(self._wanted.valkey_url)
        place = None if self._wanted.database_url and self._wanted.valkey_url else await Place.open(self._wanted.data, EmbeddedSettings())
        try:
            return await Supervisor(self._programs(place), self._tell).run(self._say_addresses)
        finally:
            if place is not None:
                place.close()

    def sections(self) -> dict[str, Any]:
        """The settings as the server processes will see them."""
        return load(SECTIONS, {**self._wanted.environ, **self._environment()}, self._wanted.settings_file)

    def _programs(self, place: Place | None) -> list[Program]:
        programs = []
        if place is not None and not self._wanted.database_url:
            programs.append(Program(name="postgres", start=lambda: self._postgres(place)))
        if place is not None and not self._wanted.valkey_url:
            programs.append(Program(name="valkey", start=lambda: self._valkey(place)))
        servers = tuple(program.name for program in programs)
        programs.append(Program(name="migrations", start=self._migrate, after=servers))
        programs.append(Program(name="hospital", start=self._hospital, after=("migrations",)))
        before: tuple[str, ...] = ("hospital",)
        programs += [Program(name=name, start=self._server(name), after=before) for name in self._ports]
        return programs

    async def _postgres(self, place: Place) -> Any:
        server = await start_postgres(place)
        self._database_url = server.dsn
        return server

    async def _valkey(self, place: Place) -> Any:
        server = await start_valkey(place)
        self._valkey_url = server.url
        return server

    async def _migrate(self) -> None:
        ran = await migrate.migrate(self._database_url, SCHEMAS)
        if ran:
            self._tell(f"brought the database up to date ({ran} migrations)")
        if (made := await ensure_key_file(self.sections())) is not None:
            self._tell(f"made {made}: without it nothing encrypted can be read. Keep a copy in another place")
        known = Installation.read(self._wanted.data)
        msgspec.structs.replace(known, database_url=self._database_url, valkey_url=self._valkey_url).write(self._wanted.data)

    async def _hospital(self) -> None:
        """Load the demonstration hospital into an empty data directory, and again if an earlier load was broken off."""
        known = Installation.read(self._wanted.data).with_password()
        known.write(self._wanted.data)
        if known.organization_id is not None or self._wanted.hospital is None:
            return
        sections = self.sections()
        if await was_broken_off(sections):
            self._tell("an earlier load of the demonstration hospital was broken off; starting it again")
            await clear(sections)
        self._tell("building the demonstration hospital (once, about a minute)")
        hospital = await asyncio.to_thread(self._wanted.hospital)
        await load_demo(sections, hospital, lambda what: self._tell(f"loading {what}"), self._remember)

    def _remember(self, made: Installation) -> None:
        known = Installation.read(self._wanted.data)
        msgspec.structs.replace(
            known, organization_id=made.organization_id, demonstration_patient_id=made.demonstration_patient_id,
            database_url=self._database_url, valkey_url=self._valkey_url,
        ).write(self._wanted.data)  # fmt: skip

    def _server(self, name: str) -> Callable[[], Any]:
        port = self._ports[name]
        argv = [sys.executable, "-m", "carewright", "serve", "--roles", name, "--host", self._wanted.host, "--port", str(port)]
        if self._wanted.settings_file:
            argv += ["--settings", str(self._wanted.settings_file)]

        async def start() -> Any:
            return await start_command(
                name, argv, env=self._environment(), ready=lambda: self._is_ready(port), ready_seconds_max=SERVER_READY_SECONDS_MAX
            )

        return start

    async def _is_ready(self, port: int) -> bool:
        certificate = self._edge.tls_certificate_file
        return await is_ready(_reachable(self._wanted.host).strip("[]"), port, probing_context(certificate) if certificate else None)

    def _environment(self) -> dict[str, str]:
        known = Installation.read(self._wanted.data)
        peers = ",".join(f"{name}={self._for_programs(port)}" for name, port in self._ports.items() if name != "all")
        environment = {
            "CAREWRIGHT_SYSTEM_DATABASE_URL": self._database_url,
            "CAREWRIGHT_SYSTEM_VALKEY_URL": self._valkey_url,
            "CAREWRIGHT_SYSTEM_TOKEN_KEY_FILE": str(token_key_file(self._wanted.data)),
            "CAREWRIGHT_AUDIT_SIGNING_KEY_FILE": str(audit_key_file(self._wanted.data)),
            "CAREWRIGHT_SYSTEM_PEERS": peers,
        }
        if known.organization_id is not None and known.demonstration_patient_id is not None:
            environment |= {
                "CAREWRIGHT_PORTAL_ORGANIZATION_ID": str(known.organization_id),
                "CAREWRIGHT_FHIR_PUBLISHED_ORGANIZATION_ID": str(known.organization_id),
                "CAREWRIGHT_FHIR_BOOKING_URL": self._address("portal"),
                "CAREWRIGHT_PORTAL_PUBLIC_URL": self._address("portal"),
                "CAREWRIGHT_OVERSIGHT_ORGANIZATION_ID": str(known.organization_id),
                "CAREWRIGHT_PORTAL_DEMONSTRATION_PATIENT_ID": str(known.demonstration_patient_id),
                "CAREWRIGHT_NOTIFICATIONS_LOCAL_INBOX_ORGANIZATION_ID": str(known.organization_id),
            }
        return self._by_name() | self._staff_sign_in(known) | self._for_ehrs() | environment

    def _for_ehrs(self) -> dict[str, str]:
        """EHRs on this machine reach the process that serves them, unless another address is set."""
        given = {**self._wanted.environ}.get("CAREWRIGHT_EHR_PUBLIC_URL") or self._wanted.settings_file
        return {} if given else {"CAREWRIGHT_EHR_PUBLIC_URL": self._for_programs(self._ports.get("ehr") or self._ports["all"])}

    def _by_name(self) -> dict[str, str]:
        """Browsers on this machine come under its name, and passkeys belong to the patients' pages (ADR 21)."""
        if not self._has_name:
            return {}
        given = {**self._wanted.environ}
        ours = {"CAREWRIGHT_EDGE_LOCALHOST": "true"}
        if not (given.get("CAREWRIGHT_ACCESS_PUBLIC_URL") or given.get("CAREWRIGHT_ACCESS_PASSKEY_ORIGIN") or self._wanted.settings_file):
            ours["CAREWRIGHT_ACCESS_PASSKEY_ORIGIN"] = self._address("portal")
        return ours

    @property
    def _has_name(self) -> bool:
        """Whether browsers on this machine find us under `localhost`: everywhere it stands for 127.0.0.1, not everywhere for ::1."""
        return self._scheme == "http" and _reachable(self._wanted.host) in ("127.0.0.1", "localhost")

    def _staff_sign_in(self, known: Installation) -> dict[str, str]:
        """The built-in identity provider for a made-up hospital that only this machine reaches, unless another provider is set."""
        given = {**self._wanted.environ}.get("CAREWRIGHT_ACCESS_OIDC_ISSUER")
        here = self._has_name or (self._scheme == "http" and _reachable(self._wanted.host) == "[::1]")
        if not (here and known.organization_id and known.demonstration_password_hash) or given or self._wanted.settings_file:
            return {}
        issuer, public_url = f"{self._address('identity')}/identity", self._address("console")
        secret_file = str(client_secret_file(self._wanted.data))
        return {
            "CAREWRIGHT_IDENTITY_EMBEDDED": "true",
            "CAREWRIGHT_IDENTITY_ISSUER": issuer,
            "CAREWRIGHT_IDENTITY_CLIENT_ID": STAFF_CLIENT,
            "CAREWRIGHT_IDENTITY_CLIENT_SECRET_FILE": secret_file,
            "CAREWRIGHT_IDENTITY_REDIRECT_URI": f"{public_url}/staff/callback",
            "CAREWRIGHT_IDENTITY_PASSWORD_HASH": known.demonstration_password_hash,
            "CAREWRIGHT_IDENTITY_ORGANIZATION_ID": str(known.organization_id),
            "CAREWRIGHT_ACCESS_PUBLIC_URL": public_url,
            "CAREWRIGHT_ACCESS_ORGANIZATION_ID": str(known.organization_id),
            "CAREWRIGHT_ACCESS_OIDC_ISSUER": issuer,
            "CAREWRIGHT_ACCESS_OIDC_CLIENT_ID": STAFF_CLIENT,
            "CAREWRIGHT_ACCESS_OIDC_CLIENT_SECRET_FILE": secret_file,
            "CAREWRIGHT_ACCESS_OIDC_ROLES": ",".join(f"{role}={role}" for role in sorted(STAFF)),
        }

    def _address(self, name: str) -> str:
        """The address at which browsers find the process that serves a module."""
        return self._for_browsers(self._ports.get(name) or self._ports["all"])

    def _for_browsers(self, port: int) -> str:
        """Under the name of this machine where it has one: under a number browsers make no passkeys."""
        return f"{self._scheme}://localhost:{port}" if self._has_name else self._for_programs(port)

    def _for_programs(self, port: int) -> str:
        """Under the number that we listen at."""
        return f"{self._scheme}://{_reachable(self._wanted.host)}:{port}"

    @property
    def _scheme(self) -> str:
        return "https" if self._edge.tls_certificate_file else "http"

    def _choose_ports(self) -> dict[str, int]:
        """A port for every server process, tried now so that an occupied one stops the start with one clear line."""
        names = [module.name for module in reversed(MODULES)] if self._wanted.split else ["all"]
        ports: dict[str, int] = {}
        for number, name in enumerate(names):
            listener = listen(self._wanted.host, self._wanted.port + number if self._wanted.port else 0)
            ports[name] = listener.getsockname()[1]
            listener.close()
        return ports

    def _say_addresses(self) -> None:
        addresses = {name: self._for_programs(port) for name, port in self._ports.items()}
        msgspec.structs.replace(Installation.read(self._wanted.data), addresses=addresses).write(self._wanted.data)
        shown = {name: self._for_browsers(port) for name, port in self._ports.items()}
        patients, first = self._address("portal"), next(iter(shown.values()))
        lines = ["", "Carewright is running.", ""]
        if self._wanted.split:
            lines += [f"  {name:<12} {address}" for name, address in shown.items()]
        lines += [f"  Patients:    {patients}/"]
        if Installation.read(self._wanted.data).demonstration_patient_id is not None:
            lines += [f"  Inbox:       {patients}/inbox    what the demonstration hospital sends to people"]
        lines += [*self._staff_lines(), f"  API:         {first}/api/docs", f"  FHIR R4:     {self._address('fhir')}/fhir/R4/metadata"]
        lines += [f"  Health:      {first}/ready"]
        lines += ["", "  A token for the API:  carewright token --role front-desk", "  Ctrl-C stops everything; the data stays.", ""]
        self._show("\n".join(lines))

    def _staff_lines(self) -> list[str]:
        known = Installation.read(self._wanted.data)
        if not self._staff_sign_in(known):
            return []
        return [f"  Staff:       {self._address('console')}/staff   (made-up accounts, password {known.demonstration_password})"]


async def is_ready(host: str, port: int, tls: ssl.SSLContext | None = None) -> bool:
    """Whether a server process says so. Asked by hand: it may be killed at any moment, and this must not break with it."""
    try:
        async with asyncio.timeout(PROBE_SECONDS_MAX):
            reader, writer = await asyncio.open_connection(host, port, ssl=tls)
            try:
                writer.write(b"GET /ready HTTP/1.0\r\n\r\n")
                return b" 200 " in await reader.readline()
            finally:
                writer.close()
    except OSError:
        return False


def _reachable(host: str) -> str:
    """An address a browser on this machine can open."""
    everywhere = {EVERY_IPV4: "127.0.0.1", "::": "[::1]"}
    return everywhere.get(host, f"[{host}]" if ":" in host else host)


def sections_for(file: Path | None, *, host: str | None, port: int | None) -> dict[str, Any]:
    """The settings of one server process: file, environment, then what the command line says."""
    given = {"CAREWRIGHT_SYSTEM_HOST": host, "CAREWRIGHT_SYSTEM_PORT": None if port is None else str(port)}
    return load(SECTIONS, {**os.environ, **{name: value for name, value in given.items() if value is not None}}, file)
