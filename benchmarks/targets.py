"""What was aimed at, and what came out: met, missed, or not measured."""

from collections.abc import Callable, Iterator, Sequence
from statistics import median

from benchmarks.measurements import Record

# Targets for sizes of which the whole is not always measured.
YEARS_DAYS, MONTH_EVENTS, RATIO_EVENTS = 1095, 20_000_000, 20_000_000
_DAYS_PER_MONTH = 30


def targets_table(records: Sequence[Record]) -> str:
    """One line per target; ratios are of medians of wall seconds within one size."""
    lines = ["| target | measured | |", "| --- | --- | --- |"]
    lines += [f"| {what} | {said} | {verdict} |" for what, said, verdict in _targets(records)]
    return "\n".join([*lines, ""])


def _targets(records: Sequence[Record]) -> Iterator[tuple[str, str, str]]:
    for kind, contender, least in (
        ("stored", "duckdb_usual", 10.0),
        ("stored", "duckdb_best", 4.0),
        ("parquet", "duckdb_usual", 2.0),
        ("ndjson", "duckdb_usual", 1.5),
        ("csv", "duckdb_usual", 1.5),
    ):
        what = f"{kind}: {contender} / Tidemark at least {least:g}"
        yield what, *_ratio(records, kind, contender, "tidemark", lambda x, y=least: x >= y)
    what = "stored: Tidemark / decoding the columns at most 4"
    yield what, *_ratio(records, "stored", "tidemark", "floor", lambda x: x <= 4)
    yield _of_history(records)
    yield _of_old_rows(records)
    yield _of_bookkeeping(records)
    yield _of_memory(records)
    yield _of_nothing(records)
    yield _of_start(records)


def _ratio(
    records: Sequence[Record], kind: str, one: str, other: str, is_met: Callable[[float], bool]
) -> tuple[str, str]:
    """Of the largest size of which both were measured, in 90 days where there are such."""
    sizes: dict[tuple[int, int], dict[str, list[float]]] = {}
    for each in records:
        question = each["question"]
        if question["kind"] == kind and each["cost"]:
            size = sizes.setdefault((question["events"], -question["days"]), {})
            size.setdefault(each["contender"], []).append(each["cost"]["seconds"])
    both = [size for size, found in sorted(sizes.items()) if {one, other} <= found.keys()]
    if not both:
        return "", "not measured"
    found = sizes[both[-1]]
    ratio = median(found[one]) / median(found[other])
    return f"{ratio:.2f} at {both[-1][0]:,} events", _verdict(
        is_met(ratio), both[-1][0] >= RATIO_EVENTS
    )


def _of_history(records: Sequence[Record]) -> tuple[str, str, str]:
    what = "a night after three years / after thirty days at most 1.2"
    nights = values(records, "history")
    if len(nights) < 2:
        return what, "", "not measured"
    days = sorted(nights)
    ratio = median(nights[days[-1]]) / median(nights[days[0]])
    said = f"{ratio:.2f} ({days[-1]:,} days to {days[0]})"
    return what, said, _verdict(ratio <= 1.2, days[-1] >= YEARS_DAYS)


def _of_old_rows(records: Sequence[Record]) -> tuple[str, str, str]:
    what = f"one row three years late: at most 2 s more, at {MONTH_EVENTS:,} events a month"
    rows = of_kind(records, "old")
    days = max((each["question"]["days"] for each in rows), default=0)
    nights = values([each for each in rows if each["question"]["days"] == days], "old")
    if len(nights) < 2:
        return what, "", "not measured"
    more = median(nights["with"]) - median(nights["without"])
    a_month = per_day(rows) * _DAYS_PER_MONTH
    said = f"{more:.2f} s more, {days:,} days late, at {a_month:,} events a month"
    return what, said, _verdict(more <= 2, a_month >= MONTH_EVENTS and days >= YEARS_DAYS)


def _of_bookkeeping(records: Sequence[Record]) -> tuple[str, str, str]:
    what = "bookkeeping of a three-year backfill at most 5 %"
    backfills = of_kind(records, "backfill")
    if not backfills:
        return what, "", "not measured"
    last = max(each["question"]["at"] for each in backfills)
    shares = [e["bookkeeping_share"] for e in backfills if e["question"]["at"] == last]
    said = f"{median(shares):.1%} of {last:,} days, {per_day(backfills):,} events a day"
    return what, said, _verdict(median(shares) <= 0.05, last >= YEARS_DAYS)


def _of_memory(records: Sequence[Record]) -> tuple[str, str, str]:
    what = f"peak memory at most 2 GB at {MONTH_EVENTS:,} events a month"
    runs = [
        (round(q["events"] / q["days"] * _DAYS_PER_MONTH), each["cost"]["peak_bytes"])
        for each in records
        if each["contender"] == "tidemark" and each["cost"] and "events" in (q := each["question"])
    ]
    if not runs:
        return what, "", "not measured"
    # The size that is asked about, or the nearest above; where none is, the largest.
    whole = [size for size, _ in runs if size >= MONTH_EVENTS]
    a_month = min(whole) if whole else max(size for size, _ in runs)
    peak = max(bytes_ for size, bytes_ in runs if size == a_month)
    said = f"{peak / 1e9:.2f} GB at {a_month:,} events a month"
    return what, said, _verdict(peak <= 2e9, a_month >= MONTH_EVENTS)


def _of_nothing(records: Sequence[Record]) -> tuple[str, str, str]:
    what = "a run with nothing to do, after import, all tables: under 1 s at 1,095 days"
    runs = of_kind(records, "nothing")
    if not runs:
        return what, "", "not measured"
    days = max(each["question"]["at"] for each in runs)
    took = median(each["after_import"] for each in runs if each["question"]["at"] == days)
    return what, f"{took:.2f} s at {days:,} days", _verdict(took < 1, days >= YEARS_DAYS)


def _of_start(records: Sequence[Record]) -> tuple[str, str, str]:
    what = "`tidemark --help` under 0.3 s"
    starts = values(records, "help")
    if not starts:
        return what, "", "not measured"
    took = median(starts["--help"])
    return what, f"{took:.2f} s", _verdict(took < 0.3)


def values(records: Sequence[Record], kind: str, of: str = "seconds") -> dict:
    """What was measured of a kind of growth, by what it was measured at."""
    found: dict = {}
    for each in of_kind(records, kind):
        if each["cost"]:
            found.setdefault(each["question"]["at"], []).append(each["cost"][of])
    return found


def of_kind(records: Sequence[Record], kind: str) -> list[Record]:
    """The measurements of a kind of growth, of the most events a day of which there are any."""
    chosen = [each for each in records if each["question"]["kind"] == kind]
    most = per_day(chosen)
    return [each for each in chosen if each["question"]["per_day"] == most]


def per_day(records: Sequence[Record]) -> int:
    """The most events a day that were measured."""
    return max((each["question"]["per_day"] for each in records), default=0)


def _verdict(is_met: bool, is_whole: bool = True) -> str:
    said = "met" if is_met else "**missed**"
    return said if is_whole else f"{said}, at this smaller size"
