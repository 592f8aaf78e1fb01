"""A browser without scripts: it follows links, sends forms, and reads the demonstration's telephone."""

import asyncio
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

import httpx

from tests.system import System

DELIVERED_SECONDS_MAX = 30


@dataclass
class Form:
    action: str
    fields: dict[str, str]


@dataclass
class Forms(HTMLParser):
    """Every form of a page by its action, with its hidden fields and ticked boxes, and the values of buttons that choose a time."""

    found: dict[str, Form] = field(default_factory=dict)
    slots: list[str] = field(default_factory=list)
    open: Form | None = None

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.open = Form(given["action"], {})
            self.found[self.open.action] = self.open
        elif tag == "input" and self.open is not None and (given.get("type") == "hidden" or "checked" in given):
            self.open.fields[given["name"]] = given["value"]
        elif tag == "button" and given.get("name") == "slot":
            self.slots.append(given["value"])

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.open = None


@dataclass
class Browser:
    """Follows links and sends forms, as a browser without scripts would."""

    client: httpx.AsyncClient
    page: httpx.Response | None = None
    forms: Forms = field(default_factory=Forms)

    async def go(self, path: str) -> None:
        self._see(await self.client.get(path))

    async def send(self, action: str, /, **fields: str) -> None:
        self._see(await self.answer_to(action, **fields))

    async def answer_to(self, action: str, /, **fields: str) -> httpx.Response:
        """What comes of a form, which may be turned away; the browser stays on the page that it stands on."""
        to = self.answer.url.join(action)  # a form's action is relative to its page, which may be another process's
        return await self.client.post(to, data=self.forms.found[action].fields | fields, headers={"Origin": self.origin})

    def _see(self, page: httpx.Response) -> None:
        assert page.status_code == 200, page.text
        self.page, self.forms = page, Forms()
        self.forms.feed(page.text)

    @property
    def answer(self) -> httpx.Response:
        assert self.page is not None
        return self.page

    @property
    def origin(self) -> str:
        here = self.answer.url
        return f"{here.scheme}://{here.netloc.decode()}"

    @property
    def path(self) -> str:
        return self.answer.url.path

    @property
    def text(self) -> str:
        return self.answer.text


def browser(system: System) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=system.address_of("/"), follow_redirects=True, trust_env=False, timeout=30)


async def newest_text(client: httpx.AsyncClient, number: str, word: str) -> str:
    """The newest message to this number that holds `word`, once there is one: others may have come after it."""
    thread = re.compile(r'href="(/inbox/[^"]+)">(?:(?!</a>).)*<span class="thread__name">' + re.escape(number) + "</span>", re.DOTALL)
    text = re.compile(r"<p>([^<]*" + re.escape(word) + "[^<]*)</p>")
    async with asyncio.timeout(DELIVERED_SECONDS_MAX):
        while True:
            found = thread.search((await client.get("/inbox")).text)
            if found and (said := text.search((await client.get(found[1])).text)):
                return said[1]
            await asyncio.sleep(0.05)
