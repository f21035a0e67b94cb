"""Taking in what landed: one step fills landed rows, quarantine and receipts of every source."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg

from pipelines import registry
from pipelines.nightly import night_terms
from pipelines.orchestration.days import takes_only_complete
from pipelines.orchestration.describe import (
    OWNERS,
    POOL,
    Metadata,
    columns_of,
    description_of,
    lines,
    stored,
)
from pipelines.orchestration.steps import changing
from pipelines.session import Session
from pipelines.warehouse.land import Landed
from pipelines.warehouse.readiness import Awaits, at_once
from pipelines.warehouse.specs import SourceTables

GROUP = "landing"
FILES_CHECK = "every_file_was_read"
REFUSED = "refused_files"
_Result = dg.MaterializeResult[Any] | dg.AssetCheckResult


def landing_asset(root: Path) -> dg.AssetsDefinition:
    """Assets of all tables that are filled by landing."""

    @dg.multi_asset(
        name=GROUP,
        specs=[_asset_spec(name) for source in registry.SOURCES for name in _tables(source)],
        check_specs=[_files_check(source) for source in registry.SOURCES],
        can_subset=True,
        backfill_policy=dg.BackfillPolicy.single_run(),
        pool=POOL,
    )
    def take_in(
        context: dg.AssetExecutionContext,
    ) -> Iterator[_Result]:
        with changing(root, context, retry_number=context.retry_number) as session:
            taken = {each.source: each for each in session.land(awaits=_awaits(session, context))}
            if not session.manifest.landing_dates:
                raise dg.Failure(
                    f"nothing has landed in {session.home.landing}: put files into it under "
                    "<source>/YYYY-MM-DD/, or fill a new home with `tidemark sample`",
                    allow_retries=False,
                )
            described = {
                name: stored(session, name) | _figures(landed)
                for source, landed in taken.items()
                for name in _tables(source)
            }
        for source, landed in taken.items():
            for key in map(dg.AssetKey, _tables(source)):
                if key in context.selected_asset_keys:
                    yield dg.MaterializeResult(asset_key=key, metadata=described[key.path[-1]])
            if _files_check(source).key in context.selected_asset_check_keys:
                yield _judge_files(landed)

    return take_in


def _awaits(session: Session, context: dg.AssetExecutionContext) -> Awaits:
    """A night leaves what is not complete; whoever starts a run by hand gets what lies there."""
    if takes_only_complete(context.run.tags):
        return night_terms(session.home, lambda: False).awaits
    return at_once


def _tables(source: str) -> tuple[str, str, str]:
    return SourceTables(source).names


def _asset_spec(table: str) -> dg.AssetSpec:
    model = registry.FILINGS[table].model
    return dg.AssetSpec(
        table,
        description=description_of(model),
        metadata=columns_of(model),
        group_name=GROUP,
        owners=OWNERS,
        kinds={"polars", "parquet"},
    )


def _files_check(source: str) -> dg.AssetCheckSpec:
    return dg.AssetCheckSpec(
        FILES_CHECK,
        asset=SourceTables(source).landed,
        description="Every file could be read to its end. One that could not costs only itself.",
    )


def _judge_files(landed: Landed) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        asset_key=SourceTables(landed.source).landed,
        check_name=FILES_CHECK,
        passed=not landed.refused_files,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={REFUSED: lines(landed.refused_files)},
    )


def _figures(landed: Landed) -> Metadata:
    """What this run took in; the rows that are stored from all runs stand beside it."""
    return {
        "landing_dates_taken_in": landed.landing_dates,
        "files_taken_in": landed.files,
        "files_refused": len(landed.refused_files),
        "rows_read": landed.read_rows,
        "rows_landed": landed.landed_rows,
        "rows_quarantined": landed.quarantined_rows,
        "notices": lines(landed.notices),
        "not_complete_yet": lines(landed.waiting),
    }
