"""One asset per registered table. ``events`` has event days as partitions, the others are whole."""

from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import dagster as dg
from pydantic import Field

from pipelines import registry
from pipelines.errors import TidemarkError
from pipelines.freshness import today_of
from pipelines.orchestration.charts import chart
from pipelines.orchestration.days import days_of_run
from pipelines.orchestration.describe import (
    OWNERS,
    POOL,
    Metadata,
    columns_of,
    description_of,
    made_from,
    published_as,
    reach,
    stored,
)
from pipelines.orchestration.judgements import judge_promise, promise_spec
from pipelines.orchestration.steps import changing
from pipelines.session import Session
from pipelines.warehouse.bring_up import Built, Days
from pipelines.warehouse.specs import Spec

PARTITIONED = ("events",)
# Each costs Dagster's log 20 ms and more. A first run over decades does not report them all.
_REPORTED_DAYS = 400
_ROWS = "dagster/partition_row_count"


class Rebuild(dg.ConfigurableResource[Any]):
    """How tables are brought up to date, in the configuration of a run.

    Days that are named here stand above the run's partitions, and are for tables without any.
    """

    force: bool = Field(
        default=False, description="Rebuild what is not stale too, within the run's event days."
    )
    first_day: str = Field(
        default="", description="First event day to bring up to date, YYYY-MM-DD; open where empty."
    )
    last_day: str = Field(
        default="", description="Last event day to bring up to date, YYYY-MM-DD; open where empty."
    )

    def days(self, otherwise: Days) -> Days:
        """The event days that are named; the others where none is.

        Raises TidemarkError for what is no day.
        """
        if not self.first_day and not self.last_day:
            return otherwise
        try:
            first, last = (
                date.fromisoformat(day) if day else None for day in (self.first_day, self.last_day)
            )
        except ValueError as error:
            raise TidemarkError(f"resources.rebuild.config: {error}; days are YYYY-MM-DD") from None
        return Days(first, last)


def table_assets(root: Path, partitions: dg.DailyPartitionsDefinition) -> list[dg.AssetsDefinition]:
    """The assets of all registered tables."""
    return [_table_asset(spec, root, partitions) for spec in registry.TABLES]


def _table_asset(
    spec: Spec, root: Path, partitions: dg.DailyPartitionsDefinition
) -> dg.AssetsDefinition:
    @dg.asset(
        name=spec.name,
        deps=[name for name in spec.reads if name != spec.name],
        description=description_of(spec.model),
        metadata=columns_of(spec.model) | made_from(spec),
        group_name=spec.group,
        owners=OWNERS,
        kinds={"polars", "parquet"},
        partitions_def=partitions if spec.name in PARTITIONED else None,
        backfill_policy=dg.BackfillPolicy.single_run(),
        pool=POOL,
        check_specs=[promise_spec(spec)] if spec.promise.published else [],
    )
    # Beside outputs of checks Dagster knows the bare class only.
    def bring_up(context: dg.AssetExecutionContext, rebuild: Rebuild) -> dg.MaterializeResult:  # type: ignore[type-arg]
        with changing(root, context, retry_number=context.retry_number) as session:
            days = rebuild.days(days_of_run(context.run, context.instance, partitions))
            built = session.bring_up(spec, days, force=rebuild.force)
            # In the order of the page: what people look for comes first.
            drawn = chart(spec, session.scan(spec.name)) if spec.promise.published else None
            metadata: Metadata = {"chart": drawn} if drawn else {}
            metadata |= reach(session, spec, today_of(session.home, datetime.now(UTC)))
            metadata |= (
                published_as(session, spec)
                | stored(session, spec.name)
                | {
                    "slices": built.slices,
                    "slices_rebuilt": built.rebuilt,
                    "slices_changed": built.changed,
                    "slices_removed": built.removed,
                    "slices_waiting": built.waiting,
                }
            )
            if spec.name in PARTITIONED:
                metadata |= _report_days(context, session, built)
            judged = [judge_promise(session, spec)] if spec.promise.published else []
        return dg.MaterializeResult(metadata=metadata, check_results=judged)

    return bring_up


def _report_days(
    context: dg.AssetExecutionContext, session: Session, built: Built
) -> dict[str, int]:
    """Report every day whose rows changed; how many lay outside of the run's range.

    Days of the range are reported by Dagster itself, whether they were rebuilt or not.
    """
    rows: Counter[str] = Counter()
    for key, record in session.manifest.slices.get(built.table, {}).items():
        rows[key.period.isoformat()] += record.rows
    for day in context.partition_keys:
        context.add_asset_metadata({_ROWS: rows[day]}, context.asset_key, day)
    others = {day.isoformat() for day in built.changed_periods}.difference(context.partition_keys)
    reported = sorted(others)[-_REPORTED_DAYS:]
    for day in reported:
        context.log_event(
            dg.AssetMaterialization(context.asset_key, partition=day, metadata={_ROWS: rows[day]})
        )
    return {"other_days_changed": len(others), "other_days_reported": len(reported)}
