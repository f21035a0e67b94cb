"""Files of few rows, each read once: to open such a file costs more than what stands in it.

A night of few rows, and any first run, reads the same small files for table after table. Their
names carry the hash of their content, so that what was read of one stays true for good.
"""

from collections import OrderedDict
from collections.abc import Iterable
from pathlib import Path

import polars as pl

SMALL_ROWS = 20_000
_KEPT_ROWS = 10 * SMALL_ROWS


class SmallFiles:
    """Reads files, and keeps the last ones: never more rows than ``_KEPT_ROWS`` in all."""

    def __init__(self) -> None:
        self._frames: OrderedDict[Path, pl.DataFrame] = OrderedDict()
        self._rows = 0

    def read(self, path: Path) -> pl.DataFrame:
        """The rows of one file."""
        frame = self._frames.pop(path, None)
        if frame is None:
            frame = pl.read_parquet(path, glob=False)
            self._rows += frame.height
        self._frames[path] = frame
        while self._rows > _KEPT_ROWS:
            _, oldest = self._frames.popitem(last=False)
            self._rows -= oldest.height
        return frame

    def together(self, paths: Iterable[Path]) -> pl.LazyFrame:
        """The rows of several files, in their order."""
        return pl.concat([self.read(path) for path in paths], rechunk=True).lazy()
