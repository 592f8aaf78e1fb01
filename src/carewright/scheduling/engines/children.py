"""What solvers do in processes of their own. Each is loaded by the child that needs it and by nobody else.

OR-Tools and HiGHS may not be in one process, and this file, which a child begins with, brings no compiled code of ours.
"""

from carewright.kernel.apart import Say
from carewright.scheduling.engines.asked import Asked, AskedPrices, AskedWhy, Reasons, ReasonsEach, SentPrices, Solved


def solve(asked: Asked, _say: Say) -> Solved:
    from carewright.scheduling.engines import cpsat  # noqa: PLC0415  # brings OR-Tools

    return cpsat.solve(asked)


def explain(asked: AskedWhy, _say: Say) -> Reasons:
    from carewright.scheduling.engines import conflict  # noqa: PLC0415  # brings OR-Tools

    return conflict.explain(asked)


def explain_each(asked: AskedWhy, _say: Say) -> ReasonsEach:
    from carewright.scheduling.engines import conflict  # noqa: PLC0415  # brings OR-Tools

    return conflict.explain_each(asked)


def price(asked: AskedPrices, _say: Say) -> SentPrices:
    from carewright.scheduling.engines import program  # noqa: PLC0415  # brings HiGHS

    return program.price(asked)
