"""Run every benchmark of the planner, or some: `python -m bench.planner --only seed disruption`."""

import argparse
import sys

from bench import report
from bench.planner import data, decoding, disruption, hospital, plots, rcpsp, seed

PARTS = {"seed": seed, "kernel": decoding, "disruption": disruption, "hospital": hospital, "rcpsp": rcpsp}


def main() -> int:
    """Measure what was asked for, and write it into docs/benchmarks.md."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.planner", description=__doc__, epilog="example: python -m bench.planner --only seed"
    )
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS), help="which parts (default: all)")
    options = parser.parse_args()
    try:
        data.ensure_there()
    except data.Missing as missing:
        print(f"bench: {missing}", file=sys.stderr)
        return 1
    for part in options.only:
        rows = PARTS[part].measure(_tell)
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
