from collections.abc import Sequence

import polars as pl
from frames import assert_rows, day, frame

from pipelines import registry
from schemas.base import empty
from schemas.duplicate_events import DuplicateEvents
from schemas.duplicate_orders import DuplicateOrders
from schemas.excluded_events import ExcludedEvents
from schemas.ingest_ledger import IngestLedger
from schemas.orders import Orders
from schemas.receipts import Receipts
from transforms.ingest_ledger import LEDGER_READS, ingest_ledger

LANDED = day("2025-03-02")


def ledger(**tables: pl.LazyFrame) -> pl.LazyFrame:
    """The ledger of the given tables, all others being empty."""
    none = {name: empty(registry.FILINGS[name].model) for name in LEDGER_READS}
    return ingest_ledger(**{**none, **tables})


def of_events(
    receipts: list[dict[str, object]], twins: list[object], excluded: Sequence[object] = ()
) -> pl.LazyFrame:
    return ledger(
        receipts_events=frame(Receipts, receipts),
        duplicate_events=frame(DuplicateEvents, twins),
        excluded_events=frame(ExcludedEvents, excluded),
    )


def receipt(file: str, **counts: object) -> dict[str, object]:
    none = dict.fromkeys(
        [
            "raw_rows",
            "filtered_rows",
            "read_rows",
            "landed_rows",
            "quarantined_rows",
            "forgotten_rows",
        ],
        0,
    ) | dict.fromkeys(["late_1d_rows", "late_7d_rows", "late_30d_rows", "future_rows"], 0)
    return {"landing_date": LANDED, "file": file, "status": "read"} | none | counts


def duplicate(file: str, line: int, *, differs: bool = False, **more: str) -> dict[str, object]:
    return left_out(file, line, differs=differs, **more)


def left_out(
    file: str, line: int, *, landed: str = "2025-03-02", **more: object
) -> dict[str, object]:
    return {
        "event_date": day("2025-03-01"),
        "landing_date": day(landed),
        "file": file,
        "line": line,
        "event_id": "e",
        **more,
    }


FULL = receipt(
    "f.csv",
    raw_rows=12,
    filtered_rows=2,
    read_rows=10,
    landed_rows=7,
    quarantined_rows=3,
    late_1d_rows=4,
    late_7d_rows=3,
    late_30d_rows=1,
    future_rows=1,
)


def test_the_rows_of_a_file_are_accepted_quarantined_or_duplicate() -> None:
    # 7 landed - 2 duplicates = 5 accepted; 5 + 3 + 2 = 10 read.
    # 1 of the accepted is left out.
    twins = [duplicate("f.csv", 3), duplicate("f.csv", 4)]
    excluded = [left_out("f.csv", 5, rule="flag")]
    assert_rows(
        of_events([FULL], twins, excluded),
        IngestLedger,
        [
            {
                "landing_date": LANDED,
                "source": "events",
                "file": "f.csv",
                "status": "read",
                "raw_rows": 12,
                "filtered_rows": 2,
                "read_rows": 10,
                "accepted_rows": 5,
                "quarantined_rows": 3,
                "duplicate_rows": 2,
                "excluded_rows": 1,
                "late_1d_rows": 4,
                "late_7d_rows": 3,
                "late_30d_rows": 1,
                "future_rows": 1,
            }
        ],
    )


def test_rows_of_staff_are_accepted_and_excluded() -> None:
    # 7 landed - 1 duplicate = 6 accepted, 2 of which are staff's.
    fates = ["counts"] * 4 + ["excluded"] * 2 + ["duplicate"]
    lines = [
        {"landing_date": LANDED, "file": "f.csv", "line": number, "fate": fate}
        for number, fate in enumerate(fates)
    ]
    assert_rows(
        ledger(receipts_orders=frame(Receipts, [FULL]), orders=frame(Orders, lines)),
        IngestLedger,
        [{"source": "orders", "accepted_rows": 6, "excluded_rows": 2, "duplicate_rows": 1}],
    )


def test_duplicates_that_say_something_else_are_counted_by_source_and_file() -> None:
    receipts = [receipt("f.csv", read_rows=4, landed_rows=4), receipt("g.csv")]
    events = [duplicate("f.csv", 2, differs=True), duplicate("f.csv", 3)]
    fates = ["counts", "duplicate", "duplicate", "duplicate"]
    at = {"landing_date": LANDED, "file": "f.csv", "event_date": LANDED}
    orders = [at | {"line": i, "differs": i > 2} for i in (2, 3, 4)]
    lines = [
        {"landing_date": LANDED, "file": "f.csv", "line": i, "fate": fate}
        for i, fate in enumerate(fates, 1)
    ]
    assert_rows(
        ledger(
            receipts_events=frame(Receipts, receipts),
            receipts_orders=frame(Receipts, receipts),
            duplicate_events=frame(DuplicateEvents, events),
            duplicate_orders=frame(DuplicateOrders, orders),
            orders=frame(Orders, lines),
        ),
        IngestLedger,
        [
            {"source": "events", "file": "f.csv", "duplicate_rows": 2, "differing_rows": 1},
            {"source": "events", "file": "g.csv", "duplicate_rows": 0, "differing_rows": 0},
            {"source": "orders", "file": "f.csv", "duplicate_rows": 3, "differing_rows": 2},
            {"source": "orders", "file": "g.csv", "duplicate_rows": 0, "differing_rows": 0},
        ],
    )


def test_duplicates_go_by_landing_date_and_file() -> None:
    receipts = [
        receipt("f.csv", read_rows=2, landed_rows=2),
        receipt("g.csv", read_rows=2, landed_rows=2),
        receipt("f.csv", read_rows=2, landed_rows=2) | {"landing_date": day("2025-03-03")},
    ]
    twins = [duplicate("g.csv", 1), duplicate("f.csv", 1, landed="2025-03-03")]
    assert_rows(
        of_events(receipts, twins),
        IngestLedger,
        [
            {"landing_date": LANDED, "file": "f.csv", "duplicate_rows": 0},
            {"landing_date": LANDED, "file": "g.csv", "duplicate_rows": 1},
            {"landing_date": day("2025-03-03"), "file": "f.csv", "duplicate_rows": 1},
        ],
    )


def test_a_refused_file_stands_in_the_ledger_without_rows() -> None:
    refused = receipt("broken.parquet", status="refused")
    assert_rows(
        of_events([refused], []),
        IngestLedger,
        [{"status": "refused", "raw_rows": 0, "read_rows": 0}],
    )


def test_money_without_a_rate_is_quarantined_and_what_lost_to_a_twin_is_a_duplicate() -> None:
    # 7 landed - 1 duplicate - 2 waiting = 4 accepted; 3 + 2 = 5 quarantined; 4 + 5 + 1 = 10 read.
    fates = ["counts"] * 4 + ["duplicate"] + ["awaiting_rate"] * 2
    lines = [
        {"landing_date": LANDED, "file": "f.csv", "line": number, "fate": fate}
        for number, fate in enumerate(fates)
    ]
    assert_rows(
        ledger(receipts_orders=frame(Receipts, [FULL]), orders=frame(Orders, lines)),
        IngestLedger,
        [
            {
                "source": "orders",
                "read_rows": 10,
                "accepted_rows": 4,
                "quarantined_rows": 5,
                "awaiting_rate_rows": 2,
                "duplicate_rows": 1,
            }
        ],
    )
