"""Waiting times that are known exactly: what the simulation is held against.

Rates are per minute (or any other unit, the same throughout), classes stand in order of urgency, and servers are alike. The formulas hold
in the long run, for arrivals by chance (Poisson) at a steady rate and a load below one; each raises `ValueError` for a load that is not.
"""

from collections.abc import Sequence
from itertools import accumulate, pairwise
from math import exp


def erlang_c(servers: int, offered: float) -> float:
    """The share of people who must wait at all, in M/M/c; `offered` is arrival rate / service rate, in erlangs.

    By the recursion of Erlang B, B(n) = aB(n-1) / (n + aB(n-1)), and C = B / (1 - ρ(1 - B)) (Erlang 1917; Cooper, Introduction to
    Queueing Theory, 1981, section 3.5): no factorial grows out of bounds.
    """
    load = _stable(offered / servers)
    blocked = 1.0
    for number in range(1, servers + 1):
        blocked = offered * blocked / (number + offered * blocked)
    return blocked / (1 - load * (1 - blocked))


def mmc_wait(arrival_rate: float, service_rate: float, servers: int) -> float:
    """The mean wait in M/M/c, C / (cμ - λ), under every order that ignores how long a service takes."""
    return erlang_c(servers, arrival_rate / service_rate) / (servers * service_rate - arrival_rate)


def mmc_share_within(minutes: float, arrival_rate: float, service_rate: float, servers: int) -> float:
    """The share that waits at most `minutes` in M/M/c, first come, first served: 1 - C·exp(-(cμ - λ)t)."""
    free_rate = servers * service_rate - arrival_rate
    return 1 - erlang_c(servers, arrival_rate / service_rate) * exp(-free_rate * minutes)


def mmc_priority_waits(arrival_rates: Sequence[float], service_rate: float, servers: int) -> list[float]:
    """The mean wait of each class in M/M/c, the most urgent first, nobody interrupted.

    W_k = (C / (cμ)) / ((1 - σ_{k-1})(1 - σ_k)), where σ_k is the load of classes 1 to k (Cobham, Operations Research 2, 1954).
    """
    all_busy = erlang_c(servers, sum(arrival_rates) / service_rate) / (servers * service_rate)
    return _cobham(all_busy, [each / (servers * service_rate) for each in arrival_rates])


def mg1_priority_waits(arrival_rates: Sequence[float], service_means: Sequence[float], second_moments: Sequence[float]) -> list[float]:
    """The mean wait of each class at one server with services of any kind, the most urgent first, nobody interrupted.

    W_k = W_0 / ((1 - σ_{k-1})(1 - σ_k)), where W_0 = Σ λ_i E[S_i²] / 2 is the mean rest of a service that is met (Cobham 1954). One class
    alone is the formula of Pollaczek and Khinchine.
    """
    rest = sum(rate * second for rate, second in zip(arrival_rates, second_moments, strict=True)) / 2
    return _cobham(rest, [rate * mean for rate, mean in zip(arrival_rates, service_means, strict=True)])


def mmc_ageing_waits(arrival_rates: Sequence[float], service_rate: float, servers: int, ageing: Sequence[float]) -> list[float]:
    """The mean wait of each class in M/M/c when a class gathers priority at its rate of `ageing`, the most urgent the fastest.

    W_p (1 - Σ_{i faster} ρ_i (1 - b_p/b_i)) = W_FIFO - Σ_{i slower} ρ_i W_i (1 - b_i/b_p), solved from the slowest class on (Kleinrock,
    Naval Research Logistics Quarterly 11, 1964; Queueing Systems II, 1976, section 3.7).
    """
    fifo = mmc_wait(sum(arrival_rates), service_rate, servers)
    loads = [each / (servers * service_rate) for each in arrival_rates]
    waits = [0.0] * len(loads)
    for one in reversed(range(len(loads))):
        slower = sum(loads[i] * waits[i] * (1 - ageing[i] / ageing[one]) for i in range(one + 1, len(loads)))
        faster = sum(loads[i] * (1 - ageing[one] / ageing[i]) for i in range(one))
        waits[one] = (fifo - slower) / (1 - faster)
    return waits


def wait_with_ahead(ahead: int, arrival_rates_above: Sequence[float], service_rate: float, servers: int) -> float:
    """The mean wait from now on, strict priority, all servers busy, of somebody with `ahead` people before them.

    (m + 1) / (cμ(1 - σ_{k-1})): m + 1 services must end, and each lets the more urgent who come meanwhile overtake (a busy period).
    """
    overtaking = _stable(sum(arrival_rates_above) / (servers * service_rate))
    return (ahead + 1) / (servers * service_rate * (1 - overtaking))


def conserved(loads: Sequence[float], waits: Sequence[float]) -> float:
    """Σ ρ_k W_k: the same under every order that keeps no server idle, interrupts nobody and ignores how long a service takes.

    The conservation law (Kleinrock, Naval Research Logistics Quarterly 12, 1965): an order can move waiting, never take it away.
    """
    return sum(load * wait for load, wait in zip(loads, waits, strict=True))


def _cobham(rest: float, loads: Sequence[float]) -> list[float]:
    upto = [0.0, *accumulate(loads)]
    _stable(upto[-1])
    return [rest / ((1 - before) * (1 - after)) for before, after in pairwise(upto)]


def _stable(load: float) -> float:
    if not 0 <= load < 1:
        raise ValueError("The load must be below one: otherwise the queue grows without end.")
    return load
