"""Every answer says what it is, and every text how it is encoded."""

import re

import pytest

from tests.system import System

NEEDS_CHARSET = re.compile(r"text/.*|.*[/+]xml")
"""ASVS 5.0, V4.1.1. JSON has no such parameter: it is UTF-8 by RFC 8259, section 8.1."""
ADDRESSES = (
    "/", "/sign-in", "/nothing/here", "/staff/sign-in", "/static/design/tokens.css", "/static/design/mark.svg", "/metrics", "/roles",
    "/inbox", "/api/docs", "/api/openapi.json", "/api/v1/patients/1", "/api/v1/nothing", "/identity/.well-known/openid-configuration",
)  # fmt: skip


@pytest.mark.parametrize("accept", ["text/html", "application/json"])
@pytest.mark.parametrize("path", ADDRESSES)
async def test_every_answer_names_its_type_and_every_text_its_charset(one_process: System, path: str, accept: str) -> None:
    answer = await one_process.request(None, "GET", path, headers={"Accept": accept})
    kind, _, parameters = answer.headers.get("content-type", "").partition(";")
    assert kind or not answer.content
    assert not NEEDS_CHARSET.fullmatch(kind) or "charset=utf-8" in parameters.lower().replace(" ", "").split(";")
    answer.content.decode("utf-8")
