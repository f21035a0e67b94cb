"""Nested tables of the settings: each a model with a meaning and a range for every key."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator


class Strict(BaseModel):
    """A table of settings: unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Paths(Strict):
    """Folders of the home, relative to it or absolute."""

    landing: str = Field("landing", description="where files arrive")
    warehouse: str = Field("warehouse", description="Tidemark's own tables")
    bi: str = Field("bi", description="what BI tools read")


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


class Goal(Strict):
    """Something that visitors are wanted to do."""

    name: str = Field(min_length=1, description="its value in the column goal")
    events: list[str] = Field(min_length=1, description="events any of which reaches it")
