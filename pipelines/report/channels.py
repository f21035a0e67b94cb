"""What brings people, and who of them does what is wanted."""

from datetime import date, timedelta

import altair as alt
import polars as pl

from pipelines.pages.words import number, percent, plain_day
from pipelines.report.drawing import BLUE, GREEN, Drawing, drawn, values
from pipelines.report.published import Published
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

_DAYS, _CHANNELS, _ROW = 28, 14, 24
_OTHERS = "all others"


_TOPIC = Topic(
    "channels",
    "Channels",
    "What brings people, and which of them do what is wanted?",
    "A session is one visit. It belongs to the channel of the last click that brought the person, "
    "also where they came back directly later on. It converts when one of the goals of the "
    "settings is reached in it.",
    "traffic_sources_daily",
    "events",
    "there was no session in the last 28 days.",
)


def channels(published: Published) -> Section:
    """Sessions and their conversion by channel, in the last 28 days."""
    last = published.data_through.get(_TOPIC.table, date.max)
    first = last - timedelta(days=_DAYS - 1)
    span = f"{plain_day(first)} to {plain_day(last)}"
    return _TOPIC.section(
        published,
        lambda days: _by_channel(days.filter(pl.col("date").is_between(first, last))),
        lambda found: Content([_sessions(found, span), _conversion(found, span)]),
    )


def _by_channel(days: pl.LazyFrame) -> pl.DataFrame:
    """Channels by their sessions; the smallest together, where there are many."""
    sums = pl.col("sessions", "converting_sessions").sum()
    found = days.group_by("channel").agg(sums).sort("sessions", "channel", descending=[True, False])
    place = pl.int_range(pl.len())
    name = pl.when(place < _CHANNELS).then("channel").otherwise(pl.lit(_OTHERS))
    grouped = (
        found.with_columns(place=place, channel=name)
        .group_by("channel")
        .agg(sums, pl.col("place").min())
    )
    rate = ratio(pl.col("converting_sessions"), pl.col("sessions"))
    return grouped.sort("place").with_columns(conversion_rate=rate).collect()


def _numbers(found: pl.DataFrame) -> Numbers:
    return Numbers(
        [
            text_column("channel", "Channel"),
            count_column("sessions", "Sessions"),
            count_column("converting_sessions", "Converting"),
            share_column("conversion_rate", "Conversion"),
        ],
        found,
    )


def _bars(found: pl.DataFrame, column: str, colour: str) -> Drawing:
    """Bars with their values at the end, so that no axis is needed."""
    order = found["channel"].to_list()
    rows = [
        {"channel": row["channel"], "value": row[column], "shown": shown}
        for row, shown in zip(found.iter_rows(named=True), _shown(found, column), strict=True)
    ]
    highest = max((row["value"] or 0 for row in rows), default=0)
    x = alt.X("value:Q", axis=None, scale=alt.Scale(domain=[0, highest * 1.2 or 1]))
    y = alt.Y(
        "channel:N",
        title=None,
        sort=order,
        axis=alt.Axis(domain=False, ticks=False, labelLimit=150),
    )
    base = alt.Chart(values(rows)).encode(x=x, y=y)
    bars = base.mark_bar(color=colour, height=14)
    return alt.layer(bars, base.mark_text(align="left", dx=4, fontSize=12).encode(text="shown:N"))


def _shown(found: pl.DataFrame, column: str) -> list[str]:
    write = percent if column == "conversion_rate" else number
    return [write(value) for value in found[column]]


def _sessions(found: pl.DataFrame, span: str) -> Figure:
    first = found.row(0, named=True)
    alternative = (
        f"Bars of sessions by channel, {found.height} in all. Most came from {first['channel']}: "
        f"{number(first['sessions'])} of {number(found['sessions'].sum())}."
    )
    height = 20 + _ROW * found.height
    return Figure(
        "channel-sessions",
        "Sessions by channel",
        f"{span}. How many visits each channel brought.",
        drawn(_bars(found, "sessions", BLUE), "channel-sessions", alternative, height),
        _numbers(found),
        _TOPIC.table,
    )


def _conversion(found: pl.DataFrame, span: str) -> Figure:
    total = int(found["converting_sessions"].sum()) / int(found["sessions"].sum())
    best = found.sort("conversion_rate", descending=True, maintain_order=True).row(0, named=True)
    alternative = (
        f"Bars of the share of sessions that convert, by channel. Of all sessions it is "
        f"{percent(total)}; the highest is {best['channel']} with "
        f"{percent(best['conversion_rate'])}."
    )
    height = 20 + _ROW * found.height
    return Figure(
        "channel-conversion",
        "Conversion by channel",
        f"{span}. Which share of these visits reached a goal. Of few visits it says little: see "
        "their number.",
        drawn(_bars(found, "conversion_rate", GREEN), "channel-conversion", alternative, height),
        _numbers(found),
        _TOPIC.table,
    )
