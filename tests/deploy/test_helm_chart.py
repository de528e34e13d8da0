"""The Helm chart renders, is valid Kubernetes, restricted, and its network edges are those of the contracts."""

import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import helm_python
import pytest
import yaml

from chassis.caller import Audience
from chassis.contract import SERVICES, access_of, all_methods

ROOT = Path(__file__).resolve().parents[2]
CHART = ROOT / "deploy" / "helm" / "tallyport"
OWN_KINDS = {
    "Deployment",
    "Job",
    "Service",
    "ServiceAccount",
    "NetworkPolicy",
    "PodDisruptionBudget",
    "Ingress",
}
ON_BEHALF_OF_USERS = {Audience.PUBLIC, Audience.CUSTOMER, Audience.STAFF, Audience.PAY_LINK}


def render(values: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    with helm_python.Chart.load(str(CHART)) as chart:
        files = chart.render(values or {}, name="tallyport", namespace="billing")
    return [
        document
        for name, text in files.items()
        if name.endswith(".yaml")
        for document in yaml.safe_load_all(text)
        if document
    ]


@cache
def rendered() -> list[dict[str, Any]]:
    return render()


def of_kind(kind: str) -> list[dict[str, Any]]:
    return [document for document in rendered() if document["kind"] == kind]


def pod_specs() -> list[tuple[str, dict[str, Any]]]:
    workloads = of_kind("Deployment") + of_kind("Job")
    return [(w["metadata"]["name"], w["spec"]["template"]["spec"]) for w in workloads]


def callers_in_the_contracts(service: str) -> set[str]:
    callers: set[str] = set()
    for path, method in all_methods().items():
        access = access_of(method)
        owner = path.split(".")[1]
        if owner == service:
            callers |= access.callers | ({"gateway"} if access.audiences & ON_BEHALF_OF_USERS else set())
        elif owner == "common":
            # Every service serves the event log.
            callers |= access.callers - {service}
    # The command line runs on an operator's machine, not as a pod of the release.
    return callers - {"cli"}


def test_the_chart_lints() -> None:
    assert helm_python.lint(str(CHART))["errors"] == []


def test_every_document_is_valid_kubernetes(tmp_path: Path) -> None:
    own = [document for document in rendered() if document["kind"] in OWN_KINDS]
    assert {document["kind"] for document in own} == OWN_KINDS
    path = tmp_path / "rendered.yaml"
    path.write_text(yaml.safe_dump_all(own))
    command = [
        str(Path(sys.executable).with_name("kubernetes-validate")),
        "-k",
        "1.34",
        "--strict",
        str(path),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_each_service_has_serve_work_and_a_migration_and_the_gateway_serves() -> None:
    names = {d["metadata"]["name"] for d in of_kind("Deployment")}
    expected = {f"tallyport-{service}-{part}" for service in SERVICES for part in ("serve", "work")}
    assert names == expected | {"tallyport-gateway"}
    jobs = {d["metadata"]["name"] for d in of_kind("Job")}
    assert jobs == {f"tallyport-{service}-migrate" for service in SERVICES}


def test_pods_meet_the_restricted_pod_security_standard() -> None:
    for name, spec in pod_specs():
        security = spec["securityContext"]
        assert security["runAsNonRoot"], name
        assert security["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert spec["automountServiceAccountToken"] is False, name
        assert not {"hostNetwork", "hostPID", "hostIPC"} & set(spec), name
        for volume in spec["volumes"]:
            assert set(volume) - {"name"} <= {"secret", "emptyDir", "configMap", "projected"}, name
        for container in spec["containers"]:
            own = container["securityContext"]
            assert own["allowPrivilegeEscalation"] is False, name
            assert own["readOnlyRootFilesystem"] is True, name
            assert own["capabilities"] == {"drop": ["ALL"]}, name
            assert container["resources"]["requests"], name
            assert container["resources"]["limits"]["memory"], name


def has_test_clocks(documents: list[dict[str, Any]]) -> set[bool]:
    return {
        {"name": "TALLYPORT_TEST_CLOCKS", "value": "true"} in container["env"]
        for document in documents
        if document["kind"] in ("Deployment", "Job")
        for container in document["spec"]["template"]["spec"]["containers"]
    }


def test_test_clocks_are_off_unless_the_values_ask_for_them() -> None:
    assert has_test_clocks(rendered()) == {False}
    assert has_test_clocks(render({"testClocks": True})) == {True}


def test_every_long_running_pod_is_probed() -> None:
    for deployment in of_kind("Deployment"):
        for container in deployment["spec"]["template"]["spec"]["containers"]:
            assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"
            assert container["livenessProbe"]["httpGet"]["path"] == "/livez"


@pytest.mark.parametrize("service", SERVICES)
def test_network_policies_let_in_exactly_the_callers_of_the_contracts(service: str) -> None:
    policy = next(p for p in of_kind("NetworkPolicy") if p["metadata"]["name"] == f"tallyport-{service}")
    rule = next(r for r in policy["spec"]["ingress"] if r["ports"] == [{"port": 7000, "protocol": "TCP"}])
    peers = {peer["podSelector"]["matchLabels"]["app.kubernetes.io/component"] for peer in rule["from"]}
    assert peers == callers_in_the_contracts(service)


def test_everything_that_is_not_allowed_is_denied() -> None:
    deny = next(p for p in of_kind("NetworkPolicy") if p["metadata"]["name"] == "tallyport-deny")
    assert deny["spec"]["policyTypes"] == ["Ingress", "Egress"]
    assert not {"ingress", "egress"} & set(deny["spec"])


def test_each_process_gets_a_certificate_with_its_own_identity() -> None:
    uris = {d["metadata"]["name"]: d["spec"]["uris"] for d in of_kind("Certificate")}
    names = (*SERVICES, "gateway", "cli")
    assert uris == {f"tallyport-{name}": [f"spiffe://tallyport/{name}"] for name in names}


def test_no_secret_stands_in_a_manifest() -> None:
    for name, spec in pod_specs():
        for variable in spec["containers"][0]["env"]:
            if variable["name"].endswith(("DATABASE_URL", "NATS_URL", "_SECRET")):
                assert "secretKeyRef" in variable["valueFrom"], (name, variable["name"])


def test_events_are_kept_by_three_servers_and_the_gateway_hears_them() -> None:
    for name, spec in pod_specs():
        variables = {variable["name"]: variable for variable in spec["containers"][0]["env"]}
        assert ("NATS_URL" in variables) == (not name.endswith("-migrate")), name
        if name.endswith(("-serve", "-work")):
            assert variables["TALLYPORT_NATS_REPLICAS"]["value"] == "3", name


def test_databases_can_come_from_cloudnativepg() -> None:
    clusters = [d for d in render({"database": {"mode": "cloudnativepg"}}) if d["kind"] == "Cluster"]
    assert len(clusters) == len(SERVICES)
    assert all(cluster["spec"]["instances"] == 3 for cluster in clusters)
    assert not [d for d in rendered() if d["kind"] == "Cluster"]


@pytest.mark.parametrize(
    "values", [{"publicUrl": "http://pay.example.com"}, {"services": {"billing": {}}}, {"imagge": {}}]
)
def test_wrong_values_are_refused(values: dict[str, Any]) -> None:
    with pytest.raises(helm_python.HelmValuesError):
        render(values)
