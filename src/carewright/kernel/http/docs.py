"""The API for people to read: one page, made from the OpenAPI document, without scripts or outside files."""

from html import escape
from typing import Any

from starlette.responses import Response

from carewright.kernel.errors import Refusal
from carewright.kernel.http import problems

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
}
STYLE = """
:root{color-scheme:light dark;--line:#8884;--soft:#8881;--accent:#0b6e69}
@media (prefers-color-scheme:dark){:root{--accent:#5fd0c5}}
body{font:1rem/1.55 system-ui,sans-serif;margin:0 auto;max-width:62rem;padding:1.5rem}
h1{font-size:1.7rem}h2{margin-top:2.5rem;text-transform:capitalize}a{color:var(--accent)}
details{border:1px solid var(--line);border-radius:.5rem;margin:.6rem 0;padding:.6rem .9rem}
summary{cursor:pointer}summary code{font-weight:600}
code,pre{font:.9rem/1.45 ui-monospace,monospace}pre{background:var(--soft);border-radius:.4rem;overflow:auto;padding:.8rem}
table{border-collapse:collapse;width:100%}td,th{border-top:1px solid var(--line);padding:.35rem .5rem;text-align:left;vertical-align:top}
.verb{color:var(--accent);display:inline-block;font-weight:700;min-width:4.2rem}
"""


def refused(refusal: Refusal) -> Response:
    """A refusal as a plain page: what happened, and the way back."""
    html = (
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>"
        f"<title>{escape(refusal.title)}</title><style>{STYLE}</style><main><h1>{escape(refusal.title)}</h1>"
        f"<p>{escape(refusal.detail) if refusal.detail != refusal.title else 'Nothing was changed.'}</p>"
        "<p><a href='/'>Go to the first page</a></p></main></html>"
    )
    return Response(html, refusal.status, HEADERS | problems.headers_for(refusal), "text/html")


def page(api: dict[str, Any]) -> str:
    """The whole page as HTML."""
    by_tag: dict[str, list[str]] = {}
    for path, methods in api["paths"].items():
        for method, operation in methods.items():
            by_tag.setdefault(operation["tags"][0], []).append(_operation(path, method, operation))
    sections = "".join(f"<h2 id='{escape(tag)}'>{escape(tag.replace('-', ' '))}</h2>{''.join(found)}" for tag, found in by_tag.items())
    title = escape(f"{api['info']['title']} API {api['info']['version']}")
    return (
        f"<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'><title>{title}</title>"
        f"<style>{STYLE}</style><main><h1>{title}</h1>{_preamble()}{sections}<h2>Values</h2>{_schemas(api)}</main></html>"
    )


def _preamble() -> str:
    return (
        "<p>Every call carries <code>Authorization: Bearer …</code>; <code>carewright token --help</code> shows how to get one. "
        "Calls that change something carry an <code>Idempotency-Key</code>: repeat a call with the same key and nothing happens twice. "
        "Refusals are problem documents (RFC 9457) with a stable <code>code</code>. Instants are ISO 8601 with an offset. "
        "The same in machine form: <a href='/api/openapi.json'>openapi.json</a>.</p>"
    )


def _operation(path: str, method: str, operation: dict[str, Any]) -> str:
    parameters = "".join(
        f"<tr><td><code>{escape(p['name'])}</code></td><td>{p['in']}</td><td>{_type(p['schema'])}</td>"
        f"<td>{'required' if p['required'] else ''}</td></tr>"
        for p in operation["parameters"]
    )
    body = operation.get("requestBody")
    body_line = f"<p>Body: {_type(body['content']['application/json']['schema'])}</p>" if body else ""
    answers = "".join(
        f"<tr><td>{status}</td><td>{_answer(answer)}</td></tr>" for status, answer in operation["responses"].items()
    )  # fmt: skip
    needs = f"<p>Needs the permission <code>{escape(operation['x-permission'])}</code>.</p>" if "x-permission" in operation else ""
    return (
        f"<details><summary><span class=verb>{method.upper()}</span> <code>{escape(path)}</code> {escape(operation['summary'])}</summary>"
        f"{needs}<table>{parameters}</table>{body_line}<table>{answers}</table></details>"
    )


def _answer(answer: dict[str, Any]) -> str:
    schema = answer["content"].get("application/json", {}).get("schema")
    return _type(schema) if schema else "<br>".join(escape(line) for line in answer["description"].split("\n\n"))


def _schemas(api: dict[str, Any]) -> str:
    return "".join(
        f"<details id='{escape(name)}'><summary><code>{escape(name)}</code> {escape(schema.get('description', '').split(chr(10))[0])}"
        f"</summary><table>{_properties(schema)}</table></details>"
        for name, schema in sorted(api["components"]["schemas"].items())
    )


def _properties(schema: dict[str, Any]) -> str:
    required = schema.get("required", [])
    return "".join(
        f"<tr><td><code>{escape(name)}</code></td><td>{_type(kind)}</td><td>{'required' if name in required else ''}</td></tr>"
        for name, kind in schema.get("properties", {}).items()
    )


def _type(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        name = escape(schema["$ref"].rpartition("/")[2])
        return f"<a href='#{name}'>{name}</a>"
    if "anyOf" in schema:
        return " or ".join(_type(option) for option in schema["anyOf"])
    if "enum" in schema:
        return " | ".join(f"<code>{escape(str(value))}</code>" for value in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    return escape(schema.get("format", schema.get("type", "any")))
