"""A server as a user starts it, tiny pictures, and a visitor who asks it."""

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import png

from dpanet import Picture, write_picture

LIMITS = ("--max-megapixels", "0.3", "--max-megabytes", "1", "--max-queue", "4")


class RunningApp:
    """A process of `dpanet app` whose temporary files lie in a folder of their own."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        environment = {**os.environ, "TMPDIR": str(folder), "OMP_NUM_THREADS": "1"}
        command = [sys.executable, "-m", "dpanet", "app", "--port", "0", "--no-browser", "--threads", "1"]
        self.process = subprocess.Popen(
            [*command, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(self.process.communicate()[1])
        self.url = line.split()[0]
        self.address = urlsplit(self.url).netloc

    def files(self) -> list[Path]:
        return sorted(path for path in self.folder.rglob("*") if path.is_file())

    def stop(self, number: int = signal.SIGTERM) -> tuple[int, str]:
        """Send a signal, wait for the end; return the exit code and standard error."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        error = self.process.communicate(timeout=60)[1]
        return self.process.returncode, error


class Visitor:
    """Asks a server as its page does."""

    def __init__(self, app: RunningApp) -> None:
        self.app = app
        self.token = ""
        self.token = self.json("POST", "/visitors", status=201)["visitor"]

    def ask(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> tuple[int, dict[str, str], bytes]:
        # 127.0.0.1 whatever the server is bound to
        connection = http.client.HTTPConnection("127.0.0.1", urlsplit(self.app.url).port, timeout=60)
        try:
            own = {"X-Dpanet-Visitor": self.token} if self.token else {}
            connection.request(method, path, body, {**own, **(headers or {})})
            answer = connection.getresponse()
            return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
        finally:
            connection.close()

    def json(self, method: str, path: str, body: Any = None, status: int = 200) -> Any:
        came, _, content = self.ask(method, path, None if body is None else json.dumps(body))
        assert came == status, content
        return json.loads(content)

    def send(self, left: Path, right: Path | None = None, status: int = 201, **options: Any) -> str:
        """Send the views of a capture; the last one is answered by `status`. Return the path of the job."""
        files = {"left": left} if right is None else {"left": left, "right": right}
        wanted = {"model": "nano", **{side: path.name for side, path in files.items()}, **options}
        job = "/jobs/" + self.json("POST", "/jobs", wanted, status=201)["id"]
        for number, (side, path) in enumerate(files.items(), 1):
            expected = status if number == len(files) else 201
            came, _, content = self.ask("PUT", f"{job}/{side}", path.read_bytes())
            assert came == expected, content
            self.answer = content.decode()
        return job

    def wait(self, job: str) -> dict[str, Any]:
        """Return the state of a job when it has ended."""
        for _ in range(600):
            state: dict[str, Any] = self.json("GET", job)
            if state["state"] in ("done", "failed", "canceled"):
                return state
            time.sleep(0.05)
        raise TimeoutError(job)

    def get(self, path: str, status: int = 200) -> bytes:
        came, _, content = self.ask("GET", path)
        assert came == status, content
        return content


def write_view(
    path: Path, seed: int = 0, size: tuple[int, int] = (40, 56), bits: int = 16, **about: Any
) -> Path:
    rng = np.random.default_rng(seed)
    ramp = np.linspace(0.2, 0.8, size[1], dtype=np.float32)[None, :, None]
    pixels = np.clip(ramp + rng.normal(0, 0.02, (*size, 3)), 0, 1).astype(np.float32)
    write_picture(Picture(pixels, about.pop("encoding", "srgb"), about), path, bits=bits)
    return path


def read_png(content: bytes) -> tuple[np.ndarray, int]:
    """Decode by pypng, which knows nothing of this package."""
    width, height, rows, about = png.Reader(bytes=content).read()
    return np.vstack([np.asarray(row) for row in rows]).reshape(height, width, -1), about["bitdepth"]


def codes(pixels: np.ndarray) -> np.ndarray:
    """Return the codes of 16 bits of pixels 0..1, clipped."""
    return np.rint(np.clip(pixels, 0, 1) * 65535).astype(np.int64)
