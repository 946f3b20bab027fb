"""`dpanet app`: a page on this computer on which pictures are dropped and deblurred."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Parameter

from dpanet.errors import counted, shown
from dpanet.terminal.failure import UsageError


def app(
    *,
    host: str = "127.0.0.1",
    port: int | None = None,
    name: Annotated[tuple[str, ...], Parameter(negative=())] = (),
    browser: bool = True,
    model: Path | None = None,
    engine: Literal["auto", "onnxruntime", "openvino", "torch"] = "auto",
    device: str = "auto",
    threads: int | None = None,
    max_megapixels: float = 60,
    max_megabytes: float = 512,
    max_queue: int = 32,
    max_gigabytes: float = 20,
    export_site: Path | None = None,
    runtime: Path | None = None,
) -> None:
    """Open a page on which pictures are dropped and deblurred; only this computer reaches it.

    The page shows before and after, the defocus map, and takes a folder of pairs. All files are in one temporary
    folder, which is deleted when the server stops.

    Parameters
    ----------
    host
        The address to be reached under; 0.0.0.0 lets the whole network in, without a password.
    port
        The port; by default 7860, or the next that is free.
    name
        A name under which the page may be asked for besides the address, such as that of a proxy. Can be given again.
    browser
        Open the page in the browser.
    model
        A file of a model to offer too: .onnx, .xml, with the extra torch .safetensors or .pth.
    engine
        The library that runs the network; see dpanet deblur --help.
    device
        Where to compute: auto, cpu, cuda.
    threads
        Threads that compute on the processor; by default all its cores.
    max_megapixels
        Refuse pictures of more megapixels than this.
    max_megabytes
        Refuse files that are larger than this.
    max_queue
        Refuse more pictures than this that wait, of all visitors.
    max_gigabytes
        Refuse pictures when those in the temporary folder are larger than this.
    export_site
        Start no server: write the page to this folder as static files, which run the model nano in the visitor's
        browser. No other option but --runtime counts.
    runtime
        For --export-site: the npm package onnxruntime-web, as its folder or its .tgz file; by default npm fetches it.
    """
    if export_site is not None:
        if model is not None:
            raise UsageError("--export-site writes the model nano; leave --model out")
        _export_site(export_site, runtime)
        return
    if runtime is not None:
        raise UsageError("--runtime is for --export-site; leave it out")
    from dpanet.app.deblurring import Models
    from dpanet.app.limits import Limits
    from dpanet.app.running import run
    from dpanet.checkpoints.shipped_models import SHIPPED

    limits = Limits(max_megapixels, max_megabytes, max_queue, gigabytes=max_gigabytes)
    options: dict[str, Any] = {"engine": engine, "device": device, "threads": threads}
    sources = {shipped: shipped for shipped in SHIPPED}
    if model is not None:
        sources = {model.stem: str(model)} | sources
    models = Models(sources, **options, reuse_memory=True)
    models.load(next(iter(sources)))  # what is wrong with an option or a file is said before the page opens
    run(
        models,
        limits,
        host=host,
        port=port,
        names=name,
        browser=browser,
    )


def _export_site(folder: Path, runtime: Path | None) -> None:
    from dpanet.app.site import export_site

    site = export_site(folder, runtime=runtime)
    print(
        f"{shown(folder)}: {counted(site.files, 'file')}, {site.size / 1e6:.1f} MB; to try it: "
        f"python -m http.server --directory {shlex.quote(shown(folder))}"
    )
