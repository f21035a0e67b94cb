"""What people do: names of events, pages, features, prices, and where visits come from."""

from typing import NamedTuple

import polars as pl

from pipelines.sample.dice import Dice, chosen

_NAMES = {
    "page_view": 480,
    "click": 190,
    "feature_used": 110,
    "search": 70,
    "page_ping": 60,
    "share": 16,
    "purchase": 14,
    "comment": 14,
    "chat_message": 10,
    "ad_click": 8,
    "survey_answered": 7,
}
_OLD_FEATURES = {"board": 30, "export": 14, "import": 6, "comments": 22, "api": 5}
_FEATURES = {**_OLD_FEATURES, "automation": 8}
GOALS = ("purchase", "signup")
_CAMPAIGNS = {"spring_sale": 5, "newsletter": 8, "launch": 3}
_PAGES = (
    ("/", "Tide: work that flows"),
    ("/pricing", "Pricing"),
    ("/features", "Features, at a glance"),
    ("/blog/retention", 'What "retained" means'),
    ("/blog/cohorts", "Cohorts, explained"),
    ("/docs/start", "First steps"),
    ("/docs/api", "API reference"),
    ("/app/boards", "Boards"),
    ("/app/board", "Board"),
    ("/app/reports", "Reports"),
    ("/app/settings", "Settings"),
    ("/app/inbox", "Inbox"),
)
_PAGE_WEIGHTS = dict(enumerate((22, 7, 6, 5, 4, 5, 4, 16, 20, 9, 3, 10)))
# Looked up and not divided: polars multiplies by a reciprocal, and 0.94 becomes a long number.
_PRICES = pl.Series([euros + cents / 100 for euros in range(9, 180) for cents in (0, 50, 99)])
_SHARES = pl.Series([percent / 100 for percent in range(101)])
_SECONDS = pl.Series([tenths / 10 for tenths in range(900)])
_ITEMS = pl.Series([f'{{"items":{items}}}' for items in range(1, 6)])
_RESULTS = pl.Series([f'{{"results":{results}}}' for results in range(60)])
_DETAIL, _DETAILS = "detail", 1 << 20
_SITE = "https://tide.example"


class _Source(NamedTuple):
    channel: str
    weight: int
    referrer: str | None = None
    utm: tuple[str, str] | None = None


_SOURCES = (
    _Source("Direct", 42),
    _Source("Organic Search", 22, "https://www.google.com/"),
    _Source("Paid Search", 9, "https://www.google.com/", ("google", "cpc")),
    _Source("Email", 9, None, ("newsletter", "email")),
    _Source("Organic Social", 8, "https://www.linkedin.com/"),
    _Source("Referral", 7, "https://partner.example/"),
    _Source("Paid Social", 3, "https://www.facebook.com/", ("facebook", "paid_social")),
)


def source(key: pl.Expr, dice: Dice) -> pl.Expr:
    """Where a visit comes from: a number that :func:`channel` and :func:`entry` understand."""
    weights = {index: source.weight for index, source in enumerate(_SOURCES)}
    return dice.pick(weights, key, "source").cast(pl.UInt8)


def channel() -> pl.Expr:
    """The channel of the column ``source``."""
    return chosen(pl.Series([source.channel for source in _SOURCES]), pl.col("source"))


def entry(is_entry: pl.Expr, key: pl.Expr, dice: Dice) -> list[pl.Expr]:
    """Referrer and utm parameters of the column ``source``, on the first event of a session."""
    index = pl.when(is_entry).then(pl.col("source"))
    mediums = pl.Series([source.utm and source.utm[1] for source in _SOURCES])
    medium = chosen(mediums, index)
    return [
        chosen(pl.Series([source.referrer for source in _SOURCES]), index).alias("referrer"),
        chosen(pl.Series([source.utm and source.utm[0] for source in _SOURCES]), index).alias(
            "utm_source"
        ),
        medium.alias("utm_medium"),
        pl.when(medium.is_not_null()).then(campaign(key, dice)).alias("utm_campaign"),
    ]


FEATURES = tuple(_FEATURES)
CHANNELS = tuple(source.channel for source in _SOURCES)


def event_name(is_entry: pl.Expr, key: pl.Expr, dice: Dice) -> pl.Expr:
    """What is done: a visit opens with a page view."""
    return pl.when(is_entry).then(pl.lit("page_view")).otherwise(dice.pick(_NAMES, key, "name"))


def pages(platform: pl.Expr, key: pl.Expr, dice: Dice) -> list[pl.Expr]:
    """The page that an event of the column ``event_name`` happens on; apps have no addresses."""
    has_page = pl.col("event_name").is_in(["page_view", "page_ping", "click", "share"])
    index = pl.when(has_page).then(dice.pick(_PAGE_WEIGHTS, key, "page"))
    urls = pl.Series([_SITE + path for path, _ in _PAGES])
    return [
        pl.when(platform == "web").then(chosen(urls, index)).alias("page_url"),
        chosen(pl.Series([title for _, title in _PAGES]), index).alias("page_title"),
    ]


def campaign(key: pl.Expr, dice: Dice) -> pl.Expr:
    """One of the campaigns."""
    return dice.pick(_CAMPAIGNS, key, _DETAIL)


def details(key: pl.Expr, launch_day: int, dice: Dice) -> list[pl.Expr]:
    """What single kinds of events bring beside: features, money, attention, properties.

    All are read off one draw, since an event is of one kind: whoever stays long scrolls far. One
    feature is new on ``launch_day``.
    """
    name = pl.col("event_name")
    is_read = name.is_in(["page_view", "page_ping"])
    is_of_mail = name.is_in(["email_clicked", "email_unsubscribed"])
    feature = pl.when(pl.col("event_day") < launch_day).then(dice.pick(_OLD_FEATURES, key, _DETAIL))
    return [
        pl.when(name == "feature_used")
        .then(feature.otherwise(dice.pick(_FEATURES, key, _DETAIL)))
        .alias("feature"),
        pl.when(is_of_mail)
        .then("mail_campaign")
        .when(name == "ad_click")
        .then(campaign(key, dice))
        .alias("campaign"),
        pl.when(name == "purchase").then(_looked_up(_PRICES, key, dice)).alias("value"),
        pl.when(name == "purchase").then(pl.lit("EUR")).alias("currency"),
        pl.when(is_read).then(_looked_up(_SHARES, key, dice)).alias("scroll_depth"),
        pl.when(is_read).then(_looked_up(_SECONDS, key, dice)).alias("engaged_seconds"),
        pl.when(name == "purchase")
        .then(_looked_up(_ITEMS, key, dice))
        .when(name == "search")
        .then(_looked_up(_RESULTS, key, dice))
        .alias("properties"),
    ]


def _looked_up(values: pl.Series, key: pl.Expr, dice: Dice) -> pl.Expr:
    return chosen(values, dice.below(_DETAILS, key, _DETAIL) * len(values) // _DETAILS)
