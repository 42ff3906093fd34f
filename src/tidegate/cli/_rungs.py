"""The rungs of a route's ladder, as one request would meet them. Nothing is sent."""

from tidegate.cli._asked import Asked
from tidegate.config.show import usd_text
from tidegate.config.show_ladder import rung_text, when_text
from tidegate.core.outcome import Refusal
from tidegate.gateway.climbing import Climbing, derive
from tidegate.gateway.demand import demand_of
from tidegate.gateway.prepared_route import PreparedRung


def rung_lines(asked: Asked) -> list[str]:
    """A line for each; none for what has no ladder."""
    climb = asked.climb
    if climb is None:
        return []
    return [_line(asked, climb, rung) for rung in climb.ladder.rungs]


def _line(asked: Asked, climb: Climbing, rung: PreparedRung) -> str:
    it = rung.rung
    line = f"rung {rung.number}, {it.name}: {when_text(it.when)}: {rung_text(it)}"
    if not rung.asks:
        return line
    try:
        step = derive(climb, rung, "floor", asked.known[asked.ask.dialect], asked.receipt)
    except Refusal as no:
        return f"{line}; not for this request: {no.message}"
    assumed_tokens = asked.assumed_output_tokens
    demand = demand_of(step.ask, asked.receipt, step.route.bound, assumed_tokens)
    cost = demand.cost_nanousd
    most = "unknown" if cost is None else f"${usd_text(cost)}"
    return f"{line}; at most {demand.input_tokens} tokens of input and {most}"
