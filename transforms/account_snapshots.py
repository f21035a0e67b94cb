"""Fact: snapshots of accounts, with what became of each."""

import polars as pl

from schemas.account_snapshots import AccountSnapshots
from schemas.base import dtypes
from transforms.fates import latest


def account_snapshots(landed_social_accounts: pl.LazyFrame) -> pl.LazyFrame:
    """Every snapshot of the days given; the last one to land counts for its account and day."""
    identity = ["platform", "account", "snapshot_day"]
    return latest(landed_social_accounts, identity, None).select(*dtypes(AccountSnapshots))
