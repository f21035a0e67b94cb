"""Column lineage: what the queries read, written down in a file that the tables agree with."""

import tomllib

import pytest

from pipelines import registry
from pipelines.commands.sample import SETTINGS
from pipelines.orchestration.describe import made_from
from pipelines.orchestration.lineage import Inputs, kept, lineage_of
from pipelines.settings import Settings

REMEDY = "run `python -m pipelines.orchestration.lineage`"
# Some of which the query is quickly cut down to each column.
QUICK = ("events", "links", "users", "mrr_movements_monthly", "pages_daily", "sessions")


def computed(table: str) -> dict[str, Inputs]:
    return lineage_of(registry.BY_NAME[table], Settings(**tomllib.loads(SETTINGS)))


def test_a_column_is_made_from_what_its_query_reads_keys_and_filters_included() -> None:
    found = computed("goal_days")
    assert set(found) == set(registry.BY_NAME["goal_days"].schema)
    churn = computed("mrr_movements_monthly")["churn_mrr_amount"]
    # The sum of the changes of one kind of movement, by month and segment.
    keys = ["country", "month", "opening_plan", "plan"]
    assert churn == {"customer_months": sorted([*keys, "change_amount", "movement"])}
    closing = computed("mrr_movements_monthly")["closing_mrr_amount"]
    assert closing == {"customer_months": sorted([*keys, "mrr_amount"])}


@pytest.mark.parametrize("table", QUICK)
def test_the_lineage_that_is_kept_is_that_of_the_tables(table: str) -> None:
    assert kept()[table] == computed(table), REMEDY


def test_every_column_has_its_lineage_and_names_columns_that_are_there() -> None:
    assert list(kept()) == [spec.name for spec in registry.TABLES], REMEDY
    for spec in registry.TABLES:
        assert set(kept()[spec.name]) == set(spec.schema), REMEDY
        for inputs in kept()[spec.name].values():
            assert set(inputs) <= set(spec.reads), f"{spec.name}: {REMEDY}"
            for table, columns in inputs.items():
                assert set(columns) <= set(registry.FILINGS[table].schema), REMEDY


def test_dagster_is_given_the_lineage_as_its_own_kind_and_to_read() -> None:
    shown = made_from(registry.BY_NAME["mrr_movements_monthly"])
    deps = shown["dagster/column_lineage"].deps_by_column["closing_mrr_amount"]
    assert [dep.column_name for dep in deps] == [
        "country",
        "month",
        "mrr_amount",
        "opening_plan",
        "plan",
    ]
    assert {dep.asset_key.to_user_string() for dep in deps} == {"customer_months"}
    expected = "| closing_mrr_amount | **customer_months**: country, month, mrr_amount, "
    assert expected in shown["columns_made_from"].value
