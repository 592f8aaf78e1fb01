"""Requests to addresses that others gave us: every way in is closed, and counted; nothing is sent before it is looked at."""

from collections.abc import AsyncIterator, Sequence

import httpx
import pytest

from carewright.kernel.errors import Unavailable, UpstreamRefused
from carewright.kernel.http import outgoing
from carewright.kernel.http.outgoing import REFUSED, AddressRefused, Outgoing, origin_of
from carewright.kernel.settings import StartFailed

PUBLIC = "93.184.215.14"
NAMES = {
    "example.com": [PUBLIC], "inside.example": ["10.0.0.5"], "loop.example": ["127.0.0.1"], "both.example": [PUBLIC, "192.168.1.1"],
    "meta.example": ["169.254.169.254"], "mapped.example": ["::ffff:10.0.0.1"], "six.example": ["fd00::1"],
    "azure.example": ["168.63.129.16"],
    "nothing.example": [], "zone.example": ["fe80::1%eth0"], "tunnel.example": ["2002:7f00:1::1"], "nat.example": ["64:ff9b::7f00:1"],
    "login.hospital.internal": ["10.0.0.9"], "stolen.hospital.internal": ["169.254.169.254"],
}  # fmt: skip
REFUSED_URLS = [
    # other schemes, or none
    "http://example.com/", "ftp://example.com/", "file:///etc/passwd", "gopher://example.com/", "data:text/plain,x", "//example.com/",
    "example.com", "", "javascript:alert(1)", "unix:///var/run/docker.sock", "https:///path", "https://",
    # this machine, written in every way
    "https://localhost/", "https://LOCALHOST/", "https://localhost./", "https://127.0.0.1/", "https://127.1/", "https://127.0.1/",
    "https://2130706433/", "https://0x7f000001/", "https://0x7f.0.0.1/", "https://0177.0.0.1/", "https://017700000001/", "https://0/",
    "https://0.0.0.0/", "https://[::1]/", "https://[::]/", "https://[::ffff:127.0.0.1]/", "https://[::ffff:7f00:1]/",
    "https://[0:0:0:0:0:0:0:1]/", "https://[::127.0.0.1]/", "https://127.0.0.1.:443/",
    # networks of our own, of others' clouds, of nobody
    "https://10.0.0.1/", "https://172.16.0.1/", "https://192.168.0.1/", "https://100.64.0.1/", "https://169.254.169.254/latest/meta-data/",
    "https://[fd00:ec2::254]/", "https://[fe80::1]/", "https://[fe80::1%25eth0]/", "https://[fc00::1]/", "https://168.63.129.16/",
    "https://100.100.100.200/", "https://224.0.0.1/", "https://255.255.255.255/", "https://240.0.0.1/", "https://192.0.0.1/",
    "https://198.18.0.1/", "https://[2002:7f00:1::]/", "https://[64:ff9b::a00:1]/", "https://[2001:0:7f00:1::]/", "https://[ff02::1]/",
    "https://192.0.2.1/",
    # names that lead inside
    "https://inside.example/", "https://loop.example/", "https://both.example/", "https://meta.example/", "https://mapped.example/",
    "https://six.example/", "https://azure.example/", "https://nothing.example/", "https://zone.example/", "https://tunnel.example/",
    "https://nat.example/", "https://intranet/",
    # two parsers, two hosts
    "https://example.com@10.0.0.1/", "https://user:secret@example.com/", "https://example.com:80@10.0.0.1/", "https://10.0.0.1#@example.com/",
    "https://10.0.0.1\\@example.com/", "https://example.com\\.evil.example/", "https://exa mple.com/", "https://example.com\t/",
    "https://example.com\r\nHost: inside/", "https://example.com%2f@inside.example/", "https://%31%30.0.0.1/", "https://example.com%00.x.y/",
    # letters that look like others, or become others
    "https://①②⑦.⓪.⓪.①/", "https://127。0。0。1/", "https://ⓛocalhost/", "https://еxample.com/", "https://xn--e1awd7f.com/", "https://exam\u00adple.com/",
    # other ports
    "https://example.com:22/", "https://example.com:8443/", "https://example.com:0/", "https://example.com:99999/", "https://example.com:-1/",
    "https://example.com/" + "x" * 2100,
]  # fmt: skip


class Internet(httpx.AsyncBaseTransport):
    """The other side. It must never be reached where a URL is refused."""

    def __init__(self, answer: httpx.Response | None = None) -> None:
        self.reached: list[httpx.Request] = []
        self.answer = answer or httpx.Response(200, content=b"hello")

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.reached.append(request)
        return self.answer


async def lookup(host: str, _: int) -> Sequence[str]:
    known = NAMES.get(host, [host] if not host[-1].isalpha() or ":" in host else None)
    if known is None:
        raise OSError(host)
    return known


def refusals() -> float:
    return sum(sample.value for metric in REFUSED.collect() for sample in metric.samples if sample.name.endswith("_total"))


@pytest.mark.parametrize("url", REFUSED_URLS, ids=ascii)
async def test_an_address_that_is_not_ours_to_ask_is_refused_and_counted(url: str) -> None:
    there, before = Internet(), refusals()
    with pytest.raises(AddressRefused) as refused:
        await Outgoing(lookup=lookup, inner=there).fetch("GET", url)
    assert there.reached == []
    assert refusals() == before + 1
    assert url not in str(refused.value.facts) or not url
    assert len(REFUSED_URLS) >= 40


@pytest.mark.parametrize("url", ["https://example.com/a?b=c", "https://example.com:443/", "https://EXAMPLE.com", f"https://{PUBLIC}/"])
async def test_a_public_address_is_asked_where_it_was_looked_at_and_under_its_name(url: str) -> None:
    there = Internet()
    answer = await Outgoing(lookup=lookup, inner=there).fetch("GET", url)
    assert answer.text == "hello"
    (request,) = there.reached
    assert request.url.host == PUBLIC
    assert request.extensions["sni_hostname"] in ("example.com", PUBLIC)
    assert request.headers["host"] in ("example.com", PUBLIC)


async def test_a_name_that_answers_differently_the_second_time_gains_nothing() -> None:
    answers = iter([[PUBLIC], ["127.0.0.1"]])

    async def rebinding(_: str, __: int) -> Sequence[str]:
        return next(answers)

    there = Internet()
    await Outgoing(lookup=rebinding, inner=there).fetch("GET", "https://example.com/")
    assert [request.url.host for request in there.reached] == [PUBLIC]


async def test_of_several_addresses_the_first_that_takes_the_connection_is_asked() -> None:
    class NobodyAtHome(Internet):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            if request.url.host == "::1":
                raise httpx.ConnectError("refused")
            return await super().handle_async_request(request)

    async def twice(_: str, __: int) -> Sequence[str]:
        return ["::1", "127.0.0.1"]

    there = NobodyAtHome()
    assert (await Outgoing(["http://localhost:8080"], twice, there).fetch("GET", "http://localhost:8080/keys")).text == "hello"
    assert [(request.url.host, request.headers["host"]) for request in there.reached] == [("127.0.0.1", "localhost:8080")]

    async def once(_: str, __: int) -> Sequence[str]:
        return ["::1"]

    with pytest.raises(Unavailable):
        await Outgoing(["http://localhost:8080"], once, there).fetch("GET", "http://localhost:8080/keys")


async def test_only_what_is_on_the_list_may_lie_inside() -> None:
    there = Internet()
    client = Outgoing(["https://login.hospital.internal:8443", "http://127.0.0.1:8200"], lookup, there)
    await client.fetch("GET", "https://login.hospital.internal:8443/.well-known/openid-configuration")
    await client.fetch("GET", "http://127.0.0.1:8200/")
    assert [request.url.host for request in there.reached] == ["10.0.0.9", "127.0.0.1"]
    for url in (
        "https://login.hospital.internal/", "http://login.hospital.internal:8443/", "https://127.0.0.1:8200/", "http://127.0.0.1:8201/",
        "https://a:b@login.hospital.internal:8443/", "ftp://login.hospital.internal:8443/",
    ):  # fmt: skip
        with pytest.raises(AddressRefused):
            await client.fetch("GET", url)


async def test_a_modules_own_client_reaches_what_its_settings_name() -> None:
    transport = Outgoing(["http://127.0.0.1:8200"], lookup).reaching("https://login.hospital.internal:8443")
    transport._inner = there = Internet()
    async with httpx.AsyncClient(transport=transport, trust_env=False) as client:
        await client.get("https://login.hospital.internal:8443/keys")
        await client.get("http://127.0.0.1:8200/")
        with pytest.raises(AddressRefused):
            await client.get("https://inside.example/")
    assert len(there.reached) == 2
    with pytest.raises(StartFailed, match="is no origin"):
        Outgoing().reaching("ftp://login.hospital.internal")


async def test_where_clouds_keep_credentials_the_list_does_not_reach() -> None:
    client = Outgoing(["https://stolen.hospital.internal", "http://169.254.169.254"], lookup, Internet())
    for url in ("https://stolen.hospital.internal/", "http://169.254.169.254/"):
        with pytest.raises(AddressRefused):
            await client.fetch("GET", url)


async def test_whoever_fetches_our_credentials_reaches_that_one_origin_and_nobody_else_does() -> None:
    where = {"metadata.google.internal": ["169.254.169.254"], "stolen.hospital.internal": ["169.254.169.254"]}

    async def known(host: str, _: int) -> Sequence[str]:
        return where[host]

    guard = Outgoing(["http://stolen.hospital.internal"], known)
    ours, others = guard.reaching(credentials="http://metadata.google.internal"), guard.reaching("http://metadata.google.internal")
    ours._inner = others._inner = there = Internet()
    async with httpx.AsyncClient(transport=ours, trust_env=False) as client:
        await client.get("http://metadata.google.internal/computeMetadata/v1/")
        for url in ("http://stolen.hospital.internal/", "http://metadata.google.internal:81/", "https://metadata.google.internal/"):
            with pytest.raises(AddressRefused):
                await client.get(url)
    async with httpx.AsyncClient(transport=others, trust_env=False) as client:
        with pytest.raises(AddressRefused):
            await client.get("http://metadata.google.internal/computeMetadata/v1/")
    assert [request.url.host for request in there.reached] == ["169.254.169.254"]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed(status: int) -> None:
    there = Internet(httpx.Response(status, headers={"Location": "https://inside.example/"}))
    with pytest.raises(AddressRefused) as refused:
        await Outgoing(lookup=lookup, inner=there).fetch("GET", "https://example.com/")
    assert refused.value.facts == {"reason": "redirect"}
    assert len(there.reached) == 1


async def test_a_client_that_follows_redirects_comes_through_the_same_door() -> None:
    there = Internet(httpx.Response(302, headers={"Location": "https://inside.example/"}))
    async with httpx.AsyncClient(transport=outgoing.Guarded((), lookup, there), follow_redirects=True, trust_env=False) as client:
        with pytest.raises(AddressRefused):
            await client.get("https://example.com/")
    assert len(there.reached) == 1


async def test_an_answer_without_an_end_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 65536

    with pytest.raises(UpstreamRefused):
        await Outgoing(lookup=lookup, inner=Internet(httpx.Response(200, content=endless()))).fetch("GET", "https://example.com/")


async def test_who_does_not_answer_is_unavailable() -> None:
    class Silent(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            raise httpx.ConnectTimeout("nobody", request=request)

    for url in ("https://example.com/", "https://unknown.example/"):
        with pytest.raises(Unavailable):
            await Outgoing(lookup=lookup, inner=Silent()).fetch("GET", url)


@pytest.mark.parametrize("origin", ["", "example.com", "https://", "https://a/b", "https://a@b", "ftp://a", "https://a:b", "https://a?b"])
def test_a_list_holds_origins_and_nothing_else(origin: str) -> None:
    with pytest.raises(ValueError, match="is no origin"):
        origin_of(origin)
