"""Facts with money computed a second time, in SQL, from landed rows."""

import duckdb
import polars as pl

# Rates for the reporting currency as units per one of it: numerator over denominator.
_SQL = """
CREATE TABLE every_rate AS
    SELECT day, currency, (rate::DECIMAL(38, 8) * 100000000)::HUGEINT AS units FROM ecb
    UNION ALL SELECT DISTINCT day, 'EUR', 100000000::HUGEINT FROM ecb;
CREATE TABLE crossed AS
    SELECT r.day, r.currency, r.units, b.units AS base
    FROM every_rate r JOIN every_rate b ON b.day = r.day AND b.currency = $currency;
CREATE TABLE rated AS
    SELECT l.*,
        (SELECT {own} FROM own_rates o WHERE o.currency = l.currency
            AND o.day BETWEEN l.event_date - 7 AND l.event_date ORDER BY o.day DESC LIMIT 1) AS own,
        (SELECT {library} FROM crossed c WHERE c.currency = l.currency
            AND c.day BETWEEN l.event_date - 7 AND l.event_date ORDER BY c.day DESC LIMIT 1)
            AS library,
        row_number() OVER (PARTITION BY order_id, line_id, kind
            ORDER BY landing_date, file, line, item) > 1 AS is_duplicate
    FROM landed l;
CREATE TABLE priced AS
    SELECT *, CASE WHEN currency = $currency THEN {{'u': 1::HUGEINT, 'b': 1::HUGEINT}}
        ELSE coalesce(own, library) END AS rate,
        (CASE WHEN kind = 'refund' THEN -abs(amount) ELSE amount END::DECIMAL(38, 4) * 10000)
            ::HUGEINT AS netted
    FROM rated;
CREATE TABLE halved AS
    SELECT *, netted * rate.b AS n, rate.u AS d, (abs(netted * rate.b) // rate.u) AS q,
        abs(netted * rate.b) % rate.u AS r FROM priced;
"""
_SELECT = """
    SELECT landing_date, file, line, item,
        CASE WHEN is_duplicate THEN 'duplicate' WHEN rate IS NULL THEN 'awaiting_rate'
            ELSE 'counts' END AS fate,
        event_date, order_id, line_id, kind, customer_id, ordered_ts,
        ((sign(n) * (q + CASE WHEN 2 * r > d OR (2 * r = d AND q % 2 = 1) THEN 1 ELSE 0 END))
            ::DECIMAL(38, 0) / 10000)::DECIMAL(18, 4) AS amount,
        amount AS original_amount, currency, channel, campaign
    FROM halved
"""


def orders_oracle(
    landed: pl.DataFrame, own: pl.DataFrame, ecb: pl.DataFrame, *, currency: str
) -> pl.DataFrame:
    """``orders`` of the given landed rows; the rates are those that count."""
    script = _SQL.format(
        own="{'u': (o.rate::DECIMAL(38, 8) * 100000000)::HUGEINT, 'b': 100000000::HUGEINT}",
        library="{'u': c.units, 'b': c.base}",
    )
    with duckdb.connect(config={"threads": 1}) as con:
        naive = landed.with_columns(pl.col("ordered_ts").dt.replace_time_zone(None))
        con.register("landed", naive.to_arrow())
        con.register("own_rates", own.to_arrow())
        con.register("ecb", ecb.to_arrow())
        con.execute(script.replace("$currency", f"'{currency}'"))
        found = con.sql(_SELECT).pl()
    return found.with_columns(pl.col("ordered_ts").dt.replace_time_zone("UTC"))
