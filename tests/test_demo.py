"""The sample, run as a new user would: the published numbers are the planted truths."""

import json
from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from homes import run_home, scratch, table

from pipelines.commands.sample import fill_new_home
from pipelines.registry import PUBLISHED
from pipelines.sample import ALL_SOURCES


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    with scratch() as folder:
        fill_new_home(folder / "home", days=90, users=2_000, seed=7)
        run_home(folder / "home")
        yield folder / "home"


@pytest.fixture(scope="module")
def truths(home: Path) -> dict[str, Any]:
    return json.loads((home / "sample_truths.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def sources(truths: dict[str, Any]) -> dict[str, Any]:
    return truths["sources"]


def by(key: str, rows: Iterable[dict[str, Any]], *names: str) -> dict[Any, tuple[Any, ...]]:
    """The named values by the key; dates as text, as the truths have them."""
    return {str(row[key]): tuple(row[name] for name in names) for row in rows}


def months(home: Path, name: str, **where: str) -> list[dict[str, Any]]:
    return table(home, name).filter(**where).to_dicts()


def test_every_row_is_accounted_for_as_planted(home: Path, truths: dict[str, Any]):
    ledger = table(home, "ingest_ledger").filter(source="events")
    totals = ledger.select(pl.selectors.integer().sum()).row(0, named=True)
    planted = truths["rows"]
    for name in (
        "read_rows",
        "quarantined_rows",
        "duplicate_rows",
        "accepted_rows",
        "late_1d_rows",
        "late_7d_rows",
        "late_30d_rows",
        "future_rows",
    ):
        assert totals[name] == planted[name], name
    assert totals["accepted_rows"] - totals["excluded_rows"] == planted["events"]


def test_every_row_of_the_other_sources_is_accounted_for_as_planted(
    home: Path, sources: dict[str, Any]
):
    ledger = table(home, "ingest_ledger").filter(pl.col("source") != "events")
    totals = ledger.group_by("source").agg(pl.selectors.integer().sum()).to_dicts()
    names = ("read_rows", "accepted_rows", "duplicate_rows", "awaiting_rate_rows")
    found = by("source", totals, *names, "quarantined_rows")
    assert found.keys() == set(ALL_SOURCES) - {"events"}
    for source, counts in found.items():
        planted = sources[source]["rows"]
        quarantined = planted["refused_rows"] + planted["awaiting_rate_rows"]
        assert counts == (*(planted[name] for name in names), quarantined), source


def test_daily_actives_and_newcomers_are_as_planted(home: Path, truths: dict[str, Any]):
    daily = table(home, "active_users_daily")
    everybody = daily.filter(dimension="all").sort("date")
    planted = truths["active_users_daily"]
    assert everybody.select("date", "dau", "new_users").rows() == [
        (date.fromisoformat(day["date"]), day["dau"], day["new_users"]) for day in planted
    ]
    platforms = daily.filter(pl.col("dimension") == "platform", pl.col("dau") > 0)
    assert set(platforms.select("date", "segment", "dau").rows()) == {
        (date.fromisoformat(day["date"]), platform, people)
        for day in planted
        for platform, people in day["dau_by_platform"].items()
        if people
    }


def test_sessions_and_page_views_are_as_planted(home: Path, truths: dict[str, Any]):
    daily = table(home, "sessions_daily").filter(dimension="all").to_dicts()
    planted = truths["active_users_daily"]
    assert by("date", daily, "sessions", "visitors", "new_visitors", "page_views") == by(
        "date", planted, "sessions", "dau", "new_users", "page_views"
    )


def test_engagement_of_every_month_is_as_planted(home: Path, truths: dict[str, Any]):
    planted: dict[str, list[int]] = {}
    for day in truths["active_users_daily"]:
        sums = planted.setdefault(f"{day['date'][:7]}-01", [0, 0])
        sums[0] += day["active_events"]
        sums[1] += day["sessions"]
    found = by(
        "period_start", months(home, "engagement_frequency", grain="month"), "events", "sessions"
    )
    assert found == {month: tuple(sums) for month, sums in planted.items()}


def test_cohorts_and_their_return_are_as_planted(home: Path, truths: dict[str, Any]):
    retention = table(home, "cohort_retention").filter(
        definition="activity", grain="day", dimension="all"
    )
    cells = {
        (row["cohort_start"].isoformat(), row["period_index"]): row["active_users"]
        for row in retention.iter_rows(named=True)
    }
    assert truths["cohorts_daily"]
    for cohort in truths["cohorts_daily"]:
        start = cohort["first_date"]
        assert cells.get((start, 0), 0) == cohort["cohort_users"], start
        for index in (1, 7, 30):
            planted = cohort[f"day_{index}"]
            if planted is not None and cohort["cohort_users"]:
                assert cells[start, index] == planted, (start, index)


def test_months_are_as_planted(home: Path, truths: dict[str, Any]):
    found = months(home, "active_users_periodic", grain="month", dimension="all")
    assert by("period_start", found, "active_users") == by(
        "month", truths["active_users_monthly"], "active_users"
    )


def test_paying_customers_of_every_day_are_as_planted(home: Path, sources: dict[str, Any]):
    daily = table(home, "active_users_daily").filter(dimension="all").to_dicts()
    planted = sources["subscriptions"]["paying_daily"]
    assert by("date", daily, "paying_users") == by("date", planted, "customers")


def test_paying_customers_come_and_go_as_planted(home: Path, sources: dict[str, Any]):
    names = (
        "customers_start",
        "new_customers",
        "reactivated_customers",
        "lost_customers",
        "customers_end",
    )
    found = by("month", months(home, "churn_monthly", dimension="all"), *names)
    planted = by("month", sources["subscriptions"]["monthly"], *names)
    assert len(found) >= 18
    assert found == {month: planted[month] for month in found}
    assert not any(any(planted[month]) for month in planted.keys() - found.keys())
    assert all(any(month[at] for month in planted.values()) for at in range(len(names)))


def test_recurring_revenue_moves_as_planted_to_the_last_decimal(
    home: Path, sources: dict[str, Any]
):
    movements = ("new", "expansion", "contraction", "churn", "reactivation")
    names = ["opening_mrr_amount", *(f"{each}_mrr_amount" for each in movements)]
    names.append("closing_mrr_amount")
    planted = [
        {
            **{f"{each}_mrr_amount": Decimal(month[f"{each}_amount"]) for each in movements},
            **{name: Decimal(month[name]) for name in (names[0], names[-1])},
            "month": month["month"],
        }
        for month in sources["subscriptions"]["monthly"]
    ]
    found = by("month", months(home, "mrr_movements_monthly", dimension="all"), *names)
    expected = by("month", planted, *names)
    assert found == {month: expected[month] for month in found}
    assert all(any(month[at] for month in expected.values()) for at in range(len(names)))


def test_recent_buyers_are_as_planted(home: Path, sources: dict[str, Any]):
    found = by("month", months(home, "churn_by_inactivity_monthly"), "customers_end")
    planted = by("month", sources["orders"]["customers_by_inactivity"], "customers")
    assert len(found) >= 18
    assert found == {month: planted[month] for month in found}


def test_orders_and_netted_revenue_are_as_planted(home: Path, sources: dict[str, Any]):
    values = table(home, "customer_lifetime_value").filter(model="bg_nbd")
    planted = sources["orders"]["total"]
    assert values["orders"].sum() == planted["orders"]
    assert values["revenue_amount"].sum() == Decimal(planted["revenue_amount"])
    assert values.filter(pl.col("orders") > 0).height == planted["buyers"]


def test_orders_and_costs_of_every_month_are_as_planted(home: Path, sources: dict[str, Any]):
    rows = months(home, "clv_monthly", model="bg_nbd", dimension="all")
    found = by("month", rows, "orders", "revenue_amount", "customers")
    orders = by("month", sources["orders"]["monthly"], "orders", "revenue_amount")
    buyers = by("month", sources["orders"]["customers_by_inactivity"], "customers")
    assert len(found) >= 18
    assert found == {
        month: (count, Decimal(revenue), *buyers[month])
        for month, (count, revenue) in orders.items()
    }
    costs = by("month", sources["campaign_costs"]["monthly"], "cost_amount")
    assert by("month", rows, "cost_amount") == {
        month: (Decimal(costs[month][0]),) for month in found
    }


def test_revenue_cohorts_begin_as_planted(home: Path, sources: dict[str, Any]):
    cohorts = table(home, "revenue_cohorts").filter(period_index=0).to_dicts()
    planted = by("month", sources["subscriptions"]["monthly"], "new_customers", "new_amount")
    assert by("cohort_month", cohorts, "cohort_customers", "cohort_mrr_amount") == {
        month: (customers, Decimal(amount))
        for month, (customers, amount) in planted.items()
        if customers
    }


def test_answers_to_surveys_are_as_planted(home: Path, sources: dict[str, Any]):
    scores = table(home, "survey_scores").filter(grain="month", dimension="all")
    found = {
        (row["survey"], str(row["period_start"])): row
        for row in scores.filter(pl.col("responses") > 0).to_dicts()
    }
    planted = {
        (row["survey"], row["month"]): row
        for row in sources["surveys"]["monthly"]
        if row["kind"] != "review"
    }
    assert found.keys() == planted.keys()
    for key, row in planted.items():
        for name in {"responses", "promoters", "passives", "detractors", "satisfied"} & set(row):
            assert found[key][name] == row[name], (key, name)
        if row["kind"] == "ces":
            assert found[key]["score"] == pytest.approx(row["score_sum"] / row["responses"])
    assert scores["superseded"].sum() == sources["surveys"]["superseded"]
    asked = dict(scores.group_by("survey").agg(pl.col("asked").sum()).rows())
    planted_asked = sources["surveys"]["asked"]
    assert len(planted_asked) == 3
    assert {survey: asked[survey] for survey in planted_asked} == planted_asked


def test_tickets_are_as_planted(home: Path, sources: dict[str, Any]):
    names = (
        "opened",
        "still_open",
        "resolved",
        "reopened",
        "replied",
        "resolution_seconds",
        "first_reply_seconds",
    )
    rows = months(home, "support_tickets", grain="month", channel="all", tier="all")
    found = by("period_start", rows, *names)
    planted = by("month", sources["tickets"]["monthly"], *names)
    assert len(found) >= 18
    assert found == {month: planted[month] for month in found}


def test_social_engagements_are_as_planted(home: Path, sources: dict[str, Any]):
    daily = table(home, "social_engagement_daily")
    account = ["platform", "account"]
    names = ("likes", "comments", "shares", "saves", "mentions", "clicks", "engagements")
    totals = daily.group_by(account).agg(
        pl.col(names).sum(),
        pl.when(pl.col("impressions").count() > 0).then(pl.col("impressions").sum()),
        pl.col("followers").sort_by("date").last(),
    )
    planted = sources["social_posts"]["accounts"]
    assert by("account", totals.to_dicts(), *names, "impressions") == by(
        "account", planted, *names, "impressions"
    )
    posts = table(home, "social_posts").group_by("account").len("posts").to_dicts()
    assert by("account", posts, "posts") == by("account", planted, "posts")
    followers = sources["social_accounts"]["followers_at_end"]
    assert by("account", totals.to_dicts(), "followers") == by("account", followers, "followers")


def test_visits_come_from_where_they_were_planted(home: Path, truths: dict[str, Any]):
    """Half of them say their channel; of the others referrer and utm parameters tell it."""
    counts = table(home, "sessions").group_by(
        pl.col("date").dt.month_start().cast(pl.String), "channel"
    )
    found = counts.agg(pl.len(), pl.col("user_id").n_unique()).rows()
    planted = truths["sessions_by_channel"]
    assert set(found) == {
        (row["month"], row["name"], row["times"], row["people"]) for row in planted
    }


def test_features_are_used_and_goals_reached_as_planted(home: Path, truths: dict[str, Any]):
    for name, key, people, times in (
        ("feature_usage", "feature", "feature_users", "events"),
        ("conversions_periodic", "goal", "converting_users", "conversions"),
    ):
        rows = months(home, name, grain="month", dimension="all")
        found = {(str(row["period_start"]), row[key]): (row[times], row[people]) for row in rows}
        planted = {
            (row["month"], row["name"]): (row["times"], row["people"])
            for row in truths[f"{key}s_monthly"]
        }
        assert planted.keys() <= found.keys()
        assert {each: found[each] for each in planted} == planted
    launched = table(home, "feature_usage").filter(feature="automation")["first_seen_date"].unique()
    assert launched.to_list() == [date(2025, 2, 15)]


def test_mails_are_sent_opened_and_clicked_as_planted(home: Path, truths: dict[str, Any]):
    planted = truths["email_campaigns"]
    names = [name for name in planted[0] if name != "campaign"]
    found = table(home, "email_campaigns").to_dicts()
    assert by("campaign", found, *names) == by("campaign", planted, *names)


def test_campaigns_win_the_customers_that_were_planted(home: Path, sources: dict[str, Any]):
    rows = table(home, "campaigns_daily").group_by("channel", "campaign")
    found = rows.agg(pl.col("new_customers").sum()).filter(pl.col("new_customers") > 0)
    assert set(found.rows()) == {
        (row["channel"], row["campaign"] or "(none)", row["customers"])
        for row in sources["orders"]["new_customers"]
    }


def test_reviews_are_as_planted(home: Path, sources: dict[str, Any]):
    rows = table(home, "feedback_monthly").group_by("month")
    found = rows.agg(pl.col("rated", "negative").sum()).filter(pl.col("rated") > 0).to_dicts()
    planted = [row for row in sources["surveys"]["monthly"] if row["kind"] == "review"]
    assert by("month", found, "rated", "negative") == by("month", planted, "responses", "negative")


def test_the_scorecard_says_what_was_planted(home: Path, truths: dict[str, Any]):
    scores = table(home, "kpi_scorecard")
    actives = scores.filter(metric="active_users", dimension="all").to_dicts()
    planted = by("month", truths["active_users_monthly"], "active_users")
    assert by("month", actives, "value") == planted
    first = table(home, "active_users_daily")["date"].min()
    assert isinstance(first, date)
    assert [row["month"] for row in actives if not row["is_comparable"]] == [
        row["month"] for row in actives if row["month"] < first or not row["is_complete"]
    ]
    features = scores.filter(metric="feature_adoption").to_dicts()
    assert {(str(row["month"]), row["segment"]): row["value"] for row in features} == {
        (row["month"], row["name"]): row["people"] / planted[row["month"]][0]
        for row in truths["features_monthly"]
    }
    assert set(scores.filter(dimension="goal")["segment"]) == {"signup", "purchase", "contact"}
    assert scores.filter(pl.col("verdict").is_not_null())["metric"].n_unique() >= 15


def test_no_table_of_the_demo_is_empty(home: Path):
    assert [spec.name for spec in PUBLISHED if table(home, spec.name).is_empty()] == []


def test_machines_staff_and_tests_are_left_out_as_planted(home: Path, truths: dict[str, Any]):
    found = (
        table(home, "excluded_daily").filter(pl.col("events") > 0).select("date", "rule", "events")
    )
    planted = {
        (date.fromisoformat(row["date"]), row["rule"], row["events"])
        for row in truths["excluded_daily"]
    }
    assert set(found.rows()) == planted
    assert {rule for _, rule, _ in planted} == {"flag", "user_agent", "staff", "staging"}
    assert sum(events for *_, events in planted) == truths["rows"]["left_out_rows"]
    customers = table(home, "customer_profiles")["customer_id"]
    assert not customers.str.starts_with("staff").any()
