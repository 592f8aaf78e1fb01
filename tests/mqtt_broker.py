"""A real MQTT broker that others wrote (amqtt, MQTT 3.1.1), in a process of its own: with TLS and accounts, killed and begun anew."""

import asyncio
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import aiomqtt
from argon2 import PasswordHasher

from tests.certificates import Authority

USER, PASSWORD = "carewright", "for this test alone"
START_SECONDS_MAX = 30.0
CONFIG = """
listeners:
  default:
    type: tcp
    bind: 127.0.0.1:{port}
    ssl: true
    certfile: {certificate}
    keyfile: {key}
plugins:
  amqtt.plugins.authentication.FileAuthPlugin:
    password_file: {accounts}
"""


class MqttBroker:
    """Its files lie in `folder`; it keeps its port from one start to the next, and nothing else."""

    def __init__(self, folder: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        self.authority = Authority(folder)
        self.password_file = folder / "password"
        self.password_file.write_text(PASSWORD + "\n", "utf-8")
        signed, accounts = self.authority.sign("broker"), folder / "accounts"
        accounts.write_text(f"{USER}:{PasswordHasher(time_cost=1, memory_cost=64).hash(PASSWORD)}\n", "utf-8")
        self._config = folder / "broker.yaml"
        said = CONFIG.format(port=self.port, certificate=signed.certificate, key=signed.key, accounts=accounts)
        self._config.write_text(said, "utf-8")
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Come back when it takes connections."""
        command = [str(Path(sys.executable).with_name("amqtt")), "-c", str(self._config)]
        quiet = asyncio.subprocess.DEVNULL
        self._process = await asyncio.create_subprocess_exec(*command, stdout=quiet, stderr=quiet)
        async with asyncio.timeout(START_SECONDS_MAX):
            while not await self._answers():  # noqa: ASYNC110  (another process sets no asyncio.Event)
                await asyncio.sleep(0.1)

    async def kill(self) -> None:
        """As when its machine loses power."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()
            self._process = None

    def client(self, identifier: str = "device") -> aiomqtt.Client:
        """Somebody who publishes."""
        tls = aiomqtt.TLSParameters(ca_certs=str(self.authority.file))
        return aiomqtt.Client("localhost", self.port, username=USER, password=PASSWORD, identifier=identifier, tls_params=tls)

    async def publish(self, topic: str, *payloads: bytes, qos: int = 1, retain: bool = False) -> None:
        """Each is there when the broker says so."""
        async with self.client() as client:
            for payload in payloads:
                await client.publish(topic, payload, qos=qos, retain=retain)

    async def _answers(self) -> bool:
        with suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", self.port)
            writer.close()
            return True
        return False


@asynccontextmanager
async def running_broker(folder: Path) -> AsyncIterator[MqttBroker]:
    broker = MqttBroker(folder)
    await broker.start()
    try:
        yield broker
    finally:
        await broker.kill()
