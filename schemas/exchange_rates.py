"""Exchange rates that the company lands itself."""

import polars as pl

from schemas.base import Rate, column, table
from schemas.provenance import Fate


@table(
    grain="one row per accepted row of a landed file",
    key=["landing_date", "file", "line", "item"],
    slice_by="day",
    order=["day", "currency", "landing_date", "file", "line", "item"],
    published=False,
)
class ExchangeRates(Fate):
    """Rates by day; of one day and currency the latest row counts."""

    day: pl.Date = column("Day from which the rate holds")
    currency: pl.String = column("ISO 4217 code of the currency")
    rate: Rate = column("Units of the currency for one of the reporting currency", gt=0)
