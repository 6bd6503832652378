"""Both SDKs as packages: built as they would be published, and installed into a folder that has nothing yet."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.live.service import ROOT

INSTALL = {"py": "pip install iopaint-sdk", "mjs": "npm install iopaint-sdk"}


def build(folder: Path) -> Path:
    """The folder, with a wheel in it and, where there is npm, an npm package."""
    python = shutil.copytree(ROOT / "clients" / "python", folder / "python")
    wheel = [sys.executable, "-m", "pip", "wheel", "--no-build-isolation", "--no-deps", "--wheel-dir", str(folder)]
    subprocess.run([*wheel, str(python)], check=True, capture_output=True)
    if shutil.which("npm"):
        ignored = shutil.ignore_patterns("node_modules", "dist")
        script = shutil.copytree(ROOT / "clients" / "javascript", folder / "javascript", ignore=ignored)
        subprocess.run(["npm", "pack", "--pack-destination", str(folder)], cwd=script, check=True, capture_output=True)
    return folder


def install(ending: str, packages: Path, folder: Path) -> None:
    """By the command that users type; what was built stands in for the registry's."""
    command = INSTALL[ending]
    if ending == "py":
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder / "venv")], check=True)
        (site_packages,) = (folder / "venv").glob("lib/python*/site-packages")
        # pip, and what the SDK depends on, as an index would give them; the SDK itself is not in there.
        (site_packages / "dependencies.pth").write_text(
            next(each for each in sys.path if (Path(each) / "httpx").is_dir())
        )
        command = command.replace("pip", "python -m pip")
    else:
        (archive,) = packages.glob("*.tgz")
        command = command.replace("npm", "npm --offline --no-audit --no-fund").replace("iopaint-sdk", str(archive))
    done = shell(command, folder, {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(packages)})
    assert done.returncode == 0, done.stdout + done.stderr


def shell(script: str, folder: Path, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """In a user's own shell, which knows nothing of the tests."""
    path = f"{folder / 'venv' / 'bin'}:{os.environ['PATH']}"
    return subprocess.run(
        ["sh", "-c", script],
        cwd=folder,
        env={"PATH": path, "HOME": os.environ["HOME"], **env},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
