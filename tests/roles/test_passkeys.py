"""A passkey opens a session in one process, through JSON, and over the wire: at the portal's address, wherever the staff's pages stand."""

from tests.clinic import register
from tests.http.test_passkeys import Visitors
from tests.system import System


async def test_a_passkey_is_added_and_opens_a_session(system: System) -> None:
    visitors = Visitors(system)
    try:
        visitor = await visitors.open(await register(system))
        await visitor.add()
        assert "My phone" in visitor.browser.text
        await visitor.sign_out()
        assert await visitor.sign_in(visitor.signed(await visitor.ask("/sign-in", "/sign-in/passkey")))
    finally:
        await visitors.close()
