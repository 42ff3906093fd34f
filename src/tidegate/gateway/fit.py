"""fit: whether a request can fit into its target's context, before it is sent."""

from tidegate.core.ask import Ask, content_name
from tidegate.core.outcome import Refusal
from tidegate.core.plan import Target
from tidegate.gateway.media import media
from tidegate.gateway.size import count_input
from tidegate.text import tokens


def fit(ask: Ask, target: Target, context_tokens: int, most_tokens: int | None = None) -> None:
    """Refusal (`context_length_exceeded`) when prompt and ceiling are longer than the context. Of
    the ceiling counts what the model can write, `most_tokens`.

    A bound that we have set ourselves is lowered to what is left beside the prompt.
    """
    if ask.endpoint == "embeddings" or ask.metered is not None:
        return
    ours = ask.output_bound_tokens
    wanted = ours if ours is not None else ask.output_ceiling_tokens or 1
    if most_tokens is not None:
        wanted = min(wanted, most_tokens)
    if len(ask.body) + wanted <= context_tokens:
        return
    if target.tokenizer is not None and target.tokenizer in tokens.ENCODINGS:
        prompt_tokens, other_bytes = count_input(ask, target.tokenizer)
    else:
        prompt_tokens, other_bytes = 0, len(ask.body) - media(ask).bytes
    # Of what no known tokenizer counts, only what none could fit is refused.
    prompt_tokens += other_bytes // tokens.MOST_BYTES_A_TOKEN
    said = f"at least {prompt_tokens} tokens" if other_bytes else f"{prompt_tokens} tokens"
    left = context_tokens - prompt_tokens
    if ours is not None and left > 0:
        ask.output_bound_tokens = min(ours, left)
    elif left < wanted:
        beside = f" and {wanted} of the answer" if wanted > 1 else ""
        shorter = " or lower `max_tokens`" if wanted > 1 and left > 0 else ""
        raise Refusal(
            "context_length_exceeded",
            f"this model's context is {context_tokens} tokens, and the prompt has {said}{beside}: "
            f"shorten the prompt{shorter}",
            param=content_name(ask),
        )
