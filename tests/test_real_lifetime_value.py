"""Lifetime value of published purchases, from landed files to published tables."""

import csv
import gzip
import os
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from homes import run_home, scratch, table, warehouse_table
from real_data import VARIABLE, needs_real_data

PUBLISHED = Path(os.environ.get(VARIABLE, ""))
pytestmark = [
    needs_real_data,
    pytest.mark.only_tables(
        "clv_models", "customer_lifetime_value", "clv_monthly", "ingest_ledger"
    ),
]

# The rows bring no id of their own; two that look alike are two purchases.
CDNOW_SETTINGS = """\
currency = "USD"
clv_cutoff = 1997-09-30
dimensions = []

[sources.orders]
path = "cdnow.csv"

[sources.orders.columns]
order_id = { content = true }
customer_id = "customer"
ordered_ts = "day"
amount = "dollars"
currency = { constant = "USD" }
"""

RETAIL_SETTINGS = """\
currency = "GBP"
refused_rows_limit = 1.0
dimensions = ["country"]

[sources.orders]
path = "retail.csv"

[sources.orders.columns]
order_id = "InvoiceNo"
line_id = { content = true }
customer_id = "CustomerID"
ordered_ts = { column = "InvoiceDate", format = "%Y-%m-%d %H:%M:%S", zone = "Europe/London" }
amount = { times = ["Quantity", "UnitPrice"] }
currency = { constant = "GBP" }
"""


def cdnow(name: str, columns: Sequence[int]) -> pl.DataFrame:
    """Purchases separated by any number of blanks: customer, day, dollars."""
    with gzip.open(PUBLISHED / "cdnow" / name, "rt") as lines:
        words = [line.split() for line in lines]
    rows = [[row[place] for place in columns] for row in words if row and row[0].isdigit()]
    bought = pl.DataFrame(rows, schema=["customer", "day", "dollars"], orient="row")
    return bought.with_columns(
        day=pl.col("day").str.replace(r"(\d{4})(\d\d)(\d\d)", "$1-$2-${3}T12:00:00Z")
    )


def landed(root: Path, settings: str, name: str, landing_date: date) -> Path:
    folder = root / "landing" / "orders" / landing_date.isoformat()
    folder.mkdir(parents=True)
    (root / "tidemark.toml").write_text(settings, encoding="utf-8")
    return folder / name


def models(root: Path) -> dict[str, dict[str, Any]]:
    return {row["model"]: row for row in table(root, "clv_models").to_dicts()}


@pytest.fixture(scope="module")
def sample() -> Any:
    with scratch() as root:
        path = landed(root, CDNOW_SETTINGS, "cdnow.csv", date(1998, 6, 30))
        cdnow("CDNOW_sample.txt.gz", (0, 2, 4)).write_csv(path)
        run_home(root)
        yield root


@pytest.fixture(scope="module")
def everybody() -> Any:
    with scratch() as root:
        path = landed(root, CDNOW_SETTINGS, "cdnow.csv", date(1998, 6, 30))
        cdnow("CDNOW_master.txt.gz", (0, 1, 3)).write_csv(path)
        run_home(root)
        yield root


def test_the_sample_gives_the_figures_of_the_paper(sample: Path) -> None:
    buying = models(sample)["bg_nbd"]
    found = {name: round(buying[name], 3) for name in ("r", "alpha", "a", "b")}
    assert found == {"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426}
    assert round(buying["log_likelihood"], 1) == -9582.4
    assert (buying["customers"], buying["telling_customers"]) == (2357, 946)
    assert (buying["cutoff_date"], buying["as_of"]) == (date(1997, 9, 30), date(1998, 6, 30))


def test_amounts_of_the_sample_are_close_to_those_of_the_paper(sample: Path) -> None:
    spending = models(sample)["gamma_gamma"]
    # The paper: p 6.25, q 3.74, v 15.44. Here amounts of a day are added up to one purchase, and
    # days worth nothing are left out.
    assert spending["p"] == pytest.approx(6.25, rel=0.02)
    assert spending["q"] == pytest.approx(3.74, rel=0.02)
    assert spending["v"] == pytest.approx(15.44, rel=0.02)


@pytest.mark.parametrize(("home", "came"), [("sample", 1882), ("everybody", 19_684)])
def test_the_39_weeks_held_out_are_foretold_within_15_per_cent(
    home: str, came: int, request: pytest.FixtureRequest
) -> None:
    buying = models(request.getfixturevalue(home))["bg_nbd"]
    assert buying["holdout_days"] == 39 * 7
    assert buying["holdout_actual"] == came
    assert abs(buying["error_rate"]) < 0.15


def test_all_purchases_are_kept_twins_too(everybody: Path) -> None:
    values = table(everybody, "customer_lifetime_value")
    assert values.height == 23_570
    assert values["orders"].sum() == 69_659
    assert values["revenue_amount"].sum() == Decimal("2500315.63")
    by_month = table(everybody, "clv_monthly").filter(dimension="all")
    assert by_month["orders"].sum() == 69_659
    assert by_month["revenue_amount"].sum() == Decimal("2500315.63")
    # Published: first purchases of January, February and March.
    assert by_month["new_customers"].to_list()[:4] == [7846, 8476, 7248, 0]


def test_every_customer_has_a_prediction(everybody: Path) -> None:
    values = table(everybody, "customer_lifetime_value")
    assert values["alive_probability"].null_count() == 0
    assert values["expected_value_amount"].null_count() == 0
    # The paper's customers who bought most and then stayed away are as good as gone.
    assert values.filter(pl.col("expected_orders") == 0).height < 10
    assert values["alive_probability"].is_between(0, 1).all()


CONTRACTS_SETTINGS = """\
clv_cutoff = 2001-08-31
"""


@pytest.mark.parametrize(
    ("segment", "alpha", "beta"),
    [("high_end_survival_pct", 0.668, 3.806), ("regular_survival_pct", 0.704, 1.182)],
)
def test_contracts_give_the_parameters_of_the_paper(
    segment: str, alpha: float, beta: float
) -> None:
    """The paper's years are months here: a thousand begin in January 2001, seven renewals fit."""
    name = "sbg_retention/fader_hardie_2007_survival.csv"
    left = [round(10 * per_cent) for per_cent in pl.read_csv(PUBLISHED / name)[segment]]
    with scratch() as root:
        folder = root / "landing" / "subscriptions" / "2002-01-31"
        folder.mkdir(parents=True)
        (root / "tidemark.toml").write_text(CONTRACTS_SETTINGS, encoding="utf-8")
        _contracts(left).write_csv(folder / "subscriptions.csv")
        run_home(root)
        model = models(root)["sbg"]
        assert (model["customers"], model["telling_customers"]) == (1000, 1000 - left[7])
        assert (round(model["alpha"], 3), round(model["beta"], 3)) == (alpha, beta)
        # Held out: the five years to the twelfth, as the paper projects them.
        assert model["holdout_actual"] == left[12]
        assert abs(model["error_rate"]) < 0.05
        values = table(root, "customer_lifetime_value")
        assert values["alive_probability"].sum() == left[12]
        assert values["orders"].sum() == sum(left)
        by_month = table(root, "clv_monthly").filter(dimension="all")
        assert by_month["customers"].to_list() == left
        assert by_month["orders_per_customer_year"].unique().to_list() == [12.0]


def _contracts(left: list[int]) -> pl.DataFrame:
    """A subscription each; who is lost at a renewal ended within the month before its end."""
    lost = [before - after for before, after in pairwise(left)]
    ends = [renewal for renewal, number in enumerate(lost, 1) for _ in range(number)]
    ended = [date(2001 + renewal // 12, renewal % 12 + 1, 15) for renewal in ends]
    return pl.DataFrame(
        {"ended_ts": [*(f"{day}T00:00:00Z" for day in ended), *([None] * left[-1])]}
    ).select(
        pl.int_range(pl.len()).cast(pl.String).alias("subscription_id"),
        pl.int_range(pl.len()).cast(pl.String).alias("customer_id"),
        pl.lit("magazine").alias("plan"),
        pl.lit("10").alias("amount"),
        pl.lit("EUR").alias("currency"),
        pl.lit("month").alias("interval"),
        pl.lit("2001-01-10T00:00:00Z").alias("started_ts"),
        "ended_ts",
    )


def test_invoice_lines_of_a_shop_add_up_with_the_refused_ones() -> None:
    with scratch() as root:
        path = landed(root, RETAIL_SETTINGS, "retail.csv", date(2011, 12, 10))
        name = "online_retail_2010_2011/online_retail.csv.gz"
        path.write_bytes(gzip.decompress((PUBLISHED / name).read_bytes()))
        run_home(root)
        kept = warehouse_table(root, "orders")
        refused = warehouse_table(root, "quarantine_orders")
        account = table(root, "ingest_ledger").select(
            "read_rows", "accepted_rows", "quarantined_rows", "duplicate_rows"
        )
        # The data set's own figures: 541,909 invoice lines, 135,080 of them without a customer.
        assert account.rows() == [(541_909, 541_909 - 135_080, 135_080, 0)]
        assert kept.height + refused.height == 541_909
        assert refused["reasons"].unique().to_list() == ["customer_id is missing"]
        assert (kept["fate"] == "counts").all()
        values = table(root, "customer_lifetime_value")
        assert values["revenue_amount"].sum() == Decimal("8300065.814")
        assert values.height == 4372
        assert table(root, "clv_monthly").filter(dimension="all")["revenue_amount"].sum() == (
            Decimal("8300065.814")
        )
        assert _refused_amount(refused) + Decimal("8300065.814") == Decimal("9747747.934")


def _refused_amount(refused: pl.DataFrame) -> Decimal:
    """Quantity times price of the rows as they came."""
    rows = csv.reader(refused["raw"].to_list())
    return sum((Decimal(row[3]) * Decimal(row[5]) for row in rows), Decimal(0))
