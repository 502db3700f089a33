"""deploy/kustomization.yaml: valid by Kubernetes' own schemas, and the same processes as docker-compose.yml."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from shared.db import SERVICES
from tests.deploying.test_compose import COMPOSE

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
VERSION = "1.31"
ELSEWHERE = {"postgres", "redis", "wal-receiver", "backup", "prometheus", "alertmanager", "flower"}
"""What a cluster has of its own: the database with its copies, the broker, and what watches."""
OF_THE_PLACE = {"BIANMIN_TRUSTED_PROXIES"}
"""What must differ: the networks."""

Manifest = dict[str, Any]


def read(folder: Path) -> Iterator[Manifest]:
    """The manifests that a kustomization names."""
    said = yaml.safe_load((folder / "kustomization.yaml").read_text(encoding="utf-8"))
    for name in said["resources"]:
        yield from yaml.safe_load_all((folder / name).read_text(encoding="utf-8"))


MANIFESTS = list(read(DEPLOY))
SCALING = list(read(DEPLOY / "kubernetes/scaling"))


def named(kind: str) -> dict[str, Manifest]:
    return {one["metadata"]["name"]: one for one in MANIFESTS if one["kind"] == kind}


WORKLOADS = named("Deployment") | named("Job")
CONFIG = {name: one["data"] for name, one in named("ConfigMap").items()}
every_workload = pytest.mark.parametrize("name", WORKLOADS)


def pod(name: str) -> Manifest:
    spec: Manifest = WORKLOADS[name]["spec"]["template"]["spec"]
    return spec


def container(name: str) -> Manifest:
    (only,) = pod(name)["containers"]
    found: Manifest = only
    return found


def environment(name: str) -> dict[str, str]:
    said: dict[str, str] = {}
    for source in container(name).get("envFrom", []):
        said |= CONFIG[source["configMapRef"]["name"]]
    for one in container(name).get("env", []):
        if "value" in one:
            said[one["name"]] = one["value"]
        else:
            reference = one["valueFrom"]["configMapKeyRef"]
            said[one["name"]] = CONFIG[reference["name"]][reference["key"]]
    return said


def files(name: str) -> set[str]:
    """What is in /run/secrets."""
    (projected,) = [one["projected"]["sources"] for one in pod(name)["volumes"] if one["name"] == "secrets"]
    return {
        item["path"] for source in projected for item in source.get("secret", {"items": [{"path": "ca.pem"}]})["items"]
    }


@pytest.mark.parametrize("manifest", MANIFESTS, ids=lambda one: f"{one['kind']}-{one['metadata']['name']}")
def test_each_manifest_is_valid(manifest: Manifest) -> None:
    kubernetes_validate.validate(manifest, VERSION, strict=True)


def test_a_wrong_manifest_would_not_be() -> None:
    wrong = yaml.safe_load(yaml.safe_dump(WORKLOADS["hr-web"]))
    wrong["spec"]["template"]["spec"]["containers"][0]["redinessProbe"] = {}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, VERSION, strict=True)


def test_every_file_belongs_to_it() -> None:
    said = yaml.safe_load((DEPLOY / "kustomization.yaml").read_text(encoding="utf-8"))
    used = {*said["resources"], *(file for one in said["configMapGenerator"] for file in one["files"])}
    assert {f"kubernetes/{path.name}" for path in (DEPLOY / "kubernetes").iterdir() if path.is_file()} | {
        "nginx.conf"
    } == used


# --- the same as in containers ---------------------------------------------------------------------------------------


def test_both_name_the_same_processes() -> None:
    assert set(WORKLOADS) == set(COMPOSE["services"]) - ELSEWHERE
    assert set(named("Service")) == {f"{service}-web" for service in SERVICES} | {"proxy"}


@every_workload
def test_both_give_a_process_the_same_command_settings_and_secrets(name: str) -> None:
    contained = COMPOSE["services"][name]
    assert container(name)["command"] == contained["command"]
    told = {key: value for key, value in contained.get("environment", {}).items() if key not in OF_THE_PLACE}
    assert {key: value for key, value in environment(name).items() if key not in OF_THE_PLACE} == told
    assert files(name) == {one if isinstance(one, str) else one["target"] for one in contained["secrets"]}


@every_workload
def test_both_mount_the_same_keys(name: str) -> None:
    def places(volumes: list[Any]) -> set[str]:
        return {one["target"] if isinstance(one, dict) else one.split(":")[1] for one in volumes}

    said = {one["mountPath"] for one in container(name)["volumeMounts"]}
    keys = {path for path in said if "keys" in path}
    wanted = {path for path in places(COMPOSE["services"][name].get("volumes", [])) if "keys" in path}
    if name == "prepare":  # which makes them in one folder and the other, as it likes
        keys, wanted = {path.split("/")[1] for path in keys}, {path.split("/")[1] for path in wanted}
    assert keys == wanted


@every_workload
def test_both_run_the_same_image_within_the_same_bounds(name: str) -> None:
    contained = COMPOSE["services"][name]
    image = container(name)["image"]
    assert contained["image"] in {image, f"{image}:latest"}
    limits = container(name)["resources"]["limits"]
    assert limits["memory"] == contained["mem_limit"].replace("m", "Mi")
    assert float(limits["cpu"]) == contained["cpus"]


@pytest.mark.parametrize("service", SERVICES)
def test_both_ask_a_worker_the_same_about_its_health(service: str) -> None:
    asked = container(f"{service}-worker")["livenessProbe"]["exec"]["command"]
    assert asked[:2] == ["sh", "-c"]
    assert COMPOSE["services"][f"{service}-worker"]["healthcheck"]["test"] == ["CMD-SHELL", asked[2]]


def test_the_four_services_are_alike_but_for_the_name() -> None:
    def text(service: str) -> str:
        said = (DEPLOY / f"kubernetes/{service}.yaml").read_text(encoding="utf-8").split("apiVersion", 1)[1]
        said = re.sub(r".*(founder|session-private).*\n", "", said)  # what hr alone has
        return re.sub(rf"\b{service}\b|(?<=_){service}(?=_)", "SERVICE", said)

    assert len({text(service) for service in SERVICES}) == 1


# --- what each must say ----------------------------------------------------------------------------------------------


@every_workload
def test_each_is_contained(name: str) -> None:
    spec = pod(name)
    assert spec["automountServiceAccountToken"] is spec["enableServiceLinks"] is False
    security = spec["securityContext"]
    assert security["runAsNonRoot"] is True
    assert security["runAsUser"] == security["fsGroup"] == (101 if name == "proxy" else 10001)
    assert security["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container(name)["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert set(container(name)["resources"]) == {"requests", "limits"}
    mounted = {one["name"] for one in container(name)["volumeMounts"]}
    assert mounted == {one["name"] for one in spec["volumes"]}


@pytest.mark.parametrize("name", named("Deployment"))
def test_each_that_stays_has_probes_and_may_be_disturbed_one_at_a_time(name: str) -> None:
    assert {"readinessProbe", "livenessProbe"} & set(container(name))
    budgets = named("PodDisruptionBudget")
    assert (name in budgets) == (name != "verify")
    if name in budgets:
        assert budgets[name]["spec"]["selector"] == WORKLOADS[name]["spec"]["selector"]
        if "minAvailable" in budgets[name]["spec"]:
            assert WORKLOADS[name]["spec"]["replicas"] > budgets[name]["spec"]["minAvailable"]


def test_no_secret_is_in_a_manifest_and_each_that_is_named_is_in_the_document() -> None:
    assert named("Secret") == {}
    told = (ROOT / "docs/deployment.md").read_text(encoding="utf-8")
    text = "".join((DEPLOY / path).read_text(encoding="utf-8") for path in ("kubernetes/scaling/workers.yaml",))
    text += yaml.safe_dump_all(MANIFESTS)
    wanted = set(re.findall(r"\bbianmin-[a-z-]+\b", text))
    assert sorted(name for name in wanted if name not in told and not re.search("|".join(SERVICES), name)) == []


# --- the network -----------------------------------------------------------------------------------------------------


def allowed(one: str, other: str, port: int) -> bool:
    """Whether a pod may open a connection to another: both its own policies and the other's let it."""
    return any(_goes(rule, "to", other, port) for rule in _rules(one, "Egress")) and any(
        _goes(rule, "from", one, port) for rule in _rules(other, "Ingress")
    )


def labels(name: str) -> dict[str, str]:
    if name in WORKLOADS:
        found: dict[str, str] = WORKLOADS[name]["spec"]["template"]["metadata"]["labels"]
        return found
    return {"app": name}


def _selects(selector: Manifest, name: str) -> bool:
    own = labels(name)
    return all(own.get(key) == value for key, value in selector.get("matchLabels", {}).items()) and all(
        own.get(one["key"]) in one["values"] for one in selector.get("matchExpressions", [])
    )


def _rules(name: str, way: str) -> Iterator[Manifest]:
    for policy in named("NetworkPolicy").values():
        if way in policy["spec"]["policyTypes"] and _selects(policy["spec"]["podSelector"], name):
            yield from policy["spec"].get(way.lower()) or []


def _goes(rule: Manifest, way: str, name: str, port: int) -> bool:
    return port in [one["port"] for one in rule["ports"]] and any(
        "podSelector" in one and "namespaceSelector" not in one and _selects(one["podSelector"], name)
        for one in rule[way]
    )


def test_only_those_talk_who_must() -> None:
    pods = [*WORKLOADS, "postgres", "redis"]
    ports = {"postgres": 5432, "redis": 6379, "proxy": 8443} | {f"{service}-web": 8000 for service in SERVICES}
    seen = {(one, other) for one in pods for other in pods if one != other and allowed(one, other, ports.get(other, 0))}
    processes = [f"{service}-{kind}" for service in SERVICES for kind in ("web", "worker")]
    assert seen == {
        *(("proxy", f"{service}-web") for service in SERVICES),
        *((process, server) for process in (*processes, "prepare") for server in ("postgres", "redis")),
        ("verify", "postgres"),
    }


def test_whoever_is_not_named_may_nothing_and_hr_alone_goes_outside() -> None:
    (nobody,) = [one["spec"] for name, one in named("NetworkPolicy").items() if name == "nobody"]
    assert nobody == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    outside = [
        name for name in WORKLOADS for rule in _rules(name, "Egress") if any("ipBlock" in one for one in rule["to"])
    ]
    assert outside == ["hr-web", "hr-worker"]


# --- scaling ---------------------------------------------------------------------------------------------------------


def test_each_worker_is_scaled_by_its_own_queue_and_never_to_none() -> None:
    """The fields are those of KEDA's documentation of its trigger `redis`; its schema knows none of them."""
    scaled = {one["metadata"]["name"]: one["spec"] for one in SCALING if one["kind"] == "ScaledObject"}
    assert set(scaled) == {f"{service}-worker" for service in SERVICES}
    for service in SERVICES:
        spec = scaled[f"{service}-worker"]
        assert spec["scaleTargetRef"] == {"name": f"{service}-worker"}
        assert "replicas" not in WORKLOADS[f"{service}-worker"]["spec"], "KEDA's number would be set back"
        assert spec["minReplicaCount"] == 1
        (trigger,) = spec["triggers"]
        assert trigger["type"] == "redis"
        assert trigger["metadata"] == {"address": "redis.bianmin.svc:6379", "listName": service, "listLength": "100"}
    (authentication,) = [one for one in SCALING if one["kind"] == "TriggerAuthentication"]
    assert {one["authenticationRef"]["name"] for spec in scaled.values() for one in spec["triggers"]} == {
        authentication["metadata"]["name"]
    }
    told = {one["parameter"] for one in authentication["spec"]["secretTargetRef"]}
    assert told == {"username", "password", "tls", "ca"}
