"""Another system, as a running one meets it: registered at the command line, with a key pair, and asking for tokens."""

from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import msgspec
from joserfc import jwt
from joserfc.jwk import ECKey

from carewright.kernel.clock import SystemClock
from tests.system import System, launch, log_of

KEY = ECKey.generate_key("P-384", {"kid": "lab-1"}, private=True)
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


async def said(system: System, *arguments: str) -> str:
    """What `carewright client` prints, once it has done its work."""
    out = system.data.parent / f"said-{uuid4()}"
    process = await launch(out, "client", *arguments, "--data", str(system.data))
    assert await process.wait() == 0, log_of(out).read_text()
    return log_of(out).read_text()


async def registered(system: System, folder: Path, *scopes: str) -> str:
    """The id of a new client with these scopes and `KEY`."""
    file = folder / f"{uuid4()}.jwks.json"
    file.write_bytes(msgspec.json.encode({"keys": [KEY.as_dict(private=False)]}))
    given = [word for scope in scopes for word in ("--scope", scope)]
    line = await said(system, "add", "--name", "Laboratory", *given, "--keys", str(file))
    return line.splitlines()[-1].split()[0]


def public_url(system: System) -> str:
    """Where the system says that it is reached."""
    return system.address_of("/staff").replace("127.0.0.1", "localhost")


def proof(system: System, client_id: str, jti: str) -> dict[str, str]:
    """What a client with `KEY` proves itself by, as fields of a form."""
    claims = {
        "iss": client_id, "sub": client_id, "aud": f"{public_url(system)}/oauth/token", "exp": int(SystemClock().now().timestamp()) + 240,
        "jti": jti,
    }  # fmt: skip
    signed = jwt.encode({"alg": "ES384", "kid": "lab-1"}, claims, KEY, algorithms=["ES384"])
    return {"client_assertion_type": ASSERTION_TYPE, "client_assertion": signed}


async def ask(system: System, client_id: str, jti: str, scope: str, **changes: Any) -> httpx.Response:
    """Ask for a token at the process that gives them; `changes` are laid over the form."""
    form = {"grant_type": "client_credentials", "scope": scope} | proof(system, client_id, jti)
    return await system.client.post(f"{system.address_of('/oauth/token')}/oauth/token", data=form | changes)


async def use(system: System, token: str, path: str, method: str = "GET", **more: Any) -> httpx.Response:
    """Ask something with a token."""
    address = system.address_of(path) + path
    return await system.client.request(method, address, headers={"Authorization": f"Bearer {token}"}, **more)
