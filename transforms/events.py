"""Events that count: each once, machines left out, filed under the day they happened."""

import polars as pl

from schemas.base import dtypes
from schemas.events import Events
from transforms.fates import ARRIVAL


def events(
    landed_events: pl.LazyFrame, duplicate_events: pl.LazyFrame, *, exclude_bots: bool
) -> pl.LazyFrame:
    """Landed events without the duplicates and, with ``exclude_bots``, without machines' events.

    A row whose ``is_bot`` is missing is a person's.
    """
    once = landed_events.join(duplicate_events, on=ARRIVAL, how="anti")
    if exclude_bots:
        once = once.filter(~pl.col("is_bot").fill_null(False))
    return once.select(list(dtypes(Events)))
