"""A night costs what the night brings, however long the history: counted, by no clock.

Two homes whose days are all alike, of 110 days and of 414, take in the same last day. What is
counted must be the same, but for tables that are known to read or to be rebuilt whole; these are
named here one by one, so that another one is a decision and not a slip. Where a table learns to
read less, its line goes.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, NamedTuple

import pytest
from homes import scratch
from night_counts import CHECKS, LANDING, PUBLICATION, Counts, counted_run
from night_homes import add_late_row, add_night, steady_home

from pipelines import registry

SHORT, LONG = date(2024, 12, 1), date(2024, 2, 1)
# In months of 31 days, 66 and 372 days before the night; nothing else differs.
LATE_IN_SHORT, LATE_IN_LONG = date(2025, 1, 14), date(2024, 3, 14)

# Tables, and those of their inputs that they read from the first day on.
READ_WHOLE: Mapping[str, set[str]] = {
    "campaigns_daily": {"ad_days", "campaign_costs", "orders"},
    "churn_by_inactivity_monthly": {"orders"},
    "churn_models": {"customers", "orders", "subscriptions", "tickets", "user_months"},
    "clv_models": {"orders"},
    "clv_monthly": {"campaign_costs", "customers", "orders"},
    "customer_lifetime_value": {"orders"},
    "customer_months": {"customers", "subscriptions"},
    "customer_profiles": {
        "customers",
        "mail_days",
        "orders",
        "subscriptions",
        "survey_responses",
        "tickets",
        "user_months",
    },
    "customers": {"landed_customers"},
    "duplicate_orders": {"landed_orders"},
    "email_campaigns": {"customers", "goal_days", "mail_days", "orders", "session_days"},
    "email_habit": {"mail_starts"},
    "engagement_frequency": {"lifecycle"},
    "excluded_daily": {"excluded_days"},
    "feedback_monthly": {"survey_responses"},
    "identities": {"identity_months"},
    "ingest_ledger": {
        "account_snapshots",
        "campaign_costs",
        "customers",
        "duplicate_events",
        "duplicate_orders",
        "exchange_rates",
        "excluded_events",
        "orders",
        "post_snapshots",
        "subscriptions",
        "survey_responses",
        "tickets",
        *(f"receipts_{source}" for source in registry.SOURCES),
    },
    "interactivity_daily": {"interaction_days"},
    "kpi_scorecard": {
        "active_users_daily",
        "active_users_periodic",
        "campaigns_daily",
        "churn_by_inactivity_monthly",
        "clv_monthly",
        "conversions_periodic",
        "feature_usage",
        "pages_daily",
        "sessions_periodic",
        "social_engagement_daily",
        "support_tickets",
        "survey_scores",
    },
    "metric_alerts": {
        "active_users_daily",
        "conversions_daily",
        "ingest_ledger",
        "sessions_daily",
        "support_tickets",
    },
    "plan_months": {"customers", "subscriptions"},
    "social_engagement_daily": {"account_snapshots", "post_snapshots"},
    "social_posts": {"account_snapshots", "post_snapshots"},
    "staff": {"landed_customers"},
    "subscriptions": {"exchange_rates", "landed_subscriptions"},
    "support_tickets": {"tickets"},
    "survey_responses": {"customers", "landed_surveys"},
    "survey_scores": {"customers", "survey_responses"},
    "tickets": {"landed_tickets"},
    # Looks for columns that no earlier landing date had.
    LANDING: {f"receipts_{source}" for source in registry.SOURCES},
}
# Tables of one slice: it is filed anew as a whole.
FILED_WHOLE = {
    "campaigns_daily",
    "churn_by_inactivity_monthly",
    "clv_monthly",
    "customers",
    "duplicate_orders",
    "excluded_daily",
    "ingest_ledger",
    "kpi_scorecard",
    "social_engagement_daily",
    "social_posts",
    "subscriptions",
    "support_tickets",
    "survey_responses",
    "survey_scores",
    "tickets",
}
# Every order may be a double of any other, so that every day of it is judged again.
REBUILT_WHOLE = {"duplicate_orders"}
# Dictionaries and statistics in a file's footer depend on what stands in it.
SAME_BYTES = 1.03


class Nights(NamedTuple):
    """The counts of both homes: from nothing, of a night, of a late row, of a run after that."""

    history: tuple[Counts, Counts]
    night: tuple[Counts, Counts]
    late: tuple[Counts, Counts]
    nothing: tuple[Counts, Counts]


@pytest.fixture(scope="module")
def nights() -> Iterator[Nights]:
    with scratch() as folder:
        runs = []
        for first, late in ((SHORT, LATE_IN_SHORT), (LONG, LATE_IN_LONG)):
            home = steady_home(folder / str(first), first)
            history = counted_run(home)
            add_night(home)
            night = counted_run(home)
            add_late_row(home, late)
            runs.append((history, night, counted_run(home), counted_run(home)))
        yield Nights(*zip(*runs, strict=True))


def more(of_both: tuple[Counter[Any], Counter[Any]], factor: float = 1) -> dict[Any, Any]:
    """What is more after the longer history."""
    short, long = of_both
    return {key: (short[key], long[key]) for key in long if long[key] > short[key] * factor}


def unexpected(pairs: Mapping[tuple[str, str], Any]) -> dict[tuple[str, str], Any]:
    """Of tables and inputs those that may not grow; publication and checks read whole tables."""
    judged = (CHECKS, PUBLICATION)
    return {
        (table, name): counts
        for (table, name), counts in pairs.items()
        if table not in judged and name not in READ_WHOLE.get(table, set())
    }


def test_no_table_of_these_homes_reads_an_input_without_rows(nights: Nights):
    # Or nobody would see that it reads too much of it. Its own past a table reads in the night.
    history, night = nights.history[1].rows_read, nights.night[1].rows_read
    pairs = {(spec.name, name) for spec in registry.TABLES for name in spec.reads}
    assert {pair for pair in pairs if not history[pair] + night[pair]} == set()


def test_a_night_reads_no_more_rows_after_a_longer_history(nights: Nights):
    short, long = nights.night
    assert unexpected(more((short.rows_read, long.rows_read))) == {}


def test_a_night_opens_no_more_files_after_a_longer_history(nights: Nights):
    short, long = nights.night
    assert unexpected(more((short.files_read, long.files_read))) == {}


def test_a_night_reads_no_more_bytes_after_a_longer_history(nights: Nights):
    short, long = nights.night
    assert unexpected(more((short.bytes_read, long.bytes_read), SAME_BYTES)) == {}


def test_a_night_rebuilds_the_same_slices_after_a_longer_history(nights: Nights):
    short, long = nights.night
    assert set(more((short.rebuilt, long.rebuilt))) <= REBUILT_WHOLE


def test_a_night_digests_no_more_slices_after_a_longer_history(nights: Nights):
    short, long = nights.night
    assert set(more((short.digested, long.digested))) <= REBUILT_WHOLE


def test_a_night_calls_each_transform_once_whatever_the_history(nights: Nights):
    short, long = nights.night
    assert short.transforms == long.transforms
    assert set(long.transforms.values()) == {1}


def test_a_night_sorts_and_files_no_more_rows_after_a_longer_history(nights: Nights):
    short, long = nights.night
    assert set(more((short.rows_filed, long.rows_filed))) <= FILED_WHOLE


def test_a_night_writes_the_same_files_after_a_longer_history(nights: Nights):
    short, long = nights.night
    assert short.files_written == long.files_written
    grown = more((short.bytes_written, long.bytes_written), SAME_BYTES)
    assert set(grown) <= FILED_WHOLE
    assert short.published == long.published


def test_a_night_reads_its_own_raw_files_and_no_others(nights: Nights):
    short, long = nights.night
    # One file of each source.
    sources = len(registry.SOURCES)
    assert (short.raw_files_read, long.raw_files_read) == (sources, sources)


def test_a_night_changes_the_same_rows_of_the_manifest(nights: Nights):
    short, long = nights.night
    whole = sum(long.rebuilt[name] - short.rebuilt[name] for name in REBUILT_WHOLE)
    assert long.manifest_rows - short.manifest_rows <= whole


def test_a_row_of_any_age_rebuilds_the_same_slices(nights: Nights):
    after_66_days, after_372_days = nights.late
    assert after_66_days.rebuilt == after_372_days.rebuilt
    assert after_66_days.transforms == after_372_days.transforms
    assert after_66_days.files_written == after_372_days.files_written


def test_a_late_row_of_a_known_person_costs_its_day_and_month(nights: Nights):
    _, long = nights.late
    expected = {"events": 1, "user_days": 1, "user_months": 1, "sessions": 1, "sessions_daily": 1}
    assert {name: long.rebuilt[name] for name in expected} == expected
    assert long.raw_files_read == 2
    # The day was one of activity before: nobody's actives and no cohort change.
    assert not {"users", "active_users_daily", "cohort_retention"} & set(long.rebuilt)


def test_a_run_with_nothing_to_do_does_nothing(nights: Nights):
    for counts in nights.nothing:
        assert not counts.rebuilt
        assert not counts.digested
        assert not counts.slices_loaded
        assert not counts.transforms
        assert not counts.rows_filed
        assert not counts.files_written
        assert counts.raw_files_read == 0
        assert counts.manifest_rows == 0
        assert not counts.published
        assert not counts.rows_read
