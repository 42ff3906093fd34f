from tidegate.control.patience import PatienceOf
from tidegate.core.declared import Declared
from tidegate.core.declared_objectives import DeclaredSlo
from tidegate.core.declared_routes import DeclaredRoute
from tidegate.core.sli import PATIENCE, Patience
from tidegate.core.turn_bound import TurnBound


def test_patience_is_the_route_s_as_long_as_it_is_declared() -> None:
    voice = Declared(routes={"talk": DeclaredRoute("small", slo=DeclaredSlo("voice"))})
    declared = [voice]
    patience_of = PatienceOf(lambda: declared[-1])
    assert patience_of("talk") == Patience(1.0, 10.0, TurnBound(10.0))
    assert patience_of("other") == PATIENCE
    declared.append(Declared(routes={"talk": DeclaredRoute("small")}))
    assert patience_of("talk") == PATIENCE
