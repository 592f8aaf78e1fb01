"""Curves as SVG, both axes logarithmic, written beside docs/benchmarks.md."""

from collections.abc import Mapping, Sequence
from html import escape
from math import floor, log10
from typing import Any

from bench import report

Row = dict[str, Any]
Points = Sequence[tuple[float, float]]
WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM = 720, 400, 70, 40, 250, 50
COLOURS = ("#0b5cad", "#b3541e", "#2a7f3f", "#7a3e9d", "#555555")
"""Each at least 4.5 : 1 on white; a curve's name stands at its end, so that colour is not all that tells them apart."""


def write(part: str, rows: Sequence[Row]) -> None:
    """The plots of a part, if it has any."""
    if part == "seed":
        _save("planner-quality.svg", lines("Gap to the bound over time, SEED days", ("seconds", "%"), _quality(rows)))
    if part == "others":
        _save("planner-others.svg", lines("Gap to the bound over time, the stored SEED days", ("seconds", "%"), _quality(rows)))
    if part == "hospital":
        _save("planner-growth.svg", lines("One plan decoded", ("visits", "ms"), _growth(rows)))


def _quality(rows: Sequence[Row]) -> dict[str, Points]:
    """A rule that takes no time is a level line."""
    curves: dict[str, Points] = {}
    for row in rows:
        timed = [(float(name.split()[2]), float(row[name])) for name in row if name.startswith("gap at ") and name[7].isdigit()]
        if "days" in row:
            curves[f"{row['engine']}, {row['days']}"] = timed or [(0.1, row["gap at once, %"]), (30.0, row["gap at once, %"])]
    return curves


def _growth(rows: Sequence[Row]) -> dict[str, Points]:
    decoded = " visits decoded, ms"
    measured = [
        (float(row["what"].removesuffix(decoded).replace(",", "")), float(row["figure"])) for row in rows if row["what"].endswith(decoded)
    ]
    (least, quickest), *_ = measured
    return {"measured": measured, "n log n": [(n, quickest * n * log10(n) / (least * log10(least))) for n, _ in measured]}


def lines(title: str, axes: tuple[str, str], curves: Mapping[str, Points]) -> str:
    """One chart. Every number must be above 0."""
    points = [point for curve in curves.values() for point in curve]
    across, down = _Axis([x for x, _ in points], LEFT, WIDTH - RIGHT), _Axis([y for _, y in points], HEIGHT - BOTTOM, TOP)
    drawn = [
        _text(LEFT, TOP - 18, title, size=15),
        _text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 10, axes[0]),
        _text(LEFT - 50, TOP - 4, axes[1]),
    ]
    for value in across.marks:
        drawn += [_line([(across.at(value), TOP), (across.at(value), HEIGHT - BOTTOM)], "#dddddd", 1)]
        drawn += [_text(across.at(value) - 6, HEIGHT - BOTTOM + 18, f"{value:g}")]
    for value in down.marks:
        drawn += [_line([(LEFT, down.at(value)), (WIDTH - RIGHT, down.at(value))], "#dddddd", 1)]
        drawn += [_text(LEFT - 40, down.at(value) + 4, f"{value:g}")]
    names = sorted(curves, key=lambda name: -curves[name][-1][1])
    heights = [down.at(curves[name][-1][1]) for name in names]
    for place in range(1, len(heights)):
        heights[place] = max(heights[place], heights[place - 1] + 15)
    for colour, name, height in zip(COLOURS * len(names), names, heights, strict=False):
        drawn.append(_line([(across.at(x), down.at(y)) for x, y in curves[name]], colour, 2))
        drawn.append(_text(WIDTH - RIGHT + 8, height + 4, name, colour=colour))
    body = "\n".join(drawn)
    start = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}">'
    return f'{start}\n<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>\n{body}\n</svg>\n'


class _Axis:
    """From numbers to places between two ends, by their logarithms."""

    def __init__(self, values: Sequence[float], first: float, last: float) -> None:
        self.low, self.high = log10(min(values)) - 0.03, log10(max(values)) + 0.03
        self.first, self.last = first, last
        decades = range(floor(self.low), floor(self.high) + 1)
        marks = [factor * 10.0**decade for decade in decades for factor in (1, 2, 5)]
        self.marks = [mark for mark in marks if self.low <= log10(mark) <= self.high]

    def at(self, value: float) -> float:
        return round(self.first + (self.last - self.first) * (log10(value) - self.low) / (self.high - self.low), 1)


def _line(points: Points, colour: str, width: int) -> str:
    return f'<polyline points="{" ".join(f"{x},{y}" for x, y in points)}" fill="none" stroke="{colour}" stroke-width="{width}"/>'


def _text(x: float, y: float, text: str, *, size: int = 12, colour: str = "#222222") -> str:
    return f'<text x="{x:g}" y="{y:g}" font-family="sans-serif" font-size="{size}" fill="{colour}">{escape(text)}</text>'


def _save(name: str, chart: str) -> None:
    (report.PAGE.parent / name).write_text(chart, "utf-8")
