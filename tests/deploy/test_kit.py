"""deploy/ says nothing that the service does not have: variables, commands, paths, ports, pinned images."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import get_commands
from django.urls import resolve

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
DOCKERFILE = (DEPLOY / "docker/Dockerfile").read_text()
COMPOSE = yaml.safe_load((DEPLOY / "compose/compose.yaml").read_text())
MANIFESTS = [
    manifest
    for path in sorted((DEPLOY / "kubernetes").rglob("*.yaml"))
    for manifest in yaml.safe_load_all(path.read_text())
]
UNITS = {path.name: path.read_text() for path in (DEPLOY / "systemd").rglob("*") if path.is_file()}
# Read by Python, by the allocator, by OpenMP and by the shell, not by the settings.
OTHERS = {"PATH", "PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE", "MALLOC_ARENA_MAX", "MALLOC_MMAP_MAX_"} | {
    *("MALLOC_TRIM_THRESHOLD_", "OMP_WAIT_POLICY", "GOMP_SPINCOUNT")
}


def documented() -> set[str]:
    return set(re.findall(r"`([A-Z][A-Z0-9_]+)`", (ROOT / "docs/configuration.md").read_text()))


def ours() -> list[dict[str, Any]]:
    """Services of compose that run the image of the Dockerfile."""
    return [service for service in COMPOSE["services"].values() if service["image"].startswith("object-remover")]


def pods() -> Iterator[dict[str, Any]]:
    for manifest in MANIFESTS:
        if manifest["kind"] in ("Deployment", "Job"):
            yield manifest["spec"]["template"]["spec"]


def containers() -> list[dict[str, Any]]:
    return [container for pod in pods() for container in pod["containers"]]


def in_the_dockerfile() -> set[str]:
    final = DOCKERFILE.rpartition("FROM ")[2]
    block = re.search(r"^ENV (.*?)(?<!\\)\n", final, re.MULTILINE | re.DOTALL)
    assert block
    return set(re.findall(r"(\w+)=\S+", block[1]))


def in_compose() -> set[str]:
    return {name for service in ours() for name in service["environment"]}


def in_kubernetes() -> set[str]:
    literals = [
        literal
        for manifest in MANIFESTS
        for generator in manifest.get("configMapGenerator", [])
        for literal in generator["literals"]
    ]
    set_here = {each["name"] for container in containers() for each in container.get("env", [])}
    return {literal.partition("=")[0] for literal in literals} | set_here


def in_systemd() -> set[str]:
    return {
        name
        for unit in UNITS.values()
        for line in re.findall(r"^Environment=(.*)$", unit, re.MULTILINE)
        for name in re.findall(r"(\w+)=", line)
    }


@pytest.mark.parametrize("names", [in_the_dockerfile, in_compose, in_kubernetes, in_systemd])
def test_every_variable_that_is_set_is_one_of_the_service(names: Any) -> None:
    assert names()
    assert names() - OTHERS <= documented()


def test_compose_sets_all_that_several_machines_share() -> None:
    shared = {
        "SITE_URL",
        "SECRET_KEY",
        "TRUSTED_PROXIES",
        "DATABASE_URL",
        "REDIS_URL",
        "S3_BUCKET",
        "CELERY_BROKER_URL",
    }

    for service in ours():
        assert shared <= set(service["environment"])


def test_every_variable_that_compose_asks_for_is_in_the_example() -> None:
    asked = set(re.findall(r"\$\{(\w+)", (DEPLOY / "compose/compose.yaml").read_text()))
    example = set(re.findall(r"^(\w+)=", (DEPLOY / "compose/.env.example").read_text(), re.MULTILINE))

    assert asked == example


def commands() -> list[str]:
    exec_lines = [line for unit in UNITS.values() for line in re.findall(r"^ExecStart.*=(.*)$", unit, re.MULTILINE)]
    lists = [service["command"] for service in ours() if "command" in service]
    lists += [container["command"] for container in containers() if "command" in container]
    scripts = [DOCKERFILE, (DEPLOY / "docker/web").read_text()]
    return [*exec_lines, *(" ".join(each) for each in lists), *scripts]


def test_every_command_of_manage_py_exists() -> None:
    named = {name for line in commands() for name in re.findall(r"manage\.py (\w+)", line)}

    assert {"migrate", "collectstatic", "fetch_weights", "work"} <= named
    assert named <= set(get_commands())


def test_every_file_that_is_named_exists() -> None:
    named = {path for line in commands() for path in re.findall(r"\b((?:deploy|config)/[\w/.]+)", line)}
    named |= {
        str(path.parent.relative_to(ROOT) / each)
        for path in (DEPLOY / "kubernetes").rglob("kustomization.yaml")
        for each in yaml.safe_load(path.read_text())["resources"]
    }

    assert "config/gunicorn.py" in named
    assert [path for path in sorted(named) if not (ROOT / path).exists()] == []


def test_probes_ask_paths_and_ports_that_are_served() -> None:
    for container in containers():
        ports = {port["name"] for port in container.get("ports", [])}
        for probe in (each for name, each in container.items() if name.endswith("Probe")):
            assert resolve(probe["httpGet"]["path"])
            assert probe["httpGet"]["port"] in ports


def test_live_and_ready_are_asked_apart() -> None:
    web = next(container for container in containers() if container["name"] == "web")

    assert web["livenessProbe"]["httpGet"]["path"] == "/livez"
    assert web["readinessProbe"]["httpGet"]["path"] == "/readyz"


def test_images_are_pinned_to_an_exact_version() -> None:
    images = [service["image"] for service in COMPOSE["services"].values()]
    images += re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)

    assert [image for image in images if not re.search(r":\d+\.\d+(\.\d+)?(-\w+)?", image)] == []


def test_nothing_runs_as_root_or_writes_to_its_root() -> None:
    assert re.search(r"^USER 10001", DOCKERFILE, re.MULTILINE)
    assert all(service["read_only"] for service in ours())
    assert all(pod["securityContext"]["runAsNonRoot"] for pod in pods())
    assert all(container["securityContext"]["readOnlyRootFilesystem"] for container in containers())


def test_stopping_waits_for_the_longest_request(settings: Any) -> None:
    web = next(pod for pod in pods() if pod["containers"][0]["name"] == "web")
    stops = re.search(r"TimeoutStopSec=(\d+)", UNITS["object-remover-web.service"])

    assert stops
    assert min(web["terminationGracePeriodSeconds"], int(stops[1])) >= settings.RESERVATION_TTL
