import pytest
from tests.core.plans import URL, hosted

from tidegate.core import assemble
from tidegate.core.assemble import Dialect, Place
from tidegate.core.declared_providers import NO_CREDENTIAL, DeclaredDeadlines, DeclaredProvider
from tidegate.core.declared_targets import DeclaredQueueing, DeclaredTarget
from tidegate.core.identity import AwsIdentity, AzureIdentity, GoogleIdentity, Identity
from tidegate.core.plan import Queueing
from tidegate.core.resilience import Deadlines
from tidegate.core.secret import SecretRef

ENGINE = Dialect(None, hosted=False)
HOSTED = Dialect("https://api.example.com/v1", hosted=True)


class Said(dict):
    def __call__(self, path, message):
        self[".".join(path)] = message


def place(target=None, provider=None, dialect=ENGINE):
    target = target or DeclaredTarget("p", "m")
    return Place(("targets", "t"), target, provider or DeclaredProvider(base_url=URL), dialect)


def target(**changes):
    return DeclaredTarget("p", "m", **changes)


@pytest.mark.parametrize(
    ("replicas", "provider", "dialect", "hosts"),
    [
        (("http://a/v1", "http://b/v1"), URL, HOSTED, ["a", "b"]),
        ({"x": "http://a/v1"}, URL, HOSTED, ["a"]),
        (None, URL, HOSTED, ["127.0.0.1"]),
        (None, None, HOSTED, ["api.example.com"]),
    ],
)
def test_addresses_are_the_targets_or_the_providers_or_the_dialects(
    replicas, provider, dialect, hosts
):
    said = Said()
    at = place(target(replicas=replicas), DeclaredProvider(base_url=provider), dialect)
    assert [r.host for r in assemble.replicas(at, said)] == hosts
    assert not said


def test_no_address_at_all_is_said_of_the_provider():
    said = Said()
    assert assemble.replicas(place(provider=DeclaredProvider()), said) == ()
    assert "base_url" in said["providers.p"]


def test_an_empty_list_is_no_address():
    said = Said()
    assert assemble.replicas(place(target(replicas=())), said) == ()
    assert "empty" in said["targets.t.replicas"]


@pytest.mark.parametrize(
    "replicas",
    [("http://a/v1", "http://a:80/v1/"), {"x": "http://a/v1", "y": "http://A/v1"}],
)
def test_one_address_twice_is_a_mistake(replicas):
    said = Said()
    assemble.replicas(place(target(replicas=replicas)), said)
    assert len(said) == 1 and "again" in next(iter(said.values()))


def test_replicas_that_share_a_server_are_told_apart_by_their_path():
    said = Said()
    found = assemble.replicas(place(target(replicas=("http://a/v1", "http://a/v2"))), said)
    assert [r.name for r in found] == ["a:80/v1", "a:80/v2"] and not said


def test_a_replica_is_named_as_the_plan_says():
    found = assemble.replicas(place(target(replicas={"east": "https://[::1]:8443/v1"})), Said())
    assert (found[0].name, found[0].host, found[0].port) == ("east", "::1", 8443)
    assert assemble.base_url(found[0]) == "https://[::1]:8443/v1"


def test_deadlines_come_from_target_then_provider_then_default():
    at = place(
        target(deadlines=DeclaredDeadlines(gap_s=5.0)),
        DeclaredProvider(deadlines=DeclaredDeadlines(gap_s=6.0, connect_s=1.0)),
    )
    expected = Deadlines(connect_s=1.0, gap_s=5.0)
    assert assemble.deadlines(at, Said()) == expected


def test_a_short_whole_names_the_deadline_that_is_longer():
    said = Said()
    at = place(target(deadlines=DeclaredDeadlines(total_s=10.0, gap_s=20.0)))
    assemble.deadlines(at, said)
    assert "longer than total_s" in said["targets.t.deadlines.gap_s"]
    assert "first_token_s (60)" in said["targets.t.deadlines.total_s"]


@pytest.mark.parametrize(
    ("own", "above", "expected"),
    [
        (None, SecretRef(env="A"), SecretRef(env="A")),
        (SecretRef(file="/b"), SecretRef(env="A"), SecretRef(file="/b")),
        (NO_CREDENTIAL, SecretRef(env="A"), None),
        (None, NO_CREDENTIAL, None),
    ],
)
def test_credential_of_target_before_provider(own, above, expected):
    said = Said()
    at = place(target(api_key=own), hosted(api_key=above), HOSTED)
    assert assemble.credentials(at, said) == (expected, ()) and not said


def test_queueing_of_which_nothing_is_said_is_learnt():
    said = Said()
    assert assemble.queueing(place(), 1, said) == Queueing() and not said


@pytest.mark.parametrize(
    ("queueing", "where", "what"),
    [
        ({"max_in_flight": 21}, "max_in_flight", "more than the connections there may be (20)"),
        ({"adaptive_max": 21}, "adaptive_max", "more than the connections there may be (20)"),
        ({"adaptive_min": 9, "adaptive_max": 8}, "adaptive_min", "more than adaptive_max (8)"),
        ({"max_in_flight": 9, "adaptive_min": 8}, "adaptive_min", "`max_in_flight` fixes"),
    ],
)
def test_settings_of_a_line_that_contradict_one_another(queueing, where, what):
    said = Said()
    at = place(target(max_connections=10, queueing=DeclaredQueueing(**queueing)))
    assemble.queueing(at, 2, said)
    assert what in said[f"targets.t.queueing.{where}"] and len(said) == 1


def test_a_hosted_provider_without_credential_is_a_mistake():
    said = Said()
    assert assemble.credentials(place(dialect=HOSTED), said) == (None, ())
    assert "`api_key: ${P_API_KEY}`" in said["providers.p"]


def test_a_hosted_provider_that_signs_does_without_one():
    said = Said()
    signing = Dialect("https://api.example.com", hosted=True, signs=True)
    assert assemble.credentials(place(dialect=signing), said) == (None, ()) and not said
    own = SecretRef(env="OWN")
    assert assemble.credentials(place(target(api_key=own), dialect=signing), said) == (own, ())


GOOGLE, AWS = Identity(google=GoogleIdentity()), Identity(aws=AwsIdentity())


def of_identity(identity, **more):
    return DeclaredProvider(base_url=URL, identity=identity, **more)


@pytest.mark.parametrize(
    ("identity", "signs"),
    [(GOOGLE, False), (Identity(azure=AzureIdentity()), False), (AWS, True)],
)
def test_an_identity_stands_in_place_of_a_credential(identity, signs):
    said, dialect = Said(), Dialect(URL, hosted=True, signs=signs)
    at = place(provider=of_identity(identity), dialect=dialect)
    assert assemble.credentials(at, said) == (None, ()) and not said


@pytest.mark.parametrize(
    ("provider", "signs", "wrong"),
    [
        (of_identity(GOOGLE, api_key=SecretRef(env="K")), False, "`api_key` is written too"),
        (of_identity(Identity()), False, "of one cloud: write one of `google: {}`"),
        (of_identity(Identity(GoogleIdentity(), AzureIdentity())), False, "of one cloud"),
        (of_identity(GOOGLE), True, "signs its requests"),
        (of_identity(AWS), False, "does not sign its requests"),
    ],
)
def test_what_is_wrong_with_an_identity(provider, signs, wrong):
    said = Said()
    dialect = Dialect(URL, hosted=True, signs=signs)
    assemble.credentials(place(provider=provider, dialect=dialect), said)
    assert wrong in said["providers.p.identity"]


def test_several_keys_and_an_identity_are_too_much():
    said = Said()
    keys = (SecretRef(env="A"), SecretRef(env="B"))
    assemble.credentials(place(target(api_keys=keys), of_identity(GOOGLE)), said)
    assert "identity" in said["targets.t.api_keys"]


def test_an_engine_needs_no_credential():
    said = Said()
    assert assemble.credentials(place(), said) == (None, ()) and not said
