"""The sample is what its truths say, counted plainly from its files, and the same each time."""

import csv
import gzip
import hashlib
import io
import json
from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow.parquet as pq
import pytest
import zstandard

from pipelines.sample import plan as plan_module
from pipelines.sample import write_sample

PASSIVE = {"email_sent", "email_delivered", "email_bounced", "email_opened", "ad_impression"}
STITCH = timedelta(days=30)
DAYS, USERS = 45, 300
SMALL = {"days": 5, "users": 30}


class Row(NamedTuple):
    landing_date: date
    file: str
    line: int
    fields: dict[str, Any] | None


class Event(NamedTuple):
    received_ts: datetime
    landing_date: date
    file: str
    line: int
    event_ts: datetime
    fields: dict[str, Any]

    @property
    def day(self) -> date:
        return self.event_ts.date()

    @property
    def id(self) -> str:
        return self.fields["event_id"]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sample")
    make(folder, days=DAYS, users=USERS)
    return folder


@pytest.fixture(scope="module")
def truths(home: Path) -> dict[str, Any]:
    return json.loads((home / "truths.json").read_text())


@pytest.fixture(scope="module")
def rows(home: Path) -> list[Row]:
    return [row for path in landed_files(home) for row in read(path)]


@pytest.fixture(scope="module")
def landed(rows: list[Row]) -> list[Event]:
    return [event for row in rows if (event := accepted(row))]


@pytest.fixture(scope="module")
def events(landed: list[Event]) -> list[Event]:
    return [twins[0] for twins in by_id(landed).values() if not is_left_out(twins[0])]


@pytest.fixture(scope="module")
def activity(events: list[Event]) -> dict[str, dict[date, set[str]]]:
    """Person, day, platforms."""
    links = links_of(events)
    found: dict[str, dict[date, set[str]]] = defaultdict(lambda: defaultdict(set))
    for event in events:
        if event.fields["event_name"] not in PASSIVE:
            platform = event.fields.get("platform") or "unknown"
            found[person(event, links)][event.day].add(platform)
    return found


def is_left_out(event: Event) -> bool:
    fields = event.fields
    return bool(
        fields.get("is_bot")
        or "Googlebot" in (fields.get("user_agent") or "")
        or "://staging." in (fields.get("page_url") or "")
        or (fields.get("user_id") or "").startswith("staff")
    )


def make(folder: Path, **options: Any) -> Any:
    return write_sample(folder / "landing", folder / "truths.json", **options)


def landed_files(folder: Path) -> list[Path]:
    return sorted(path for path in (folder / "landing" / "events").rglob("*") if path.is_file())


def digests(folder: Path) -> dict[str, str]:
    paths = [*landed_files(folder), folder / "truths.json"]
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in paths
    }


def read(path: Path) -> list[Row]:
    """The rows of a file; fields are None where the line cannot be taken apart."""
    content = path.read_bytes()
    if path.suffix == ".gz":
        content = gzip.decompress(content)
    elif path.suffix == ".zst":
        content = zstandard.ZstdDecompressor().decompress(content)
    readers = {"parquet": parquet_rows, "csv": csv_rows, "ndjson": ndjson_rows}
    fields = readers[path.name.split(".")[1]](content)
    landing_date = date.fromisoformat(path.parent.name)
    return [Row(landing_date, path.name, line, each) for line, each in enumerate(fields, 1)]


def parquet_rows(content: bytes) -> list[dict[str, Any] | None]:
    return pq.read_table(io.BytesIO(content)).to_pylist()


def csv_rows(content: bytes) -> list[dict[str, Any] | None]:
    header, *lines = csv.reader(io.StringIO(content.decode()))
    rows = [
        dict(zip(header, line, strict=True)) if len(line) == len(header) else None for line in lines
    ]
    return [row and {**row, "is_bot": row.get("is_bot") == "true"} for row in rows]


def ndjson_rows(content: bytes) -> list[dict[str, Any] | None]:
    found: list[dict[str, Any] | None] = []
    for line in content.decode().splitlines():
        try:
            found.append(json.loads(line))
        except json.JSONDecodeError:
            found.append(None)
    return found


def accepted(row: Row) -> Event | None:
    """The event of a row that keeps the contract."""
    fields = row.fields
    if not fields or not fields.get("event_name"):
        return None
    if not (fields.get("user_id") or fields.get("anonymous_id")):
        return None
    try:
        event_ts, received_ts = instant(fields["event_ts"]), instant(fields["received_ts"])
    except ValueError:
        return None
    if event_ts.date() > row.landing_date + timedelta(days=1):
        return None
    return Event(received_ts, *row[:3], event_ts, fields)


def instant(value: str | datetime | None) -> datetime:
    if value is None:
        raise ValueError("missing")
    return value if isinstance(value, datetime) else datetime.fromisoformat(value).astimezone(UTC)


def by_id(landed: list[Event]) -> dict[str, list[Event]]:
    """All rows of an event, the first received one first."""
    groups = defaultdict(list)
    for event in sorted(landed, key=lambda event: event[:4]):
        groups[event.id].append(event)
    return groups


def person(event: Event, links: dict[str, list[tuple[datetime, str]]]) -> str:
    if event.fields.get("user_id"):
        return event.fields["user_id"]
    own = links.get(event.fields["anonymous_id"], [])
    after = [user for ts, user in own if timedelta() <= ts - event.event_ts <= STITCH]
    before = [user for ts, user in own if timedelta() < event.event_ts - ts <= STITCH]
    return (after[:1] or before[-1:] or [event.fields["anonymous_id"]])[0]


def links_of(events: list[Event]) -> dict[str, list[tuple[datetime, str]]]:
    links = defaultdict(list)
    for event in sorted(events, key=lambda event: event.event_ts):
        if event.fields.get("user_id") and event.fields.get("anonymous_id"):
            links[event.fields["anonymous_id"]].append((event.event_ts, event.fields["user_id"]))
    return links


def first_days(activity: dict[str, dict[date, set[str]]]) -> dict[str, date]:
    return {who: min(days) for who, days in activity.items()}


def test_every_row_of_every_file_is_accounted_for(
    rows: list[Row], landed: list[Event], truths: dict[str, Any]
) -> None:
    read_rows = Counter((str(row.landing_date), row.file) for row in rows)
    landed_rows = Counter((str(event.landing_date), event.file) for event in landed)
    lost = [event for twins in by_id(landed).values() for event in twins[1:]]
    duplicates = Counter((str(event.landing_date), event.file) for event in lost)
    counted = {
        key: (count, count - landed_rows[key], duplicates[key]) for key, count in read_rows.items()
    }
    told = {
        (file["landing_date"], file["file"]): (
            file["read_rows"],
            file["quarantined_rows"],
            file["duplicate_rows"],
        )
        for file in truths["files"]
    }
    assert counted == told


def test_the_totals_are_those_of_the_files(truths: dict[str, Any]) -> None:
    totals = truths["rows"]
    for name, total in totals.items():
        assert total == sum(file[name] for file in truths["files"])
    refused_and_twice = totals["quarantined_rows"] + totals["duplicate_rows"]
    assert totals["accepted_rows"] == totals["read_rows"] - refused_and_twice
    assert totals["quarantined_rows"] == sum(truths["quarantined_by_flaw"].values())


def test_late_machine_and_counted_events_are_as_told(
    landed: list[Event], events: list[Event], truths: dict[str, Any]
) -> None:
    late = Counter((event.received_ts - event.event_ts).days for event in landed)
    for days in (1, 7, 30):
        told = truths["rows"][f"late_{days}d_rows"]
        assert told == sum(count for age, count in late.items() if age >= days)
        assert told == sum((event.landing_date - event.day).days >= days for event in landed)
    assert truths["rows"]["bot_rows"] == sum(bool(event.fields["is_bot"]) for event in landed)
    assert truths["rows"]["events"] == len(events)
    assert {day["date"]: day["events"] for day in truths["active_users_daily"]} == Counter(
        str(event.day) for event in events
    )


def test_sessions_and_page_views_are_as_told(events: list[Event], truths: dict[str, Any]) -> None:
    links = links_of(events)
    own = defaultdict(list)
    for event in events:
        if event.fields["event_name"] not in PASSIVE:
            own[person(event, links)].append(event.event_ts)
    starts = [
        moment
        for moments in map(sorted, own.values())
        for before, moment in pairwise([datetime.min.replace(tzinfo=UTC), *moments])
        if moment - before > timedelta(minutes=30)
    ]
    days = truths["active_users_daily"]
    assert {day["date"]: day["sessions"] for day in days} == Counter(
        str(moment.date()) for moment in starts
    )
    assert {day["date"]: day["page_views"] for day in days} == Counter(
        str(event.day) for event in events if event.fields["event_name"] == "page_view"
    )


def test_daily_active_and_new_users_are_as_told(
    activity: dict[str, dict[date, set[str]]], truths: dict[str, Any]
) -> None:
    dau = Counter(str(day) for days in activity.values() for day in days)
    new_users = Counter(str(day) for day in first_days(activity).values())
    platforms = Counter(
        (str(day), platform)
        for days in activity.values()
        for day, seen in days.items()
        for platform in seen
    )
    assert len(truths["active_users_daily"]) == DAYS
    for day in truths["active_users_daily"]:
        assert (day["dau"], day["new_users"]) == (dau[day["date"]], new_users[day["date"]])
    assert platforms == {
        (day["date"], platform): users
        for day in truths["active_users_daily"]
        for platform, users in day["dau_by_platform"].items()
    }


def test_daily_cohorts_come_back_as_told(
    activity: dict[str, dict[date, set[str]]], truths: dict[str, Any]
) -> None:
    first = first_days(activity)
    last_day = date.fromisoformat(truths["last_day"])
    assert {row["first_date"] for row in truths["cohorts_daily"]} == set(map(str, first.values()))
    for row in truths["cohorts_daily"]:
        start = date.fromisoformat(row["first_date"])
        cohort = [who for who, day in first.items() if day == start]
        assert row["cohort_users"] == len(cohort)
        for age in (1, 7, 30):
            day = start + timedelta(days=age)
            back = sum(day in activity[who] for who in cohort)
            assert row[f"day_{age}"] == (back if day <= last_day else None)


def test_monthly_cohorts_come_back_as_told(
    activity: dict[str, dict[date, set[str]]], truths: dict[str, Any]
) -> None:
    first = first_days(activity)
    months = ["2025-02-01", "2025-03-01"]
    active = {
        month: {
            who for who, days in activity.items() if any(f"{d:%Y-%m}-01" == month for d in days)
        }
        for month in months
    }
    assert [row["active_users"] for row in truths["active_users_monthly"]] == [
        len(active[month]) for month in months
    ]
    for index, row in enumerate(truths["cohorts_monthly"]):
        cohort = {who for who, day in first.items() if f"{day:%Y-%m}-01" == row["first_month"]}
        assert row["first_month"] == months[index]
        assert row["cohort_users"] == len(cohort)
        assert row["active_users"] == [len(cohort & active[month]) for month in months[index:]]


def test_passive_events_reach_people_on_days_on_which_they_do_nothing(
    events: list[Event], activity: dict[str, dict[date, set[str]]]
) -> None:
    passive = [event for event in events if event.fields["event_name"] in PASSIVE]
    idle = [
        event
        for event in passive
        if event.day not in activity.get(event.fields.get("user_id") or "", {})
    ]
    assert {event.fields["event_name"] for event in idle} == PASSIVE


def test_visitors_become_users_or_never_do(
    events: list[Event], activity: dict[str, dict[date, set[str]]]
) -> None:
    both = [
        event
        for event in events
        if event.fields.get("user_id") and event.fields.get("anonymous_id")
    ]
    signups = [event for event in both if event.fields["event_name"] == "signup"]
    before = {
        event.fields["user_id"]
        for event in signups
        if min(activity[event.fields["user_id"]]) < event.day
    }
    assert before
    assert any(who.startswith("a") for who in activity)
    assert len(signups) == len({event.fields["user_id"] for event in signups})


def test_twins_come_in_one_file_across_files_and_on_later_days(landed: list[Event]) -> None:
    pairs = [twins for twins in by_id(landed).values() if len(twins) > 1]
    assert any(one[1:3] == two[1:3] for one, two in pairs)
    assert any(one.landing_date == two.landing_date and one.file != two.file for one, two in pairs)
    assert any(one.landing_date < two.landing_date for one, two in pairs)
    for one, two in pairs:
        assert one.event_ts == two.event_ts
        assert one.received_ts <= two.received_ts


def test_rows_land_on_the_day_on_which_they_are_received(landed: list[Event]) -> None:
    assert all(event.received_ts.date() == event.landing_date for event in landed)
    assert all(event.received_ts >= event.event_ts for event in landed)


def test_every_flaw_format_and_several_offsets_are_there(
    home: Path, rows: list[Row], truths: dict[str, Any]
) -> None:
    assert {path.name.partition(".")[2] for path in landed_files(home)} == {
        "ndjson",
        "ndjson.gz",
        "ndjson.zst",
        "csv",
        "csv.gz",
        "csv.zst",
        "parquet",
    }
    assert set(truths["quarantined_by_flaw"]) == {
        "event_name_missing",
        "event_ts_missing",
        "event_ts_unreadable",
        "future",
        "line_broken",
        "line_ragged",
        "person_missing",
    }
    texts = [row.fields["event_ts"] for row in rows if row.fields]
    offsets = {text[23:] for text in texts if isinstance(text, str)}
    assert {"Z", "+01:00", "-05:00", "+05:30"} <= offsets


def test_how_many_days_are_made_at_a_time_does_not_matter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(tmp_path / "at once", **SMALL)
    monkeypatch.setattr(plan_module, "_ROWS_AT_A_TIME", 1)
    make(tmp_path / "day by day", **SMALL)
    assert digests(tmp_path / "at once") == digests(tmp_path / "day by day")


def test_another_seed_gives_another_sample(tmp_path: Path) -> None:
    make(tmp_path / "one", **SMALL, seed=1)
    make(tmp_path / "two", **SMALL, seed=2)
    assert digests(tmp_path / "one") != digests(tmp_path / "two")


def test_active_events_are_exactly_as_many_as_asked_for(tmp_path: Path) -> None:
    summary = make(tmp_path, **SMALL, events=1234, dirt=0.0, file_format="parquet")
    told = json.loads((tmp_path / "truths.json").read_text())
    assert sum(day["active_events"] for day in told["active_users_daily"]) == 1234
    names = [row.fields["event_name"] for path in landed_files(tmp_path) for row in read(path)]
    left_out = summary.left_out_rows
    assert sum(name not in PASSIVE for name in names) - left_out == 1234


def test_without_dirt_there_is_one_clean_file_a_day(tmp_path: Path) -> None:
    summary = make(tmp_path, **SMALL, dirt=0.0, file_format="csv.zst")
    dirty = (summary.duplicate_rows, summary.quarantined_rows, summary.late_rows)
    assert dirty == (0, 0, 0)
    assert [path.name for path in landed_files(tmp_path)] == ["events-0.csv.zst"] * 5


def test_the_summary_and_the_progress_tell_what_was_done(tmp_path: Path) -> None:
    calls: list[tuple[int, int]] = []
    summary = make(tmp_path, **SMALL, progress=lambda done, of: calls.append((done, of)))
    files = landed_files(tmp_path)
    assert calls == [(1, 5), (2, 5), (3, 5), (4, 5), (5, 5)]
    assert (summary.files, summary.bytes) == (len(files), sum(f.stat().st_size for f in files))
    assert summary.rows == sum(len(read(path)) for path in files)
    assert (summary.first_day, summary.last_day) == (date(2025, 3, 27), date(2025, 3, 31))


@pytest.mark.parametrize(("days", "users"), [(1, 1), (1, 40), (40, 1)])
def test_the_smallest_samples_are_samples(tmp_path: Path, days: int, users: int) -> None:
    summary = make(tmp_path, days=days, users=users)
    assert summary.rows > 0
    assert len(list((tmp_path / "landing" / "events").iterdir())) == days


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"days": 0}, "days must be 1 or more; it is 0"),
        ({"users": 0}, "users must be from 1"),
        ({"events": 0}, "events must be 1 or more; it is 0"),
        ({"events": 3}, r"events must be \d+ or more, one for each day of an active person"),
        ({"dirt": 0.5}, "dirt must be from 0 to 0.08; it is 0.5"),
        ({"file_format": "xlsx"}, "file_format must be one of mixed, ndjson"),
        ({"last_day": date(1960, 1, 1)}, "last_day must lie from 1971-01-01"),
        ({"days": 30_000}, "days must not reach back before 1971-01-01"),
    ],
)
def test_an_argument_out_of_range_is_named(
    tmp_path: Path, options: dict[str, Any], said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        make(tmp_path, **options)
    assert not list(tmp_path.iterdir())


def test_a_sample_is_not_mixed_with_what_has_landed(tmp_path: Path) -> None:
    (tmp_path / "landing" / "events" / "2025-01-01").mkdir(parents=True)
    with pytest.raises(FileExistsError, match="a sample needs a new home"):
        make(tmp_path, **SMALL)


def test_what_people_do_is_counted_as_told(events: list[Event], truths: dict[str, Any]) -> None:
    """Features, goals and mails, from the rows of the files."""
    links = links_of(events)
    done: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    mailed: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for event in events:
        name, who = event.fields["event_name"], person(event, links)
        month = f"{event.day:%Y-%m}-01"
        if name == "feature_used":
            done["features_monthly", month, event.fields["feature"]].append(who)
        elif name in ("purchase", "signup"):
            done["goals_monthly", month, name].append(who)
        elif name.startswith("email_"):
            by_machine = str(event.fields.get("is_machine_open")).lower() == "true"
            kind = ("machine_" if by_machine else "") + name.removeprefix("email_")
            mailed[event.fields["campaign"]].append((kind, who))
    for told in ("features_monthly", "goals_monthly"):
        assert {
            (told, row["month"], row["name"]): (row["times"], row["people"]) for row in truths[told]
        } == {key: (len(who), len(set(who))) for key, who in done.items() if key[0] == told}
    for row in truths["email_campaigns"]:
        mails = mailed.pop(row["campaign"])
        for kind in ("sent", "bounced", "delivered", "opened", "machine_opened", "clicked"):
            people = [who for each, who in mails if each == kind]
            assert (row[f"{kind}_mails"], row[kind]) == (len(people), len(set(people))), kind
        assert row["unsubscribed"] == sum(kind == "unsubscribed" for kind, _ in mails)
    assert not mailed


def test_a_mail_keeps_its_campaign_and_nobody_clicks_on_one_that_was_not_opened(
    events: list[Event],
) -> None:
    links = links_of(events)
    known: dict[str, set[tuple[str, date, str]]] = defaultdict(set)
    for event in events:
        name = event.fields["event_name"]
        if name.startswith("email_") and event.fields.get("is_machine_open") not in (True, "true"):
            known[name].add((person(event, links), event.day, event.fields["campaign"]))
    assert known["email_clicked"]
    for later, earlier in pairwise(
        ("email_unsubscribed", "email_clicked", "email_opened", "email_delivered", "email_sent")
    ):
        assert known[later] <= known[earlier], later


def test_one_feature_is_new_in_the_middle(events: list[Event], truths: dict[str, Any]) -> None:
    first = date.fromisoformat(truths["first_day"])
    used = {event.day - first for event in events if event.fields.get("feature") == "automation"}
    assert min(used) >= timedelta(days=DAYS // 2)


def test_half_of_the_visits_say_their_channel_and_all_of_them_have_one(
    events: list[Event], truths: dict[str, Any]
) -> None:
    active = [event for event in events if event.fields["event_name"] not in PASSIVE]
    said = sum(bool(event.fields.get("channel")) for event in active)
    assert 0.4 < said / len(active) < 0.6
    days = truths["active_users_daily"]
    assert sum(row["times"] for row in truths["sessions_by_channel"]) == sum(
        day["sessions"] for day in days
    )
