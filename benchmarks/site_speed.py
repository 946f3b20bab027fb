"""Seconds of an exported site in headless Chromium, and its picture against that of the command line.

python benchmarks/site_speed.py FOLDER [--size WIDTHxHEIGHT] [--repeat N] [--one-core] [--precision float32|int8]
    deblur the demo pair, repeated to that size, as 16-bit PNG, in the page of the site (see docs/site.md); CPU
    seconds are those of all processes of the browser, the memory is the peak of the largest one

Needs Chromium on PATH and the extra develop. With --one-core the service worker is blocked, so that the page has no
threads. Restrict the cores with taskset.
"""

from __future__ import annotations

import argparse
import base64
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import sync_playwright

from dpanet import Picture, read_picture, write_picture
from dpanet.images.demo_pair import read_demo_pair

_DEBLUR = """async ([left, right]) => {
  const { deblur } = await import('./deblur.js');
  const file = async (text, name) => new File([await (await fetch(text)).blob()], name);
  const start = performance.now();
  const result = await deblur({ left: await file(left, 'left.png'), right: await file(right, 'right.png') });
  const seconds = (performance.now() - start) / 1000;
  const { blob } = await result.download('png', { strength: 1 });
  const text = await new Promise((done) => {
    const reader = new FileReader();
    reader.onload = () => done(reader.result.split(',')[1]);
    reader.readAsDataURL(blob);
  });
  return { seconds, isolated: crossOriginIsolated, cores: navigator.hardwareConcurrency, text };
}"""


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *arguments: Any) -> None:
        pass


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--size", default="1000x1000")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--one-core", action="store_true")
    parser.add_argument("--precision", default="float32")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_pair(folder, *map(int, options.size.split("x")))
        command = [sys.executable, "-m", "dpanet", "deblur", "left.png", "right.png", "-o", "command.png"]
        command += ["--model", "nano", "--engine", "onnxruntime", "--precision", options.precision]
        subprocess.run(command, cwd=folder, check=True)
        run_page(options.folder, folder, options.repeat, options.one_core)


def write_pair(folder: Path, width: int, height: int) -> None:
    pair, _ = read_demo_pair()
    for side, view in (("left", pair.left), ("right", pair.right)):
        h, w = view.shape[:2]
        pixels = np.pad(view, [(0, max(0, height - h)), (0, max(0, width - w)), (0, 0)], "reflect")
        write_picture(Picture(pixels[:height, :width]), folder / f"{side}.png", bits=16)


def cpu_seconds() -> float:
    """Return the seconds that all processes started from this one have computed so far."""
    times, parents = {}, {}
    for file in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = file.read_text().rpartition(")")[2].split()
        except OSError:  # it has ended
            continue
        number = int(file.parent.name)
        parents[number] = int(fields[1])
        times[number] = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def is_ours(number: int) -> bool:
        return number == os.getpid() or (number in parents and is_ours(parents[number]))

    return sum(value for number, value in times.items() if is_ours(number))


def peak_gigabytes() -> float:
    """Return the largest memory that a process of Chromium has taken so far."""
    peak = 0.0
    for file in Path("/proc").glob("[0-9]*/status"):
        try:
            fields = dict(line.split(":", 1) for line in file.read_text().splitlines() if ":" in line)
        except OSError:
            continue
        if "chrom" in fields.get("Name", "") and "VmHWM" in fields:
            peak = max(peak, int(fields["VmHWM"].split()[0]) / 1e6)
    return peak


def run_page(site: Path, folder: Path, repeat: int, one_core: bool) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(site)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    browser_path = shutil.which("chromium") or shutil.which("google-chrome")
    views = [
        "data:image/png;base64," + base64.b64encode((folder / f"{side}.png").read_bytes()).decode()
        for side in ("left", "right")
    ]
    expected = read_picture(folder / "command.png").pixels
    with sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=browser_path, args=["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]
        )
        context = browser.new_context(service_workers="block" if one_core else "allow", bypass_csp=True)
        page = context.new_page()
        page.set_default_timeout(600_000)
        page.on("console", lambda message: print("console:", message.text))
        page.goto(f"http://127.0.0.1:{server.server_port}/")
        page.wait_for_selector("body[data-ready]" if one_core else "body[data-offline]")
        for _ in range(repeat):
            before = cpu_seconds()
            result = page.evaluate(_DEBLUR, views)
            cpu = cpu_seconds() - before
            (folder / "page.png").write_bytes(base64.b64decode(result["text"]))
            difference = np.abs(read_picture(folder / "page.png").pixels - expected).max() * 255
            threads = f"{result['cores']} cores" if result["isolated"] else "one core"
            print(
                f"{expected.shape[1]} x {expected.shape[0]} px, {threads}: {result['seconds']:.1f} s "
                f"({cpu:.1f} CPU s), {peak_gigabytes():.1f} GB, "
                f"largest difference from the command line {difference:.3f}/255",
                flush=True,
            )
        browser.close()
    server.shutdown()


if __name__ == "__main__":
    main()
