"""requirements.lock: a version of everything that is asked for, fit for every machine."""

from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]


def requirements(name: str) -> list[Requirement]:
    lines = [line.partition("#")[0].strip() for line in (ROOT / name).read_text().splitlines()]
    return [Requirement(line) for line in lines if line and not line.startswith("-r")]


LOCKED = {package.name: str(package.specifier).removeprefix("==") for package in requirements("requirements.lock")}


def test_it_works() -> None:
    """Whoever changes a range runs script/lock."""
    for package in (
        *requirements("requirements.txt"),
        *requirements("requirements-diffusion.txt"),
        *requirements("requirements-text.txt"),
        *requirements("requirements-dev.txt"),
    ):
        assert package.specifier.contains(LOCKED[canonicalize_name(package.name)]), package


def test_torch_can_be_any_build() -> None:
    assert "+" not in LOCKED["torch"]
    assert not [name for name in LOCKED if name.startswith(("nvidia-", "cuda-", "triton"))]
