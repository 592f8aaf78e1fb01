"""A contract, written by running the real client against Pact's mock server, which answers as the contract says."""

import base64
import json
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pact import Pact, generate, match
from pact.match.matcher import AbstractMatcher, GenericMatcher

FOLDER = Path(__file__).parent.parent / "contracts" / "pacts"
Json = dict[str, Any]
Define = Callable[[Pact], None]
Use = Callable[[str], Awaitable[None]]
"""Has the real client ask a server at this address for everything that was defined, and holds what it makes of the answers."""


@dataclass(frozen=True)
class Contract:
    """`parts` are defined and used one after another, each with a mock server of its own."""

    consumer: str
    provider: str
    parts: Sequence[tuple[Define, Use]]

    @property
    def name(self) -> str:
        return f"{self.consumer}-{self.provider}"

    async def written(self) -> str:
        """The contract's file, as it is when the real client has had every answer. Raises where it asks for anything else, or for less."""
        with tempfile.TemporaryDirectory() as place:
            for define, use in self.parts:
                pact = Pact(self.consumer, self.provider)
                define(pact)
                with pact.serve("127.0.0.1") as server:
                    await use(str(server.url))
                server.write_file(place)
            return text_of(json.loads((Path(place) / f"{self.name}.json").read_text("utf-8")))


def text_of(pact: Json) -> str:
    """In one order, readable, and without the versions of the tools: a difference is one of the contract."""
    pact["metadata"] = {"pactSpecification": pact["metadata"]["pactSpecification"]}
    for interaction in pact["interactions"]:
        for part in (interaction["request"], interaction["response"]):
            _told_in_letters(part.get("body", {}))
        if interaction["response"].get("body", {"content": ""})["content"] is None:
            del interaction["response"]["body"]  # null: a verifier takes it for an empty one, and Pact itself writes it in every other file
    pact["interactions"].sort(key=lambda each: str(each["description"]))
    return json.dumps(pact, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def _told_in_letters(body: Json) -> None:
    if body.get("encoded") == "base64":
        body |= {"content": base64.b64decode(body["content"]).decode("ascii"), "encoded": False}


def from_state(expression: str, example: str, regex: str | None = None) -> AbstractMatcher[str]:
    """A value that the provider's state gives: `${name}` stands for one of its values. The client may send any of the form."""
    given = generate.provider_state(expression)
    return GenericMatcher("regex", example, given, regex=whole(regex)) if regex else GenericMatcher("type", example, given)


def formed(example: str, form: str) -> AbstractMatcher[str]:
    """A text that is all of this form."""
    return match.regex(example, regex=whole(form))


def whole(form: str) -> str:
    """Pact looks for a form anywhere in a text."""
    return f"^(?:{form})$"
