"""How retention falls with the time since the first activity, over all cohorts shown."""

import altair as alt
import polars as pl

from pipelines.pages.words import percent
from pipelines.report.drawing import BLUE, drawn, values
from pipelines.report.sections import Figure, Numbers, count_column, share_column
from transforms.division import ratio

_NAME = "retention-curve"


def retention_curve(cells: pl.DataFrame, grain: str) -> Figure | None:
    """The people who came back over those who could, by periods after the first; only ended ones.

    ``cells`` are the cohorts of one grain. None where no period after a first one has ended.
    """
    found = _sums(cells)
    if found.is_empty():
        return None
    rows = found.select("period_index", "retention_rate").to_dicts()
    x = alt.X("period_index:O", title=f"{grain}s after the first", axis=alt.Axis(labelAngle=0))
    y = alt.Y(
        "retention_rate:Q",
        title="share that came back",
        axis=alt.Axis(format="~%", tickCount=5),
        scale=alt.Scale(domain=[0, 1]),
    )
    base = alt.Chart(values(rows)).encode(x=x, y=y)
    points = base.mark_point(filled=True, size=60, color=BLUE, opacity=1)
    chart = alt.layer(base.mark_line(color=BLUE, strokeWidth=2), points)
    first, last = found.row(0, named=True), found.row(-1, named=True)
    alternative = (
        f"Line chart of retention by {grain}s after the first, all cohorts together: "
        f"{percent(first['retention_rate'])} in {grain} {first['period_index']}, "
        f"{percent(last['retention_rate'])} in {grain} {last['period_index']}."
    )
    return Figure(
        _NAME,
        "Share that came back, all these cohorts together",
        f"Of the people whose cohort has seen that {grain} to its end, the share that was active "
        f"in it. The further right, the fewer cohorts are that old.",
        drawn(chart, _NAME, alternative, 280),
        Numbers(
            [
                count_column("period_index", f"{grain.capitalize()}s after"),
                count_column("cohorts", "Cohorts"),
                count_column("cohort_users", "People"),
                count_column("active_users", "Came back"),
                share_column("retention_rate", "Share"),
            ],
            found,
        ),
        "cohort_retention",
    )


def _sums(cells: pl.DataFrame) -> pl.DataFrame:
    over = cells.filter(pl.col("is_complete") & (pl.col("period_index") > 0))
    sums = over.group_by("period_index").agg(
        pl.len().cast(pl.Int64).alias("cohorts"), pl.col("cohort_users", "active_users").sum()
    )
    rate = ratio(pl.col("active_users"), pl.col("cohort_users"))
    return sums.with_columns(retention_rate=rate).sort("period_index")
