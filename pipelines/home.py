"""A home: the folder that holds everything of one company."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from pipelines.errors import TidemarkError
from pipelines.settings import Settings, load_settings

SETTINGS_FILE = "tidemark.toml"


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
