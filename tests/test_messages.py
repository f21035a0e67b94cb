"""Messages to a webhook and to Slack, against a server of this machine."""

import json
import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from frames import frame
from homes import event, land, make_home, run_home

from pipelines.commands.nightly import tell_people
from pipelines.errors import TidemarkError
from pipelines.home import Home
from pipelines.messages import (
    SLACK,
    WEBHOOK,
    Message,
    message_of_failure,
    messages_of_night,
    send,
    tell_of_data,
)
from pipelines.nights import Night
from schemas.metric_alerts import MetricAlerts

NOW = datetime(2025, 3, 4, 3, tzinfo=UTC)
MESSAGE = Message("something is wrong", "events", "2025-03-01", "https://dagster.example.org")


class Postbox:
    """A server that keeps what is posted to it, by path."""

    def __init__(self) -> None:
        self.got: list[tuple[str, Any]] = []
        self.status = 200
        box = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                content = self.rfile.read(int(self.headers["Content-Length"]))
                box.got.append((self.path, json.loads(content)))
                self.send_response(box.status)
                self.end_headers()

            def log_message(self, *arguments: Any) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def box(monkeypatch: pytest.MonkeyPatch) -> Iterator[Postbox]:
    box = Postbox()
    threading.Thread(target=box.server.serve_forever, daemon=True).start()
    monkeypatch.setenv(WEBHOOK, f"{box.address}/hook")
    monkeypatch.setenv(SLACK, f"{box.address}/slack")
    yield box
    box.server.shutdown()
    box.server.server_close()


@pytest.fixture
def home(folder: Path) -> Home:
    """A home with one published day, 3 March 2025."""
    root = make_home(
        folder / "home",
        "fresh_days = 1\n",
        {"2025-03-03": [event("a", "2025-03-03T10:00:00")]},
    )
    run_home(root, select=["active_days_histogram"])
    return Home(root)


def publish_alerts(home: Home, *rows: dict[str, Any]) -> None:
    """As if a run had published these alerts."""
    usual = {
        "table": "active_users_daily",
        "metric": "dau",
        "row_key": "{}",
        "value": 10.0,
        "expected_low": 90.0,
        "expected_high": 110.0,
    }
    path = home.bi / "metric_alerts.parquet"
    path.unlink(missing_ok=True)
    frame(MetricAlerts, rows, **usual).collect().write_parquet(path)


def test_both_get_what_where_since_when_and_the_page(box: Postbox) -> None:
    assert send([MESSAGE])
    assert box.got == [
        (
            "/hook",
            {
                "what": "something is wrong",
                "where": "events",
                "since": "2025-03-01",
                "page": "https://dagster.example.org",
            },
        ),
        (
            "/slack",
            {
                "text": "Tidemark: something is wrong\nwhere: events\nsince: 2025-03-01\n"
                "open: https://dagster.example.org"
            },
        ),
    ]


def test_without_an_address_nobody_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(WEBHOOK, raising=False)
    monkeypatch.delenv(SLACK, raising=False)
    assert send([MESSAGE])


def test_what_cannot_be_reached_is_said_without_its_address(
    box: Postbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(WEBHOOK, "http://127.0.0.1:9/secret")
    said: list[str] = []
    assert not send([MESSAGE], said.append)
    assert said == [f"{WEBHOOK} could not be reached (ConnectionError): nobody was told"]
    assert [path for path, _ in box.got] == ["/slack"]
    box.status = 500
    assert not send([MESSAGE], said.append)
    assert said[-1] == f"{SLACK} answered 500: the message did not arrive"


def test_a_night_that_failed_is_told_with_the_last_publication(home: Home) -> None:
    failed = Night(NOW, NOW, 1, problem="a check is broken")
    (told,) = messages_of_night(home, failed)
    assert told == message_of_failure(home, "a check is broken")
    assert told.what.endswith("readers keep what they had: a check is broken")
    assert told.where == str(home.root)
    assert told.since.endswith("UTC, the last publication")
    assert told.page == str(home.bi)


def test_files_that_could_not_be_read_are_told(home: Home) -> None:
    (told,) = messages_of_night(home, Night(NOW, NOW, 3, refused_files=["events/2025-03-03/a"]))
    assert told.what == "files could not be read: events/2025-03-03/a"
    assert messages_of_night(home, Night(NOW, NOW, 0)) == []


def test_alerts_of_the_newest_day_are_told_and_each_day_once(home: Home, box: Postbox) -> None:
    old = {"date": date(2025, 1, 1), "first_date": date(2025, 1, 1)}
    new = {"date": date(2025, 3, 3), "first_date": date(2025, 3, 2)}
    publish_alerts(home, old, new)
    tell_of_data(home, NOW)
    told = [content for path, content in box.got if path == "/hook"]
    assert told == [
        {
            "what": "active_users_daily.dau was 10 on 2025-03-03; 90 to 110 was expected",
            "where": "{}",
            "since": "2025-03-02",
            "page": str(home.bi),
        }
    ]
    box.got.clear()
    tell_of_data(home, NOW)
    assert box.got == []
    # A day that comes later is news; one of the past that a late row brings is a restatement.
    later = {"date": date(2025, 3, 4), "first_date": date(2025, 3, 4), "value": 200.0}
    past = {"date": date(2025, 2, 1), "first_date": date(2025, 2, 1)}
    publish_alerts(home, old, past, new, later)
    tell_of_data(home, NOW, page="https://dagster.example.org/runs/1")
    told = [content for path, content in box.got if path == "/hook"]
    assert [(each["since"], each["page"]) for each in told] == [
        ("2025-03-04", "https://dagster.example.org/runs/1")
    ]


def test_what_did_not_arrive_is_told_again(home: Home, box: Postbox) -> None:
    publish_alerts(home, {"date": date(2025, 3, 3), "first_date": date(2025, 3, 3)})
    box.status = 503
    tell_of_data(home, NOW, say=lambda _: None)
    box.status = 200
    box.got.clear()
    tell_of_data(home, NOW)
    assert [path for path, _ in box.got] == ["/hook", "/slack"]


def test_many_alerts_are_ten_and_the_number_of_the_rest(home: Home, box: Postbox) -> None:
    day = {"date": date(2025, 3, 3), "first_date": date(2025, 3, 3)}
    publish_alerts(home, *({**day, "row_key": f"{index:02}"} for index in range(12)))
    tell_of_data(home, NOW)
    told = [content["what"] for path, content in box.got if path == "/hook"]
    assert len(told) == 11
    assert told[-1] == "2 more alerts"


def test_tables_that_are_late_are_told_once_until_they_are_fresh_again(
    home: Home, box: Postbox
) -> None:
    late = datetime(2025, 3, 5, 12, tzinfo=UTC)
    tell_of_data(home, NOW)
    assert box.got == []
    tell_of_data(home, late)
    ((_, told), _) = box.got
    assert told["what"] == "tables are late: active_days_histogram by 2 days"
    assert told["since"] == "2 days"
    tell_of_data(home, late)
    assert len(box.got) == 2
    land(home.root, "2025-03-05", [event("b", "2025-03-05T10:00:00")])
    run_home(home.root, select=["active_days_histogram"])
    tell_of_data(home, late)
    tell_of_data(home, datetime(2025, 3, 7, 12, tzinfo=UTC))
    assert len(box.got) == 4


def test_a_failing_address_is_no_failure_of_the_night(
    home: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(WEBHOOK, "http://127.0.0.1:9/")
    tell_people(home, Night(NOW, NOW, 1, problem="a check is broken"))
    tell_people(Home(home.root / "none"), Night(NOW, NOW, 0))
    said = capsys.readouterr()
    line = f"{WEBHOOK} could not be reached (ConnectionError): nobody was told\n"
    # The address is a secret: it is nowhere in what is said.
    assert said.out + said.err == 2 * line


def test_a_disk_without_room_to_remember_what_was_told_is_no_failure_of_the_night(
    home: Home, box: Postbox
) -> None:
    publish_alerts(home, {"date": date(2025, 3, 3), "first_date": date(2025, 3, 3)})
    (home.warehouse / "told.tmp").mkdir()
    tell_people(home, Night(NOW, NOW, 0))
    assert any("active_users_daily.dau was 10" in str(told) for _, told in box.got)
    with pytest.raises(TidemarkError, match=r"told\.tmp cannot be written"):
        tell_of_data(home, NOW)
