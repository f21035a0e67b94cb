"""Landed events of machines, of staff and of test traffic, which do not count.

This is the one place where it is decided what is left out by a rule.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from schemas.base import dtypes
from schemas.excluded_events import ExcludedEvents
from transforms.fates import ARRIVAL

FLAG, USER_AGENT, STAFF = "flag", "user_agent", "staff"
BUILT_IN_RULES = (FLAG, USER_AGENT, STAFF)


def excluded_events(
    landed_events: pl.LazyFrame,
    duplicate_events: pl.LazyFrame,
    staff: pl.LazyFrame,
    *,
    exclude_bots: bool,
    excluded_traffic: Sequence[Mapping[str, Any]],
    crawler_patterns: pl.DataFrame,
) -> pl.LazyFrame:
    """Rows that a rule leaves out, with the first rule that does; duplicates are none of them.

    With ``exclude_bots`` these are flagged events and those of a user agent that one of
    ``crawler_patterns`` is found in (text as it is, or a regular expression). A missing flag and a
    missing or empty user agent are a person's. ``excluded_traffic`` are rules about the text of a
    column; what is missing meets none.
    """
    rules = {FLAG: pl.col("is_bot")} if exclude_bots else {}
    rows = _marked(landed_events, staff.select("staff_id"), "user_id", STAFF, on="staff_id")
    if exclude_bots:
        crawlers = _crawlers(landed_events, crawler_patterns)
        rows = _marked(rows, crawlers, "user_agent", USER_AGENT, on="user_agent")
        rules[USER_AGENT] = pl.col(_mark(USER_AGENT))
    rules[STAFF] = pl.col(_mark(STAFF))
    rules |= {rule["name"]: _is_met(rule) for rule in excluded_traffic}
    first = pl.coalesce(pl.when(applies).then(pl.lit(name)) for name, applies in rules.items())
    return (
        rows.with_columns(rule=first)
        .filter(pl.col("rule").is_not_null())
        .join(duplicate_events, on=ARRIVAL, how="anti")
        .select(list(dtypes(ExcludedEvents)))
    )


def _mark(rule: str) -> str:
    return f"is_{rule}"


def _marked(
    rows: pl.LazyFrame, listed: pl.LazyFrame, column: str, rule: str, *, on: str
) -> pl.LazyFrame:
    """The rows, marked where the column's value is listed."""
    marks = listed.select(pl.col(on).alias(column), pl.lit(True).alias(_mark(rule)))
    return rows.join(marks, on=column, how="left")


def _crawlers(landed_events: pl.LazyFrame, patterns: pl.DataFrame) -> pl.LazyFrame:
    """User agents of crawlers, each text judged once: patterns are many and texts repeat."""
    agent = pl.col("user_agent")
    is_literal = patterns["is_literal"]
    expressions = patterns["pattern"].filter(~is_literal).to_list()
    found = agent.str.contains_any(patterns["pattern"].filter(is_literal).to_list())
    if expressions:
        found = found | agent.str.contains("|".join(f"(?:{each})" for each in expressions))
    # A column of its own, or the plan judges each row before it looks for the distinct ones.
    return landed_events.select(agent).unique().with_columns(is_crawler=found).filter("is_crawler")


def _is_met(rule: Mapping[str, Any]) -> pl.Expr:
    text = pl.col(rule["column"])
    if rule["equals"] is not None:
        return text.is_in(rule["equals"])
    if rule["contains"] is not None:
        return text.str.contains(rule["contains"], literal=True)
    return text.str.contains(rule["matches"])
