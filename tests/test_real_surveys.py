"""Eight years of an airport's customer survey, whose columns differ every year, by settings alone.

Each raw row is one questionnaire: the mapping makes one row of each question that is scored.
"""

import json
import os
import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import duckdb
import polars as pl
import pytest
from homes import LONG, assert_same_state, run_home, scratch, stored, table, warehouse_table
from oracle.compare import assert_equal_tables
from oracle.surveys import survey_scores_oracle
from real_data import VARIABLE, needs_real_data, read

pytestmark = needs_real_data

PUBLISHED = Path(os.environ.get(VARIABLE, ""))
FOLDER = "sfo_survey_2010_2017"
OVERALL, REACHING, FINDING, SECURITY, RECOMMEND = (
    "overall",
    "reach",
    "find",
    "security",
    "recommend",
)
# Which column holds which question; on scales of 1 to 5, but for the last.
_NAMED_2014 = {
    OVERALL: "Q7ALL",
    REACHING: "Q13GETRATE",
    FINDING: "Q14FIND",
    SECURITY: "Q14PASSTHRU",
}
QUESTIONS = {
    2010: {OVERALL: "Q6N", FINDING: "Q13A", SECURITY: "Q13B"},
    2011: {OVERALL: "Q8N", FINDING: "Q15A", SECURITY: "Q15B"},
    2012: {
        OVERALL: "Q8N_WHOLE",
        REACHING: "Q14RATEGETTO",
        FINDING: "Q15A_FIND",
        SECURITY: "Q15B_SECURITY",
    },
    2013: {
        OVERALL: "Q7O_WHOLE",
        REACHING: "Q13_RATEGETTO",
        FINDING: "Q14A_FIND",
        SECURITY: "Q14B_SECURITY",
    },
    2014: _NAMED_2014,
    2015: _NAMED_2014,
    2016: _NAMED_2014,
    2017: {**_NAMED_2014, RECOMMEND: "NETPRO"},
}
# Codes that mean that nothing was answered; 6 means "not applicable" and is on no scale.
BLANK = ["0", "Blank"]
BLANK_RECOMMEND = ["11"]
RESPONDENTS = {2010: 3_234, 2011: 3_872, 2012: 3_521, 2013: 3_535}
RESPONDENTS |= {2014: 2_818, 2015: 2_958, 2016: 3_087, 2017: 2_831}
THROUGH = date(2017, 6, 1)
KINDS = 'overall = "csat", recommend = "nps"'


def id_column(year: int) -> str:
    return "*RESPNUM" if year == 2016 else "RESPNUM"


def day_of(year: int) -> str:
    """Interviews are dated by the day of May, but for one year."""
    if year == 2016:
        return (
            '{ column = "INTDATE", format = "%m/%d/%Y %I:%M:%S %p", zone = "America/Los_Angeles" }'
        )
    return f'{{ base = "{year}-04-30", days = "INTDATE" }}'


def feed(year: int) -> str:
    blanks = dict.fromkeys(QUESTIONS[year], BLANK) | {RECOMMEND: BLANK_RECOMMEND}
    columns = "\n".join(
        f"{question} = {{ column = {json.dumps(column)}, nulls = {json.dumps(blanks[question])} }}"
        for question, column in QUESTIONS[year].items()
    )
    return f"""
[[sources.surveys]]
path = "{year}_*.csv.gz"
[sources.surveys.unpivot]
name = "question"
value = "answer"
[sources.surveys.unpivot.columns]
{columns}
[sources.surveys.columns]
response_id = {{ concat = [{{ file = '^(\\d+)_' }}, {{ constant = "-" }}, "{id_column(year)}"] }}
wave = {{ file = '^(\\d+)_' }}
survey = "question"
kind = {{ column = "question", values = {{ {KINDS} }}, default = "ces" }}
scale_max = {{ column = "question", values = {{ recommend = 10 }}, default = 5 }}
score = "answer"
asked_ts = {day_of(year)}
answered_ts = {day_of(year)}
"""


SETTINGS = 'timezone = "America/Los_Angeles"\nrefused_rows_limit = 1.0\n' + "".join(
    feed(year) for year in QUESTIONS
)


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    with scratch() as folder:
        root = folder / "home"
        root.mkdir()
        (root / "tidemark.toml").write_text(SETTINGS, encoding="utf-8")
        for year in QUESTIONS:
            name = f"{year}_SFO_Customer_Survey.csv.gz"
            landing = root / "landing" / "surveys" / f"{year}-06-01"
            landing.mkdir(parents=True)
            shutil.copy(PUBLISHED / FOLDER / name, landing / name)
        run_home(root)
        yield root


def of_year(scores: pl.DataFrame, survey: str, year: int) -> dict[str, object]:
    rows = scores.filter(
        survey=survey, grain="month", dimension="all", period_start=date(year, 5, 1)
    )
    return rows.row(0, named=True)


def test_the_published_figures_are_reached(home: Path) -> None:
    scores = table(home, "survey_scores")
    nps = of_year(scores, RECOMMEND, 2017)
    # 100 (1,436 - 342) / 2,746 = 39.84, of 2,831 who were asked.
    assert (nps["promoters"], nps["passives"], nps["detractors"]) == (1_436, 968, 342)
    assert (nps["responses"], nps["asked"], nps["asked_answered"]) == (2_746, 2_831, 2_746)
    assert nps["score"] == pytest.approx(39.84, abs=5e-3)
    assert (nps["scale_min"], nps["scale_max"]) == (0.0, 10.0)
    csat = of_year(scores, OVERALL, 2017)
    # 1,507 fours and 699 fives of 2,688: 82.07 %.
    assert (csat["responses"], csat["satisfied"]) == (2_688, 2_206)
    assert csat["score"] == pytest.approx(82.07, abs=5e-3)
    for row in (nps, csat):
        assert row["ci_low"] < row["score"] < row["ci_high"]
        assert row["ci_high"] - row["ci_low"] < 6
    # Fours and fives of those on the scale: (1,506 + 605) / 2,677.
    assert of_year(scores, OVERALL, 2014)["score"] == pytest.approx(100 * 2_111 / 2_677)
    # 1,574 fives, 716 fours, 337 threes, 40 twos and 16 ones of 2,683: 4.4134.
    assert of_year(scores, FINDING, 2017)["score"] == pytest.approx(11_841 / 2_683)


def test_every_question_of_every_questionnaire_is_accounted_for(home: Path) -> None:
    ledger = table(home, "ingest_ledger").filter(source="surveys").sort("landing_date")
    counts = ledger.select("raw_rows", "read_rows", "quarantined_rows", "filtered_rows").rows()
    assert counts == [
        (asked, asked * len(QUESTIONS[year]), off_the_scale(year), 0)
        for year, asked in RESPONDENTS.items()
    ]
    assert (ledger["duplicate_rows"] == 0).all()
    assert ledger.select(
        pl.col("read_rows") == pl.col("accepted_rows") + pl.col("quarantined_rows")
    )["read_rows"].all()
    reasons = warehouse_table(home, "quarantine_surveys")["reasons"].value_counts().rows()
    refused = sum(off_the_scale(year) for year in QUESTIONS)
    assert reasons == [("score lies outside scale_min to scale_max", refused)]
    # In 2017: 162 + 57 + 258 found a question not applicable.
    assert off_the_scale(2017) == 477


def off_the_scale(year: int) -> int:
    raw = raw_rows(year)
    columns = [column for name, column in QUESTIONS[year].items() if name != RECOMMEND]
    return int(sum((raw[column] == "6").sum() for column in columns))


def raw_rows(year: int) -> pl.DataFrame:
    return read(FOLDER, f"{year}_SFO_Customer_Survey.csv.gz")


def test_every_cell_is_the_one_of_sql(home: Path) -> None:
    with duckdb.connect() as con:
        parts = []
        for year, questions in QUESTIONS.items():
            con.register(f"raw_{year}", raw_rows(year).with_row_index("line").to_arrow())
            parts += [_long(year, question, column) for question, column in questions.items()]
        con.execute(f"CREATE TABLE landed_surveys AS {' UNION ALL '.join(parts)}")
        con.execute("""CREATE TABLE landed_customers (customer_id VARCHAR, user_id VARCHAR,
            country VARCHAR, segment VARCHAR, plan VARCHAR, landing_date DATE, file VARCHAR,
            line BIGINT, item BIGINT)""")
        con.execute("CREATE TABLE bearing (month DATE, user_id VARCHAR, plan VARCHAR, until INT)")
        expected = survey_scores_oracle(
            con,
            dimensions=("platform", "country", "channel", "plan"),
            week_start="monday",
            data_through=THROUGH,
        )
    assert_equal_tables("survey_scores", table(home, "survey_scores"), expected)


def _long(year: int, question: str, column: str) -> str:
    """One question of a year as survey rows; noon of the day, as if Los Angeles were in UTC."""
    is_nps = question == RECOMMEND
    blank = BLANK_RECOMMEND if is_nps else BLANK
    day = (
        "strptime(INTDATE, '%m/%d/%Y %I:%M:%S %p')::DATE"
        if year == 2016
        else f"DATE '{year}-04-30' + INTDATE::INT"
    )
    kind = "nps" if is_nps else "csat" if question == OVERALL else "ces"
    code = f'"{column}"'
    return f"""
        SELECT '{year}-' || "{id_column(year)}" AS response_id, '{question}' AS survey,
            '{kind}' AS kind, score, {0 if is_nps else 1}::DOUBLE AS scale_min,
            {10 if is_nps else 5}::DOUBLE AS scale_max, 'ease' AS direction,
            NULL::VARCHAR AS respondent_id, '{year}' AS wave, NULL::VARCHAR AS channel,
            happened AS asked_ts, happened AS answered_ts,
            DATE '{year}-06-01' AS landing_date, '{year}' AS file, line, 1 AS item
        FROM (
            SELECT *, ({day})::TIMESTAMP AS happened,
                CASE WHEN {code} NOT IN ('{"', '".join(blank)}') THEN {code}::DOUBLE END AS score
            FROM raw_{year}
        ) WHERE score IS NULL OR score <= {10 if is_nps else 5}"""


@pytest.mark.skipif(not LONG, reason="takes half a minute: set TIDEMARK_LONG_TESTS=1")
def test_years_that_land_backwards_give_the_same_bytes(home: Path) -> None:
    with scratch() as folder:
        other = folder / "home"
        other.mkdir()
        (other / "tidemark.toml").write_text(SETTINGS, encoding="utf-8")
        days = sorted((home / "landing" / "surveys").iterdir(), reverse=True)
        for some in (days[:3], days[3:]):
            for each in some:
                shutil.copytree(each, other / "landing" / "surveys" / each.name)
            run_home(other)
        assert_same_state(stored(other), stored(home))
