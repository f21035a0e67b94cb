"""Events that count: each once, nobody's who is left out, filed under the day they happened."""

import polars as pl

from schemas.base import dtypes
from schemas.events import Events
from transforms.fates import ARRIVAL


def events(
    landed_events: pl.LazyFrame, duplicate_events: pl.LazyFrame, excluded_events: pl.LazyFrame
) -> pl.LazyFrame:
    """Landed events without the duplicates and without what a rule leaves out."""
    others = pl.concat([duplicate_events.select(ARRIVAL), excluded_events.select(ARRIVAL)])
    return landed_events.join(others, on=ARRIVAL, how="anti").select(list(dtypes(Events)))
