"""What the registry says of paths is true of the routes that there are."""

from unittest.mock import MagicMock

from starlette.routing import Route

from carewright.roles.registry import CAREFUL, MODULES


def posted() -> set[str]:
    """Every path that takes a POST, pages included."""
    api = {route.path for module in MODULES for route in module.routes if route.method == "POST"}
    anywhere = MagicMock()  # pages are bound to a context, and ask it for settings only until somebody comes
    pages = [page for module in MODULES if module.pages for page in module.pages(anywhere)]
    return api | {page.path for page in pages if isinstance(page, Route) and "POST" in (page.methods or ())}


def test_whatever_is_counted_carefully_is_there() -> None:
    assert {careful.path for careful in CAREFUL} - posted() == set()


def test_every_way_to_sign_in_or_to_hold_a_time_is_counted_carefully() -> None:
    tempting = {path for path in posted() if "sign-in" in path or path.endswith(("/hold", "/holds", "/authorize"))}
    assert tempting - {careful.path for careful in CAREFUL} == set()
