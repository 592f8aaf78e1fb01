"""The listener itself, without a hospital behind it: TLS with real certificates, and requests that never become one."""

import asyncio
import os
import signal
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from carewright.kernel.admission import LIMIT_FIRST
from carewright.kernel.authz import Bearers, Tokens
from carewright.kernel.clock import SystemClock
from carewright.kernel.http import app, protocol, tls
from carewright.kernel.http.gate import Gate
from carewright.kernel.http.server import listen, serve
from carewright.kernel.http.settings import EdgeSettings
from carewright.kernel.http.tls import Files, ListenerTls, ensure_listener, probing_context
from carewright.kernel.limits import Limits
from carewright.kernel.settings import StartFailed
from carewright.roles.remote import new_client
from carewright.roles.up import is_ready
from tests.certificates import Authority, Certificate

SECRET = b"0" * 32


async def say(_: Request) -> PlainTextResponse:
    return PlainTextResponse("hello")


async def echo(request: Request) -> PlainTextResponse:
    return PlainTextResponse((await request.body()).decode())


@asynccontextmanager
async def listening(settings: EdgeSettings) -> AsyncIterator[int]:
    """A listener with these settings; its port."""
    pages = [Route("/page", say), Route("/echo", echo, methods=["POST"]), Route("/internal/v1/page", say, methods=["GET", "POST"])]
    bearers = Bearers(Tokens(SECRET, SystemClock(), {}), SystemClock())
    application = app.build([], pages, bearers, app.Health(roles={}), gate=Gate(settings, Limits(), SECRET))
    async with listening_to(application, settings) as port:
        yield port


@asynccontextmanager
async def listening_to(application: ASGIApp, settings: EdgeSettings, port: int = 0) -> AsyncIterator[int]:
    """A listener in front of this application; its port, a free one unless it is said."""
    files = Files.of(settings)
    listener = listen("127.0.0.1", port)
    port = listener.getsockname()[1]
    secured = ListenerTls(files) if files else None
    running = asyncio.create_task(serve(application, listener, app.Health(roles={}), drain_seconds=0, stop_seconds_max=1, tls=secured))
    following = asyncio.create_task(secured.follow() if secured else asyncio.sleep(0))
    try:
        await asyncio.sleep(0.1)
        yield port
    finally:
        following.cancel()
        os.kill(os.getpid(), signal.SIGTERM)
        await running
        listener.close()


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def ours(authority: Authority) -> Certificate:
    return authority.sign("server")


def secured(certificate: Certificate, authority: Authority | None = None) -> EdgeSettings:
    return EdgeSettings(
        tls_certificate_file=str(certificate.certificate), tls_key_file=str(certificate.key),
        tls_client_authority_file=str(authority.file) if authority else "",
    )  # fmt: skip


def trusting(authority: Authority, version: ssl.TLSVersion = ssl.TLSVersion.MAXIMUM_SUPPORTED) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(authority.file))
    context.maximum_version = version
    return context


async def seen_by(context: ssl.SSLContext, port: int) -> tuple[str, int]:
    """The version and the certificate's serial number that a new connection meets."""
    _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
    met = writer.get_extra_info("ssl_object")
    certificate = x509.load_der_x509_certificate(met.getpeercert(binary_form=True))
    writer.close()
    return str(met.version()), certificate.serial_number


async def test_tls_1_3_and_nothing_older(authority: Authority, ours: Certificate) -> None:
    async with listening(secured(ours)) as port:
        assert await seen_by(trusting(authority), port) == ("TLSv1.3", ours.serial)
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await seen_by(trusting(authority, ssl.TLSVersion.TLSv1_2), port)
        async with httpx.AsyncClient(verify=trusting(authority), trust_env=False) as client:
            answer = await client.get(f"https://localhost:{port}/page")
            assert answer.text == "hello"
            assert answer.headers["strict-transport-security"] == "max-age=63072000; includeSubDomains"
            with pytest.raises(httpx.TransportError):
                await client.get(f"http://localhost:{port}/page")


async def test_whoever_does_not_know_the_authority_does_not_trust_us(tmp_path: Path, ours: Certificate) -> None:
    stranger = Authority(tmp_path, "Another authority")
    async with listening(secured(ours)) as port:
        with pytest.raises(ssl.SSLError):
            await seen_by(trusting(stranger), port)
        assert await is_ready("127.0.0.1", port, probing_context(str(ours.certificate)))


async def test_a_new_certificate_is_served_after_a_signal(authority: Authority, ours: Certificate) -> None:
    async with listening(secured(ours)) as port:
        async with httpx.AsyncClient(verify=trusting(authority), trust_env=False) as client:
            await client.get(f"https://localhost:{port}/page")
            renewed = authority.sign("server")
            os.kill(os.getpid(), signal.SIGHUP)
            await asyncio.sleep(0.1)
            assert (await client.get(f"https://localhost:{port}/page")).text == "hello", "a connection that is open stays"
        assert (await seen_by(trusting(authority), port))[1] == renewed.serial != ours.serial


async def test_a_new_certificate_is_served_when_the_files_change(
    authority: Authority, ours: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tls, "LOOK_SECONDS", 0.02)
    async with listening(secured(ours)) as port:
        renewed = authority.sign("server")
        async with asyncio.timeout(5):
            while (await seen_by(trusting(authority), port))[1] != renewed.serial:  # noqa: ASYNC110  (the file system sets no event)
                await asyncio.sleep(0.02)


async def test_files_that_do_not_fit_change_nothing(authority: Authority, ours: Certificate) -> None:
    async with listening(secured(ours)) as port:
        ours.key.write_bytes(authority.sign("another").key.read_bytes())
        os.kill(os.getpid(), signal.SIGHUP)
        await asyncio.sleep(0.1)
        assert (await seen_by(trusting(authority), port))[1] == ours.serial


async def test_a_call_between_processes_needs_a_certificate_of_our_authority(
    tmp_path: Path, authority: Authority, ours: Certificate
) -> None:
    caller = ListenerTls(Files(str(ours.certificate), str(ours.key), str(authority.file)))
    async with listening(secured(ours, authority)) as port:
        address = f"https://localhost:{port}"
        async with new_client(caller.calling) as client:
            assert (await client.post(f"{address}/internal/v1/page")).text == "hello"
        async with httpx.AsyncClient(verify=trusting(authority), trust_env=False) as client:
            assert (await client.get(f"{address}/page")).text == "hello", "patients need no certificate"
            assert (await client.post(f"{address}/internal/v1/page")).json()["code"] == "kernel.unauthenticated"
        stranger = Authority(tmp_path, "Another authority").sign("stranger")
        context = trusting(authority)
        context.load_cert_chain(stranger.certificate, stranger.key)
        async with httpx.AsyncClient(verify=context, trust_env=False) as client:
            with pytest.raises(httpx.TransportError):
                await client.post(f"{address}/internal/v1/page")


async def test_we_call_nobody_whom_our_authority_does_not_know(tmp_path: Path, authority: Authority, ours: Certificate) -> None:
    stranger = Authority(tmp_path, "Another authority").sign("stranger")
    caller = ListenerTls(Files(str(ours.certificate), str(ours.key), str(authority.file)))
    async with listening(secured(stranger)) as port, new_client(caller.calling) as client:
        with pytest.raises(httpx.ConnectError):
            await client.post(f"https://localhost:{port}/internal/v1/page")


def test_without_both_files_or_with_files_that_do_not_fit_nothing_starts(authority: Authority, ours: Certificate) -> None:
    with pytest.raises(StartFailed, match="needs both"):
        Files.of(EdgeSettings(tls_certificate_file="a"))
    with pytest.raises(StartFailed, match="needs both"):
        Files.of(EdgeSettings(tls_client_authority_file="a"))
    for files in (Files(str(ours.certificate), str(authority.sign("another").key)), Files("nowhere", str(ours.key))):
        with pytest.raises(StartFailed, match="cannot be read"):
            ListenerTls(files)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.4", "hospital.example"])  # noqa: S104  # nothing binds here
def test_nothing_listens_beyond_this_machine_in_the_clear(host: str, ours: Certificate) -> None:
    with pytest.raises(StartFailed, match="needs TLS"):
        ensure_listener(host, EdgeSettings())
    ensure_listener(host, EdgeSettings(plain_http=True))
    ensure_listener(host, secured(ours))
    ensure_listener("127.0.0.1", EdgeSettings())
    ensure_listener("::1", EdgeSettings())


async def answered(port: int, sent: bytes, *, hold: bool = False) -> bytes:
    """Everything that comes back until the other side closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(sent)
        await writer.drain()
        if not hold:
            writer.write_eof()
        async with asyncio.timeout(5):
            return await reader.read()
    except ConnectionError:
        return b""
    finally:
        writer.close()


HEAD = b"GET /page HTTP/1.1\r\nHost: a\r\n"


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"GET /page?" + b"x" * 20_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", b"414"),
        (HEAD + b"".join(b"X-%d: y\r\n" % number for number in range(101)) + b"\r\n", b"431"),
        (HEAD + b"X: " + b"y" * 70_000 + b"\r\n\r\n", b"431"),
        (HEAD + b"X: " + b"y" * 70_000, b"431"),
        (b"nonsense\r\n\r\n", b"400"),
        (HEAD + b"X y: z\r\n\r\n", b"400"),
        (b"POST /page HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx", b"400"),
        (b"POST /page HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", b"400"),
        (HEAD + b"Host: b\r\n\r\n", b"400"),
    ],
    ids=["long URL", "many headers", "large head", "endless head", "no HTTP", "odd name", "two lengths", "length and chunks", "two hosts"],
)
async def test_a_request_that_is_none_is_refused_and_the_connection_closed(sent: bytes, status: bytes) -> None:
    async with listening(EdgeSettings()) as port:
        assert (await answered(port, sent, hold=status != b"400" or b"Host: b" not in sent)).startswith(b"HTTP/1.1 " + status)
        assert (await answered(port, HEAD + b"Connection: close\r\n\r\n")).endswith(b"hello"), "others are served"


@pytest.mark.parametrize("sent", [b"", b"\r\n", b"GET /pa", HEAD], ids=["silence", "empty line", "half a line", "half a head"])
async def test_whoever_sends_slowly_is_let_go(sent: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "HEAD_SECONDS_MAX", 0.2)
    async with listening(EdgeSettings()) as port:
        assert (await answered(port, sent, hold=True)).startswith(b"HTTP/1.1 408")
        after_one = HEAD + b"\r\n" + sent
        if sent.strip():
            assert b"HTTP/1.1 408" in await answered(port, after_one, hold=True)


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "PROPFIND", "OPTIONS", "DELETE"])
async def test_a_method_that_nothing_takes_is_refused(method: str) -> None:
    async with listening(EdgeSettings()) as port:
        target = b"a:443" if method == "CONNECT" else b"/page"
        sent = method.encode() + b" " + target + b" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
        assert (await answered(port, sent))[:12] in (b"HTTP/1.1 405", b"HTTP/1.1 404", b"HTTP/1.1 400")


async def test_a_body_that_comes_slowly_keeps_nobody_out() -> None:
    async with listening(EdgeSettings()) as port:
        slow = [await asyncio.open_connection("127.0.0.1", port) for _ in range(2 * LIMIT_FIRST)]
        for _, writer in slow:
            writer.write(b"POST /echo HTTP/1.1\r\nHost: test\r\nContent-Length: 2\r\n\r\n1")
        async with httpx.AsyncClient(trust_env=False) as client:
            answers = [await client.post(f"http://127.0.0.1:{port}/echo", content=b"quick") for _ in range(3)]
        assert [answer.text for answer in answers] == ["quick"] * 3
        for reader, writer in slow:
            writer.write(b"2")
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
            assert await reader.readexactly(2) == b"12"
            writer.close()


class Full:
    """An application without room at `/full`."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = PlainTextResponse("full", 503) if scope["path"] == "/full" else await echo(Request(scope, receive))
        await answer(scope, receive, send)

    def turn_away(self, scope: Scope) -> bytes | None:
        return b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\n\r\nfull" if scope["path"] == "/full" else None


async def said_on(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    head = await reader.readuntil(b"\r\n\r\n")
    return head[9:12], await reader.readexactly(int(head.lower().partition(b"content-length:")[2].partition(b"\r")[0]))


async def test_what_is_turned_away_is_answered_when_it_is_whole_and_the_connection_goes_on() -> None:
    async with listening_to(Full(), EdgeSettings()) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for body in (b"", b"whole"):
            writer.write(b"POST /full?a=b HTTP/1.1\r\nHost: test\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
            assert await said_on(reader) == (b"503", b"full")
        writer.write(b"POST /full HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nin\r\n")
        await asyncio.sleep(0.05)
        writer.write(b"5\r\nparts\r\n0\r\n\r\n")
        assert await said_on(reader) == (b"503", b"full")
        writer.write(b"POST /page HTTP/1.1\r\nHost: test\r\nContent-Length: 2\r\n\r\nok" + b"GET /full HTTP/1.1\r\nHost: test\r\n\r\n")
        assert await said_on(reader) == (b"200", b"ok")
        assert await said_on(reader) == (b"503", b"full")
        writer.close()


async def test_whoever_is_turned_away_holds_no_connection_by_a_slow_body(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "HEAD_SECONDS_MAX", 0.2)
    async with listening_to(Full(), EdgeSettings()) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"POST /full HTTP/1.1\r\nHost: test\r\nContent-Length: 9\r\n\r\nslow")
        assert (await reader.read()).startswith(b"HTTP/1.1 408")
        writer.close()
