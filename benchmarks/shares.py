"""What a process spends its time on: a thread looks a hundred times a second where the main one is.

The innermost frame of ours decides. What a frame of bookkeeping asks of polars or SQLite is
bookkeeping too; elsewhere what polars does is work, and what is done around it is bookkeeping.
Shares are of CPU time, threads of engines included, so that others at the machine do not count.
"""

import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

WORK, KEEPING, DAGSTER, STARTING = (
    "reading, computing, checking, writing",
    "bookkeeping: digests, manifest, what is stale",
    "dagster: steps, events, storage",
    "starting: imports, definitions",
)
_SECONDS = 0.01
_OURS = ("/pipelines/", "/transforms/", "/schemas/")
_ENGINES = ("/polars/", "/pyarrow/", "/duckdb/", "/numpy/", "/scipy/", "/sklearn/", "/pandera/")
_DAGSTER = ("/dagster/", "/dagster_shared/", "/dagster_postgres/", "/sqlalchemy/", "/alembic/")
# Whatever these call, it is about slices and not about rows.
_ALWAYS_KEEPING = ("digests", "manifest", "arrivals", "periods", "readiness", "lock", "specs")
# These hand rows to an engine, and keep the books around it. Landing reads in threads, waiting.
_BOTH = ("bring_up", "store", "session", "run", "nightly", "tables", "filing", "steps")


@contextmanager
def watched() -> Iterator[Counter[str]]:
    """CPU seconds by what they went for; filled while the block runs in the main thread."""
    found: Counter[str] = Counter()
    done = threading.Event()
    main = threading.main_thread().ident or 0

    def look() -> None:
        before = time.process_time()
        while not done.wait(_SECONDS):
            kind = kind_of(sys._current_frames().get(main))
            now = time.process_time()
            found[kind] += now - before
            before = now

    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    try:
        yield found
    finally:
        done.set()
        watcher.join()


def kind_of(frame: FrameType | None) -> str:
    """What a frame, and those that called it, are at."""
    is_engine = is_dagster = is_importing = False
    while frame is not None:
        name = frame.f_code.co_filename
        is_importing = is_importing or name.startswith("<frozen importlib")
        if any(part in name for part in _OURS) and "site-packages" not in name:
            return _kind_of_ours(name, is_engine, is_dagster, is_importing)
        is_engine = is_engine or any(part in name for part in _ENGINES)
        is_dagster = is_dagster or any(part in name for part in _DAGSTER)
        frame = frame.f_back
    return STARTING if is_importing or not is_dagster else DAGSTER


def _kind_of_ours(name: str, is_engine: bool, is_dagster: bool, is_importing: bool) -> str:
    module = name.rsplit("/", 1)[-1].removesuffix(".py")
    if is_importing or module in ("cli", "definitions"):
        return STARTING
    if is_dagster or ("/orchestration/" in name and not is_engine):
        return DAGSTER
    if module in _ALWAYS_KEEPING or (module in _BOTH and not is_engine):
        return KEEPING
    return WORK
