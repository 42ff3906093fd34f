from tidegate.control.patience import PatienceOf
from tidegate.core.declared import Declared
from tidegate.core.declared_objectives import DeclaredSlo
from tidegate.core.declared_routes import DeclaredRoute
from tidegate.core.sli import PATIENCE, Patience


def test_patience_is_the_route_s_as_long_as_it_is_declared() -> None:
    voice = Declared(routes={"talk": DeclaredRoute("small", slo=DeclaredSlo("voice"))})
    declared = [voice]
    patience_of = PatienceOf(lambda: declared[-1])
    assert patience_of("talk") == Patience(first_token_s=1.0, whole_s=10.0)
    assert patience_of("other") == PATIENCE
    declared.append(Declared(routes={"talk": DeclaredRoute("small")}))
    assert patience_of("talk") == PATIENCE
