import subprocess
import sys

from tidegate.config.models import ModelTable
from tidegate.config.prices import PriceTable
from tidegate.config.published import model_facts, model_table, published

NOW_S = 1_790_000_000.0


def test_a_quote_is_the_table_s() -> None:
    asked = ("openai", "https://api.openai.com/v1", "gpt-4o")
    quote = published(NOW_S)
    assert quote(*asked) == PriceTable(NOW_S).quote(*asked)
    assert quote(*asked).price is not None
    assert quote("openai_compatible", "http://127.0.0.1:9/v1", "small").price is None


def test_the_table_is_not_read_before_something_is_asked() -> None:
    script = (
        "import sys\n"
        "from tidegate.config.published import published\n"
        "quote = published(1_790_000_000.0)\n"
        "print('genai_prices' in sys.modules)\n"
        "quote('openai', '', 'gpt-4o')\n"
        "print('genai_prices' in sys.modules)\n"
    )
    said = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert said.stdout.split() == ["False", "True"], said


def test_facts_are_the_table_s_which_is_read_once() -> None:
    asked = ("openai", "https://api.openai.com/v1", "gpt-4o")
    assert model_facts(*asked) == ModelTable().facts(*asked)
    assert model_table() is model_table()
