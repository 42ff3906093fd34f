"""The failures that every wire knows: an answer that is none, or is cut, or ends nobody knows why.

What they say reaches callers, so it says nothing of the provider's own.
"""

from collections.abc import Mapping

from tidegate.core.outcome import Failure
from tidegate.core.spoken import Reason


def malformed(message: str) -> Failure:
    return Failure("malformed", "upstream_malformed", message)


def interrupted(message: str) -> Failure:
    return Failure("interrupted", "upstream_interrupted", message)


def no_answer() -> Failure:
    """A body that cannot be read as an answer."""
    return malformed("the provider's answer is not what was asked for")


def half_way() -> Failure:
    """A connection that ended before its answer did."""
    return interrupted("the provider's answer ended half-way")


def unknown_end() -> Failure:
    """A finish reason that nobody knows: what ended the answer is not guessed."""
    return interrupted("the provider ended its answer for a reason that is not known")


def reason_of(reasons: Mapping[str, Reason], word: str) -> Reason:
    """What a wire's word for the end means. Failure where it has no meaning here."""
    reason = reasons.get(word)
    if reason is None:
        raise unknown_end()
    return reason
