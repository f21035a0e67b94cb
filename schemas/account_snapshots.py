"""Fact: snapshots of accounts, with what became of each."""

from schemas.base import table
from schemas.landed_social_accounts import SocialAccountContract
from schemas.provenance import Fate


@table(
    grain="one row per accepted row of the source social_accounts",
    key=["landing_date", "file", "line", "item"],
    slice_by="snapshot_day",
    order=["snapshot_day", "platform", "account", "landing_date", "file", "line", "item"],
    published=False,
)
class AccountSnapshots(Fate, SocialAccountContract):
    """Of the rows of one account and day the last one to land counts."""
