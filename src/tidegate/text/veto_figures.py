"""The words of a question, and what in it is no word: numbers, units, signs."""

import re
import unicodedata
from decimal import Decimal
from typing import Final

from tidegate.text.veto_wording import ONES, ORDINALS, SCALES, SUFFIXES, TENS, UNITS

_TOKEN: Final = re.compile(
    r"(?P<number>(?:(?<![\w.])\.)?\d+(?:[.,]\d+)*)(?P<suffix>[^\W\d_]*)"
    r"|(?P<word>[^\W\d_]+(?:'[^\W\d_]+)*(?:[+#]+(?!\w))?)"
    r"|(?P<sign>[^\w\s])"
)
_THOUSANDS: Final = re.compile(r"\d{1,3}(?:,\d{3})+")
_PLAIN: Final = re.compile(r"[0-9]+(?:\.[0-9]+)?")
_MOST_DIGITS: Final = 30
# As in `e-mail` and `x-ray`, which are written together too.
_TIED: Final = re.compile(r"\b([^\W\d_]{1,2})-(?=[^\W\d_])")
# What is spoken of as words: every one of them counts.
_CITED: Final = re.compile(r"[\"\u201c\u201d\u00ab\u00bb]|(?<!\w)'[^']+'(?!\w)|:\s+\w")
_SUPERSCRIPTS: Final = "\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079"
_RAISED: Final = str.maketrans({raised: f"^{n}" for n, raised in enumerate(_SUPERSCRIPTS)})
_APOSTROPHES: Final = str.maketrans("\u2018\u2019\u02bc\uff07`", "'''''")
# What is written between words and says nothing. Between numbers some of it are sums.
_PUNCTUATION: Final = frozenset(".,;:!?'\"()_\u2013\u2014\u2026\u201c\u201d\u00ab\u00bb&")
_SUMS: Final = frozenset("-/\u2212")
_MINUS: Final = frozenset("-\u2212\u2013")
# With a blank on each side of them they are as often a dash, or an `and`.
_DASHES: Final = frozenset("-\u2212\u2013\u2014&")
_ENDS: Final = frozenset(".!?:")
_SPELT: Final = frozenset((*ONES, *TENS, *SCALES, *ORDINALS))
_ORDINAL_ENDS: Final = frozenset(("st", "nd", "rd", "th"))


class Figures:
    """`numbers`, `units` and `signs` as they come, and where there are any signs the brackets among
    them. `words` are all that there are, in small letters; `named` those of them that are written
    as names are, `shouted` those in capitals. `cites`: some of it is quoted, or stands behind a
    colon."""

    def __init__(self, text: str) -> None:
        """Linear in the length of the text."""
        self.numbers: list[str] = []
        self.units: list[str] = []
        self.signs: list[str] = []
        self.words: list[str] = []
        self.named: set[str] = set()
        self.shouted: set[str] = set()
        self._spelt: Decimal | None = None  # a number in words that may go on
        self._behind_number = False
        self._sums: list[str] = []
        self._alone: list[str] = []  # marks that nothing stands behind yet
        self._brackets: list[str] = []
        self._open: set[str] = set()  # quotes
        plain = unicodedata.normalize("NFKC", text.translate(_RAISED)).translate(_APOSTROPHES)
        self.cites = _CITED.search(plain) is not None
        self._read(_TIED.sub(r"\1", plain), shouts=plain.upper() == plain)

    def _read(self, text: str, *, shouts: bool) -> None:
        begins = True
        for token in _TOKEN.finditer(text):
            word, sign = token["word"], token["sign"]
            if word:
                self._word(word, begins=begins, shouts=shouts)
                begins = False
            elif sign:
                at = token.start()
                self._sign(sign, text[at - 1 : at], text[at + 1 : at + 2])
                begins = begins or sign in _ENDS
            else:
                self._number(token["number"], token["suffix"].casefold())
                begins = False
        self._settle()
        if self.signs:
            self.signs += self._brackets

    def _word(self, word: str, *, begins: bool, shouts: bool) -> None:
        low = word.casefold()
        if self._sums:
            self._sums.clear()
        if self._alone:
            self._flush()
        if low in _SPELT and self._is_spelt(low):
            return
        if self._spelt is not None:
            self._settle()
        if low in UNITS:
            self.units.append(UNITS[low])
        else:
            self.words.append(low)
        self._behind_number = False
        if not shouts and word[0].isupper() and word != "I":
            if word.isupper() and (len(word) > 1 or not begins):
                self.shouted.add(low)
            if not begins:
                self.named.add(low)

    def _is_spelt(self, low: str) -> bool:
        """Whether the word is a number, or part of one."""
        if low in SCALES:
            return self._scale(SCALES[low])
        value = ONES.get(low, TENS.get(low))
        if value is not None:
            spelt = self._spelt
            if spelt is not None and low in ONES and value < 10 and 20 <= spelt % 100 <= 90:
                self._spelt = spelt + value if spelt % 10 == 0 else spelt
            else:
                self._settle()
                self._spelt = Decimal(value)
            return True
        if low in ORDINALS:
            self._settle()
            self.numbers.append(str(ORDINALS[low]))
            return True
        return False

    def _scale(self, scale: int) -> bool:
        if self._spelt is not None:
            self._spelt *= scale
            return True
        if self._behind_number and _is_plain(self.numbers[-1]):
            self.numbers[-1] = _written(Decimal(self.numbers[-1]) * scale)
            return True
        return False

    def _number(self, digits: str, suffix: str) -> None:
        self._settle()
        if self._behind_number:
            self.signs += self._sums
        self._sums.clear()
        self._flush()
        if digits[0] == ".":
            digits = f"0{digits}"
        if _THOUSANDS.fullmatch(digits):
            digits = digits.replace(",", "")
        digits = "".join(str(unicodedata.decimal(it, it)) for it in digits)
        if suffix in SUFFIXES and _is_plain(digits):
            digits = _written(Decimal(digits) * SUFFIXES[suffix])
        elif suffix and suffix not in _ORDINAL_ENDS:
            self.units.append(UNITS.get(suffix, suffix))
        self.numbers.append(digits)
        self._behind_number = True

    def _sign(self, sign: str, before: str, behind: str) -> None:
        """One character, and those beside it."""
        is_apart = not before.strip()
        if sign in UNITS:
            self.units.append(UNITS[sign])
        elif sign in _MINUS and (behind.isdecimal() or behind == ".") and not before.isalnum():
            self.signs.append("-")
        elif sign in "()":
            self._brackets.append(f"{sign}{len(self.numbers) + len(self.signs)}")
        elif sign in "'\"":
            self._quote(sign, before, behind)
        elif sign == "." and is_apart and behind.isalpha():
            self.signs.append(sign)
        elif sign in _SUMS and (self._behind_number or not is_apart):
            self._sums.append(sign)
        elif sign not in _PUNCTUATION and sign not in _SUMS:
            self.signs.append(sign)
        elif is_apart and behind.isspace() and sign not in _DASHES:
            self._alone.append(sign)

    def _quote(self, sign: str, before: str, behind: str) -> None:
        """Behind a number it stands for feet and inches, unless it ends what it has begun."""
        if sign in self._open:
            self._open.discard(sign)
        elif before.isdecimal() and not behind.isalpha():
            self.units.append(sign)
        elif behind.strip():
            self._open.add(sign)

    def _flush(self) -> None:
        self.signs += self._alone
        self._alone.clear()

    def _settle(self) -> None:
        if self._spelt is not None:
            self.numbers.append(_written(self._spelt))
            self._spelt = None
            self._behind_number = True


def _is_plain(digits: str) -> bool:
    return len(digits) <= _MOST_DIGITS and _PLAIN.fullmatch(digits) is not None


def _written(value: Decimal) -> str:
    return f"{value.normalize():f}"
