"""Every table, one line each, in an order in which they can be built."""

from pipelines.landing.sources import SOURCES as SOURCES
from pipelines.settings import Settings
from pipelines.warehouse.filing import Filing, in_parts, landed, plain
from pipelines.warehouse.specs import Everything, SourceTables, Spec, UpTo, Within
from schemas.quarantine import Quarantine
from schemas.receipts import Receipts
from transforms.cohorts import months_before
from transforms.ingest_ledger import LEDGER_READS
from transforms.kpis import SCORECARD_READS
from transforms.money import RATE_DAYS


def _duplicate_days(settings: Settings) -> int:
    return settings.duplicate_days


def _window_months(settings: Settings) -> int:
    # A window of thirty days that ends on the first of March begins in January.
    return 1 if max(settings.mau_window_days, settings.wau_window_days) < 30 else 2


def _link_days(settings: Settings) -> int:
    # 30 times 24 hours can touch 31 days before: days are 23 or 25 hours long when clocks change.
    return settings.stitch_days + 1


def _session_days(settings: Settings) -> int:
    # Where clocks change, a day can be short, or be left out where the date line is moved.
    whole_days = -(-settings.session_max_hours // 24)
    return whole_days if settings.timezone == "UTC" else whole_days + 1


def _funnel_days(settings: Settings) -> int:
    longest = max((funnel.window_hours for funnel in settings.funnels), default=0)
    whole_days = -(-longest // 24)
    return whole_days if settings.timezone == "UTC" else whole_days + 1


def _attribution_days(settings: Settings) -> int:
    # So many times 24 hours can begin a day earlier, where clocks change.
    return settings.attribution_days + (settings.timezone != "UTC")


def _retention_months(settings: Settings) -> int:
    return months_before(settings.retention_periods)


# What counts people one dimension at a time: months that are worked on together need not be read
# again as those before and after one another.
_BY_DIMENSION = 6_000_000
# Every slice reads all there is: one pass serves them all.
_IN_ONE_GO = 10**15


# fmt: off
TABLES = (
    Spec("duplicate_events", "day", {"landed_events": Within(_duplicate_days, _duplicate_days)}, "facts", has_parts=True, chunk_rows=12_000_000),
    Spec("staff", "whole", {"landed_customers": Everything()}, "facts"),
    Spec("excluded_events", "day", {"landed_events": Within(), "duplicate_events": Within(), "staff": Everything()}, "facts", has_parts=True, chunk_rows=4_000_000),
    Spec("events", "day", {"landed_events": Within(), "duplicate_events": Within(), "excluded_events": Within()}, "facts", has_parts=True),
    Spec("links", "day", {"events": Within(), "excluded_events": Within()}, "facts", also_driven_by=("excluded_events",), chunk_rows=2_000_000),
    Spec("stitches", "day", {"events": Within(), "links": Within(_link_days, _link_days)}, "facts", chunk_rows=4_000_000),
    Spec("excluded_days", "day", {"excluded_events": Within(), "stitches": Within()}, "spines", also_driven_by=("stitches",), chunk_rows=2_000_000),
    Spec("excluded_daily", "whole", {"excluded_days": Everything()}, "ledgers"),
    Spec("identity_months", "month", {"links": Within(), "stitches": Within()}, "spines", also_driven_by=("stitches",), looks_ahead=0),
    Spec("identities", "whole", {"identity_months": Everything()}, "activity"),
    Spec("known_users", "month", {"events": Within(), "known_users": UpTo(-1)}, "spines"),
    Spec("user_days", "day", {"events": Within(), "stitches": Within()}, "spines"),
    Spec("ad_days", "day", {"events": Within(), "stitches": Within()}, "spines"),
    Spec("mail_days", "day", {"events": Within(), "stitches": Within()}, "spines"),
    Spec("mail_starts", "month", {"mail_days": Within()}, "spines"),
    Spec("goal_days", "day", {"events": Within(), "stitches": Within()}, "spines"),
    Spec("exchange_rates", "day", {"landed_exchange_rates": Within()}, "facts"),
    Spec("customers", "whole", {"landed_customers": Everything(), "staff": Everything()}, "facts"),
    Spec("duplicate_orders", "day", {"landed_orders": Everything()}, "facts", chunk_rows=_IN_ONE_GO),
    Spec("orders", "day", {"landed_orders": Within(), "duplicate_orders": Within(), "exchange_rates": Within(RATE_DAYS), "staff": Everything()}, "facts"),
    Spec("campaign_costs", "day", {"landed_campaign_costs": Within(), "exchange_rates": Within(RATE_DAYS)}, "facts"),
    Spec("campaigns_daily", "whole", {"ad_days": Everything(), "campaign_costs": Everything(), "orders": Everything()}, "campaigns"),
    Spec("subscriptions", "whole", {"landed_subscriptions": Everything(), "exchange_rates": Everything(), "staff": Everything()}, "facts"),
    Spec("plan_months", "month", {"subscriptions": Everything(), "customers": Everything()}, "spines", is_dense=True, starts_with="landed_subscriptions", chunk_rows=_IN_ONE_GO),
    Spec("user_months", "month", {"user_days": Within(), "plan_months": Within()}, "spines"),
    Spec("users", "month", {"user_months": Within(), "users": UpTo(-1)}, "spines"),
    Spec("segments", "month", {"users": Within()}, "spines"),
    Spec("customer_months", "month", {"subscriptions": Everything(), "customers": Everything()}, "revenue", is_dense=True, starts_with="landed_subscriptions", chunk_rows=_IN_ONE_GO),
    Spec("mrr_movements_monthly", "whole", {"customer_months": Everything()}, "revenue"),
    Spec("churn_monthly", "whole", {"customer_months": Everything()}, "revenue"),
    Spec("churn_by_inactivity_monthly", "whole", {"orders": Everything()}, "revenue"),
    Spec("revenue_cohorts", "whole", {"customer_months": Everything()}, "revenue"),
    Spec("clv_models", "whole", {"orders": Everything(), "customer_months": Everything()}, "lifetime_value"),
    Spec("customer_lifetime_value", "whole", {"orders": Everything(), "customer_months": Everything(), "clv_models": Everything()}, "lifetime_value"),
    Spec("clv_monthly", "whole", {"orders": Everything(), "customer_months": Everything(), "churn_monthly": Everything(), "campaign_costs": Everything(), "customers": Everything(), "customer_lifetime_value": Everything()}, "lifetime_value"),
    Spec("survey_responses", "whole", {"landed_surveys": Everything(), "customers": Everything(), "staff": Everything()}, "facts"),
    Spec("tickets", "whole", {"landed_tickets": Everything(), "staff": Everything()}, "facts"),
    Spec("post_snapshots", "day", {"landed_social_posts": Within()}, "facts"),
    Spec("account_snapshots", "day", {"landed_social_accounts": Within()}, "facts"),
    Spec("ingest_ledger", "whole", {name: Everything() for name in LEDGER_READS}, "ledgers"),
    Spec("survey_scores", "whole", {"survey_responses": Everything(), "customers": Everything(), "plan_months": Everything()}, "surveys"),
    Spec("feedback_monthly", "whole", {"survey_responses": Everything()}, "surveys"),
    Spec("social_engagement_daily", "whole", {"post_snapshots": Everything(), "account_snapshots": Everything()}, "social"),
    Spec("social_posts", "whole", {"post_snapshots": Everything(), "account_snapshots": Everything()}, "social"),
    Spec("support_tickets", "whole", {"tickets": Everything()}, "support"),
    Spec("definition_days", "day", {"events": Within(), "stitches": Within()}, "spines", needs="retentions"),
    Spec("definition_months", "month", {"definition_days": Within()}, "spines", needs="retentions"),
    Spec("definition_users", "month", {"definition_months": Within(), "definition_users": UpTo(-1)}, "spines", needs="retentions"),
    Spec("funnel_events", "day", {"events": Within(), "stitches": Within()}, "spines", needs="funnels"),
    Spec("funnel_entries", "day", {"funnel_events": Within(0, _funnel_days)}, "spines", needs="funnels", chunk_rows=2_000_000),
    Spec("funnel_daily", "month", {"funnel_entries": Within(), "funnel_daily": Within(1, -1)}, "product", is_dense=True, needs="funnels", looks_ahead=_funnel_days),
    Spec("feature_days", "day", {"events": Within(), "stitches": Within()}, "spines"),
    Spec("feature_segments", "month", {"feature_days": Within(), "plan_months": Within(), "feature_segments": UpTo(-1)}, "spines"),
    Spec("session_days", "day", {"events": Within(0, _session_days), "stitches": Within(0, _session_days), "session_days": Within(_session_days, -1)}, "spines", chunk_rows=1_500_000, in_memory=True),
    Spec("email_campaigns", "whole", {"mail_days": Everything(), "session_days": Everything(), "goal_days": Everything(), "orders": Everything(), "customers": Everything()}, "campaigns"),
    Spec("email_habit", "month", {"mail_days": Within(2, 1), "mail_starts": UpTo(1)}, "campaigns", is_dense=True),
    Spec("visitors", "month", {"session_days": Within(), "plan_months": Within(), "visitors": UpTo(-1)}, "spines"),
    Spec("visitor_segments", "month", {"visitors": Within()}, "spines"),
    Spec("sessions", "month", {"session_days": Within(), "visitors": Within()}, "sessions"),
    Spec("sessions_daily", "month", {"session_days": Within(), "plan_months": Within(), "visitors": Within(), "visitor_segments": UpTo()}, "sessions", is_dense=True),
    Spec("pages_daily", "day", {"session_days": Within(), "events": Within(0, _session_days), "stitches": Within(0, _session_days)}, "sessions", in_memory=True),
    Spec("interaction_days", "day", {"events": Within(), "stitches": Within()}, "spines", needs="interactions"),
    Spec("interactivity_daily", "month", {"interaction_days": UpTo(), "sessions_daily": Within()}, "sessions", is_dense=True),
    Spec("sessions_periodic", "month", {"session_days": Within(0, 1), "plan_months": Within(0, 1), "visitors": Within(0, 1), "visitor_segments": UpTo(1)}, "sessions", is_dense=True),
    Spec("touches", "day", {"session_days": Within()}, "spines", chunk_rows=2_000_000),
    Spec("traffic_sources_daily", "day", {"session_days": Within(), "touches": Within(_attribution_days)}, "sessions", chunk_rows=1_000_000),
    Spec("session_goals", "day", {"session_days": Within(), "events": Within(0, _session_days), "stitches": Within(0, _session_days)}, "spines", needs="goals", in_memory=True),
    Spec("conversions_daily", "month", {"sessions_daily": Within(), "session_goals": Within(), "plan_months": Within()}, "sessions"),
    Spec("conversions_periodic", "month", {"sessions_periodic": Within(), "session_goals": Within(0, 1), "plan_months": Within(0, 1)}, "sessions"),
    Spec("active_users_daily", "month", {"user_months": Within(_window_months), "users": Within(), "segments": UpTo(), "plan_months": Within()}, "activity", is_dense=True, chunk_rows=_BY_DIMENSION),
    Spec("active_users_periodic", "month", {"user_months": Within(0, 1), "segments": UpTo(1)}, "activity", is_dense=True, chunk_rows=_BY_DIMENSION),
    Spec("active_days_histogram", "month", {"user_months": Within(0, 1)}, "activity", is_dense=True),
    Spec("lifecycle", "month", {"user_months": Within(1, 1), "users": Within(0, 1), "segments": UpTo(1)}, "activity", is_dense=True, chunk_rows=_BY_DIMENSION),
    Spec("engagement_frequency", "month", {"sessions_periodic": Within(), "lifecycle": UpTo(), "user_days": Within(0, 1)}, "activity", is_dense=True),
    Spec("feature_usage", "month", {"feature_days": Within(0, 1), "feature_segments": UpTo(1), "lifecycle": Within(), "plan_months": Within(0, 1)}, "product", is_dense=True),
    Spec("first_week_engagement", "month", {"user_months": Within(0, 1), "users": Within(), "segments": UpTo()}, "activity", is_dense=True),
    Spec("cohort_sizes", "month", {"users": Within(0, 1), "definition_users": Within(0, 1), "definition_months": Within(0, 1)}, "retention", is_dense=True),
    Spec("cohort_returns", "month", {"users": Within(_retention_months), "user_months": Within(0, 1), "definition_users": Within(_retention_months), "definition_months": Within(_retention_months, 1)}, "retention", is_dense=True, chunk_rows=_BY_DIMENSION),
    Spec("cohort_last_returns", "month", {"users": Within(_retention_months), "user_months": Within(_retention_months), "definition_users": Within(_retention_months), "definition_months": Within(_retention_months)}, "retention", is_dense=True),
    Spec("cohort_retention", "whole", {"cohort_sizes": Everything(), "cohort_returns": Everything(), "cohort_last_returns": Everything()}, "retention"),
    Spec("churn_models", "whole", {"customers": Everything(), "subscriptions": Everything(), "orders": Everything(), "tickets": Everything(), "user_months": Everything()}, "profiles"),
    Spec("customer_profiles", "whole", {"known_users": Everything(), "customers": Everything(), "subscriptions": Everything(), "orders": Everything(), "tickets": Everything(), "survey_responses": Everything(), "user_months": Everything(), "mail_days": Everything(), "customer_lifetime_value": Everything(), "churn_models": Everything()}, "profiles"),
    Spec("metric_alerts", "whole", {"active_users_daily": Everything(), "sessions_daily": Everything(), "conversions_daily": Everything(), "support_tickets": Everything(), "ingest_ledger": Everything()}, "scorecard"),
    Spec("kpi_scorecard", "whole", {name: Everything() for name in SCORECARD_READS}, "scorecard"),
)
# fmt: on
BY_NAME = {spec.name: spec for spec in TABLES}
PUBLISHED = tuple(spec for spec in TABLES if spec.promise.published)


def _filings() -> dict[str, Filing]:
    filings = {}
    for source in SOURCES.values():
        tables = SourceTables(source.name)
        filings[tables.landed] = landed(tables.landed, source.landed)
        filings[tables.quarantine] = plain(tables.quarantine, Quarantine, "day")
        filings[tables.receipts] = plain(tables.receipts, Receipts, "day")
    for spec in TABLES:
        if spec.has_parts:
            filings[spec.name] = in_parts(spec.name, spec.model)
        else:
            filings[spec.name] = plain(spec.name, spec.model, spec.by)
    return filings


FILINGS = _filings()


def upstream_of(spec: Spec) -> list[Spec]:
    """Every table that ``spec`` is made from, in the order of the registry."""
    names: set[str] = set()
    waiting = [name for name in spec.reads if name != spec.name]
    while waiting:
        name = waiting.pop()
        if name in BY_NAME and name not in names:
            names.add(name)
            waiting += [each for each in BY_NAME[name].reads if each != name]
    return [each for each in TABLES if each.name in names]


def sources_of(spec: Spec) -> list[str]:
    """The sources that a table is made from in the end."""
    read = {name for each in (*upstream_of(spec), spec) for name in each.reads}
    return [source for source in SOURCES if read & set(SourceTables(source).names)]
