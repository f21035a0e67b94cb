"""The settings of a home: ``tidemark.toml``, every key with a default, a meaning and a range."""

import difflib
import tomllib
import zoneinfo
from datetime import date
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict
from pydantic_settings.sources import TomlConfigSettingsSource

from pipelines.errors import TidemarkError
from pipelines.landing.feeds import Feed, check_feeds
from pipelines.landing.mapping import Expression, Filter, Unpivot
from pipelines.landing.sources import SOURCES
from pipelines.night_settings import (
    AlertDeviations,
    AlertMinChange,
    AlertPage,
    FreshDays,
    LandingMarker,
    LandingQuietMinutes,
    LockWaitMinutes,
    NightlyAt,
    RunHoursLimit,
)
from pipelines.setting_models import (
    A_RETENTION,
    A_RULE,
    BENCHMARKS,
    FUNNELS,
    GOALS,
    INTERACTIONS,
    PAYMENT_PROVIDERS,
    Benchmark,
    Dimension,
    Domain,
    ExcludedTraffic,
    Funnel,
    FunnelStep,
    Goal,
    HealthLevels,
    HealthWeights,
    Paths,
    Retention,
    Weekday,
)
from transforms.kpis import BENCHMARK_NAMES, is_benchmark_name


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, dict) else value


def _as_triple(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if set(value) != {"days", "weeks", "months"}:
        raise ValueError("must name days, weeks and months")
    return value["days"], value["weeks"], value["months"]


def _with_defaults(value: Any) -> Any:
    """Benchmarks of the file, and the usual ones of all other metrics."""
    return {**BENCHMARKS, **value} if isinstance(value, dict) else value


Periods = Annotated[int, Field(ge=1, le=400)]


class Settings(BaseSettings):
    """What a home can be told. Unknown keys are errors."""

    model_config = SettingsConfigDict(extra="forbid", frozen=True)

    timezone: str = Field("UTC", description="IANA name of the reporting time zone")
    week_start: Weekday = Field("monday", description="first day of the week")
    active_events: list[str] = Field(
        [],
        description="names that make a user active; empty: all but e-mail deliveries and the like",
    )
    key_features: list[str] = Field([], description="features that count in the first week")
    currency: str = Field(
        "EUR", pattern="^[A-Z]{3}$", description="reporting currency, as its ISO 4217 code"
    )
    mau_window_days: int = Field(28, ge=1, le=31, description="days in the window of mau")
    wau_window_days: int = Field(7, ge=1, le=31, description="days in the window of wau")
    duplicate_days: int = Field(
        7,
        ge=0,
        le=60,
        description="how far apart event days of one event id may lie to be one event",
    )
    stitch_days: int = Field(
        30, ge=1, le=180, description="how far a link of an anonymous id to a user reaches"
    )
    exclude_bots: bool = Field(
        True, description="leave out events that are flagged is_bot, or of a known crawler"
    )
    exclude_staff: bool = Field(True, description="leave out whom customers marks is_staff")
    excluded_traffic: list[ExcludedTraffic] = Field(
        [], description=f"events to leave out beside, such as test traffic: {A_RULE}"
    )
    dimensions: list[Dimension] = Field(
        ["platform", "country", "channel", "plan"], description="breakdowns"
    )
    retention_periods: Annotated[tuple[Periods, Periods, Periods], BeforeValidator(_as_triple)] = (
        Field((90, 52, 36), description="how many days, weeks and months a retention row runs")
    )
    retentions: list[Retention] = Field(
        [], description=f"retention definitions beside activity: {A_RETENTION}"
    )
    session_timeout_minutes: int = Field(
        30, ge=1, le=720, description="a longer gap between two events ends a session"
    )
    session_max_hours: int = Field(24, ge=1, le=24, description="longest session")
    use_source_sessions: bool = Field(
        False, description="take the session_id of events as it is, instead of the gap"
    )
    goals: list[Goal] = Field(GOALS, description="conversions")
    funnels: list[Funnel] = Field(
        FUNNELS, description="steps towards them; by default from page_view to each"
    )
    interactions: dict[str, Annotated[str, Field(min_length=1)]] = Field(
        INTERACTIONS,
        description="actions of interactivity_daily by event name; by default click, share, "
        "comment, search, survey_answered as survey and chat_message as chat",
    )
    attribution_days: int = Field(
        90,
        ge=1,
        le=365,
        description="how far back the last non-direct visit counts, and how long a mail",
    )
    own_domains: list[Domain] = Field(
        [], description="domains that are no referrers, nor what lies below them: one's own sites"
    )
    payment_providers: list[Domain] = Field(
        PAYMENT_PROVIDERS, description="domains on which people pay: no referrers either"
    )
    churn_inactivity_days: int = Field(
        90, ge=1, le=1100, description="days without an order after which a shop's customer is lost"
    )
    churn_horizon_days: int = Field(
        90, ge=7, le=730, description="days ahead for which the risk of losing a subscriber is told"
    )
    churn_cutoff: date | None = Field(
        None, description="day that churn models are fitted to; else two horizons before the last"
    )
    health_weights: HealthWeights = Field(
        HealthWeights(), description="what each component of health_score weighs"
    )
    health_levels: HealthLevels = Field(
        HealthLevels(), description="health_score from which a level begins"
    )
    health_active_days: int = Field(
        8, ge=1, le=28, description="active days of the last 28 that are full marks for health"
    )
    health_open_tickets: int = Field(
        3, ge=1, le=1000, description="open tickets at which the health of support is zero"
    )
    health_survey_days: int = Field(
        365, ge=1, le=3660, description="days for which an answer counts for health"
    )
    clv_horizon_months: int = Field(
        12, ge=1, le=120, description="months ahead for which lifetime value is predicted"
    )
    clv_discount_rate: float = Field(
        0.0, ge=0, le=1, description="yearly rate at which future value is discounted"
    )
    clv_holdout_weeks: int = Field(
        39, ge=1, le=520, description="weeks before the horizon that the model is judged by"
    )
    clv_cutoff: date | None = Field(
        None, description="last day of the fit; else clv_holdout_weeks before the horizon"
    )
    simple_clv_lifetime_years: float | None = Field(
        None, gt=0, le=100, description="years that a customer without contract stays"
    )
    nightly_at: NightlyAt = "03:00"
    landing_marker: LandingMarker = None
    landing_quiet_minutes: LandingQuietMinutes = 0
    lock_wait_minutes: LockWaitMinutes = 10
    run_hours_limit: RunHoursLimit = 24.0
    fresh_days: FreshDays = 2
    alert_deviations: AlertDeviations = 5.0
    alert_min_change: AlertMinChange = 0.2
    alert_page: AlertPage = ""
    landing_lag_days: int = Field(
        0,
        ge=0,
        le=60,
        description="days after a landing date until its source is taken to be whole",
    )
    earliest_event_date: date = Field(
        date(1990, 1, 1), description="events before this day are refused as misread timestamps"
    )
    refused_rows_limit: float = Field(
        0.05, ge=0, le=1, description="share of refused rows above which nothing is published"
    )
    max_file_bytes: int = Field(
        64 << 30,
        ge=1 << 10,
        le=1 << 50,
        description="a file that is longer when it is unpacked is refused",
    )
    max_line_bytes: int = Field(
        64 << 20,
        ge=1 << 10,
        le=1 << 30,
        description="a file of CSV or NDJSON with a longer line is refused",
    )
    pseudonymize_ids: bool = Field(
        False,
        description="ids of people land as pseudonyms, keyed with TIDEMARK_PSEUDONYM_KEY of the "
        "environment",
    )
    publish_personal_data: bool = Field(
        False, description="leave e-mail and IP addresses in published tables as they are"
    )
    report: bool = Field(
        True, description="write report.html beside the published tables, for people"
    )
    identical_rows: Literal["keep", "drop"] = Field(
        "keep", description="what two equal rows of one file are that bring no id"
    )
    benchmarks: Annotated[dict[str, Benchmark], BeforeValidator(_with_defaults)] = Field(
        BENCHMARKS, description="what is usual elsewhere, by metric of kpi_scorecard"
    )
    paths: Paths = Field(Paths(), description="folders of the home")
    sources: dict[str, Annotated[list[Feed], BeforeValidator(_as_list)]] = Field(
        {}, description="how the files of a source are read and mapped"
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what is handed in: the environment must not change a number."""
        return (init_settings,)

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        if name not in _zones():
            near = difflib.get_close_matches(name, _zones(), 1, 0.5)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise ValueError(f"{name!r} is no IANA time zone such as 'Europe/Berlin'{hint}")
        return name

    @field_validator("retentions", "funnels", "excluded_traffic")
    @classmethod
    def _one_of_a_name(cls, definitions: list[Any]) -> list[Any]:
        names = [definition.name for definition in definitions]
        if len(set(names)) < len(names):
            raise ValueError(f"two definitions have one name: {', '.join(sorted(names))}")
        return definitions

    @field_validator("sources")
    @classmethod
    def _known_sources(cls, sources: dict[str, list[Feed]]) -> dict[str, list[Feed]]:
        for name, feeds in sources.items():
            if name not in SOURCES:
                raise ValueError(f"there is no source {name!r}; there are: {', '.join(SOURCES)}")
            check_feeds(SOURCES[name], feeds)
        return sources

    @field_validator("benchmarks")
    @classmethod
    def _of_known_metrics(cls, benchmarks: dict[str, Benchmark]) -> dict[str, Benchmark]:
        for name in benchmarks:
            if not is_benchmark_name(name):
                near = difflib.get_close_matches(name, BENCHMARK_NAMES, 1, 0.5)
                hint = f"; did you mean {near[0]!r}?" if near else ""
                raise ValueError(f"kpi_scorecard has no metric {name!r}{hint}")
        return benchmarks

    @field_validator("dimensions")
    @classmethod
    def _each_once(cls, dimensions: list[str]) -> list[str]:
        if len(set(dimensions)) < len(dimensions):
            raise ValueError("a dimension is named twice")
        return dimensions


@cache
def _zones() -> set[str]:
    return zoneinfo.available_timezones()


def load_settings(path: Path) -> Settings:
    """Read ``tidemark.toml``; a missing file means every default.

    Raises TidemarkError naming each key at fault, what was found and what is allowed.
    """
    if not path.exists():
        return Settings()
    try:
        values = TomlConfigSettingsSource(Settings, path)()
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise TidemarkError(f"{path} is not valid TOML: {error}") from error
    except OSError as error:
        raise TidemarkError(f"{path} cannot be read: {error.strerror}") from error
    try:
        return Settings(**values)
    except ValidationError as error:
        faults = "\n".join(_fault(each) for each in error.errors())
        raise TidemarkError(f"{path} has settings that cannot be used:\n{faults}") from error


def _fault(fault: Any) -> str:
    key = ".".join(str(part) for part in fault["loc"]) or "(file)"
    if fault["type"] == "extra_forbidden":
        return f"  {key}: no such setting{_nearest(fault['loc'])}"
    message = fault["msg"].removeprefix("Value error, ")
    return f"  {key}: {message} (found {fault['input']!r})"


def _nearest(loc: tuple[Any, ...]) -> str:
    sections = [part for part in loc[:-1] if part in _SECTIONS]
    known = sorted(_SECTIONS[sections[-1]].model_fields if sections else Settings.model_fields)
    near = difflib.get_close_matches(str(loc[-1]), known, 1, 0.5)
    return f"; did you mean {near[0]}?" if near else f"; there are: {', '.join(known)}"


_SECTIONS: dict[str, type[BaseModel]] = {
    "paths": Paths,
    "retentions": Retention,
    "goals": Goal,
    "excluded_traffic": ExcludedTraffic,
    "funnels": Funnel,
    "steps": FunnelStep,
    "benchmarks": Benchmark,
    "health_weights": HealthWeights,
    "health_levels": HealthLevels,
    "sources": Feed,
    "unpivot": Unpivot,
    "explode": Expression,
    "columns": Expression,
    "filters": Filter,
}
