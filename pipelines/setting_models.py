"""Nested tables of the settings: each a model with a meaning and a range for every key."""

import difflib
from typing import Annotated, Any, Literal, Self

import polars as pl
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    FiniteFloat,
    field_validator,
    model_validator,
)

from schemas.base import dtypes
from schemas.landed_events import EventContract
from transforms.excluded_events import BUILT_IN_RULES

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
Dimension = Literal[
    "platform",
    "country",
    "channel",
    "plan",
    "device",
    "app_version",
    "campaign",
    "utm_source",
    "utm_medium",
    "utm_campaign",
    "segment",
]
Domain = Annotated[str, Field(pattern=r"^[a-z0-9-]+(\.[a-z0-9-]+)*$")]
# Where shops send people to pay, and from where these come back.
PAYMENT_PROVIDERS = [
    "paypal.com",
    "stripe.com",
    "klarna.com",
    "adyen.com",
    "mollie.com",
    "payu.com",
    "worldpay.com",
    "checkout.com",
    "squareup.com",
    "braintreegateway.com",
    "authorize.net",
    "2checkout.com",
    "skrill.com",
    "afterpay.com",
    "affirm.com",
    "sagepay.com",
    "opayo.co.uk",
    "przelewy24.pl",
    "tpay.com",
    "sofort.com",
    "giropay.de",
    "paydirekt.de",
    "amazonpay.com",
    "pay.google.com",
    "razorpay.com",
    "pagseguro.uol.com.br",
    "mercadopago.com",
]


class Strict(BaseModel):
    """A table of settings: unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _as_texts(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


class Paths(Strict):
    """Folders of the home, relative to it or absolute."""

    landing: str = Field("landing", description="where files arrive")
    warehouse: str = Field("warehouse", description="Tidemark's own tables")
    bi: str = Field("bi", description="what BI tools read")


A_RETENTION = '{ name = "buyers", start_events = ["signup"], return_events = ["purchase"] }'


class Retention(Strict):
    """A retention definition beside ``activity``; an empty list means any active event."""

    name: str = Field(min_length=1, description="its value in the column definition")
    start_events: list[str] = Field([], description="events that take a person into a cohort")
    return_events: list[str] = Field([], description="events that count as a return")
    entry: Literal["first_time", "recurring"] = Field(
        "first_time",
        description="into the cohort of the first start event, or of every one",
    )

    @field_validator("name")
    @classmethod
    def _not_the_built_in(cls, name: str) -> str:
        if name == "activity":
            raise ValueError("'activity' is the built-in definition; choose another name")
        return name


A_RULE = '{ name = "tests", column = "page_url", contains = "//staging." }'


class ExcludedTraffic(Strict):
    """Events to leave out by what a column says; exactly one of the last three is given."""

    name: str = Field(min_length=1, description="its value in the column rule")
    column: str = Field(description="a text column of events, such as platform or page_url")
    equals: Annotated[list[str] | None, BeforeValidator(_as_texts)] = Field(
        None, description="the whole text, or several of them"
    )
    contains: str | None = Field(None, min_length=1, description="a part of the text")
    matches: str | None = Field(
        None, min_length=1, description="a regular expression, found anywhere in the text"
    )

    @field_validator("name")
    @classmethod
    def _not_built_in(cls, name: str) -> str:
        if name in BUILT_IN_RULES:
            raise ValueError(f"{name!r} is a built-in rule; choose another name")
        return name

    @field_validator("column")
    @classmethod
    def _of_text(cls, column: str) -> str:
        texts = [name for name, dtype in dtypes(EventContract).items() if dtype == pl.String]
        if column not in texts:
            near = difflib.get_close_matches(column, texts, 1, 0.5)
            hint = f"; did you mean {near[0]!r}?" if near else f"; there are: {', '.join(texts)}"
            raise ValueError(f"events have no text column {column!r}{hint}")
        return column

    @field_validator("matches")
    @classmethod
    def _readable(cls, expression: str | None) -> str | None:
        if expression is not None:
            try:
                pl.select(pl.lit("").str.contains(expression))
            except pl.exceptions.PolarsError as error:
                raise ValueError(f"is no regular expression: {_last_line(error)}") from error
        return expression

    @model_validator(mode="after")
    def _one_test(self) -> Self:
        given = [name for name in _TESTS if getattr(self, name) is not None]
        if len(given) != 1:
            said = f"{', '.join(given)} are" if given else "none is"
            raise ValueError(f"give exactly one of {', '.join(_TESTS)}: {said} given")
        return self


_TESTS = ("equals", "contains", "matches")


def _last_line(error: Exception) -> str:
    return str(error).strip().splitlines()[-1].strip()


class Goal(Strict):
    """Something that visitors are wanted to do."""

    name: str = Field(min_length=1, description="its value in the column goal")
    events: list[str] = Field(min_length=1, description="events any of which reaches it")


class FunnelStep(Strict):
    """A step of a funnel; the name of an event alone is a step of that name."""

    name: str = Field(min_length=1, description="its value in the column step_name")
    events: list[str] = Field(min_length=1, description="events any of which is the step")


def _as_step(value: Any) -> Any:
    return {"name": value, "events": [value]} if isinstance(value, str) else value


class Funnel(Strict):
    """Steps that people are wanted to take one after the other."""

    name: str = Field(min_length=1, description="its value in the column funnel")
    steps: list[Annotated[FunnelStep, BeforeValidator(_as_step)]] = Field(
        min_length=2,
        max_length=20,
        description="in their order, each the name of an event or { name, events }",
    )
    window_hours: int = Field(
        168, ge=1, le=2160, description="hours from the first step within which the others count"
    )


GOALS = [Goal(name="purchase", events=["purchase"]), Goal(name="signup", events=["signup"])]
FUNNELS = [
    Funnel(
        name=goal.name,
        steps=[
            FunnelStep(name="page_view", events=["page_view"]),
            FunnelStep(name=goal.name, events=goal.events),
        ],
    )
    for goal in GOALS
]
INTERACTIONS = {
    **{name: name for name in ("click", "share", "comment", "search")},
    "survey_answered": "survey",
    "chat_message": "chat",
}


class Benchmark(Strict):
    """What is usual elsewhere: a range, or named levels that a value passes."""

    low: FiniteFloat | None = Field(None, description="lower end of what is usual")
    high: FiniteFloat | None = Field(None, description="upper end of what is usual")
    levels: dict[str, FiniteFloat] = Field(
        {}, description="names of thresholds, and where they lie"
    )
    direction: Literal["higher", "lower"] = Field("higher", description="which way is better")
    source: str = Field("", description="where it is from, for the reader of the scorecard")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ValueError(f"low {self.low:g} lies above high {self.high:g}")
        if len(set(self.levels.values())) < len(self.levels):
            raise ValueError("two levels lie at one value")
        return self


def _rule_of_thumb(says: str, **values: Any) -> Benchmark:
    return Benchmark(source=f"rule of thumb of marketing literature: {says}", **values)


BENCHMARKS = {
    "stickiness": _rule_of_thumb("above 0.13 is good", levels={"good": 0.13}),
    "churn_rate": _rule_of_thumb(
        "0.02 to 0.08 a month is usual", low=0.02, high=0.08, direction="lower"
    ),
    "csat": _rule_of_thumb("75 to 85 is usual", low=75, high=85),
    "nps": _rule_of_thumb(
        "above 0 is good, above 20 great, above 50 excellent",
        levels={"good": 0, "great": 20, "excellent": 50},
    ),
    "ces_effort_1_5": _rule_of_thumb(
        "1 to 2 of 5 where low is easy", low=1, high=2, direction="lower"
    ),
    "ces_effort_1_7": _rule_of_thumb(
        "1 to 3 of 7 where low is easy", low=1, high=3, direction="lower"
    ),
    "feature_adoption": _rule_of_thumb("0.28 is the average feature's", levels={"average": 0.28}),
    "active_to_paying": _rule_of_thumb("above 0.20 is good", levels={"good": 0.20}),
    "social_engagement_rate": _rule_of_thumb("0.01 to 0.05 is usual", low=0.01, high=0.05),
    "click_through_rate": _rule_of_thumb(
        "0.06 to 0.07 is high", low=0.06, high=0.07, levels={"high": 0.06}
    ),
    "pages_per_session": _rule_of_thumb("1.7 to 4 is usual", low=1.7, high=4),
    "mean_time_on_page_seconds": _rule_of_thumb("52 s is average", levels={"average": 52}),
    "page_views": _rule_of_thumb(
        "1,000 a month for a small business, 10,000 for a large one",
        levels={"small business": 1_000, "large business": 10_000},
    ),
    "bounce_rate": _rule_of_thumb(
        "0.20 to 0.55 is usual; some say it should be under 0.40",
        low=0.20,
        high=0.55,
        levels={"under 0.40": 0.40},
        direction="lower",
    ),
    "mean_scroll_depth": _rule_of_thumb("0.50 is average", levels={"average": 0.50}),
    "new_visitor_share": _rule_of_thumb("0.10 is average", levels={"average": 0.10}),
    "clv_to_cac": _rule_of_thumb("3 to 5 times the cost of acquisition", low=3, high=5),
}


class HealthWeights(Strict):
    """What each component of ``health_score`` weighs; only their proportions matter."""

    activity: float = Field(0.4, ge=0, le=1, description="active days of the last 28")
    satisfaction: float = Field(0.3, ge=0, le=1, description="latest survey answers")
    support: float = Field(0.1, ge=0, le=1, description="tickets that are open")
    payment: float = Field(0.2, ge=0, le=1, description="MRR, and how recent the last purchase is")

    @model_validator(mode="after")
    def _one_above_zero(self) -> "HealthWeights":
        if not any((self.activity, self.satisfaction, self.support, self.payment)):
            raise ValueError("one of the weights must be above zero")
        return self


class HealthLevels(Strict):
    """From which ``health_score`` on a level begins; below fair is poor."""

    good: float = Field(70.0, ge=0, le=100, description="least score of good")
    fair: float = Field(40.0, ge=0, le=100, description="least score of fair")

    @model_validator(mode="after")
    def _in_order(self) -> "HealthLevels":
        if self.fair > self.good:
            raise ValueError("fair must not begin above good")
        return self
