"""Telling people: to a webhook and to Slack, what is wrong, where, since when, what to open.

Where to is a secret, and so stands in the environment and never in a file of the home. Whether a
message arrives never decides what becomes of a run.
"""

import json
import os
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl
import requests

from pipelines.freshness import days_late, late_tables, today_of
from pipelines.home import Home
from pipelines.nights import Night
from pipelines.publish.shelf import Shelf
from pipelines.session import Session, reading
from pipelines.warehouse.disk import write

WEBHOOK, SLACK = "TIDEMARK_ALERT_WEBHOOK", "TIDEMARK_ALERT_SLACK_WEBHOOK"
ALERTS = "metric_alerts"
_STATE = "told.json"
_SECONDS = 10
_SHOWN = 10
Say = Callable[[str], None]
# What, where, since when.
_Alert = tuple[str, str, str]


@dataclass(frozen=True)
class Message:
    """One thing to tell."""

    what: str
    where: str
    since: str
    page: str

    @property
    def text(self) -> str:
        """For people to read."""
        lines = [f"Tidemark: {self.what}", f"where: {self.where}", f"since: {self.since}"]
        return "\n".join([*lines, f"open: {self.page}"])


def send(messages: Iterable[Message], say: Say = print) -> bool:
    """Post messages to wherever the environment names; whether all of them arrived.

    What cannot be reached is only said.
    """
    posts = [
        (variable, content)
        for message in messages
        for variable, content in ((WEBHOOK, asdict(message)), (SLACK, {"text": message.text}))
        if os.environ.get(variable)
    ]
    # All are tried, whatever became of the first.
    arrived = [_post(variable, content, say) for variable, content in posts]
    return all(arrived)


def message_of_failure(home: Home, problem: str, page: str = "") -> Message:
    """What to tell of a night that published nothing."""
    what = f"the night failed, and readers keep what they had: {problem}"
    return Message(what, str(home.root), _last_publication(home), page or _page(home))


def messages_of_night(home: Home, night: Night) -> list[Message]:
    """What a night leaves people to know: that it failed, files that were refused."""
    found = [message_of_failure(home, night.problem)] if night.problem else []
    if night.refused_files:
        found.append(message_of_files(home, night.refused_files, night.started_at))
    return found


def message_of_files(
    home: Home, refused: list[str], started_at: datetime, page: str = ""
) -> Message:
    """What to tell of files that a night could not read to their end."""
    what = f"files could not be read: {_listed(refused)}"
    since = f"{started_at:%Y-%m-%d %H:%M} UTC"
    return Message(what, str(home.landing), since, page or _page(home))


def tell_of_data(home: Home, now: datetime, page: str = "", say: Say = print) -> None:
    """Tell what the data leave people to know and was not told before: alerts, late tables.

    The first time it tells of the newest day only, and not of all of history. What does not arrive
    is told again the next time.
    """
    told, opened = _told(home), page or _page(home)
    with reading(home) as session:
        alerts, last = _new_alerts(session, told.get("alerts_through"))
        late = late_tables(days_late(session, today_of(home, now)), home.settings.fresh_days)
    found = [Message(*each, opened) for each in alerts]
    newly = sorted(set(late) - set(told.get("late", [])))
    if newly:
        days = max(late[name] for name in newly)
        what = f"tables are late: {_listed([f'{name} by {late[name]} days' for name in newly])}"
        found.append(Message(what, str(home.bi), f"{days} days", opened))
    if send(found, say):
        _remember(home, {"alerts_through": last, "late": sorted(late)})


def _new_alerts(
    session: Session, told: str | None
) -> tuple[list[tuple[str, str, str]], str | None]:
    """The alerts of days not told of yet, and the last day of all."""
    published = session.shelf.path_of(f"{ALERTS}.parquet")
    if not published.exists():
        return [], told
    alerts = pl.read_parquet(published)
    days = [*alerts["date"], *(each.data_through for each in session.manifest.published.values())]
    newest = str(max(days))
    day = pl.col("date").cast(pl.String)
    fresh = alerts.filter(day > told if told else day == newest)
    rows = fresh.sort("date", "table", "metric", "row_key").rows(named=True)
    return [_alert(row) for row in rows[:_SHOWN]] + _rest(rows), newest


def _alert(row: dict[str, Any]) -> _Alert:
    what = (
        f"{row['table']}.{row['metric']} was {row['value']:g} on {row['date']}; "
        f"{row['expected_low']:g} to {row['expected_high']:g} was expected"
    )
    return what, row["row_key"], str(row["first_date"])


def _rest(rows: list[dict[str, Any]]) -> list[_Alert]:
    if len(rows) <= _SHOWN:
        return []
    more = rows[_SHOWN:]
    return [(f"{len(more)} more alerts", ALERTS, str(min(row["first_date"] for row in more)))]


def _post(variable: str, content: dict[str, Any], say: Say) -> bool:
    try:
        answer = requests.post(os.environ[variable], json=content, timeout=_SECONDS)
    except requests.RequestException as error:
        # The address is a secret, and stands in the error's text.
        say(f"{variable} could not be reached ({type(error).__name__}): nobody was told")
        return False
    if not answer.ok:
        say(f"{variable} answered {answer.status_code}: the message did not arrive")
    return bool(answer.ok)


def _last_publication(home: Home) -> str:
    published = Shelf(home.bi).turned_at
    return f"{published:%Y-%m-%d %H:%M} UTC, the last publication" if published else "ever"


def _listed(items: list[str]) -> str:
    more = f" and {len(items) - _SHOWN} more" if len(items) > _SHOWN else ""
    return ", ".join(items[:_SHOWN]) + more


def _page(home: Home) -> str:
    return home.settings.alert_page or str(home.bi)


def _told(home: Home) -> dict[str, Any]:
    try:
        return dict(json.loads(_path(home).read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return {}


def _remember(home: Home, told: dict[str, Any]) -> None:
    aside = _path(home).with_suffix(".tmp")
    write(aside, json.dumps(told).encode())
    aside.replace(_path(home))


def _path(home: Home) -> Path:
    return home.warehouse / _STATE
