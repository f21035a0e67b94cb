"""E-mail and IP addresses in published text, each replaced by a stand-in.

An address becomes ``email:`` or ``ip:`` and sixteen hexadecimal digits of its SHA-256. The same
address, letter for letter, is the same stand-in in every table, so that tables still join and rows
stay apart: ids that differ in case are two. Who can guess an address can find its stand-in; against
that only pseudonyms at the door help.
"""

import hashlib
import re
from ipaddress import ip_address

import polars as pl

from transforms.ordering import is_mostly_distinct

_DIGITS = 16
# Text that can hold an address at all, so that most columns cost one pass. An at sign alone stands
# in every session_id.
_SUSPECT = r"(?:@|%(?:25)*40)(?:[\w-]+\.)+[^\W\d_]|\d\.\d{1,3}\.\d{1,3}\.\d|:[0-9A-Fa-f]*:"
# %40 is an at sign in a URL, and %2540 one in a URL within a URL.
_EMAIL = re.compile(
    r"[^\s\"<>()\[\],;:/\\?#&=@|]+(?:@|%(?:25)*40)(?:[\w-]+\.)+[^\W\d_][\w-]*[^\W_]"
)
_OCTET = r"(?:25[0-5]|2[0-4]\d|1?\d?\d)"
# v1.2.3.4 is a version, and five numbers are none of an address.
_IPV4 = re.compile(rf"(?<!\d)(?<!\d\.)(?<![vV])(?:{_OCTET}\.){{3}}{_OCTET}(?!\.?\d)")
_IPV6 = re.compile(
    r"(?<![\w:.])[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7}(?:(?:\.\d+){3})?(?![\w:])"
)
_VERSIONS = "app_version"


def without_addresses(table: pl.DataFrame) -> pl.DataFrame:
    """The table with stand-ins for e-mail and IP addresses in all its text.

    Segments of the dimension ``app_version`` stay: four numbers with dots are a version there.
    """
    texts = [table[name] for name, dtype in table.schema.items() if dtype == pl.String]
    replaced = map(_replaced, texts)
    columns = [series for series in replaced if series is not None]
    if not columns:
        return table
    hidden = table.with_columns(columns)
    if {"dimension", "segment"} <= set(table.columns):
        kept = pl.when(dimension=_VERSIONS).then(table["segment"]).otherwise("segment")
        hidden = hidden.with_columns(kept.alias("segment"))
    return hidden


def _replaced(texts: pl.Series) -> pl.Series | None:
    """The column with stand-ins; None where it holds no address."""
    # Where values come again, each is looked at once.
    values = texts if is_mostly_distinct(texts) else texts.unique()
    suspects = values.filter(values.str.contains(_SUSPECT)).unique()
    made = {text: _without_address(text) for text in suspects}
    changed = {text: said for text, said in made.items() if text != said}
    return texts.replace(changed) if changed else None


def _without_address(text: str) -> str:
    text = _EMAIL.sub(lambda found: _stand_in("email", _decoded(found[0])), text)
    text = _IPV6.sub(_ipv6, text)
    return _IPV4.sub(lambda found: _stand_in("ip", found[0]), text)


def _decoded(address: str) -> str:
    return re.sub(r"%(?:25)*40", "@", address)


def _ipv6(found: re.Match[str]) -> str:
    """A stand-in for what is an address; times, and names with colons, are none."""
    text = found[0]
    if not re.search(r"\d", text) or len(re.findall(r"[0-9A-Fa-f]+", text)) < 2:
        return text
    try:
        ip_address(text)
    except ValueError:
        return text
    return _stand_in("ip", text)


def _stand_in(kind: str, address: str) -> str:
    return f"{kind}:{hashlib.sha256(address.encode()).hexdigest()[:_DIGITS]}"
