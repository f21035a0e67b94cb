"""Homes whose every day is like the one before, so that only the length of history differs."""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from homes import event, land, make_home

LAST_DAY = date(2025, 3, 20)
USERS = 8
# Windows that even the shorter history fills, so that a longer one can add nothing to them.
SETTINGS = """
stitch_days = 7
duplicate_days = 3
attribution_days = 7
churn_inactivity_days = 14
clv_holdout_weeks = 4
retention_periods = {days = 7, weeks = 2, months = 1}

[[funnels]]
name = "buying"
window_hours = 24
steps = [{name = "look", events = ["page_view"]}, {name = "buy", events = ["purchase"]}]

[[retentions]]
name = "buyers"
start_events = ["purchase"]
return_events = ["purchase"]
entry = "first_time"
"""


def steady_home(root: Path, first: date) -> Path:
    """A home with files of every source for every day from ``first`` to the last but one."""
    home = make_home(root, SETTINGS)
    day = first
    while day < LAST_DAY:
        _land_day(home, day)
        day += timedelta(days=1)
    return home


def add_night(home: Path) -> None:
    """The last day lands."""
    _land_day(home, LAST_DAY)


def add_late_row(home: Path, day: date) -> None:
    """Another event of a known person, of an old day, lands with the last day."""
    row = event(f"{day}-late", f"{day}T18:00:00", user_id="user-5", platform="web", country="DE")
    land(home, LAST_DAY, [row], file="late.ndjson")


def _land_day(home: Path, day: date) -> None:
    for source, rows in _sources(day):
        land(home, day, rows, file="rows.ndjson", source=source)


def _sources(day: date) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """A row or two of every source; money comes in another currency than the reporting one."""
    at = f"{day}T09:00:00Z"
    buyer = f"user-{day.toordinal() % USERS}"
    post = {"platform": "x", "account": "us", "snapshot_day": str(day)}
    yield "events", [each for user in range(USERS) for each in _visit(day, user)]
    yield "exchange_rates", [{"day": str(day), "currency": "USD", "rate": 1.25}]
    order = {"order_id": f"o-{day}", "ordered_ts": at, "amount": 9.5, "currency": "USD"}
    yield "orders", 2 * [{**order, "customer_id": buyer}]
    answer = {"response_id": f"r-{day}", "survey": "care", "kind": "csat", "score": 4}
    yield "surveys", [{**answer, "respondent_id": buyer, "answered_ts": at}]
    solved = {"opened_ts": at, "resolved_ts": f"{day}T11:00:00Z"}
    yield "tickets", [{"ticket_id": f"t-{day}", "customer_id": buyer, "channel": "mail", **solved}]
    cost = {"cost_day": str(day), "cost": 3.5, "currency": "USD"}
    yield "campaign_costs", [{**cost, "channel": "email", "campaign": "spring"}]
    yield "social_accounts", [{**post, "followers": 10}]
    yield "social_posts", [{**post, "post_id": f"p-{day}", "posted_ts": at, "likes": 3}]
    price = {"amount": 10, "currency": "USD", "interval": "month", "plan": "pro"}
    since = {"started_ts": "2023-12-01T00:00:00Z", "updated_ts": at}
    yield (
        "subscriptions",
        [
            {"subscription_id": "s-1", "customer_id": "user-1", **price, **since},
        ],
    )
    yield (
        "customers",
        [
            {"customer_id": "user-1", "country": "DE"},
            {"customer_id": "colleague", "is_staff": True},
        ],
    )


def _visit(day: date, user: int) -> Iterator[dict[str, Any]]:
    """A person looks around, is recognised, uses a feature; some buy, some get mail, some click.

    One event comes twice, one is a machine's, one a colleague's.
    """
    who: dict[str, Any] = {"anonymous_id": f"device-{user}", "platform": "web", "country": "DE"}
    known = {**who, "user_id": f"user-{user}"}
    mail = {**known, "campaign": "spring", "channel": "email"}
    page = {"page_url": "https://a.example/"}
    yield _event(day, user, 1, "page_view", user_id=None, **page, **who)
    yield _event(day, user, 2, "page_view", **page, **known)
    yield _event(day, user, 3, "feature_used", feature="export", **known)
    if user == 0:
        yield _event(day, user, 4, "purchase", **known)
        yield _event(day, user, 4, "purchase", **known)
    if user == 1:
        yield _event(day, user, 4, "purchase", **known)
        yield _event(day, user, 5, "search", **known)
    if user == 2:
        source = {"utm_source": "news", "utm_medium": "cpc", "utm_campaign": "spring"}
        yield _event(day, user, 0, "ad_click", campaign="spring", channel="ads", **known)
        yield _event(day, user, 4, "page_view", **source, **page, **known)
    if user == 3:
        yield _event(day, user, 6, "email_delivered", **mail)
        yield _event(day, user, 7, "email_opened", **mail)
    if user == 4:
        yield _event(day, user, 4, "page_view", is_bot=True, **who)
        yield _event(day, user, 5, "page_view", user_id="colleague")


def _event(day: date, user: int, minute: int, name: str, **columns: Any) -> dict[str, Any]:
    moment = f"{day}T{10 + user}:{minute:02}:00"
    return event(f"{day}-{user}-{minute}", moment, event_name=name, **columns)
