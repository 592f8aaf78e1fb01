"""Run every benchmark of the planner, or some: `python -m bench.planner --only seed disruption`."""

import argparse
import sys
from collections.abc import Callable
from typing import Any

from bench import report
from bench.planner import data, decoding, disruption, hospital, others, plots, rcpsp, seed
from bench.planner.ihtp import measure as ihtp

Tell = Callable[[str], None]
PARTS: dict[str, Callable[[Tell, bool], list[dict[str, Any]]]] = {
    "kernel": lambda tell, _: decoding.measure(tell),
    "seed": lambda tell, long: seed.measure(tell, long=long),
    "others": lambda tell, long: others.measure(tell, long=long),
    "disruption": lambda tell, _: disruption.measure(tell),
    "hospital": lambda tell, long: hospital.measure(tell, long=long),
    "rcpsp": lambda tell, long: rcpsp.measure(tell, long=long),
    "ihtp": lambda tell, long: ihtp.measure(tell, long=long),
}


def main() -> int:
    """Measure what was asked for, and write it into docs/benchmarks.md."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.planner", description=__doc__, epilog="example: python -m bench.planner --only seed"
    )
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS), help="which parts (default: all)")
    parser.add_argument("--long", action="store_true", help="also what takes half an hour more: 30 s on each day, 10 min on a hospital's")
    options = parser.parse_args()
    try:
        data.ensure_there()
    except data.Missing as missing:
        print(f"bench: {missing}", file=sys.stderr)
        return 1
    for part in options.only:
        rows = PARTS[part](_tell, options.long)
        written = report.section(f"planner-{part}", rows, report.ran("make bench-planner", ("numpy", "numba", "ortools", "highspy")))
        print(written, flush=True)
        report.write({f"planner-{part}": written})
        plots.write(part, rows)
    print("bench: wrote docs/benchmarks.md", file=sys.stderr)
    return 0


def _tell(line: str) -> None:
    print(f"bench: {line}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
