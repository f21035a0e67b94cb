"""A home: the folder that holds everything of one company."""

import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from pipelines.errors import TidemarkError
from pipelines.forgetting.requests import Requests
from pipelines.settings import Settings, load_settings

SETTINGS_FILE = "tidemark.toml"
PSEUDONYM_KEY = "TIDEMARK_PSEUDONYM_KEY"
_SHORTEST_KEY = 16


@dataclass(frozen=True)
class Home:
    """The folders of a home and its settings."""

    root: Path

    @cached_property
    def settings(self) -> Settings:
        """The settings, read once."""
        return load_settings(self.root / SETTINGS_FILE)

    @property
    def landing(self) -> Path:
        """Where files arrive."""
        return self.root / self.settings.paths.landing

    @property
    def warehouse(self) -> Path:
        """Tidemark's own tables."""
        return self.root / self.settings.paths.warehouse

    @property
    def bi(self) -> Path:
        """What BI tools read."""
        return self.root / self.settings.paths.bi

    @property
    def forgotten(self) -> Requests:
        """Who was forgotten, and what of it is not finished."""
        return Requests.of(self.root)

    @property
    def pseudonym_key(self) -> bytes | None:
        """The key under which ids of people become pseudonyms; None where they stay as they are.

        It comes from the environment and is never stored. Raises TidemarkError where it is missing
        or short.
        """
        if not self.settings.pseudonymize_ids:
            return None
        key = os.environ.get(PSEUDONYM_KEY, "")
        if len(key) < _SHORTEST_KEY:
            short = f"has {len(key)} characters of the {_SHORTEST_KEY} that are needed"
            raise TidemarkError(
                "pseudonymize_ids is on and the environment variable "
                f"{PSEUDONYM_KEY} {short if key else 'is not set'}: "
                "make a key once, with `openssl rand -hex 32`, keep it where only this service "
                "reads it, and set it for every run; under another key everybody is somebody else"
            )
        return key.encode()


def open_home(root: Path) -> Home:
    """The home in the folder ``root``.

    Raises TidemarkError where there is no such folder, or no landing in it.
    """
    home = Home(root.absolute())
    if not root.is_dir():
        raise TidemarkError(
            f"there is no home at {home.root}: make one with `tidemark --home {root} sample`, "
            f"or put your files under {root}/landing/events/YYYY-MM-DD/"
        )
    if not home.landing.is_dir():
        raise TidemarkError(
            f"there is no landing folder at {home.landing}: put your files under "
            f"{home.landing}/events/YYYY-MM-DD/, or restore the folder if it was there before"
        )
    return home
