"""Rungs of a route's ladder for people: what leads to one, and what it does."""

from tidegate.config.show import prompt_text
from tidegate.core.ladder import FAILURES, History, Rung, When
from tidegate.core.words import quoted


def when_text(when: When) -> str:
    """What leads to a rung."""
    said = []
    if when.budget_percent is not None:
        said.append(f"{when.budget_percent} % of a budget")
    if when.forecast_percent is not None:
        said.append(f"{when.forecast_percent} % of a budget foreseen")
    if when.failures:
        every = len(when.failures) == len(FAILURES)
        said.append("any failure" if every else ", ".join(when.failures))
    if when.slow_first_token_s is not None:
        said.append(f"no first token after {when.slow_first_token_s:g} s")
    if when.slow_answer_s is not None:
        said.append(f"no answer after {when.slow_answer_s:g} s")
    if when.quality:
        said.append(f"an answer that is {' or '.join(when.quality)}")
    if when.pressure:
        said.append("requests are shed")
    return "; ".join(said) or "only `ladder_floor`"


def rung_text(rung: Rung) -> str:
    """What it does."""
    if rung.kind == "stale":
        return f"gives a kept answer, stale for {rung.stale_s:g} s at most"
    if rung.kind == "batch_only":
        return "refuses all but batch work"
    if rung.kind == "handover" and rung.handover is not None:
        said = ", with what was said" if rung.handover.conversation else ""
        return f"tells {rung.handover.url}{said}, and says {prompt_text(rung.text)}"
    if rung.kind == "apology":
        return f"says {prompt_text(rung.text)}"
    asked = [f"asks {quoted(rung.target)}" if rung.target else "asks the route's own"]
    if rung.max_output_tokens is not None:
        asked.append(f"at most {rung.max_output_tokens} tokens of answer")
    if rung.prompt is not None:
        asked.append(f"by the prompt {rung.prompt.name}@{rung.prompt.version or rung.prompt.tag}")
    if rung.system_prompt is not None:
        asked.append(f"by the system prompt {prompt_text(rung.system_prompt)}")
    if rung.history is not None:
        asked.append(_history_text(rung.history))
    return ", ".join(asked)


def _history_text(history: History) -> str:
    parts = ["of the conversation"]
    if history.keep_last is not None:
        first = f"the first {history.keep_first} and " if history.keep_first else ""
        parts.append(f"{first}the last {history.keep_last} turns")
    if history.max_tokens is not None:
        parts.append(f"about {history.max_tokens} tokens")
    if history.drops_tool_results:
        parts.append("without what tools have said")
    if history.squeezes:
        parts.append("without white space that tells nothing")
    return " ".join(parts)
