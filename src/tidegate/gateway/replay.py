"""replay: what a kept answer is to a caller, in his wire, streamed or whole.

In the form in which it came it is read again by the code that reads live answers. In the other one
it goes by the common middle. Nothing here changes what was said.
"""

from msgspec.structs import replace

from tidegate.core.ask import Ask
from tidegate.core.kept_answer import KeptAnswer
from tidegate.core.outcome import Failure, Refusal
from tidegate.core.plugs import Dialect, Provider, Stamp, StreamReader
from tidegate.core.spoken import Spoken, fold, unfold
from tidegate.core.translated import TranslatedReader


def replayed(ask: Ask, kept: KeptAnswer, provider: Provider, dialect: Dialect) -> bytes | None:
    """The whole body of the answer, a stream with its end; None where it is none of that wire."""
    try:
        if kept.streamed != ask.stream:
            return _across(ask, kept, provider, dialect)
        if ask.stream:
            return _stream(ask, kept, provider, dialect)
        if ask.dialect in provider.passthrough:
            return kept.body
        return dialect.whole(ask, _stamp(kept), provider.read_spoken(ask, kept.body))
    except (Failure, Refusal):
        return None


def spoken_of(ask: Ask, body: bytes, provider: Provider, *, streamed: bool) -> Spoken | None:
    """What a provider sent in its own wire, in the common middle; None where it is no answer."""
    try:
        if not streamed:
            return provider.read_spoken(ask, body)
        reader = provider.spoken_reader(ask)
        events = reader.feed(body)
        if not reader.finished and reader.failure is None:
            events += reader.end()
        return fold(events) if reader.finished and reader.failure is None else None
    except (Failure, Refusal):
        return None


def _across(ask: Ask, kept: KeptAnswer, provider: Provider, dialect: Dialect) -> bytes | None:
    passing = provider.passthrough.get(ask.dialect)
    if passing is not None:
        found = passing.across(kept.body, streamed=kept.streamed)
        if found is not None:
            return found
    spoken = spoken_of(ask, kept.body, provider, streamed=kept.streamed)
    if spoken is None:
        return None
    if not ask.stream:
        return dialect.whole(ask, _stamp(kept), spoken)
    writer = dialect.writer(ask, _stamp(kept))
    return writer.write(unfold(spoken)) + writer.close()


def _stream(ask: Ask, kept: KeptAnswer, provider: Provider, dialect: Dialect) -> bytes | None:
    passing = provider.passthrough.get(ask.dialect)
    reader: StreamReader
    if passing is not None:
        reader = passing.reader(replace(ask, renamed=None))
    else:
        writer = dialect.writer(ask, _stamp(kept))
        reader = TranslatedReader(provider.spoken_reader(ask), writer)
    out = reader.feed(kept.body)
    failure = reader.end() if not reader.finished else None
    if failure is not None or reader.failure is not None:
        return None
    return out + reader.terminal


def _stamp(kept: KeptAnswer) -> Stamp:
    """Of the request whose answer it is: it is the same answer, whoever gets it."""
    return Stamp(kept.receipt_id, kept.made_at_s)
