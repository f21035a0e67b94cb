"""What each section is about: how it finds its rows, and what it says where there are none."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import polars as pl

from pipelines.report.published import Published
from pipelines.report.sections import Content, Section

# The finest is what a history of a few days has.
_GRAINS = ("month", "week", "day")
# A chart of fewer periods than these tells little; the next finer grain then tells more.
_FEW = 6


@dataclass(frozen=True)
class Topic:
    """A question, the table that answers it, and the source without which it has no rows.

    ``empty`` says why the table may have none all the same.
    """

    name: str
    label: str
    question: str
    reading: str
    table: str
    source: str = ""
    empty: str = ""

    def section(
        self,
        published: Published,
        rows: Callable[[pl.LazyFrame], pl.DataFrame],
        content: Callable[[pl.DataFrame], Content],
    ) -> Section:
        """The section of the ``rows`` of the table, or of the reason why there are none."""
        table = published.scan(self.table)
        found = pl.DataFrame() if table is None else rows(table)
        if found.is_empty():
            missing = published.why_missing(self.table, self.source, self.empty)
            return Section(self.name, self.label, self.question, self.reading, missing=missing)
        return Section(self.name, self.label, self.question, self.reading, content(found))


def by_grain(rows: pl.DataFrame, start: str = "period_start") -> Mapping[str, pl.DataFrame]:
    """Rows in their order by the grains worth showing.

    These are the coarsest with more than a few periods and the next finer one; the finest there is
    where all have few.
    """
    there = [grain for grain in _GRAINS if grain in rows["grain"]]
    many = [
        place
        for place, grain in enumerate(there)
        if rows.filter(grain=grain)[start].n_unique() > _FEW
    ]
    first = many[0] if many else len(there) - 1
    return {grain: rows.filter(grain=grain) for grain in there[first : first + 2]}
