"""The sources beside the events: what is told of them is what their files hold, counted plainly."""

import hashlib
import json
import os
import subprocess
import sys
from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from test_sample import read

from pipelines.sample import ALL_SOURCES, write_sample
from pipelines.sample.sources import OTHERS

DAYS, USERS = 45, 400
SMALL = {"days": 5, "users": 30}
IDENTITIES = {
    "campaign_costs": ("cost_day", "channel", "campaign"),
    "customers": ("customer_id",),
    "exchange_rates": ("day", "currency"),
    "orders": ("order_id", "line_id", "kind"),
    "social_accounts": ("platform", "account", "snapshot_day"),
    "social_posts": ("platform", "account", "post_id", "snapshot_day"),
    "subscriptions": ("subscription_id", "started_ts", "updated_ts"),
    "surveys": ("response_id", "survey", "kind"),
    "tickets": ("ticket_id",),
}
NEEDED = {
    **IDENTITIES,
    "orders": ("order_id", "customer_id"),
    "subscriptions": ("subscription_id", "customer_id"),
    "tickets": ("ticket_id", "opened_ts"),
}
SCALES = {"nps": (0, 10), "csat": (1, 5), "ces": (1, 7), "review": (1, 5)}
MONTHS_IN = {"month": Fraction(1), "year": Fraction(1, 12), "week": Fraction(52, 12)}

Row = dict[str, Any]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sample")
    make(folder, days=DAYS, users=USERS)
    return folder


@pytest.fixture(scope="module")
def truths(home: Path) -> dict[str, Any]:
    return told(home)["sources"]


@pytest.fixture(scope="module")
def sound(home: Path) -> dict[str, list[Row]]:
    return {
        source: [row for row in landed(home, source) if keeps_contract(source, row)]
        for source in OTHERS
    }


@pytest.fixture(scope="module")
def rates(sound: dict[str, list[Row]]) -> dict[tuple[str, date], Fraction]:
    """What one of the currency is worth on a day, by the latest rate of the last seven days."""
    told_on = {
        (row["currency"], row["day"]): Fraction(row["rate"]) for row in sound["exchange_rates"]
    }
    days = {day + timedelta(days=age) for _, day in told_on for age in range(8)}
    found = {("EUR", day): Fraction(1) for day in days}
    for currency in {currency for currency, _ in told_on}:
        for day in days:
            past = [told_on.get((currency, day - timedelta(days=age))) for age in range(8)]
            latest = next((rate for rate in past if rate), None)
            if latest:
                found[currency, day] = 1 / latest
    return found


def make(folder: Path, **options: Any) -> Any:
    return write_sample(
        folder / "landing", folder / "truths.json", **{"sources": ALL_SOURCES, **options}
    )


def told(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "truths.json").read_text())


def files(folder: Path, *sources: str) -> list[Path]:
    wanted = sources or ALL_SOURCES
    paths = [path for source in wanted for path in (folder / "landing" / source).rglob("*")]
    return sorted(path for path in paths if path.is_file())


def digests(folder: Path, *sources: str) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files(folder, *sources)
    }


def landed(folder: Path, source: str) -> list[Row]:
    """All rows of a source in the order in which they land."""
    return [
        {"landing_date": row.landing_date, **typed(row.fields or {})}
        for path in files(folder, source)
        for row in read(path)
    ]


def typed(fields: Row) -> Row:
    """The same values whatever the format; empty is missing."""
    return {
        name: typed_value(name, value) for name, value in fields.items() if value not in ("", None)
    }


def typed_value(name: str, value: Any) -> Any:
    if name.endswith("_ts"):
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(value)
        return moment.astimezone(UTC)
    if name == "day" or name.endswith("_day"):
        return value if isinstance(value, date) else date.fromisoformat(value)
    if name in ("amount", "cost", "rate"):
        return Decimal(str(value))
    numbers = ("score", "scale_min", "scale_max", "followers", "quantity", "interval_count")
    counters = ("likes", "comments", "shares", "saves", "mentions", "clicks", "impressions")
    return int(float(value)) if name in (*numbers, *counters, "reopened_count") else value


def keeps_contract(source: str, row: Row) -> bool:
    """By the contract of landing, as far as the sample breaks it."""
    if source == "surveys" and "score" in row:
        low, high = SCALES.get(row["kind"], (0, 0))
        if not row.get("scale_min", low) <= row["score"] <= row.get("scale_max", high):
            return False
    happened = row.get("ordered_ts")
    return (
        all(name in row for name in NEEDED[source] if name not in ("line_id", "kind"))
        and len(row.get("currency", "EUR")) == 3
        and row.get("kind", "nps") in (*SCALES, "purchase", "refund")
        and row.get("interval", "month") in MONTHS_IN
        and all(row.get(name, 0) >= 0 for name in ("likes", "followers", "rate"))
        and (source != "subscriptions" or row["amount"] >= 0)
        and not (happened and happened.date() > row["landing_date"] + timedelta(days=1))
    )


def identity(source: str, row: Row) -> tuple[Any, ...]:
    return tuple(row.get(name) for name in IDENTITIES[source])


def money(value: Fraction) -> Decimal:
    """Rounded once, half to even, to four decimals."""
    scaled = round(value * 10_000)
    return (Decimal(scaled) / 10_000).quantize(Decimal("0.0001"), ROUND_HALF_EVEN)


def month(moment: date) -> str:
    return f"{moment:%Y-%m}-01"


def month_ends(last_day: date, first: date) -> dict[str, date]:
    """The last day of each month, or the last day of all."""
    days = [first + timedelta(days=age) for age in range((last_day - first).days + 1)]
    return {month(day): day for day in days}


@pytest.mark.parametrize("source", OTHERS)
def test_every_row_is_accounted_for(
    home: Path, sound: dict[str, list[Row]], truths: dict[str, Any], source: str
) -> None:
    rows = landed(home, source)
    kept = sound[source]
    identities = {identity(source, row) for row in kept}
    accounts = truths[source]["rows"]
    assert accounts["read_rows"] == len(rows)
    assert accounts["refused_rows"] == len(rows) - len(kept)
    assert accounts["refused_rows"] == sum(truths[source]["refused_by_flaw"].values())
    assert accounts["duplicate_rows"] == len(kept) - len(identities)
    assert accounts["accepted_rows"] + accounts["awaiting_rate_rows"] == len(identities)


def test_no_file_has_more_malformed_rows_than_a_night_may_refuse(home: Path) -> None:
    for source in OTHERS:
        by_date: dict[date, list[bool]] = defaultdict(list)
        for row in landed(home, source):
            by_date[row["landing_date"]].append(keeps_contract(source, row))
        for kept in by_date.values():
            assert kept.count(False) <= 0.05 * len(kept)


def test_orders_come_to_the_revenue_that_is_told(
    sound: dict[str, list[Row]], rates: dict[tuple[str, date], Fraction], truths: dict[str, Any]
) -> None:
    lines = {identity("orders", {"kind": "purchase", **row}): row for row in sound["orders"]}
    revenue: dict[str, Decimal] = defaultdict(Decimal)
    orders: dict[str, set[str]] = defaultdict(set)
    waiting = 0
    for (order, _, kind), row in lines.items():
        worth = rates.get((row["currency"], row["ordered_ts"].date()))
        waiting += worth is None
        if worth is not None:
            amount = money(abs(Fraction(row["amount"])) * worth)
            revenue[month(row["ordered_ts"])] += -amount if kind == "refund" else amount
            if kind == "purchase":
                orders[month(row["ordered_ts"])].add(order)
    assert waiting == truths["orders"]["rows"]["awaiting_rate_rows"] > 0
    monthly = truths["orders"]["monthly"]
    assert {row["month"]: Decimal(row["revenue_amount"]) for row in monthly} == revenue
    assert {row["month"]: row["orders"] for row in monthly if row["orders"]} == {
        each: len(found) for each, found in orders.items()
    }


def test_first_orders_bring_the_customers_that_are_told(
    sound: dict[str, list[Row]], rates: dict[tuple[str, date], Fraction], truths: dict[str, Any]
) -> None:
    first: dict[str, Row] = {}
    for row in sorted(sound["orders"], key=lambda row: row["ordered_ts"]):
        if row.get("kind") != "refund" and (row["currency"], row["ordered_ts"].date()) in rates:
            first.setdefault(row["customer_id"], row)
    won = Counter((row["channel"], row.get("campaign")) for row in first.values())
    assert won == {
        (row["channel"], row["campaign"]): row["customers"]
        for row in truths["orders"]["new_customers"]
    }


def test_subscriptions_come_to_the_recurring_revenue_that_is_told(
    home: Path,
    sound: dict[str, list[Row]],
    rates: dict[tuple[str, date], Fraction],
    truths: dict[str, Any],
) -> None:
    """By the last version of each row for its end, and by the version of the time for the rest."""
    versions: dict[tuple[str, datetime], dict[datetime, Row]] = defaultdict(dict)
    starts: dict[str, list[datetime]] = defaultdict(list)
    for row in sound["subscriptions"]:
        versions[row["subscription_id"], row["started_ts"]][row["updated_ts"]] = row
    for name, start in versions:
        starts[name].append(start)

    def mrr(name: str, start: datetime, moment: datetime) -> Decimal:
        states = versions[name, start]
        last = states[max(states)]
        ends = [last[end] for end in ("ended_ts", "cancel_at_ts") if end in last]
        ends += [other for other in starts[name] if other > start]
        known = [updated for updated in states if updated <= moment]
        if not known or not start <= moment or any(end <= moment for end in ends):
            return Decimal(0)
        state = states[max(known)]
        trial_end = state.get("trial_end_ts")
        if state["status"] == "paused" or (trial_end and moment < trial_end):
            return Decimal(0)
        price = Fraction(state["amount"]) * state.get("quantity", 1)
        share = MONTHS_IN[state["interval"]] / state.get("interval_count", 1)
        return money(price * share * rates[state["currency"], start.date()])

    last_day = date.fromisoformat(told(home)["last_day"])
    monthly = {row["month"]: row for row in truths["subscriptions"]["monthly"]}
    for each, day in month_ends(last_day, date(2024, 6, 1)).items():
        moment = datetime(day.year, day.month, day.day, 23, 59, 59, 999_999, tzinfo=UTC)
        sums: dict[str, Decimal] = defaultdict(Decimal)
        for (name, start), states in versions.items():
            customer = next(iter(states.values()))["customer_id"]
            sums[customer] += mrr(name, start, moment)
        assert sum(sums.values()) == Decimal(monthly[each]["closing_mrr_amount"]), each
        assert sum(amount > 0 for amount in sums.values()) == monthly[each]["customers_end"]


def test_every_turn_of_a_subscription_is_there(sound: dict[str, list[Row]]) -> None:
    rows = sound["subscriptions"]
    assert {row["status"] for row in rows} == {
        "trialing",
        "active",
        "past_due",
        "paused",
        "canceled",
    }
    assert {row["currency"] for row in rows} == {"EUR", "USD", "GBP"}
    assert {(row["interval"], row.get("interval_count", 1)) for row in rows} == {
        ("month", 1),
        ("month", 3),
        ("week", 1),
        ("year", 1),
    }
    customers = defaultdict(set)
    for row in rows:
        customers[row["customer_id"]].add(row["subscription_id"])
    assert any(len(names) > 1 for names in customers.values())
    assert any("cancel_at_ts" in row and "ended_ts" not in row for row in rows)


def test_answers_are_counted_as_told(sound: dict[str, list[Row]], truths: dict[str, Any]) -> None:
    responses = {identity("surveys", row): row for row in sound["surveys"]}
    answers: dict[Any, Row] = {}
    for key, row in sorted(responses.items(), key=lambda item: str(item[1].get("answered_ts"))):
        if "score" in row:
            wave = row.get("wave")
            answers[(row["survey"], row["respondent_id"], wave) if wave else key] = row
    counts = Counter((row["survey"], month(row["answered_ts"])) for row in answers.values())
    promoters = Counter(
        month(row["answered_ts"])
        for row in answers.values()
        if row["kind"] == "nps" and row["score"] >= 9
    )
    monthly = truths["surveys"]["monthly"]
    assert {(row["survey"], row["month"]): row["responses"] for row in monthly} == counts
    assert {row["month"]: row["promoters"] for row in monthly if row.get("promoters")} == promoters
    negative = Counter(
        month(row["answered_ts"])
        for row in answers.values()
        if row["kind"] == "review" and row["score"] <= 2
    )
    assert {row["month"]: row["negative"] for row in monthly if row.get("negative")} == negative
    scored = sum("score" in row for row in responses.values())
    assert truths["surveys"]["superseded"] == scored - len(answers) > 0


def test_tickets_are_counted_as_told(sound: dict[str, list[Row]], truths: dict[str, Any]) -> None:
    latest: dict[str, Row] = {}
    for row in sound["tickets"]:
        before = latest.get(row["ticket_id"])
        if before is None or row["updated_ts"] >= before["updated_ts"]:
            latest[row["ticket_id"]] = row
    opened = Counter(month(row["opened_ts"]) for row in latest.values())
    done = {name: row.get("resolved_ts", row.get("closed_ts")) for name, row in latest.items()}
    resolved = Counter(month(moment) for moment in done.values() if moment)
    seconds: dict[str, float] = defaultdict(float)
    for name, moment in done.items():
        if moment:
            seconds[month(moment)] += (moment - latest[name]["opened_ts"]).total_seconds()
    monthly = truths["tickets"]["monthly"]
    assert {row["month"]: row["opened"] for row in monthly if row["opened"]} == opened
    assert {row["month"]: row["resolved"] for row in monthly if row["resolved"]} == resolved
    assert {
        row["month"]: row["resolution_seconds"] for row in monthly if row["resolved"]
    } == seconds
    assert truths["tickets"]["reopened"] == sum(
        row["reopened_count"] > 0 for row in latest.values()
    )
    assert any(moment is None for moment in done.values())


def test_posts_come_to_the_engagements_that_are_told(
    sound: dict[str, list[Row]], truths: dict[str, Any]
) -> None:
    names = ("likes", "comments", "shares", "saves", "mentions", "clicks")
    posts: dict[tuple[str, str], dict[date, Row]] = defaultdict(dict)
    for row in sound["social_posts"]:
        posts[row["account"], row["post_id"]][row["snapshot_day"]] = row
    totals: Counter[str] = Counter()
    for (account, _), days in posts.items():
        first, last = days[min(days)], days[max(days)]
        is_known = first["snapshot_day"] - first["posted_ts"].date() <= timedelta(days=7)
        start = 0 if is_known else sum(first[name] for name in names)
        totals[account] += sum(last[name] for name in names) - start
    accounts = truths["social_posts"]["accounts"]
    assert {row["account"]: row["engagements"] for row in accounts} == totals
    kept = [sorted(days) for days in posts.values()]
    assert any(two - one > timedelta(days=1) for days in kept for one, two in pairwise(days))
    likes = [[days[day]["likes"] for day in sorted(days)] for days in posts.values()]
    assert any(two < one for post in likes for one, two in pairwise(post))
    assert {row["account"] for row in sound["social_posts"] if "impressions" not in row} == {
        "tide_help"
    }


def test_some_customers_are_known_to_events_by_another_id(
    home: Path, sound: dict[str, list[Row]]
) -> None:
    mapped = {row["customer_id"]: row["user_id"] for row in sound["customers"] if "user_id" in row}
    assert mapped
    assert all(customer[1:] == user[1:] and user[0] == "u" for customer, user in mapped.items())
    bought = {row["customer_id"] for row in sound["orders"]}
    assert bought & set(mapped)
    assert not bought & set(mapped.values())


def test_exports_reach_the_last_day_in_all_formats(home: Path) -> None:
    last_day, formats = told(home)["last_day"], set()
    for source in OTHERS:
        paths = files(home, source)
        assert paths[-1].parent.name == last_day
        kinds = {path.name.partition(".")[2] for path in paths}
        assert len(kinds) >= 5, source
        formats |= kinds
    assert formats == {
        "csv",
        "csv.gz",
        "csv.zst",
        "ndjson",
        "ndjson.gz",
        "ndjson.zst",
        "parquet",
    }


def test_the_events_are_those_of_a_sample_without_the_others(tmp_path: Path) -> None:
    make(tmp_path / "all", **SMALL)
    make(tmp_path / "events", **SMALL, sources=("events",))
    assert digests(tmp_path / "all", "events") == digests(tmp_path / "events")
    alone, among = told(tmp_path / "events"), told(tmp_path / "all")
    assert among.pop("sources").keys() == set(OTHERS)
    assert alone == among


def test_the_same_arguments_give_the_same_bytes_on_any_number_of_threads(tmp_path: Path) -> None:
    make(tmp_path / "here", days=12, users=60)
    script = (
        "from pathlib import Path; from pipelines.sample import *; import sys;"
        "home = Path(sys.argv[1]);"
        "write_sample(home / 'landing', home / 'truths.json', days=12, users=60,"
        " sources=ALL_SOURCES)"
    )
    for threads in ("1", "5"):
        there = tmp_path / threads
        there.mkdir()
        environment = {**os.environ, "POLARS_MAX_THREADS": threads}
        subprocess.run([sys.executable, "-c", script, there], check=True, env=environment)
        assert digests(there) == digests(tmp_path / "here")
        assert told(there) == told(tmp_path / "here")


def test_without_dirt_nothing_is_refused(tmp_path: Path) -> None:
    make(tmp_path, **SMALL, dirt=0.0, file_format="csv.zst")
    for source, each in told(tmp_path)["sources"].items():
        assert each["rows"]["refused_rows"] == 0, source
        assert {path.name for path in files(tmp_path, source)} == {f"{source}.csv.zst"}


@pytest.mark.parametrize(("days", "users"), [(1, 1), (1, 40), (40, 1)])
def test_the_smallest_samples_have_all_sources(tmp_path: Path, days: int, users: int) -> None:
    summary = make(tmp_path, days=days, users=users)
    assert summary.files == len(files(tmp_path))
    assert summary.bytes == sum(path.stat().st_size for path in files(tmp_path))
    assert summary.other_rows == {
        source: each["rows"]["read_rows"] for source, each in told(tmp_path)["sources"].items()
    }
    assert {path.parents[1].name for path in files(tmp_path)} == set(ALL_SOURCES)


@pytest.mark.parametrize(
    ("sources", "said"),
    [
        (("events", "visits"), "sources must be of events, .*; 'visits' is none"),
        (("orders",), "sources must have events among them"),
    ],
)
def test_sources_out_of_range_are_named(
    tmp_path: Path, sources: tuple[str, ...], said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        make(tmp_path, **SMALL, sources=sources)
    assert not list(tmp_path.iterdir())


def test_a_source_is_not_mixed_with_what_has_landed(tmp_path: Path) -> None:
    (tmp_path / "landing" / "orders" / "2025-01-01").mkdir(parents=True)
    with pytest.raises(FileExistsError, match="a sample needs a new home"):
        make(tmp_path, **SMALL)
