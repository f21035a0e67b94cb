"""What the bytes of NDJSON tell of its lines before any is read: which are plain, and their keys.

A plain line is a flat object of which the engine makes the same as orjson, provided that it can
read it at all. The engine spells some numbers in another way, takes half a surrogate pair for a
character, and spoils what is nested.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.intp]
Mask = npt.NDArray[np.bool_]

# No longer number comes out of a double as it went in.
_LONGEST_NUMBER = 16
_LINE_END, _BLANK, _TAB, _QUOTE, _COLON, _BACKSLASH = b'\n \t":\\'
_COMMA, _OPEN, _LIST, _CLOSE, _MINUS, _ZERO, _NINE, _DOT, _E, _N, _U, _D = b",{[}-09.enud"
_TINY = np.frombuffer(b"0.000", np.uint8)


class Lines:
    """Whole lines; ``keys``, ``nulls`` and ``wholes`` are how many of them each seems to hold.

    ``wholes`` are whole numbers with a decimal place, such as 5.0.

    There may be fewer keys than it seems, as text can look like one, but never more, unless a blank
    stands before a colon: such a line is not plain. The same is true of nulls and wholes.
    """

    def __init__(self, data: bytes) -> None:
        """``data`` ends in a line end."""
        self._data = data
        self._bytes = np.frombuffer(data, np.uint8)
        self._ends = np.flatnonzero(self._bytes == _LINE_END)
        self._starts = np.concatenate([[0], self._ends[:-1] + 1])
        is_key = (self._bytes[:-1] == _QUOTE) & (self._bytes[1:] == _COLON)
        self._values = np.flatnonzero(is_key) + 2
        self._values += self._bytes[self._values] == _BLANK
        self._begin = self._bytes[self._values]
        self._is_nested = (self._begin == _OPEN) | (self._begin == _LIST)
        self.keys = self._per_line(self._values)
        self.nulls = self._per_line(self._values[self._begin == _N])
        self._nested = self._per_line(self._values[self._is_nested])
        is_number = (self._begin == _MINUS) | ((self._begin >= _ZERO) & (self._begin <= _NINE))
        numbers = self._values[is_number]
        is_odd, is_whole = self._odd_numbers(numbers)
        self.wholes = self._per_line(numbers[is_whole])
        self._is_sound = self._sound(numbers[is_odd])

    def plain(self) -> Numbers:
        """The numbers of the plain lines."""
        return np.flatnonzero(self._is_sound & (self._nested == 0))

    def nested(self) -> Iterator[tuple[int, bytes, list[int]]]:
        """Lines that would be plain without nested values, and where such may begin in each."""
        numbers = np.flatnonzero(self._is_sound & (self._nested > 0))
        begins = self._values[self._is_nested]
        first = np.searchsorted(begins, self._starts[numbers])
        found = zip(
            numbers.tolist(),
            self._starts[numbers].tolist(),
            self._ends[numbers].tolist(),
            first.tolist(),
            (first + self._nested[numbers]).tolist(),
            strict=True,
        )
        for number, start, end, one, last in found:
            yield number, self._data[start : end + 1], (begins[one:last] - start).tolist()

    def _sound(self, odd_numbers: Numbers) -> Mask:
        """Lines that look like an object and are plain but for values that are nested."""
        first, last = self._bytes[self._starts], self._bytes[self._ends - 1]
        doubtful = [
            self._values[self._begin <= _BLANK],
            odd_numbers,
            self._surrogates(),
            self._blanks_before_colons(),
        ]
        doubts = self._per_line(np.sort(np.concatenate(doubtful)))
        sound: Mask = (first == _OPEN) & (last == _CLOSE) & (doubts == 0)
        return sound

    def text(self, lines: Numbers) -> bytes:
        """The bytes of the lines of some numbers, which are in order."""
        if len(lines) in (0, len(self._ends)):
            return self._data if len(lines) else b""
        gaps = np.flatnonzero(np.diff(lines) != 1)
        firsts = self._starts[lines[np.concatenate([[0], gaps + 1])]].tolist()
        lasts = self._ends[lines[np.concatenate([gaps, [len(lines) - 1]])]].tolist()
        return b"".join(
            self._data[first : last + 1] for first, last in zip(firsts, lasts, strict=True)
        )

    def _per_line(self, places: Numbers) -> Numbers:
        """How many of the places, which are in order, lie in each line."""
        bounds = np.searchsorted(places, self._starts)
        return np.diff(bounds, append=len(places))

    def _odd_numbers(self, places: Numbers) -> tuple[Mask, Mask]:
        """Numbers that may come out in another spelling than orjson's, and those such as 5.0."""
        window = np.arange(_LONGEST_NUMBER + 1)
        texts = self._bytes[np.minimum(places[:, None] + window, len(self._bytes) - 1)]
        is_end = (texts == _COMMA) | (texts == _CLOSE) | (texts <= _BLANK)
        # Nought where it has no end, or no digits.
        length = is_end.argmax(axis=1)
        inside = window < length[:, None]
        is_decimal = ((texts == _DOT) & inside).any(axis=1)
        has_exponent = (((texts | 32) == _E) & inside).any(axis=1)
        row = np.arange(len(texts))
        last, before = texts[row, length - 1], texts[row, length - 2]
        is_negative = texts[:, 0] == _MINUS
        digits = np.where(is_negative[:, None], texts[:, 1:6], texts[:, :5])
        is_tiny = is_decimal & (digits == _TINY).all(axis=1)
        is_whole = is_decimal & (last == _ZERO) & (before == _DOT)
        is_open = is_decimal & ((last == _ZERO) | (last == _DOT)) & ~is_whole
        is_nought = is_negative & (length == 2) & (last == _ZERO)
        return (length == 0) | has_exponent | is_tiny | is_open | is_nought, is_whole

    def _surrogates(self) -> Numbers:
        r"""Escapes such as \ud83d."""
        escapes = np.flatnonzero(self._bytes[:-2] == _BACKSLASH)
        is_hex = (self._bytes[escapes + 1] == _U) & ((self._bytes[escapes + 2] | 32) == _D)
        surrogates: Numbers = escapes[is_hex]
        return surrogates

    def _blanks_before_colons(self) -> Numbers:
        """Blanks between a quote and a colon: there may be a key that is not counted."""
        blank = (self._bytes[1:-1] == _BLANK) | (self._bytes[1:-1] == _TAB)
        places = np.flatnonzero(blank & (self._bytes[2:] == _COLON)) + 1
        before = self._bytes[places - 1]
        hiding: Numbers = places[(before == _QUOTE) | (before == _BLANK) | (before == _TAB)]
        return hiding
