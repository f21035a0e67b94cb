"""Survey scores computed a second time, in SQL, from landed rows.

Written from METRICS.md and not from the transforms. Tables that are read: ``landed_surveys`` and
``landed_customers``, their instants without a zone (UTC), and ``bearing``: month, user_id, plan and
the last day of the month on which it bears their MRR.
"""

from collections.abc import Sequence
from datetime import date

import duckdb
import polars as pl

_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_Z = 1.959963984540054
_SURVEY = "survey, kind, scale_min, scale_max, direction"

_ANSWERS = """
CREATE OR REPLACE TEMP TABLE given AS
WITH customer AS (
    SELECT customer_id, coalesce(user_id, customer_id) AS user_id, country, segment, plan
    FROM landed_customers
    QUALIFY row_number() OVER (PARTITION BY customer_id
        ORDER BY landing_date DESC, file DESC, line DESC, item DESC) = 1
), person AS (
    SELECT * FROM customer
    QUALIFY row_number() OVER (PARTITION BY user_id ORDER BY customer_id) = 1
), current AS (
    SELECT l.*, coalesce(c.user_id, l.respondent_id) AS person_id
    FROM landed_surveys l LEFT JOIN customer c ON c.customer_id = l.respondent_id
    QUALIFY row_number() OVER (PARTITION BY response_id, survey, kind
        ORDER BY l.landing_date DESC, l.file DESC, l.line DESC, l.item DESC) = 1
), dated AS (
    SELECT *, asked_ts::DATE AS asked_on,
        CASE WHEN score IS NOT NULL AND answered_ts::DATE <= $through
            THEN answered_ts::DATE END AS answered_on
    FROM current WHERE kind <> 'review'
)
SELECT d.survey, d.kind, d.scale_min, d.scale_max, d.direction, d.score, d.asked_on, d.answered_on,
    d.person_id, d.channel, p.country, p.segment AS customer_segment,
    coalesce(p.plan, 'none') AS plan,
    answered_on IS NOT NULL AND d.person_id IS NOT NULL AND wave IS NOT NULL
        AND row_number() OVER (
            PARTITION BY survey, kind, wave, d.person_id, answered_on IS NOT NULL
            ORDER BY answered_ts DESC, landing_date DESC, file DESC, line DESC, item DESC
        ) > 1 AS is_superseded
FROM dated d LEFT JOIN person p ON p.user_id = d.person_id
"""

_DAYS = """
CREATE OR REPLACE TEMP TABLE facts AS
WITH cut AS ({cuts}), days AS (
    SELECT {survey}, person_id, dimension, cut_value, answered_on AS day, score, is_superseded,
        'answer' AS what, false AS was_answered
    FROM cut WHERE answered_on IS NOT NULL
    UNION ALL
    SELECT {survey}, person_id, dimension, cut_value, asked_on, NULL, false, 'ask',
        answered_on IS NOT NULL
    FROM cut WHERE asked_on <= $through AND NOT is_superseded
)
SELECT * REPLACE (CASE WHEN dimension = 'plan' THEN coalesce(
    (SELECT b.plan FROM bearing b WHERE b.user_id = person_id
        AND b.month = date_trunc('month', days.day) AND day(days.day) <= b.until), cut_value)
    ELSE cut_value END AS cut_value)
FROM days
"""

_COUNTED = """
SELECT {survey}, '{grain}' AS grain, period_start, dimension, cut_value AS segment,
    count(*) FILTER (holds) AS responses,
    count(*) FILTER (holds AND score >= 9) AS up,
    count(*) FILTER (holds AND score >= 7 AND score < 9) AS middle,
    count(*) FILTER (holds AND score < 7) AS down,
    count(*) FILTER (holds AND score >= scale_max
        - CASE WHEN scale_max - scale_min + 1 < 4 THEN 0 ELSE 1 END) AS good,
    coalesce(sum(score::DECIMAL(18, 4)) FILTER (holds), 0) AS total,
    coalesce(sum((score::DECIMAL(18, 4) - scale_min::DECIMAL(18, 4))
        * (score::DECIMAL(18, 4) - scale_min::DECIMAL(18, 4))) FILTER (holds), 0) AS squares,
    count(*) FILTER (what = 'ask') AS asked,
    count(*) FILTER (what = 'ask' AND was_answered) AS asked_answered,
    count(*) FILTER (what = 'answer' AND is_superseded) AS superseded,
    {end} <= $through AS is_complete
FROM (
    SELECT f.*, what = 'answer' AND NOT is_superseded AS holds, {start} AS period_start
    FROM facts f
    UNION ALL BY NAME
    SELECT {survey}, dimension, cut_value, false AS holds,
        unnest(generate_series(first, $through, INTERVAL 1 DAY))::DATE AS day,
        {start} AS period_start
    FROM (SELECT {survey}, dimension, cut_value, min(day) AS first FROM facts GROUP BY ALL)
) GROUP BY {survey}, dimension, cut_value, period_start
"""

_SCORED = """
WITH shares AS (
    SELECT *, responses AS n, scale_max = 10 AND kind = 'nps' AS is_nps, kind = 'csat' AS is_csat,
        kind = 'ces' AS is_ces, up / nullif(responses, 0)::DOUBLE AS p,
        down / nullif(responses, 0)::DOUBLE AS q, good / nullif(responses, 0)::DOUBLE AS s,
        total::DOUBLE / nullif(responses, 0) AS mean, scale_max - scale_min AS width
    FROM counted
), wilson AS (
    SELECT *, {p_low} AS p_low, {p_high} AS p_high, {q_low} AS q_low, {q_high} AS q_high,
        {s_low} AS s_low, {s_high} AS s_high,
        CASE WHEN p < 1 AND q < 1 THEN -sqrt(p * q / ((1 - p) * (1 - q))) ELSE -1 END AS r,
        n + {z2} AS heavy,
        ((total::DOUBLE - n * scale_min) + width * {z2} / 2) / (n + {z2}) AS centre,
        (squares::DOUBLE + width * width * {z2} / 2) / (n + {z2}) AS square
    FROM shares
)
SELECT {survey}, grain, period_start, dimension, segment, responses,
    CASE WHEN is_nps THEN up END AS promoters, CASE WHEN is_nps THEN middle END AS passives,
    CASE WHEN is_nps THEN down END AS detractors, CASE WHEN is_csat THEN good END AS satisfied,
    CASE WHEN n = 0 THEN NULL WHEN is_nps THEN 100 * (up - down) / n::DOUBLE
        WHEN is_csat THEN 100 * good / n::DOUBLE WHEN is_ces THEN mean END AS score,
    CASE WHEN n = 0 THEN NULL
        WHEN is_nps THEN 100 * sqrt(greatest(p + q - (p - q) * (p - q), 0) / n)
        WHEN is_csat THEN 100 * sqrt(s * (1 - s) / n)
        WHEN is_ces AND n > 1 THEN sqrt(((squares * n - (total - n * scale_min::DECIMAL(18, 4))
            * (total - n * scale_min::DECIMAL(18, 4)))::DOUBLE) / (n * (n - 1)) / n)
        END AS standard_error,
    CASE WHEN n = 0 THEN NULL
        WHEN is_nps THEN greatest(-100, 100 * (p - q - sqrt((p - p_low) ** 2
            - 2 * r * (p - p_low) * (q_high - q) + (q_high - q) ** 2)))
        WHEN is_csat THEN 100 * s_low
        WHEN is_ces THEN scale_min + greatest(0, centre
            - {z} * sqrt((square - centre * centre) / heavy)) END AS ci_low,
    CASE WHEN n = 0 THEN NULL
        WHEN is_nps THEN least(100, 100 * (p - q + sqrt((p_high - p) ** 2
            - 2 * r * (p_high - p) * (q - q_low) + (q - q_low) ** 2)))
        WHEN is_csat THEN 100 * s_high
        WHEN is_ces THEN scale_min + least(width, centre
            + {z} * sqrt((square - centre * centre) / heavy)) END AS ci_high,
    asked, asked_answered, asked_answered / nullif(asked, 0)::DOUBLE AS response_rate,
    superseded, is_complete
FROM wilson
"""


def survey_scores_oracle(
    con: duckdb.DuckDBPyConnection,
    *,
    dimensions: Sequence[str],
    week_start: str,
    data_through: date,
) -> pl.DataFrame:
    """The table ``survey_scores``."""
    through = f"DATE '{data_through}'"

    def execute(sql: str) -> None:
        con.execute(sql.replace("$through", through))

    execute(_ANSWERS)
    columns = {"all": "'all'", "channel": "channel", "country": "country", "plan": "plan"}
    columns["segment"] = "customer_segment"
    cuts = [
        f"SELECT *, '{name}' AS dimension, coalesce({columns[name]}, 'unknown') AS cut_value "
        "FROM given"
        for name in ["all", *dimensions]
        if name in columns
    ]
    execute(_DAYS.format(survey=_SURVEY, cuts=" UNION ALL ".join(cuts)))
    grains = [
        _COUNTED.format(survey=_SURVEY, grain=grain, start=start, end=end)
        for grain, start, end in _calendar(week_start)
    ]
    execute(f"CREATE OR REPLACE TEMP TABLE counted AS {' UNION ALL '.join(grains)}")
    shares = {f"{name}_{side}": _wilson(name, side) for name in "pqs" for side in ("low", "high")}
    scored = _SCORED.format(survey=_SURVEY, z=_Z, z2=_Z * _Z, **shares)
    found = con.sql(scored).to_arrow_table()
    table = pl.from_arrow(found)
    assert isinstance(table, pl.DataFrame)
    return table


def _calendar(week_start: str) -> list[tuple[str, str, str]]:
    first = _WEEKDAYS.index(week_start) + 1
    week = f"(day - (isodow(day) - {first} + 7)::INT % 7)::DATE"
    return [
        ("day", "day", "period_start"),
        ("week", week, "period_start + 6"),
        ("month", "date_trunc('month', day)::DATE", "last_day(period_start)"),
        (
            "quarter",
            "date_trunc('quarter', day)::DATE",
            "(period_start + INTERVAL 3 MONTH)::DATE - 1",
        ),
    ]


def _wilson(share: str, side: str) -> str:
    sign = "-" if side == "low" else "+"
    z2 = _Z * _Z
    spread = f"sqrt({share} * (1 - {share}) / n + {z2} / (4.0 * n * n))"
    limit = f"(({share} + {z2} / (2.0 * n) {sign} {_Z} * {spread}) / (1 + {z2} / n))"
    return f"greatest(0, least(1, {limit}))"
