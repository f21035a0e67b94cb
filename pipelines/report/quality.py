"""How far the numbers can be trusted: what was refused, came late, changed."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import polars as pl

from pipelines.pages.words import number, percent
from pipelines.report.drawing import GREY, ORANGE, RED, SKY, Drawing, drawn, palette, values
from pipelines.report.published import LEDGER, Published
from pipelines.report.restated import restated_figure
from pipelines.report.sections import (
    Content,
    Figure,
    Numbers,
    Section,
    count_column,
    share_column,
    text_column,
)
from pipelines.report.topics import Topic
from transforms.division import ratio

_ROW = 28
_LEAST_END = 0.05
_FATES = {
    "quarantined": ("quarantined_rows", RED),
    "duplicate": ("duplicate_rows", SKY),
    "left out": ("excluded_rows", GREY),
}
_AGES = {
    "1 to 6 days": ("late_days", SKY),
    "7 to 29 days": ("late_weeks", ORANGE),
    "30 days and more": ("late_months", RED),
}


_TOPIC = Topic(
    "quality",
    "Data quality",
    "How far can these numbers be trusted?",
    "Every row that came in is accounted for: it is accepted, refused and kept in quarantine with "
    "all reasons, or a duplicate of another. Late rows are normal and change the days they belong "
    "to; what that changed in published numbers is said aloud.",
    LEDGER,
    empty="no files have landed.",
)


def quality(published: Published) -> Section:
    """Rows by source and what became of them, late rows by age, restated numbers."""
    return _TOPIC.section(published, _by_source, lambda found: _content(published, found))


def _content(published: Published, found: pl.DataFrame) -> Content:
    restated, remark = restated_figure(published)
    remarks = [remark]
    refused = found["refused_files"].sum()
    if refused:
        remarks.append(f"Files that could not be read to their end and were refused: {refused:,}.")
    figures = [_fates(found), _late(found), *([restated] if restated else [])]
    return Content(figures, remarks=remarks)


def _by_source(ledger: pl.LazyFrame) -> pl.DataFrame:
    rows = (
        "read_rows", "accepted_rows", "quarantined_rows", "duplicate_rows", "excluded_rows",
        "late_1d_rows", "late_7d_rows", "late_30d_rows",
    )  # fmt: skip
    sums = ledger.group_by("source").agg(
        pl.len().cast(pl.Int64).alias("files"),
        (pl.col("status") == "refused").sum().cast(pl.Int64).alias("refused_files"),
        pl.col(rows).sum(),
    )
    ages = sums.with_columns(
        late_days=pl.col("late_1d_rows") - pl.col("late_7d_rows"),
        late_weeks=pl.col("late_7d_rows") - pl.col("late_30d_rows"),
        late_months=pl.col("late_30d_rows"),
        quarantined_share=ratio(pl.col("quarantined_rows"), pl.col("read_rows")),
    )
    return ages.sort("read_rows", "source", descending=[True, False]).collect()


def _shares(found: pl.DataFrame, parts: Mapping[str, tuple[str, str]]) -> Drawing:
    """A bar per source of parts as shares of the rows read; the rest of the rows is not drawn."""
    rows = [
        {
            "source": row["source"],
            "part": name,
            "order": place,
            "share": row[column] / row["read_rows"] if row["read_rows"] else 0,
        }
        for row in found.iter_rows(named=True)
        for place, (name, (column, _)) in enumerate(parts.items())
    ]
    colours = {name: colour for name, (_, colour) in parts.items()}
    drawing: alt.Chart = (
        alt.Chart(values(rows))
        .mark_bar(height=16)
        .encode(
            x=alt.X(
                "share:Q",
                title="share of the rows read",
                axis=alt.Axis(format="~%", tickCount=4),
                scale=alt.Scale(domain=[0, _end(rows)], nice=True),
            ),
            y=alt.Y(
                "source:N",
                title=None,
                sort=found["source"].to_list(),
                axis=alt.Axis(domain=False, ticks=False),
            ),
            color=alt.Color("part:N", scale=palette(colours), sort=list(colours)),
            order=alt.Order("order:Q"),
        )
    )
    return drawing


def _end(rows: Sequence[Mapping[str, Any]]) -> float:
    """Where the axis of shares ends: so little as to be nothing does not fill it."""
    sums: Counter[str] = Counter()
    for row in rows:
        sums[row["source"]] += row["share"]
    return max(_LEAST_END, *sums.values())


def _fates(found: pl.DataFrame) -> Figure:
    read, refused = int(found["read_rows"].sum()), int(found["quarantined_rows"].sum())
    share = f", {percent(refused / read, 2)}" if read else ""
    alternative = (
        f"Bars by source of the rows that do not count. Of {number(read)} rows read "
        f"{number(refused)} were quarantined{share}, and "
        f"{number(found['duplicate_rows'].sum())} were duplicates."
    )
    return Figure(
        "row-fates",
        "Rows that do not count",
        "Quarantined: refused, or waiting for an exchange rate. Duplicate: another row tells of "
        "the same thing; of tickets, answers and the like the latest row holds. Left out: "
        "machines, staff and test traffic. What is missing to the whole was accepted.",
        drawn(_shares(found, _FATES), "row-fates", alternative, 70 + _ROW * found.height),
        Numbers(
            [
                text_column("source", "Source"),
                count_column("files", "Files"),
                count_column("refused_files", "Refused files"),
                count_column("read_rows", "Read"),
                count_column("accepted_rows", "Accepted"),
                count_column("quarantined_rows", "Quarantined"),
                share_column("quarantined_share", "Quarantined of read"),
                count_column("duplicate_rows", "Duplicate"),
                count_column("excluded_rows", "Left out of accepted"),
            ],
            found,
        ),
        LEDGER,
    )


def _late(found: pl.DataFrame) -> Figure:
    late = number(found["late_1d_rows"].sum())
    alternative = (
        f"Bars by source of the rows that were received a day or more after what they tell of, by "
        f"how late they were. They are {late} in all, {number(found['late_months'].sum())} of them "
        f"30 days or more."
    )
    return Figure(
        "late-rows",
        "Rows that came late",
        "How long after the thing itself a row was received. A first delivery of history "
        "is late by "
        "nature.",
        drawn(_shares(found, _AGES), "late-rows", alternative, 70 + _ROW * found.height),
        Numbers(
            [
                text_column("source", "Source"),
                count_column("read_rows", "Read"),
                *(count_column(column, name) for name, (column, _) in _AGES.items()),
            ],
            found,
        ),
        LEDGER,
    )
