"""Every curl example of the two documents, unchanged but for host, token and file names."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import pictures
from tests.live.service import Service, running

TOKEN = "token-of-the-server"

OBJECT_REMOVER = {
    "health": 'curl -H "Authorization: Bearer <API_TOKEN>" <HOST>/health',
    "upload image": 'curl -H "Authorization: Bearer <API_TOKEN>" -F image=@image.png <HOST>/upload-image',
    "upload mask": 'curl -H "Authorization: Bearer <API_TOKEN>" -F mask=@mask.png <HOST>/upload-mask',
    "inpaint": 'curl -H "Authorization: Bearer <API_TOKEN>" -H "Content-Type: application/json" '
    """-d '{"image_id":"<image_id>","mask_id":"<mask_id>"}' <HOST>/inpaint""",
    "inpaint-url": 'curl -H "Authorization: Bearer <API_TOKEN>" -H "Content-Type: application/json" '
    """-d '{"image_id":"<image_id>","mask_id":"<mask_id>"}' <HOST>/inpaint-url""",
    "inpaint-multipart": 'curl -H "Authorization: Bearer <API_TOKEN>" -F image=@image.png -F mask=@mask.png '
    "<HOST>/inpaint-multipart",
    "download": "curl -L <HOST>/download/<result> -o result.png",
    "result": "curl -L <HOST>/result/<result> -o result.png",
}
V1 = {
    "key": 'curl <HOST>/api/v1/health -H "X-API-Key: $IOPAINT_API_KEY"',
    "no mask": 'curl -X POST <HOST>/api/v1/remove-watermark -H "X-API-Key: $IOPAINT_API_KEY" -F "image=@image.jpg" '
    "-o result.png",
    "with mask": 'curl -X POST <HOST>/api/v1/remove-watermark -H "X-API-Key: $IOPAINT_API_KEY" -F "image=@image.jpg" '
    '-F "mask=@mask.png" -o result.png',
    "verbose": 'curl -X POST <HOST>/api/v1/remove-watermark -H "X-API-Key: $IOPAINT_API_KEY" -F "image=@image.jpg" -v '
    "-o result.png",
    "health": "curl <HOST>/api/v1/health",
    "stats": 'curl <HOST>/api/v1/stats -H "X-API-Key: $IOPAINT_API_KEY"',
}


class Shell:
    """A folder with the pictures that the examples name, and what they are to put in for their placeholders."""

    def __init__(self, folder: Path, service: Service) -> None:
        self.folder = folder
        self.values = {"HOST": service.url, "API_TOKEN": TOKEN}
        self.env = {"PATH": "/usr/bin:/bin", "IOPAINT_API_KEY": service.key("pro")}
        for name, pixels in (("image.png", pictures.photo()), ("mask.png", pictures.box_mask())):
            (folder / name).write_bytes(pictures.file(pixels).getvalue())
        (folder / "image.jpg").write_bytes(pictures.file(pictures.photo(), "JPEG").getvalue())

    def run(self, example: str) -> str:
        command = re.sub(r"<(\w+)>", lambda name: self.values[name[1]], example).replace("curl ", "curl --silent ", 1)
        done = subprocess.run(
            ["sh", "-c", command], cwd=self.folder, env=self.env, capture_output=True, text=True, check=True
        )
        return done.stdout

    def json(self, example: str) -> dict[str, Any]:
        return dict(json.loads(self.run(example)))

    def result(self) -> bytes:
        return (self.folder / "result.png").read_bytes()


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    if shutil.which("curl") is None:
        pytest.skip("no curl: apt-get install curl")
    folder = tmp_path_factory.mktemp("documents")
    with running(folder, API_TOKEN=TOKEN) as service:
        yield Shell(folder, service)


def test_the_object_removers(shell: Shell) -> None:
    examples, values = OBJECT_REMOVER, shell.values
    assert shell.json(examples["health"]) == {"status": "healthy"}

    image, mask = shell.json(examples["upload image"]), shell.json(examples["upload mask"])
    assert image == {"id": image["id"], "filename": "image.png"}
    assert mask == {"id": mask["id"], "filename": "mask.png"}
    values |= {"image_id": image["id"], "mask_id": mask["id"]}

    assert re.fullmatch(r'\{"result":"output_[0-9a-f]{32}\.png"\}', shell.run(examples["inpaint"]))
    for way in ("inpaint-url", "inpaint-multipart"):
        answer = shell.json(examples[way])
        address = f"{values['HOST']}/download/{answer['result']}"
        assert answer == {"result": answer["result"], "url": address}

        values["result"] = answer["result"]
        for look in ("download", "result"):
            (shell.folder / "result.png").unlink(missing_ok=True)
            shell.run(examples[look])
            assert pictures.pixels(shell.result()).shape == (64, 96, 3)


def test_v1s(shell: Shell) -> None:
    for example in (V1["key"], V1["health"]):
        assert shell.json(example)["status"] == "healthy"

    shell.run(V1["with mask"])
    assert pictures.pixels(shell.result()).shape == (64, 96, 3)

    for example in (V1["no mask"], V1["verbose"]):
        shell.run(example)
        assert pictures.pixels(shell.result()).shape == (64, 96, 3)

    stats = shell.json(V1["stats"])
    assert {name: stats[name] for name in ("total", "success", "failed")} == {"total": 3, "success": 3, "failed": 0}
    assert stats["avg_processing_time"] == pytest.approx(stats["total_processing_time"] / 3, abs=0.001)
