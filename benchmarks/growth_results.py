"""The part of the results that tells how costs grow: charts, and the numbers under them."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import altair as alt
import polars as pl

from benchmarks.measurements import Record
from benchmarks.targets import of_kind, per_day, values

_WIDTH, _HEIGHT = 420, 220
_SECONDS, _PEAK = "seconds", "peak_bytes"
# Kind, title, axis, what is measured, and of what.
_CHARTS = (
    ("history", "A night, by days of history before it", "days", _SECONDS),
    ("history", "Peak memory of a night, by days of history", "days", _PEAK),
    ("nothing", "A run with nothing to do, by days of history", "days", _SECONDS),
    ("late", "A night, by the share of late rows", "share", _SECONDS),
    ("users", "A night of as many events, by users", "users", _SECONDS),
    ("file ndjson", "Peak memory, by events of one NDJSON file that lands", "events", _PEAK),
    ("file csv.gz", "Peak memory, by events of one CSV file that lands", "events", _PEAK),
    ("file parquet", "Peak memory, by events of one Parquet file that lands", "events", _PEAK),
)
_AXES = {_SECONDS: ("seconds", 1), _PEAK: ("MB", 1e-6)}


def growth_sections(records: Sequence[Record], out: Path) -> Iterator[str]:
    """Markdown, and charts written beside it; nothing where nothing of it was measured."""
    charts = [(each, found) for each in _CHARTS if (found := values(records, each[0], each[3]))]
    if charts:
        yield "## How it grows\n"
        yield "Points are rounds, lines medians: `python -m benchmarks.growth` by these sizes.\n"
    for (kind, title, axis, what), found in charts:
        name = f"{kind.replace(' ', '-').replace('.', '-')}-{what.split('_')[0]}.svg"
        unit, factor = _AXES[what]
        (out / "charts").mkdir(exist_ok=True)
        _draw(found, axis, unit, factor).save(out / "charts" / name)
        yield f"**{title}**, {_per_day(records, kind)}\n"
        yield f"![{title}](charts/{name})\n"
        yield _numbers(found, axis, unit, factor)


def _draw(found: dict[Any, list[float]], axis: str, unit: str, factor: float) -> alt.LayerChart:
    rows = pl.DataFrame(
        [
            {"at": float(at), unit: each * factor}
            for at, several in found.items()
            for each in several
        ]
    )
    base = alt.Chart(rows).encode(x=alt.X("at:Q", title=axis))
    return (
        base.mark_point().encode(y=alt.Y(f"{unit}:Q", title=unit, scale=alt.Scale(zero=True)))
        + base.mark_line().encode(y=alt.Y(f"median({unit}):Q"))
    ).properties(width=_WIDTH, height=_HEIGHT)


def _numbers(found: dict[Any, list[float]], axis: str, unit: str, factor: float) -> str:
    ats = sorted(found)
    head = " | ".join(f"{at:,}" for at in ats)
    medians = " | ".join(f"{median(found[at]) * factor:,.2f}" for at in ats)
    lines = [f"| {axis} | {head} |", f"| --- |{' ---: |' * len(ats)}", f"| {unit} | {medians} |"]
    return "\n".join([*lines, ""])


def _per_day(records: Sequence[Record], kind: str) -> str:
    if kind.startswith("file"):
        return "events of 30 days in one file"
    return f"{per_day(of_kind(records, kind)):,} events a day and all other sources"
