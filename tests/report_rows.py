"""A small publication for tests of the report, and what a page says, taken apart."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import polars as pl

ALL = {"dimension": "all", "segment": "all"}
JAN, FEB, MAR = date(2025, 1, 1), date(2025, 2, 1), date(2025, 3, 1)
THROUGH = date(2025, 3, 12)


def publish(folder: Path, tables: Mapping[str, list[dict[str, Any]]]) -> Path:
    """A publication that holds the rows, with columns as wide as the rows are."""
    folder.mkdir(parents=True, exist_ok=True)
    said: dict[str, Any] = {"publication": "abcdef", "tables": {}}
    for name, rows in tables.items():
        pl.DataFrame(rows, infer_schema_length=None).write_parquet(folder / f"{name}.parquet")
        if name != "restatements":
            said["tables"][name] = {"data_through": str(THROUGH)}
    (folder / "publication.json").write_text(json.dumps(said), encoding="utf-8")
    return folder


@dataclass
class Shown:
    """What a page shows: tables by the id of their figure or section, texts, images, loads."""

    tables: dict[str, list[list[str]]] = field(default_factory=dict)
    exact: dict[str, list[list[str]]] = field(default_factory=dict)
    alternatives: dict[str, str] = field(default_factory=dict)
    svgs: int = 0
    ids: list[str] = field(default_factory=list)
    text: str = ""
    loads: list[str] = field(default_factory=list)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.shown = Shown()
        self._place = self._section = ""
        self._in: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        shown = self.shown
        if "id" in said:
            shown.ids.append(said["id"])
        if tag in ("section", "figure"):
            self._place = said["id"]
            if tag == "section":
                self._section = self._place
        if tag == "svg":
            shown.svgs += 1
            assert said["role"] == "img"
        if tag == "table":
            shown.tables[self._place], shown.exact[self._place] = [], []
        if tag == "tr":
            shown.tables[self._place].append([])
            shown.exact[self._place].append([])
        if tag in ("td", "th"):
            shown.tables[self._place][-1].append("")
            shown.exact[self._place][-1].append("")
        if tag == "data" and "table" in self._in:
            shown.exact[self._place][-1][-1] = said["value"]
        loads = [said[name] for name in ("src", "href", "xlink:href", "data") if name in said]
        shown.loads += [each for each in loads if not each.startswith(("#", "data:,"))]
        if tag in ("script", "iframe", "object", "image", "img", "use"):
            shown.loads.append(tag)
        self._in.append(tag)

    def handle_endtag(self, tag: str) -> None:
        while self._in and self._in.pop() != tag:
            pass
        if tag == "figure":
            self._place = self._section

    def handle_data(self, data: str) -> None:
        if "style" in self._in:
            self.shown.loads += [each for each in ("url(", "@import") if each in data]
            return
        self.shown.text += data
        if self._in and self._in[-1] == "title" and "svg" in self._in:
            self.shown.alternatives[self._place] = data
        if "td" in self._in or "th" in self._in:
            self.shown.tables[self._place][-1][-1] += data.strip()


def read_page(html: str) -> Shown:
    """What a page shows."""
    reader = _Reader()
    reader.feed(html)
    return reader.shown


def rows_shown(shown: Shown, place: str) -> list[list[str]]:
    """The rows of a table as people read them, without its head and with plain spaces."""
    return [[cell.replace("\u00a0", " ") for cell in row] for row in shown.tables[place][1:]]


def score(kind: str, month: date, **numbers: Any) -> dict[str, Any]:
    ends = {"nps": (0.0, 10.0), "csat": (1.0, 5.0), "ces": (1.0, 7.0)}[kind]
    return {
        "survey": "first_week",
        "kind": kind,
        "scale_min": ends[0],
        "scale_max": ends[1],
        "direction": "effort",
        "grain": "month",
        "period_start": month,
        **ALL,
        **numbers,
    }


def kpi(metric: str, month: date, value: float | None, unit: str, **said: Any) -> dict[str, Any]:
    names = ("change", "change_on_year", "benchmark_low", "benchmark_high")
    words = ("benchmark_levels", "benchmark_direction", "verdict")
    told = {**dict.fromkeys([*names, *words]), "is_complete": True, "is_comparable": True}
    return {"month": month, "metric": metric, **ALL, "value": value, "unit": unit, **told, **said}


def ordered(month: date, orders: int, worth: str, customers: int) -> dict[str, Any]:
    amount = Decimal(worth)
    return {"month": month, "model": "bg_nbd", **ALL, "orders": orders, "revenue_amount": amount,
            "mean_order_amount": amount / orders, "customers": customers,
            "is_complete": month < MAR}  # fmt: skip


def bought(
    month: date, *, start: int, new: int, back: int, lost: int, end: int, rate: float | None
) -> dict[str, Any]:
    return {"month": month, "customers_start": start, "new_customers": new,
            "reactivated_customers": back, "lost_customers": lost, "customers_end": end,
            "churn_rate": rate, "is_complete": month < MAR}  # fmt: skip


LEDGER = {
    "source": "events",
    "file": "events.ndjson",
    "status": "read",
    "read_rows": 1000,
    "accepted_rows": 900,
    "quarantined_rows": 60,
    "duplicate_rows": 40,
    "excluded_rows": 5,
    "late_1d_rows": 90,
    "late_7d_rows": 30,
    "late_30d_rows": 10,
}


def active(day: date, dau: int, wau: int, mau: int, days: int) -> dict[str, Any]:
    ratio = dau / mau if mau else None
    counts = {"dau": dau, "wau": wau, "mau": mau, "days_in_window": days}
    return {"date": day, **ALL, **counts, "stickiness_ratio": ratio}


def month_of(month: date, people: int, *, over: bool) -> dict[str, Any]:
    ends = {"active_users": people, "mean_dau": 1.0, "is_complete": over}
    return {"grain": "month", "period_start": month, **ALL, **ends}


def came(month: date, days: int, people: int, *, over: bool) -> dict[str, Any]:
    ends = {"active_days": days, "users": people, "is_complete": over}
    return {"grain": "month", "period_start": month, **ends}


def life(month: date, *people: int) -> dict[str, Any]:
    names = ("new_users", "retained_users", "resurrected_users", "dormant_users", "active_users")
    return {
        "grain": "week",
        "period_start": month,
        **ALL,
        **dict(zip(names, people, strict=True)),
        "is_complete": month != MAR,
    }


def returned(cohort: date, index: int, users: int, back: int, *, over: bool) -> dict[str, Any]:
    return {
        "definition": "activity",
        "grain": "week",
        "cohort_start": cohort,
        "period_index": index,
        **ALL,
        "cohort_users": users,
        "active_users": back,
        "retention_rate": back / users,
        "is_complete": over,
    }


def moved(month: date, opening: str, *amounts: str, net: float | None) -> dict[str, Any]:
    names = ("new", "reactivation", "expansion", "contraction", "churn")
    parts = {f"{n}_mrr_amount": Decimal(a) for n, a in zip(names, amounts, strict=True)}
    return {
        "month": month,
        **ALL,
        "opening_mrr_amount": Decimal(opening),
        **parts,
        "closing_mrr_amount": Decimal(opening) + sum(parts.values()),
        "gross_revenue_retention_rate": None if net is None else 0.9,
        "net_revenue_retention_rate": net,
        "is_complete": month != MAR,
    }


def brought(day: date, channel: str, sessions: int, converting: int) -> dict[str, Any]:
    return {
        "date": day,
        "channel": channel,
        "sessions": sessions,
        "converting_sessions": converting,
    }


def changed(at: datetime, cause: str, table: str) -> dict[str, Any]:
    return {"published_at": at, "cause": cause, "table": table, "period_start": FEB}


ANSWERED = {"asked": 100, "response_rate": 0.5, "is_complete": True}
TABLES: dict[str, list[dict[str, Any]]] = {
    "kpi_scorecard": [
        kpi("stickiness", FEB, 0.138, "fraction", change=0.005, benchmark_levels="good 0.13",
            benchmark_direction="higher", verdict="good"),
        kpi("stickiness", MAR, 0.2, "fraction", is_complete=False, is_comparable=False),
        kpi("mrr", FEB, 29218.1632, "reporting currency", change=-1000.0),
        kpi("bounce_rate", FEB, 0.14, "fraction", benchmark_low=0.2, benchmark_high=0.55,
            benchmark_direction="lower", verdict="below"),
        kpi("active_users", FEB, 1182.0, "people", dimension="country", segment="DE"),
        kpi("session_conversion_rate", FEB, 0.025, "fraction", dimension="goal", segment="sign_up"),
        # What never had a value says nothing.
        kpi("active_to_paying", FEB, None, "fraction", benchmark_levels="good 0.2"),
    ],
    "active_users_daily": [
        active(date(2025, 3, 10), 1, 1, 1, 27),
        active(date(2025, 3, 11), 13, 40, 100, 28),
        active(date(2025, 3, 12), 0, 0, 0, 28),
    ],
    "active_users_periodic": [month_of(FEB, 1182, over=True), month_of(MAR, 50, over=False)],
    "active_days_histogram": [
        came(FEB, 1, 7, over=True),
        came(FEB, 3, 2, over=True),
        came(MAR, 1, 50, over=False),
    ],
    "cohort_retention": [
        returned(FEB, 0, 40, 40, over=True),
        returned(FEB, 1, 40, 18, over=True),
        returned(FEB, 2, 40, 5, over=False),
        returned(MAR, 0, 10, 10, over=False),
    ],
    "lifecycle": [life(FEB, 5, 20, 3, 4, 28), life(MAR, 1, 10, 0, 18, 11)],
    "mrr_movements_monthly": [
        moved(FEB, "0", "408.8784", "0", "0", "0", "0", net=None),
        moved(MAR, "408.8784", "100", "0", "50.5", "-10", "-99.75", net=0.95),
    ],
    "clv_monthly": [
        ordered(FEB, 3, "59.70", 2),
        ordered(MAR, 1, "1450.44", 3),
        {**ordered(MAR, 9, "99", 9), "model": "sbg"},
    ],
    "churn_by_inactivity_monthly": [
        bought(FEB, start=0, new=2, back=0, lost=0, end=2, rate=None),
        bought(MAR, start=2, new=1, back=1, lost=1, end=3, rate=0.5),
    ],
    "survey_scores": [
        score("nps", JAN, responses=0, score=None, ci_low=None, ci_high=None, **ANSWERED),
        score("nps", FEB, responses=50, score=40.0, ci_low=21.3, ci_high=55.7, **ANSWERED),
    ],
    "traffic_sources_daily": [
        brought(THROUGH, "Email", 10, 2),
        brought(THROUGH - timedelta(days=27), "Email", 5, 1),
        brought(THROUGH, "Direct", 4, 0),
        # A day too old.
        brought(THROUGH - timedelta(days=28), "Direct", 1000, 1000),
    ],
    "ingest_ledger": [LEDGER, {**LEDGER, "file": "broken.csv", "status": "refused", **{
        name: 0 for name in LEDGER if name.endswith("_rows")}}],
    "restatements": [
        changed(datetime(2025, 3, 11, 3, tzinfo=UTC), "late rows", "lifecycle"),
        changed(datetime(2025, 3, 12, 3, tzinfo=UTC), "late rows", "lifecycle"),
        changed(datetime(2025, 3, 12, 3, tzinfo=UTC), "late rows", "active_users_daily"),
        changed(datetime(2025, 3, 12, 3, tzinfo=UTC), "person merged", "lifecycle"),
    ],
}  # fmt: skip
