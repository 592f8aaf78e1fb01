"""Claims that hold or end the unit of work. They stay on under `python -O`."""

from prometheus_client import Counter

BROKEN = Counter("carewright_invariants_broken_total", "Broken invariants. Any increase is an alert.")


class InvariantBroken(Exception):
    """A claim of the code about itself was false. Never caught in domain code; user input never triggers one."""


def invariant(holds: bool, claim: str) -> None:
    """End the unit of work unless `holds`. `claim` says in words what should have been true."""
    if not holds:
        BROKEN.inc()
        raise InvariantBroken(claim)
