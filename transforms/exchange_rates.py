"""Exchange rates that the company lands itself."""

import polars as pl

from transforms.fates import ARRIVAL, latest


def exchange_rates(landed_exchange_rates: pl.LazyFrame) -> pl.LazyFrame:
    """Every landed rate with its fate: of one day and currency the latest row counts."""
    return latest(landed_exchange_rates, ["day", "currency"], None).select(
        *ARRIVAL, "fate", "day", "currency", "rate"
    )
