"""How often the numbers of a home give an alert: ``python -m benchmarks.alerts HOME``.

In data in which nothing is known to be wrong every alert is taken for a false one. Prints, per
watched number, the days that were judged, the alerts, and on how many occasions they came:
days in a row are one.
"""

import sys
from pathlib import Path

import polars as pl

from pipelines import registry
from pipelines.home import open_home
from pipelines.session import reading
from transforms.alert_metrics import landed_by_day
from transforms.metric_alerts import judged_values

_NUMBER = ["table", "metric"]


def rates(home: Path) -> pl.DataFrame:
    """One row per watched number of the home."""
    opened = open_home(home)
    with reading(opened) as session:
        tables = {name: session.scan(name) for name in registry.BY_NAME["metric_alerts"].reads}
        lag = opened.settings.landing_lag_days
        tables["ingest_ledger"] = landed_by_day(tables["ingest_ledger"], lag)
        judged = judged_values(**tables).group_by(_NUMBER).agg(judged_days=pl.len())
        is_first = pl.col("date") == pl.col("first_date")
        alerts = session.scan("metric_alerts").group_by(_NUMBER)
        counts = alerts.agg(alerts=pl.len(), occasions=is_first.sum())
        table = judged.join(counts, on=_NUMBER, how="left").collect()
    return (
        table.with_columns(pl.col("alerts", "occasions").fill_null(0))
        .with_columns(alert_rate=pl.col("alerts") / pl.col("judged_days"))
        .sort(_NUMBER)
    )


if __name__ == "__main__":
    found = rates(Path(sys.argv[1]))
    with pl.Config(tbl_rows=-1, tbl_hide_dataframe_shape=True, tbl_hide_column_data_types=True):
        print(found)
    print(f"{found['alerts'].sum()} alerts of {found['judged_days'].sum()} judged numbers")
