"""What a file is when it is not what its name says: told by its first bytes."""

import re

HEAD_BYTES = 512
_SIGNATURES = (
    (b"\x1f\x8b", "gzip"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"PAR1", "Parquet"),
    (b"PK\x03\x04", "a zip archive or an Excel workbook"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel workbook"),
    (b"%PDF-", "a PDF document"),
    (b"SQLite format 3\0", "an SQLite database"),
)
_HTML = re.compile(rb"<(?:!doctype\s+html|html|head|body|title)\b", re.IGNORECASE)
_XML = re.compile(rb"<(?:\?xml\b|!doctype\b|!--)", re.IGNORECASE)


def kind_of(head: bytes) -> str | None:
    """What a file that begins so is, where that is plain and it is no CSV or NDJSON."""
    for signature, said in _SIGNATURES:
        if head.startswith(signature):
            return said
    text = head.lstrip()
    if _HTML.match(text):
        return "an HTML page"
    # A comment or a declaration may come before the page.
    if _XML.match(text):
        return "an HTML page" if _HTML.search(text) else "an XML document"
    return None


def misnamed(head: bytes, wanted: str) -> str | None:
    """What to say of a file that is plainly something else than the ``wanted`` format."""
    found = kind_of(head)
    if found is None or found == wanted:
        return None
    return f"the file is {found}, not {wanted}"
