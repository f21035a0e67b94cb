"""The contract of ``exchange_rates``, and its rows as they were received."""

import polars as pl

from schemas.base import Rate, Table, column, table
from schemas.provenance import Landed


@table(
    grain="one row per day and currency",
    key=["day", "currency"],
    published=False,
)
class ExchangeRateContract(Table):
    """What a row of the source ``exchange_rates`` brings, after its mapping."""

    day: pl.Date = column("Day from which the rate holds")
    currency: pl.String = column("ISO 4217 code of the currency", str_matches="^[A-Z]{3}$")
    rate: Rate = column("Units of the currency for one of the reporting currency", gt=0)


@table(
    grain="one row per accepted row of a landed file",
    key=["landing_date", "file", "line", "item"],
    slice_by="event_date",
    order=["landing_date", "event_date", "file", "line", "item"],
    published=False,
)
class LandedExchangeRates(Landed, ExchangeRateContract):
    """Accepted rows of the source ``exchange_rates``, as received."""
