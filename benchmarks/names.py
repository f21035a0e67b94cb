"""What all contenders agree on. Imports nothing: those in another environment lack our packages."""

# Breakdowns of all tables; sessions know no channel of their own but by rules that only we have.
DIMENSIONS = ("platform", "country", "channel")
SESSION_DIMENSIONS = ("platform", "country")
INACTIVE = ("email_sent", "email_delivered", "email_bounced", "email_opened", "ad_impression")
RETENTION_PERIODS = {"day": 90, "week": 52, "month": 36}
WAU_DAYS, MAU_DAYS = 7, 28
SESSION_GAP_MINUTES = 30
SESSION_MAX_HOURS = 24

OUTPUTS: dict[str, tuple[str, ...]] = {
    "user_days": ("event_date", "user_id", "active_events"),
    "active_users_daily": ("date", "dimension", "segment", "dau", "wau", "mau", "new_users"),
    "cohort_retention": (
        "grain",
        "cohort_start",
        "period_index",
        "dimension",
        "segment",
        "cohort_users",
        "active_users",
        "rolling_users",
    ),
    "sessions": (
        "date",
        "user_id",
        "started_ts",
        "ended_ts",
        "events",
        "page_views",
        "entry_page",
        "exit_page",
        "platform",
        "country",
    ),
    "sessions_daily": (
        "date",
        "dimension",
        "segment",
        "sessions",
        "visitors",
        "new_visitors",
        "page_views",
        "bounced_sessions",
        "median_session_seconds",
    ),
    "feature_usage": (
        "grain",
        "period_start",
        "feature",
        "dimension",
        "segment",
        "events",
        "feature_users",
        "active_users",
    ),
}
