"""Files of few rows, each read once: to open such a file costs more than what stands in it.

A night of few rows, and any first run, reads the same small files for table after table. Their
names carry the hash of their content, so that what was read of one stays true for good.
"""

from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path

import polars as pl

SMALL_ROWS = 20_000
_KEPT_ROWS = 10 * SMALL_ROWS


class SmallFiles:
    """Reads files, and keeps the last ones: never more rows than ``_KEPT_ROWS`` in all.

    Files that are read together share their memory, which is free when all of them are dropped.
    """

    def __init__(self) -> None:
        self._frames: OrderedDict[Path, pl.DataFrame] = OrderedDict()
        self._rows = 0

    def together(self, sizes: Mapping[Path, int]) -> pl.LazyFrame:
        """The rows of several files, in their order; ``sizes`` are the rows of each."""
        frames = {path: self._frames[path] for path in sizes if path in self._frames}
        missing = [path for path in sizes if path not in frames]
        if missing:
            # One scan of them all takes a third of what one of each does.
            read = pl.read_parquet(missing, glob=False)
            start = 0
            for path in missing:
                frames[path] = read.slice(start, sizes[path])
                start += sizes[path]
        self._keep({path: frames[path] for path in sizes}, sum(map(sizes.__getitem__, missing)))
        return pl.concat([frames[path] for path in sizes], rechunk=True).lazy()

    def _keep(self, frames: Mapping[Path, pl.DataFrame], new_rows: int) -> None:
        for path, frame in frames.items():
            self._frames[path] = frame
            self._frames.move_to_end(path)
        self._rows += new_rows
        while self._rows > _KEPT_ROWS:
            _, oldest = self._frames.popitem(last=False)
            self._rows -= oldest.height
