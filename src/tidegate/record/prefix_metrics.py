"""What providers' prefix caches had of the input and saved, by route, version of the prompt and
target, as series of `/metrics`."""

from collections.abc import Callable

from tidegate.core.receipt import Receipt
from tidegate.record import cache_catalogue
from tidegate.record.series import Cell, Family, Labels, Spec

_NANOUSD_A_USD = 1e9
_KEPT_COMBINATIONS = 4096


class PrefixMetrics:
    """Adds receipts to its families. What a combination of labels touches is looked up once."""

    def __init__(self, family: Callable[[Spec], Family]) -> None:
        self._family = family
        self._cells: dict[Labels, _Cells] = {}

    def observe(self, receipt: Receipt) -> None:
        """A request with known input; what has no prefix or no tokens is nobody's."""
        if receipt.input_tokens is None or receipt.endpoint not in ("chat", "completions"):
            return
        whose = (receipt.route or "", receipt.prompt_version or "", receipt.target or "")
        cells = self._cells.get(whose)
        if cells is None:
            if len(self._cells) >= _KEPT_COMBINATIONS:
                self._cells.clear()
            cells = self._cells[whose] = _Cells(self._family, whose)
        cells.add(receipt)


class _Cells:
    def __init__(self, family: Callable[[Spec], Family], whose: Labels) -> None:
        tokens = family(cache_catalogue.PREFIX_TOKENS)
        self._read, self._written, self._plain = (
            tokens.cell(*whose, name) for name in ("read", "written", "plain")
        )
        self._untold: Cell = family(cache_catalogue.PREFIX_UNTOLD).cell(*whose)
        self._saved: Cell = family(cache_catalogue.PREFIX_SAVED).cell(*whose)
        self._lost: Cell = family(cache_catalogue.PREFIX_LOST).cell(*whose)
        self._saved_unknown: Cell = family(cache_catalogue.PREFIX_SAVED_UNKNOWN).cell(*whose)

    def add(self, receipt: Receipt) -> None:
        if not receipt.tells_prefix:
            self._untold.add(1)
            return
        self._plain.add(receipt.input_tokens or 0)
        if not receipt.touches_prefix:
            return
        self._read.add(receipt.cache_read_tokens or 0)
        self._written.add(receipt.cache_write_tokens or 0)
        saved_nanousd = receipt.prefix_saved_nanousd
        if saved_nanousd is None:
            self._saved_unknown.add(1)
        elif saved_nanousd > 0:
            self._saved.add(saved_nanousd / _NANOUSD_A_USD)
        else:
            self._lost.add(-saved_nanousd / _NANOUSD_A_USD)
