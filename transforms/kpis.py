"""The metrics of the scorecard as of November 2026, one declaration each.

To add a metric, add a line. How a table comes to have months, dimensions and segments stands in
``kpi_months.py``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

_MILLION = 1_000_000


@dataclass(frozen=True)
class Kpi:
    """A metric: which rows of which table, and what is divided by what.

    ``numerator`` and ``denominator`` are columns or expressions over the table; without a
    denominator the numerator is the value; without a numerator it is ``value``, which the table has
    divided itself. Of a table by day both are summed over the month. Sums of floats would show
    their order: such a numerator is given in whole parts, ``parts`` of which make one. ``factor``
    is what the ratio is multiplied by. ``family`` is the key in the setting benchmarks where it has
    none of the metric's own name.
    """

    metric: str
    table: str
    unit: str
    numerator: str | pl.Expr | None = None
    denominator: str | pl.Expr | None = None
    where: Mapping[str, str] = field(default_factory=dict)
    parts: int = 1
    factor: int = 1
    value: str | None = None
    family: str = ""


def _millionths(column: str) -> pl.Expr:
    return (pl.col(column) * _MILLION).round().cast(pl.Int64)


def _clv() -> pl.Expr:
    predicted = pl.col("clv_basis") == "predicted"
    return pl.when(predicted).then("predicted_clv_amount").otherwise("simple_clv_amount")


def _clv_to_cac(model: str) -> Kpi:
    name, cost = f"clv_to_cac_{model}", "acquisition_cost_amount"
    return Kpi(name, "clv_monthly", "ratio", _clv(), cost, {"model": model}, family="clv_to_cac")


# fmt: off
KPIS = (
    Kpi("active_users", "active_users_periodic", "people", "active_users"),
    Kpi("stickiness", "active_users_periodic", "fraction", "mean_dau", "active_users"),
    Kpi("active_to_paying", "active_users_daily", "fraction", pl.when(pl.col("paying_users").is_not_null()).then("dau"), "paying_users"),
    Kpi("month_1_retention", "cohort_retention", "fraction", "active_users", "cohort_users"),
    Kpi("page_views", "sessions_periodic", "page views", "page_views"),
    Kpi("pages_per_session", "sessions_periodic", "page views", "page_views", "sessions"),
    Kpi("mean_session_seconds", "sessions_periodic", "seconds", "time_spent_seconds", "sessions"),
    Kpi("bounce_rate", "sessions_periodic", "fraction", "bounced_sessions", "page_view_sessions"),
    Kpi("new_visitor_share", "sessions_periodic", "fraction", "new_visitors", "visitors"),
    Kpi("mean_time_on_page_seconds", "pages_daily", "seconds", _millionths("time_on_page_seconds"), "timed_views", parts=_MILLION),
    Kpi("mean_scroll_depth", "pages_daily", "fraction", _millionths("scroll_depth"), "scroll_views", parts=_MILLION),
    Kpi("user_conversion_rate", "conversions_periodic", "fraction", "converting_users", "visitors"),
    Kpi("session_conversion_rate", "conversions_periodic", "fraction", "converting_sessions", "sessions"),
    Kpi("feature_adoption", "feature_usage", "fraction", "feature_users", "active_users"),
    Kpi("click_through_rate", "campaigns_daily", "fraction", "clicks", "impressions"),
    Kpi("churn_rate", "churn_monthly", "fraction", "lost_customers", "customers_start"),
    Kpi("churn_rate_by_inactivity", "churn_by_inactivity_monthly", "fraction", "lost_customers", "customers_start"),
    Kpi("mrr", "mrr_movements_monthly", "reporting currency", "closing_mrr_amount"),
    Kpi("gross_revenue_retention", "mrr_movements_monthly", "fraction", "retained_mrr_amount", "opening_mrr_amount"),
    Kpi("net_revenue_retention", "mrr_movements_monthly", "fraction", "net_retained_mrr_amount", "opening_mrr_amount"),
    _clv_to_cac("bg_nbd"),
    _clv_to_cac("sbg"),
    Kpi("nps", "survey_scores", "points", pl.col("promoters") - pl.col("detractors"), "responses", {"kind": "nps"}, factor=100),
    Kpi("csat", "survey_scores", "points", "satisfied", "responses", {"kind": "csat"}, factor=100, family="csat"),
    Kpi("ces", "survey_scores", "score", None, "responses", {"kind": "ces"}, value="score"),
    Kpi("mean_first_reply_seconds", "support_tickets", "seconds", "first_reply_seconds", "replied"),
    Kpi("mean_resolution_seconds", "support_tickets", "seconds", "resolution_seconds", "timed_resolved"),
    Kpi("social_engagement_rate", "social_engagement_daily", "fraction", "engagements", "impressions"),
)
# fmt: on
BENCHMARK_NAMES = tuple(
    dict.fromkeys(name for kpi in KPIS for name in (kpi.metric, kpi.family) if name)
)
SCORECARD_READS = tuple(dict.fromkeys(kpi.table for kpi in KPIS))


def is_benchmark_name(name: str) -> bool:
    """Whether there can be a metric of that name; those of surveys end in their scale."""
    return name in BENCHMARK_NAMES or name.startswith(("nps_", "csat_", "ces_"))
