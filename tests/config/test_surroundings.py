"""What this machine does not have, or not as it should."""

import re
from pathlib import Path

import pytest
from tests.core.plans import declared, hosted
from tests.gateway import signers

from tidegate.config.surroundings import about_surroundings
from tidegate.core.declared_callers import DeclaredGrant, DeclaredIssuer, DeclaredIssuerKeys
from tidegate.core.declared_control import DeclaredAlerts, DeclaredControl, DeclaredWebhook
from tidegate.core.declared_gateway import DeclaredGateway, DeclaredTls
from tidegate.core.declared_guardrails import DeclaredGuardrail
from tidegate.core.declared_ladder import DeclaredHandover, DeclaredRung
from tidegate.core.declared_metrics import DeclaredMetrics
from tidegate.core.declared_notifications import DeclaredNotifications, DeclaredWay
from tidegate.core.declared_providers import DeclaredProvider
from tidegate.core.declared_routes import DeclaredRoute
from tidegate.core.declared_targets import DeclaredTarget
from tidegate.core.identity import AwsIdentity, AzureIdentity, GoogleIdentity, Identity
from tidegate.core.secret import SecretRef


def paths(warned):
    return [".".join(w.path) for w in warned]


def test_a_credential_whose_variable_is_unset_or_empty():
    plan = declared(
        providers={"p": hosted()},
        targets={"t": DeclaredTarget("p", "m", api_key=SecretRef(env="OTHER"))},
        routes={"r": DeclaredRoute(DeclaredTarget("p", "m", api_key=SecretRef(env="THIRD")))},
    )
    warned = about_surroundings(plan, {"KEY": "x", "OTHER": ""})
    assert paths(warned) == ["targets.t.api_key", "routes.r.target.api_key"]


def test_a_page_s_key_that_is_not_there():
    keyed = DeclaredMetrics(api_key=SecretRef(env="PAGE"))
    plan = declared(
        providers={"p": DeclaredProvider(api_key=SecretRef(), metrics=keyed)},
        targets={"t": DeclaredTarget("p", "m", metrics=keyed)},
    )
    assert paths(about_surroundings(plan, {})) == [
        "providers.p.metrics.api_key",
        "targets.t.metrics.api_key",
    ]
    assert paths(about_surroundings(plan, {"PAGE": "x"})) == []


def test_files_that_are_not_there(tmp_path):
    there = tmp_path / "there.pem"
    there.write_text("x")
    provider = DeclaredProvider(api_key=SecretRef(file="/nowhere/key"), ca_file=str(there))
    tls = DeclaredTls(cert_file=str(there), key_file="/nowhere/" + "x" * 5000)
    plan = declared(providers={"p": provider}, gateway=DeclaredGateway(tls=tls))
    assert paths(about_surroundings(plan, {})) == ["providers.p.api_key", "gateway.tls.key_file"]


def test_what_an_identity_signs_in_with_and_is_not_there():
    google = GoogleIdentity(credentials=SecretRef(file="/nowhere/c.json"))
    azure = AzureIdentity(client_secret=SecretRef(env="S"), certificate_file="/nowhere/c.pem")
    plan = declared(
        providers={
            "g": DeclaredProvider(identity=Identity(google=google)),
            "a": DeclaredProvider(identity=Identity(azure=azure)),
            "w": DeclaredProvider(identity=Identity(aws=AwsIdentity(token_file="/nowhere/t"))),
            "none": DeclaredProvider(identity=Identity(google=GoogleIdentity())),
        }
    )
    assert paths(about_surroundings(plan, {})) == [
        "providers.a.identity.azure.client_secret",
        "providers.g.identity.google.credentials",
        "providers.a.identity.azure.certificate_file",
        "providers.w.identity.aws.token_file",
    ]


def test_what_people_and_judges_of_texts_are_asked_with_and_is_not_there():
    ca_file, away = "/nowhere/ca.pem", SecretRef(file="/nowhere/secret")
    handover = DeclaredHandover("https://h", "x", token=SecretRef(env="H"), ca_file=ca_file)
    way = DeclaredWay(kind="webhook", url="https://w", secret=away, ca_file=ca_file)
    control = DeclaredControl(
        alerts=DeclaredAlerts(DeclaredWebhook("https://a", SecretRef(env="A"))),
        notifications=DeclaredNotifications(ways={"w": way}),
    )
    plan = declared(
        providers={"p": hosted()},
        routes={"r": DeclaredRoute("t", ladder=(DeclaredRung("people", handover=handover),))},
        guardrails={"g": DeclaredGuardrail(kind="http", ca_file=ca_file)},
        control=control,
    )
    assert paths(about_surroundings(plan, {"KEY": "x"})) == [
        "control.alerts.webhook.api_key",
        "routes.r.ladder.0.handover.token",
        "control.notifications.ways.w.secret",
        "guardrails.g.ca_file",
        "control.notifications.ways.w.ca_file",
        "routes.r.ladder.0.handover.ca_file",
    ]


def test_no_credential_is_no_warning():
    plan = declared(providers={"p": DeclaredProvider(api_key=SecretRef())})
    assert paths(about_surroundings(plan, {})) == []


def secret(folder: Path, text: str, mode: int = 0o600) -> str:
    file = folder / "secret"
    file.write_text(text)
    file.chmod(mode)
    return str(file)


@pytest.mark.parametrize(
    ("text", "mode", "said"),
    [
        *(("s", 0o600, None), ("s", 0o640, None), (" \n", 0o600, "is empty")),
        *(("s", 0o644, "everybody on this machine can read"), ("s", 0o604, "can read")),
    ],
)
def test_a_credential_s_file_is_for_nobody_else(tmp_path, text, mode, said):
    file = secret(tmp_path, text, mode)
    plan = declared(providers={"p": DeclaredProvider(api_key=SecretRef(file=file))})
    found = [it.message for it in about_surroundings(plan, {})]
    assert len(found) == (said is not None) and (said is None or said in found[0])
    tokens = Identity(aws=AwsIdentity(token_file=file))
    plan = declared(providers={"p": DeclaredProvider(identity=tokens)})
    assert [it.message for it in about_surroundings(plan, {})] == found


def test_what_anybody_may_see_is_no_secret(tmp_path):
    file = secret(tmp_path, "x", 0o644)
    tls = DeclaredTls(cert_file=file, key_file=file)
    provider = DeclaredProvider(api_key=SecretRef(), ca_file=file)
    plan = declared(providers={"p": provider}, gateway=DeclaredGateway(tls=tls))
    assert paths(about_surroundings(plan, {})) == ["gateway.tls.key_file"]


def test_a_file_that_may_not_be_read(tmp_path, monkeypatch):
    file = secret(tmp_path, "s")

    def refused(self, mode):
        raise PermissionError(13, "no")

    monkeypatch.setattr(Path, "open", refused)
    plan = declared(providers={"p": DeclaredProvider(api_key=SecretRef(file=file))})
    [warned] = about_surroundings(plan, {})
    assert warned.message == f"the file {file} may not be read here"


def believing(**keys):
    grants = (DeclaredGrant(team="t"),)
    of = DeclaredIssuer("https://i", ("a",), DeclaredIssuerKeys(**keys), grants)
    return declared(providers={"p": hosted()}, callers={"i": of})


EC = signers.ec_key()
GOOD = signers.jwks(one=EC)


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        (GOOD, None),
        (b"", "lets nobody in: it is no JSON Web Key Set"),
        (b"{}", "lets nobody in: it is no JSON Web Key Set"),
        (signers.jwks(one=signers.ed_key()), "no key of the set is good for RS256, ES256"),
        (GOOD.replace(b"[", b"[7,"), "are left out: key 1 of 2 cannot be read"),
        (b" " * 300_000, "is longer than"),
        (None, "there is no file .* here, and without it nobody is let in"),
    ],
    ids=range(7),
)
def test_a_file_of_an_issuer_s_keys_has_some_that_are_of_use(tmp_path, keys, said):
    file = tmp_path / "issuer.jwks"
    if keys is not None:
        file.write_bytes(keys)
    warned = list(about_surroundings(believing(file=str(file)), {"KEY": "x"}))
    assert paths(warned) == ([] if said is None else ["callers.i.keys.file"])
    if said is not None:
        assert re.search(said, warned[0].message)


def test_whoever_may_write_an_issuer_s_keys_may_sign(tmp_path):
    file = tmp_path / "issuer.jwks"
    file.write_bytes(GOOD)
    file.chmod(0o666)
    [warned] = about_surroundings(believing(file=str(file)), {"KEY": "x"})
    assert "sign for any caller" in warned.message


def test_what_an_issuer_s_address_wants_is_looked_at_too():
    keys = {
        "url": "https://i/keys",
        "ca_file": "/nowhere/ca.pem",
        "credential": SecretRef(env="OF_ISSUER"),
    }
    warned = about_surroundings(believing(**keys), {"KEY": "x"})
    assert paths(warned) == ["callers.i.keys.credential", "callers.i.keys.ca_file"]
