"""Every table, one line each, in an order in which they can be built."""

from pipelines.landing.sources import SOURCES as SOURCES
from pipelines.settings import Settings
from pipelines.warehouse.filing import Filing, in_parts, landed, plain
from pipelines.warehouse.specs import Everything, SourceTables, Spec, UpTo, Within
from schemas.quarantine import Quarantine
from schemas.receipts import Receipts


def _duplicate_days(settings: Settings) -> int:
    return settings.duplicate_days


def _link_days(settings: Settings) -> int:
    # 30 times 24 hours can touch 31 days before: days are 23 or 25 hours long when clocks change.
    return settings.stitch_days + 1


def _retention_months(settings: Settings) -> int:
    days, weeks, months = settings.retention_periods
    return max(days // 28 + 2, weeks * 7 // 28 + 2, months + 1)


# fmt: off
TABLES = (
    Spec("duplicate_events", "day", {"landed_events": Within(_duplicate_days, _duplicate_days)}, "facts", has_parts=True, chunk_rows=4_000_000),
    Spec("events", "day", {"landed_events": Within(), "duplicate_events": Within()}, "facts", has_parts=True),
    Spec("links", "day", {"events": Within()}, "facts"),
    Spec("stitches", "day", {"events": Within(), "links": Within(_link_days, _link_days)}, "facts"),
    Spec("user_days", "day", {"events": Within(), "stitches": Within()}, "spines"),
    Spec("user_months", "month", {"user_days": Within()}, "spines"),
    Spec("users", "month", {"user_months": Within(), "users": UpTo(-1)}, "spines"),
    Spec("segments", "month", {"users": Within()}, "spines"),
    Spec("ingest_ledger", "whole", {"receipts_events": Everything(), "duplicate_events": Everything()}, "ledgers"),
    Spec("active_users_daily", "month", {"user_months": Within(1), "users": Within(), "segments": UpTo()}, "activity", is_dense=True),
)
# fmt: on
BY_NAME = {spec.name: spec for spec in TABLES}
PUBLISHED = tuple(spec for spec in TABLES if spec.promise.published)


def _filings() -> dict[str, Filing]:
    filings = {}
    for source in SOURCES.values():
        tables = SourceTables(source.name)
        filings[tables.landed] = landed(tables.landed, source.landed)
        filings[tables.quarantine] = plain(tables.quarantine, Quarantine, "day")
        filings[tables.receipts] = plain(tables.receipts, Receipts, "day")
    for spec in TABLES:
        if spec.has_parts:
            filings[spec.name] = in_parts(spec.name, spec.model)
        else:
            filings[spec.name] = plain(spec.name, spec.model, spec.by)
    return filings


FILINGS = _filings()


def upstream_of(spec: Spec) -> list[Spec]:
    """Every table that ``spec`` is made from, in the order of the registry."""
    names: set[str] = set()
    waiting = [name for name in spec.reads if name != spec.name]
    while waiting:
        name = waiting.pop()
        if name in BY_NAME and name not in names:
            names.add(name)
            waiting += [each for each in BY_NAME[name].reads if each != name]
    return [each for each in TABLES if each.name in names]


def sources_of(spec: Spec) -> list[str]:
    """The sources that a table is made from in the end."""
    read = {name for each in (*upstream_of(spec), spec) for name in each.reads}
    return [source for source in SOURCES if read & set(SourceTables(source).names)]
