"""`dpanet simulate`: photographs become dual-pixel pairs with their truth."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from dpanet.cli.options import MaxMegapixels, apply_max_megapixels
from dpanet.terminal.failure import UsageError


def simulate(
    photographs: Annotated[Path, Parameter(name="PHOTOS")],
    /,
    *,
    output: Annotated[Path, Parameter(name=["--output", "-o"])],
    count: int,
    seed: int,
    psf: str = "ramped-disc",
    depth: Path | None = None,
    lens: str | None = None,
    size: int | None = None,
    workers: int | None = None,
    overwrite: Annotated[bool, Parameter(negative=())] = False,
    max_megapixels: MaxMegapixels = None,
) -> None:
    """Make dual-pixel pairs with their truth from sharp photographs.

    Writes NAME_left.png, NAME_right.png and NAME_sharp.png (16 bits, sRGB), the signed blur radius as
    defocus/NAME.png (32768 in focus, 512 codes a pixel), and the config and log as settings.json and scenes.jsonl.
    The same seed gives the same bytes whatever the number of workers. A run that was stopped goes on when the same
    command is given again, and a larger count adds scenes. `dpanet evaluate FOLDER --layout pairs` takes the
    folder as it is.

    Parameters
    ----------
    photographs
        A folder of sharp photographs (PNG, TIFF, JPEG, WebP, AVIF, PPM).
    output
        The folder to write to; it is created if it is missing.
    count
        Number of scenes.
    seed
        Decides every scene, together with its number.
    psf
        Kernels of the lens: ramped-disc, butterworth (a ring), pixel4 (the Pixel 4's lens), or measured:FOLDER for
        blur_kernels_left.npy and blur_kernels_right.npy of a calibration.
    depth
        A folder with a depth map for each photograph, NAME.png (16 bits, mm) or NAME.npy (m): the scenes are then the
        photographs themselves, one after the other, blurred as --lens would.
    lens
        The thin lens for --depth, such as f=50,N=2.8,focus=1.5: focal length in mm, f-number, focus distance in m;
        pitch=UM is the size of the photograph's pixels on the sensor (default: full frame); curvature=PX adds so
        much blur radius in the corners, growing with the squared distance from the middle.
    size
        Side of the pictures in pixels; by default 256, or whole photographs with --depth. A photograph whose
        shorter side is under SIZE + 96 is enlarged to it, and softer; with --depth it is refused if under SIZE.
    workers
        Number of processes; by default as many as there are cores, fewer for few scenes.
    overwrite
        Delete the scenes of another config from the folder and start anew.
    max_megapixels
        Refuse pictures of more megapixels than this; the default is 400, or DPANET_MAX_MEGAPIXELS.
    """
    apply_max_megapixels(max_megapixels)
    if count < 1:
        raise UsageError(f"--count is {count}; give at least 1")
    if workers is not None and workers < 1:
        raise UsageError(f"--workers is {workers}; give at least 1")
    if (depth is None) != (lens is None):
        raise UsageError("--depth and --lens belong together; give both, such as --lens f=50,N=2.8,focus=1.5")

    from dpanet.datasets.depth_map import find_depth_maps
    from dpanet.datasets.photographs import check_photographs, find_photographs
    from dpanet.errors import counted
    from dpanet.simulation.config import PsfConfig, SimulationConfig
    from dpanet.simulation.generator import SceneGenerator
    from dpanet.simulation.scene_config import LENSES, SceneConfig
    from dpanet.simulation.scene_folder import SceneFolder
    from dpanet.simulation.thin_lens import ThinLens
    from dpanet.simulation.workers import default_workers, write_scenes
    from dpanet.terminal.progress import Meter

    psf_config = PsfConfig.parse(psf)
    measured = psf_config.read_measured_kernels()
    scenes = SceneConfig(**LENSES)
    if measured is not None:  # wide kernels are scaled no further than they fit
        scenes = replace(scenes, scale=min(scenes.scale, measured.max_scale))
    thin_lens = None if lens is None else ThinLens.parse(lens)
    files = find_photographs(photographs)
    depth_maps = None if depth is None else find_depth_maps(depth, files)
    side = 256 if size is None and depth is None else size
    config = SimulationConfig(files, seed, side, psf_config, scenes, depth_maps, thin_lens)
    check_photographs(
        files if depth_maps is None else files[:count]
    )  # errors come before anything is written
    SceneGenerator(config).check_depth_maps(count)
    folder = SceneFolder(output, config, overwrite)
    missing = len(folder.missing(count))
    with Meter(missing) as meter:
        write_scenes(
            config,
            folder,
            count,
            default_workers(missing) if workers is None else workers,
            lambda index: meter.next_file(),
        )
    print(f"{output}: {counted(missing, 'scene')} made, {len(folder)} in all")
