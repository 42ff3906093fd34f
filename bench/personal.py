"""How much of what is personal is taken out: `python -m bench.personal [FILE]`.

Over Presidio's generated texts, whose spans are known; of each kind, how many were taken out, and
how often something else was taken for one.
"""

import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any, Final

import msgspec

from tidegate.text.personal import Personal

_TEXTS: Final = Path("../shared/evals/pii/presidio_synth_dev.jsonl")
KINDS: Final = {
    "CREDIT_CARD": "card",
    "PHONE_NUMBER": "phone",
    "EMAIL_ADDRESS": "email",
    "IP_ADDRESS": "ip",
    "US_SSN": "ssn",
    "IBAN_CODE": "iban",
}


def main() -> None:
    lines = (Path(sys.argv[1]) if len(sys.argv) > 1 else _TEXTS).read_bytes().splitlines()
    texts: list[dict[str, Any]] = [msgspec.json.decode(line) for line in lines]
    personal, taken, there, others = Personal(), Counter[str](), Counter[str](), Counter[str]()
    size, cpu_s = 0, 0.0
    for text in texts:
        counts = Counter[str]()
        began_s = time.process_time()
        left = personal.taken_out(text["text"], counts)
        cpu_s += time.process_time() - began_s
        size += len(text["text"].encode())
        known = [(KINDS[it["type"]], it["value"]) for it in text["spans"] if it["type"] in KINDS]
        there.update(kind for kind, _ in known)
        taken.update(kind for kind, value in known if value not in left)
        others.update(counts - Counter(kind for kind, _ in known))
    for kind in KINDS.values():
        print(f"{kind}: {taken[kind]} of {there[kind]}, {others[kind]} that were none")
    print(f"{cpu_s / size * 1e6:.2f} us of CPU for each byte of {size:,}")


if __name__ == "__main__":
    main()
