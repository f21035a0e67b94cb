"""The setting ``funnels`` as a frame. No table is made here."""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

_SCHEMA: dict[str, pl.DataType] = {
    "funnel": pl.String(),
    "step": pl.Int64(),
    "step_name": pl.String(),
    "event_names": pl.List(pl.String()),
    "window_hours": pl.Int64(),
}


def funnel_steps(funnels: Sequence[Mapping[str, Any]]) -> pl.LazyFrame:
    """A row per funnel and step: funnel, step (from 1), step_name, event_names, window_hours."""
    rows = [
        (funnel["name"], number, step["name"], step["events"], funnel["window_hours"])
        for funnel in funnels
        for number, step in enumerate(funnel["steps"], 1)
    ]
    return pl.LazyFrame(rows, schema=_SCHEMA, orient="row")
