"""Spoiled files of every source and format: nothing crashes, and every row is accounted for.

The ordinary suite takes in two files of each of the 120 combinations of source, format and packing;
``TIDEMARK_LONG_TESTS=1`` (``make test-long``) 12,000, which are the same whoever makes them. One
that fails is made again by ``case(number)``.
"""

import gzip
import io
import random
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pq
import pytest
import zstandard
from homes import LONG, command, make_home, table
from landing_mutations import COMBINATIONS, FORMATS, PLAINLY, Case, case, pack, sound_table, written
from landing_support import LANDED, is_conserved, taken

from pipelines.landing.files import RawFile
from pipelines.landing.results import TakenIn
from pipelines.landing.sources import SOURCES
from pipelines.landing.take_in import UNFORESEEN
from schemas.quarantine import Quarantine
from schemas.receipts import Receipts

# White space to Python, and not to Unicode.
_SEEN = dict.fromkeys(range(0x1C, 0x20), "x")
_BATCH = 500
_LONG_BATCHES = 24


def unpacked(spoiled: Case) -> bytes:
    if spoiled.name.endswith(".gz"):
        return gzip.decompress(spoiled.content)
    if spoiled.name.endswith(".zst"):
        packed = io.BytesIO(spoiled.content)
        decompressor = zstandard.ZstdDecompressor()
        return decompressor.stream_reader(packed, read_across_frames=True).read()
    return spoiled.content


def text_of(content: bytes) -> str:
    for mark, encoding in (
        (b"\xef\xbb\xbf", "utf-8-sig"),
        (b"\xff\xfe\0\0", "utf-32"),
        (b"\0\0\xfe\xff", "utf-32"),
        (b"\xff\xfe", "utf-16"),
        (b"\xfe\xff", "utf-16"),
    ):
        if content.startswith(mark):
            return content.decode(encoding)
    return content.decode()


def lines_with_rows(spoiled: Case) -> set[int] | None:
    """Lines on which a row of a readable file begins, told without Tidemark; None where quotes
    make it hard to tell."""
    content = unpacked(spoiled)
    if ".parquet" in spoiled.name:
        return set(range(1, pq.ParquetFile(io.BytesIO(content)).metadata.num_rows + 1))
    text = text_of(content).replace("\r\n", "\n").replace("\r", "\n")
    is_csv = ".ndjson" not in spoiled.name
    if is_csv and '"' in text:
        return None
    full = [
        number
        for number, line in enumerate(text.split("\n"), 1)
        if (line.strip(" ") if is_csv else line.translate(_SEEN).strip())
    ]
    return set(full[1:] if is_csv else full)


def check(spoiled: Case, folder: Path) -> TakenIn:
    """Take a spoiled file in beside a sound one of its kind."""
    ending = spoiled.name.removeprefix("spoiled.")
    bare = next(each for each in FORMATS if ending.startswith(each))
    sound = written(sound_table(spoiled.source), bare, random.Random(PLAINLY))
    files = []
    packing = ending.removeprefix(bare)
    for name, content in ((spoiled.name, spoiled.content), (f"z.{ending}", pack(sound, packing))):
        path = folder / name
        path.write_bytes(content)
        files.append(RawFile(LANDED, name, path))
    result = taken(files, source=spoiled.source)
    assert is_conserved(result)
    Receipts.validate(result.receipts)
    Quarantine.validate(result.quarantined)
    spoiled.source.landed.validate(result.landed)
    # Text that is no text shows when Python asks for it.
    assert len(result.landed.rows()) == result.landed.height
    assert not result.quarantined["reasons"].str.contains(UNFORESEEN, literal=True).any()
    beside = result.receipts.filter(file=files[1].name).row(0, named=True)
    assert (beside["status"], beside["landed_rows"]) == ("read", 12)
    mine = result.receipts.filter(file=spoiled.name).row(0, named=True)
    if mine["status"] == "read":
        parts = [result.landed.select("file", "line"), result.quarantined.select("file", "line")]
        lines = pl.concat(parts).filter(file=spoiled.name)["line"]
        assert lines.is_unique().all()
        expected = lines_with_rows(spoiled)
        assert expected is None or set(lines) == expected
    if LONG or spoiled.number % 7 == 0:
        check_alone(spoiled, files[0], mine)
    return result


def check_alone(spoiled: Case, landed: RawFile, beside: dict[str, Any]) -> None:
    """The file brings the same without company, which may hide that a part of it is empty."""
    alone = taken(landed, source=spoiled.source)
    assert is_conserved(alone)
    assert not alone.quarantined["reasons"].str.contains(UNFORESEEN, literal=True).any()
    assert alone.receipts.row(0, named=True) == beside


def check_all(numbers: range) -> Counter[str]:
    """What became of the files."""
    became: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        for number in numbers:
            spoiled = case(number)
            try:
                result = check(spoiled, Path(folder))
            except BaseException as error:
                error.add_note(
                    f"case({number}), {spoiled.name} of {spoiled.source.name}: "
                    f"{', '.join(spoiled.done)}"
                )
                raise
            mine = result.receipts.filter(file=spoiled.name).row(0, named=True)
            became[mine["status"]] += 1
            became["landed rows"] += mine["landed_rows"]
            became["quarantined rows"] += mine["quarantined_rows"]
    return became


@pytest.mark.parametrize("part", range(2))
def test_spoiled_files_of_every_source_and_format_are_taken_in_or_refused(part: int) -> None:
    became = check_all(range(part * COMBINATIONS, (part + 1) * COMBINATIONS))
    # Neither are all refused, nor none.
    assert became["read"] > 20
    assert became["refused"] > 20
    assert became["landed rows"] > 200
    assert became["quarantined rows"] > 100


@pytest.mark.long
@pytest.mark.skipif(not LONG, reason="takes minutes: set TIDEMARK_LONG_TESTS=1")
@pytest.mark.parametrize("batch", range(_LONG_BATCHES))
def test_twelve_thousand_spoiled_files_are_taken_in_or_refused(batch: int) -> None:
    check_all(range(1000 + batch * _BATCH, 1000 + (batch + 1) * _BATCH))


def test_a_run_goes_on_past_spoiled_files_of_every_source(folder: Path) -> None:
    home = make_home(folder / "home", "refused_rows_limit = 1.0\n")
    cases = [case(number) for number in range(5000, 5000 + COMBINATIONS // 2)]
    for spoiled in cases:
        landing = home / "landing" / spoiled.source.name / str(LANDED)
        landing.mkdir(parents=True, exist_ok=True)
        (landing / f"{spoiled.number}-{spoiled.name}").write_bytes(spoiled.content)
    outcome = command(home, "run")
    assert (outcome.status, "Traceback" in outcome.err) == (3, False)
    ledger = table(home, "ingest_ledger")
    assert ledger.height == len(cases)
    accounted = ledger["accepted_rows"] + ledger["quarantined_rows"] + ledger["duplicate_rows"]
    assert (ledger["read_rows"] == accounted).all()
    assert set(ledger["source"]) == set(SOURCES)
    assert command(home, "verify").status == 0
