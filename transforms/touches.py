"""Spine: the sessions that something led to, by day."""

import polars as pl

from schemas.base import dtypes
from schemas.touches import Touches
from transforms.channels import is_direct


def touches(session_days: pl.LazyFrame) -> pl.LazyFrame:
    """The sessions that are not direct, with what led to them."""
    return session_days.filter(~is_direct()).select(list(dtypes(Touches)))
