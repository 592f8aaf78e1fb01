"""One process per role, all of them over TLS: they call each other with certificates of one authority, and answer nobody else."""

import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx
import pytest

from carewright.contracts.directory import Directory, FindServices
from carewright.contracts.permissions import ROLES
from carewright.kernel.authz import Tokens
from carewright.kernel.clock import SystemClock
from carewright.kernel.errors import Unauthenticated
from carewright.kernel.http.tls import Files, ListenerTls
from carewright.roles.installation import token_key_file
from carewright.roles.remote import Remote, new_client
from tests.certificates import Authority
from tests.system import TINY, System, launch, own_folder, stop, until_running


@dataclass
class Secured:
    """A running system, and the certificate that its processes call each other with."""

    system: System
    ours: ListenerTls


@pytest.fixture
async def secured() -> AsyncIterator[Secured]:
    with own_folder() as folder:
        authority = Authority(folder)
        ours = authority.sign("server")
        environ = {
            "CAREWRIGHT_EDGE_TLS_CERTIFICATE_FILE": str(ours.certificate), "CAREWRIGHT_EDGE_TLS_KEY_FILE": str(ours.key),
            "CAREWRIGHT_EDGE_TLS_CLIENT_AUTHORITY_FILE": str(authority.file),
        }  # fmt: skip
        data = folder / "data"
        process = await launch(data, "up", "--data", str(data), *TINY, "--split", environ=environ)
        trust = ssl.create_default_context(cafile=str(authority.file))
        try:
            async with httpx.AsyncClient(verify=trust, trust_env=False, timeout=30) as client:
                files = Files(str(ours.certificate), str(ours.key), str(authority.file))
                yield Secured(System(data, process, await until_running(process, data), client), ListenerTls(files))
        finally:
            await stop(process, data)


async def test_processes_call_each_other_with_certificates_and_answer_nobody_else(secured: Secured) -> None:
    system, address = secured.system, secured.system.addresses["directory"]
    assert all(address.startswith("https://") for address in system.addresses.values())
    assert system.known.organization_id is not None
    signer = Tokens(token_key_file(system.data).read_bytes(), SystemClock(), ROLES)
    actor = signer.actor("scheduler", "tester", system.known.organization_id)
    async with new_client(secured.ours.calling) as client:
        assert (await Remote(Directory, address, client, signer).find_services(actor, FindServices())).items
    with pytest.raises(Unauthenticated):
        await Remote(Directory, address, system.client, signer).find_services(actor, FindServices())
    assert (await system.client.get(system.addresses["portal"] + "/sign-in")).status_code == 200, "patients need no certificate"
