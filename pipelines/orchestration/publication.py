"""The last asset: what BI tools read, all tables together or none."""

from pathlib import Path
from typing import Any

import dagster as dg

from pipelines import registry
from pipelines.orchestration.describe import OWNERS, POOL, Metadata, lines
from pipelines.orchestration.steps import changing
from pipelines.report.write import report_after_publication
from pipelines.run import newly_broken_checks, over_limit

NAME = "publication"


def publication_asset(root: Path) -> dg.AssetsDefinition:
    """The published files and their catalogue."""

    @dg.asset(
        name=NAME,
        deps=[spec.name for spec in registry.PUBLISHED],
        description=(
            "`bi/TABLE.parquet` for every published table, `bi/catalog.duckdb`, `bi/report.html`. "
            "Readers see all of a run together. Nothing is published while a check between tables "
            "is broken or too many rows were refused."
        ),
        group_name=NAME,
        owners=OWNERS,
        kinds={"parquet", "duckdb"},
        pool=POOL,
        backfill_policy=dg.BackfillPolicy.single_run(),
    )
    def publish(context: dg.AssetExecutionContext) -> dg.MaterializeResult[Any]:
        with changing(root, context, retry_number=context.retry_number) as session:
            # Which checks can be judged depends on what is up to date.
            session.survey()
            withheld = [*over_limit(session), *newly_broken_checks(session)]
            if withheld:
                said = "; ".join(withheld)
                raise dg.Failure(f"nothing was published: {said}", allow_retries=False)
            published = session.publish()
            problem = report_after_publication(session.home)
            if problem:
                context.log.warning(problem)
            rows = sum(table.rows for table in session.manifest.published.values())
        metadata: Metadata = {
            "publication": published.id,
            "dagster/row_count": rows,
            "tables_written": lines(published.written),
            "tables_kept": len(published.kept),
            "tables_not_up_to_date": lines(published.behind),
            "path": dg.MetadataValue.path(str(session.home.bi)),
        }
        return dg.MaterializeResult(metadata=metadata)

    return publish
