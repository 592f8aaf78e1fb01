"""Style sheets, scripts and pictures: read once, served from memory, kept by browsers until their content changes."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from carewright.kernel.errors import NotFound

FOLDER = Path(__file__).resolve().parents[1] / "static"
TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml; charset=utf-8",
    ".webmanifest": "application/manifest+json",
}
KEEP_FOREVER = "public, max-age=31536000, immutable"
ASK_AGAIN = "public, max-age=60"


@dataclass(frozen=True, slots=True)
class Asset:
    content: bytes
    media_type: str
    version: str


@lru_cache(maxsize=1)
def assets() -> Mapping[str, Asset]:
    """Every static file by its path below `static`."""
    return {path.relative_to(FOLDER).as_posix(): _asset(path) for path in sorted(FOLDER.rglob("*")) if path.suffix in TYPES}


def _asset(path: Path) -> Asset:
    content = path.read_bytes()
    return Asset(content, TYPES[path.suffix], hashlib.sha256(content).hexdigest()[:12])


def address(name: str) -> str:
    """Where an asset is found; the address changes with its content. Raises `KeyError` for a file that is not there."""
    return f"/static/{name}?v={assets()[name].version}"


async def serve(request: Request) -> Response:
    """The asset, or 304 where the browser has it."""
    asset = assets().get(request.path_params["name"])
    if asset is None:
        raise NotFound
    headers = {
        "Cache-Control": KEEP_FOREVER if request.query_params.get("v") == asset.version else ASK_AGAIN,
        "ETag": f'"{asset.version}"',
        "X-Content-Type-Options": "nosniff",
        "Cross-Origin-Resource-Policy": "same-origin",
    }
    if request.headers.get("if-none-match") == headers["ETag"]:
        return Response(None, 304, headers)
    return Response(asset.content, 200, headers, asset.media_type)
