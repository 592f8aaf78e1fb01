"""What a process says of itself, how it is described to people and programs, and how it leaves."""

import asyncio
import os
import re
import signal
from collections.abc import AsyncIterator
from urllib.parse import urlsplit
from uuid import UUID

import asyncpg
import httpx
import pytest

from carewright.roles.registry import MODULES
from carewright.roles.up import is_ready
from tests.clinic import Clinic, ok, refused
from tests.contracts import openapi
from tests.system import System, launch, log_of

LISTENS = re.compile(r'"socket": "(127\.0\.0\.1:\d+)"')


async def get(system: System, path: str) -> httpx.Response:
    return await system.client.get(system.address_of(path) + path)


async def test_a_process_says_that_it_lives_is_ready_and_what_it_serves(one_process: System) -> None:
    assert ok(await get(one_process, "/live")) == {"live": True}
    assert ok(await get(one_process, "/ready")) == {"ready": True, "waiting_for": []}
    roles = ok(await get(one_process, "/roles"))
    assert list(roles) == [module.name for module in MODULES]
    assert "/api/v1/appointments" in roles["scheduling"]


LENGTHS = (
    ("GET", "/live"), ("GET", "/"), ("GET", "/api/openapi.json"), ("GET", "/api/v1/sites"), ("GET", "/nowhere"), ("GET", "/appointments"),
    ("GET", "/sign-in"), ("GET", "/staff"), ("HEAD", "/live"), ("HEAD", "/"), ("DELETE", "/live"), ("OPTIONS", "/sign-in"),
    ("GET", "/metrics"), ("POST", "/sign-in"), ("POST", "/api/v1/holds"), ("POST", "/oauth/token"),
    ("GET", "/static/portal.css"), ("GET", "/live"),
)  # fmt: skip


async def test_every_answer_is_as_long_as_it_says(one_process: System) -> None:
    """All are asked on one connection: what were longer or shorter would be read as the beginning of the next answer."""
    where = urlsplit(one_process.address_of("/"))
    reader, writer = await asyncio.open_connection(where.hostname, where.port)
    seen = set()
    for method, path in LENGTHS:
        writer.write(f"{method} {path} HTTP/1.1\r\nHost: {where.netloc}\r\nContent-Length: 0\r\n\r\n".encode())
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        assert re.match(r"HTTP/1\.1 \d{3} ", head), (method, path, head[:80])
        lengths = re.findall(r"(?im)^content-length: (\d+)\r$", head)
        assert len(lengths) == 1, (method, path)
        assert "transfer-encoding" not in head.lower()
        await reader.readexactly(0 if method == "HEAD" else int(lengths[0]))
        seen.add(head.split()[1])
    writer.write(f"GET /live HTTP/1.1\r\nHost: {where.netloc}\r\nConnection: close\r\n\r\n".encode())
    last = await reader.read()
    assert last.endswith(b'{"live":true}'), "and nothing behind it"
    writer.close()
    assert {"200", "303", "401", "404", "405"} <= seen


async def test_an_address_that_is_not_there_gets_a_page_for_a_person_and_a_problem_for_a_program(one_process: System) -> None:
    address = one_process.address_of("/") + "/nowhere"
    page = await one_process.client.get(address, headers={"Accept": "text/html,*/*"})
    assert page.status_code == 404
    assert page.headers["content-type"].startswith("text/html")
    assert "Go to the first page" in page.text
    problem = await one_process.client.get(address)
    assert problem.headers["content-type"] == "application/problem+json"
    assert problem.json()["code"] == "kernel.not_found"


async def test_metrics_name_routes_and_never_what_somebody_typed(one_process: System) -> None:
    await one_process.request("front-desk", "GET", "/api/v1/services?text=Geheimnis")
    await one_process.request("front-desk", "GET", f"/api/v1/patients/{one_process.patient_id}")
    metrics = (await get(one_process, "/metrics")).text
    assert 'carewright_http_requests_total{method="GET",route="/api/v1/patients/{patient_id}",status="200"}' in metrics
    assert "carewright_scheduling_index_bytes" in metrics
    assert "Geheimnis" not in metrics
    assert str(one_process.patient_id) not in metrics


async def test_the_document_is_served_as_it_is_stored(one_process: System) -> None:
    served = ok(await get(one_process, "/api/openapi.json"))
    del served["info"]["version"]
    assert served == openapi.current()


async def test_people_find_every_operation_on_one_page_without_scripts(one_process: System) -> None:
    page = await get(one_process, "/api/docs")
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "default-src 'none'" in page.headers["content-security-policy"]
    for path in openapi.current()["paths"]:
        assert f"<code>{path}</code>" in page.text
    assert "scheduling.time_not_free" in page.text
    assert "<script" not in page.text
    assert not re.search(r"(src|href)='?https?:", page.text), "nothing is loaded from elsewhere"
    assert (await get(one_process, "/api")).headers["location"] == "/api/docs"


async def test_answers_are_not_kept_by_caches_on_the_way(one_process: System) -> None:
    for role, path in (("front-desk", "/api/v1/sites"), (None, "/api/v1/sites"), ("front-desk", "/nowhere/api")):
        answer = await one_process.request(role, "GET", path)
        assert answer.headers["cache-control"] == "no-store"


@pytest.fixture
async def another(one_process: System) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    """A second process beside the first, on the same database: its process, and its address."""
    known, data = one_process.known, one_process.data.with_name("another")
    environ = {
        "CAREWRIGHT_SYSTEM_DATABASE_URL": known.database_url,
        "CAREWRIGHT_SYSTEM_VALKEY_URL": known.valkey_url,
        "CAREWRIGHT_SYSTEM_TOKEN_KEY_FILE": str(one_process.data / "token.key"),
        "CAREWRIGHT_AUDIT_SIGNING_KEY_FILE": str(one_process.data / "audit.key"),
        "CAREWRIGHT_SYSTEM_DRAIN_SECONDS": "1",
    }
    process = await launch(data, "serve", "--port", "0", environ=environ)
    async with asyncio.timeout(30):
        while not (found := LISTENS.search(log_of(data).read_text())):  # noqa: ASYNC110  (another process sets no asyncio.Event)
            await asyncio.sleep(0.05)
        host, port = found[1].split(":")
        while not await is_ready(host, int(port)):  # noqa: ASYNC110  (another process sets no asyncio.Event)
            await asyncio.sleep(0.05)
    yield process, f"http://{found[1]}"
    if process.returncode is None:
        process.kill()
        await process.wait()


async def test_a_process_that_is_told_to_leave_finishes_what_it_began(
    clinic: Clinic, patient: UUID, database: "asyncpg.Connection[asyncpg.Record]", another: tuple[asyncio.subprocess.Process, str]
) -> None:
    process, address = another
    booked = ok(await clinic.book(patient, (await clinic.free())[0]), 201)
    headers = {"Authorization": f"Bearer {clinic.system.token('front-desk')}", "Idempotency-Key": booked["id"]}
    async with httpx.AsyncClient(base_url=address, trust_env=False, timeout=30, headers=headers) as client:
        async with database.transaction():
            await database.execute("SELECT 1 FROM scheduling.appointment WHERE id = $1 FOR UPDATE", UUID(booked["id"]))
            slow = asyncio.ensure_future(client.post(f"/api/v1/appointments/{booked['id']}/cancel", json={}))
            await asyncio.sleep(0.3)
            os.kill(process.pid, signal.SIGTERM)
            ready = await until_draining(client)
            assert ok(ready, 503) == {"ready": False, "waiting_for": ["draining"]}
            assert ok(await client.get("/api/v1/sites"))["total"], "until everybody has noticed, it still answers"
            assert not slow.done()
            await asyncio.sleep(1.2)
            assert process.returncode is None, "somebody is still waiting for an answer"
        assert ok(await slow)["status"] == "cancelled"
        async with asyncio.timeout(10):
            assert await process.wait() == 0
    refused(await clinic.step(booked["id"], "cancel", {}), 409, "scheduling.illegal_step")


async def until_draining(client: httpx.AsyncClient) -> httpx.Response:
    async with asyncio.timeout(5):
        while (ready := await client.get("/ready")).status_code == 200:  # noqa: ASYNC110  (another process sets no asyncio.Event)
            await asyncio.sleep(0.01)
    return ready
