"""Settings of nights, freshness and alerts: what each key may be, and what it means."""

from typing import Annotated

from pydantic import Field

NightlyAt = Annotated[
    str,
    Field(
        pattern=r"^([01]\d|2[0-3]):[0-5]\d$",
        description="when Dagster starts the night, in the reporting time zone",
    ),
]
# Names that begin with a dot or underscore are never read as data.
LandingMarker = Annotated[
    str | None,
    Field(
        pattern=r"^[._][^/]+$",
        description="name of a file, such as _SUCCESS, without which a night leaves a landing date "
        "waiting",
    ),
]
LandingQuietMinutes = Annotated[
    int,
    Field(
        ge=0,
        le=1440,
        description="a night leaves a landing date waiting while a file of it changed so recently",
    ),
]
LockWaitMinutes = Annotated[
    int,
    Field(ge=0, le=1440, description="how long a night waits for another run in the home to end"),
]
RunHoursLimit = Annotated[
    float,
    Field(
        ge=0.01,
        le=168,
        description="a night that has run for longer stops before its next table, publishes "
        "nothing, and the next one goes on from there",
    ),
]
FreshDays = Annotated[
    int,
    Field(ge=0, le=400, description="days that data_through may lie behind today and be fresh"),
]
AlertDeviations = Annotated[
    float,
    Field(
        ge=1, le=100, description="spreads from what is expected beyond which a value is alarming"
    ),
]
AlertMinChange = Annotated[
    float,
    Field(
        ge=0,
        le=10,
        description="share of what is expected within which no value is alarming",
    ),
]
AlertPage = Annotated[
    str,
    Field(
        pattern=r"^(https?://\S+)?$",
        description="address that messages name as the page to open, such as Dagster's",
    ),
]
