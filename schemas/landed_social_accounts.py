"""The contract of ``social_accounts``, and its rows as they were received."""

import polars as pl

from schemas.base import Table, column, count, table
from schemas.provenance import Landed


@table(
    grain="one row per account and day of a snapshot",
    key=["platform", "account", "snapshot_day"],
    published=False,
)
class SocialAccountContract(Table):
    """What a row of the source ``social_accounts`` brings, after its mapping."""

    platform: pl.String = column("Social network")
    account: pl.String = column("Name of the account on the network")
    snapshot_day: pl.Date = column("Day at whose end the followers were counted")
    followers: pl.Int64 = count("Followers of the account", unit="accounts")


@table(
    grain="one row per accepted row of a landed file",
    key=["landing_date", "file", "line", "item"],
    slice_by="event_date",
    order=["landing_date", "event_date", "file", "line", "item"],
    published=False,
)
class LandedSocialAccounts(Landed, SocialAccountContract):
    """Accepted rows of the source ``social_accounts``, as received."""
