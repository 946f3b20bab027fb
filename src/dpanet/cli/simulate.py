"""`dpanet simulate`: photographs become dual-pixel pairs with their truth."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from dpanet.cli.failure import UsageError


def simulate(
    photographs: Annotated[Path, Parameter(name="PHOTOS")],
    /,
    *,
    output: Annotated[Path, Parameter(name=["--output", "-o"])],
    count: int,
    seed: int,
    psf: str = "half-disc",
    depth: Path | None = None,
    lens: str | None = None,
    size: int | None = None,
    workers: int | None = None,
    overwrite: Annotated[bool, Parameter(negative=())] = False,
) -> None:
    """Make dual-pixel pairs with their truth from sharp photographs.

    Writes NAME_left.png, NAME_right.png and NAME_sharp.png (16 bits, sRGB), the signed blur radius as
    defocus/NAME.png (32768 in focus, 512 codes a pixel), and what decided them as settings.json and scenes.jsonl.
    The same seed gives the same bytes whatever the number of workers; a run that was stopped goes on when the same
    command is given again, and a larger count adds scenes. `dpanet evaluate FOLDER --layout pairs` takes the
    folder as it is.

    Parameters
    ----------
    photographs
        A folder of sharp photographs (PNG, TIFF, JPEG, WebP).
    output
        The folder to write to; it is made if there is none.
    count
        Number of scenes.
    seed
        Decides every scene, together with its number.
    psf
        Kernels of the lens: half-disc, butterworth (a ring), or measured:FOLDER for blur_kernels_left.npy and
        blur_kernels_right.npy of a calibration.
    depth
        A folder with a depth map for each photograph, NAME.png (16 bits, mm) or NAME.npy (m): the scenes are then the
        photographs themselves, each in its turn, blurred as --lens would.
    lens
        The thin lens for --depth, such as f=50,N=2.8,focus=1.5: focal length in mm, f-number, focus distance in m;
        pitch=UM is the size of the photograph's pixels on the sensor, full frame unless given.
    size
        Side of the pictures in pixels; 256 unless given, or whole photographs with --depth.
    workers
        Processes that work at once; as many as there are cores for many scenes, unless given.
    overwrite
        Start anew in a folder that holds other scenes.
    """
    if count < 1:
        raise UsageError(f"--count is {count}; give at least 1")
    if workers is not None and workers < 1:
        raise UsageError(f"--workers is {workers}; give at least 1")
    if (depth is None) != (lens is None):
        raise UsageError("--depth and --lens belong together; give both, such as --lens f=50,N=2.8,focus=1.5")

    from dpanet.cli.progress import Meter
    from dpanet.simulation.crew import make_scenes, suitable_workers
    from dpanet.simulation.depth_map import find_depth_maps
    from dpanet.simulation.recipe import Psf, Recipe
    from dpanet.simulation.scene_folder import SceneFolder
    from dpanet.simulation.stock import find_photographs
    from dpanet.simulation.thin_lens import ThinLens

    kernels = Psf.parse(psf)
    kernels.kernels()  # so that a wrong folder is told before anything is written
    thin = None if lens is None else ThinLens.parse(lens)
    files = find_photographs(photographs)
    maps = None if depth is None else find_depth_maps(depth, files)
    side = 256 if size is None and depth is None else size
    recipe = Recipe(files, seed, side, kernels, depth=maps, lens=thin)
    held = SceneFolder(output, recipe.identity(), overwrite)
    missing = len(held.missing(count))
    with Meter(missing) as meter:
        make_scenes(
            recipe,
            held,
            count,
            suitable_workers(missing) if workers is None else workers,
            lambda line: meter.next_file(),
        )
    print(f"{output}: {missing} scenes made, {len(held.lines)} in all")
