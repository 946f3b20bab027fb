"""`dpanet simulate`: photographs become dual-pixel pairs with their truth."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from dpanet.cli.failure import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


def simulate(
    photographs: Annotated[Path | None, Parameter(name="PHOTOS")] = None,
    /,
    *,
    output: Annotated[Path | None, Parameter(name=["--output", "-o"])] = None,
    count: int | None = None,
    seed: int | None = None,
    psf: str = "half-disc",
    depth: Path | None = None,
    lens: str | None = None,
    size: int | None = None,
    workers: int | None = None,
    overwrite: Annotated[bool, Parameter(negative=())] = False,
    check_fidelity: Annotated[Path | None, Parameter(name="--check-fidelity")] = None,
    calibration: Path | None = None,
) -> None:
    """Make dual-pixel pairs with their truth from sharp photographs.

    Writes NAME_left.png, NAME_right.png and NAME_sharp.png (16 bits, sRGB), the signed blur radius as
    defocus/NAME.png (32768 in focus, 512 codes a pixel), and what decided them as settings.json and scenes.jsonl.
    The same seed gives the same bytes whatever the number of workers; a run that was stopped goes on when the same
    command is given again, and a larger count adds scenes. `dpanet evaluate FOLDER --layout pairs` takes the
    folder as it is.

    With --check-fidelity it measures instead how well such blur explains real captures: their truth, blurred by each
    family of kernels with the best scale in each cell of 168 px, against their views.

    Parameters
    ----------
    photographs
        A folder of sharp photographs (PNG, TIFF, JPEG, WebP).
    output
        The folder to write to; it is made if there is none. With --check-fidelity, for fidelity.json, if wanted.
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
        pitch=UM is the size of the photograph's pixels on the sensor, full frame unless given; curvature=PX adds so
        much blur radius in the corners, growing with the squared distance from the middle.
    size
        Side of the pictures in pixels; 256 unless given, or whole photographs with --depth. A photograph whose
        shorter side is under SIZE + 96 is enlarged to it, and softer; with --depth it is refused if under SIZE.
    workers
        Processes that work at once; as many as there are cores for many scenes, unless given.
    overwrite
        Start anew in a folder that holds other scenes, or replace fidelity.json.
    check_fidelity
        A folder of Pixel 4 captures with truth, as its authors publish them; needs nothing else.
    calibration
        Folder of measured blur kernels and white sheets for --check-fidelity; its calibration/ unless given.
    """
    if check_fidelity is not None:
        given = {"PHOTOS": photographs, "--count": count, "--seed": seed, "--depth": depth, "--lens": lens}
        given |= {"--size": size, "--workers": workers, "--psf": None if psf == "half-disc" else psf}
        extra = [name for name, value in given.items() if value is not None]
        if extra:
            raise UsageError(
                f"--check-fidelity makes no scenes and takes no {' or '.join(extra)}; leave it out"
            )
        _check_fidelity(check_fidelity, calibration or check_fidelity / "calibration", output, overwrite)
        return
    if calibration is not None:
        raise UsageError("--calibration belongs to --check-fidelity; to simulate, give --psf measured:FOLDER")
    if photographs is None or output is None or count is None or seed is None:
        needed = {"PHOTOS": photographs, "--output": output, "--count": count, "--seed": seed}
        missing_names = [name for name, value in needed.items() if value is None]
        raise UsageError(f"{', '.join(missing_names)} must be given; see dpanet simulate --help")
    if count < 1:
        raise UsageError(f"--count is {count}; give at least 1")
    if workers is not None and workers < 1:
        raise UsageError(f"--workers is {workers}; give at least 1")
    if (depth is None) != (lens is None):
        raise UsageError("--depth and --lens belong together; give both, such as --lens f=50,N=2.8,focus=1.5")

    from dpanet.cli.progress import Meter
    from dpanet.errors import counted
    from dpanet.simulation.config import PsfConfig, SimulationConfig
    from dpanet.simulation.depth_map import find_depth_maps
    from dpanet.simulation.generator import SceneGenerator
    from dpanet.simulation.photo_cache import find_photographs
    from dpanet.simulation.scene_config import SceneConfig
    from dpanet.simulation.scene_folder import SceneFolder
    from dpanet.simulation.thin_lens import ThinLens
    from dpanet.simulation.workers import default_workers, write_scenes

    psf_config = PsfConfig.parse(psf)
    measured = psf_config.read_kernels()
    scenes = SceneConfig()
    if measured is not None:  # wide kernels are scaled no further than they fit
        scenes = replace(scenes, scale=min(scenes.scale, measured.max_scale))
    thin_lens = None if lens is None else ThinLens.parse(lens)
    files = find_photographs(photographs)
    depth_maps = None if depth is None else find_depth_maps(depth, files)
    side = 256 if size is None and depth is None else size
    config = SimulationConfig(files, seed, side, psf_config, scenes, depth_maps, thin_lens)
    SceneGenerator(config).check_depth_maps(count)  # errors come before anything is written
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


def _check_fidelity(root: Path, calibration: Path, output: Path | None, overwrite: bool) -> None:
    from dpanet.cli.progress import Meter
    from dpanet.datasets import open_dataset
    from dpanet.fidelity.check import FIDELITY_FILE, check_scene, document, families_of, summarise, write
    from dpanet.files.output import prepare_output
    from dpanet.simulation.measured_kernels import MeasuredKernels

    families = families_of(MeasuredKernels.read(calibration))
    dataset = open_dataset(root, "pixel4", calibration=calibration)
    if output is not None:
        output.mkdir(parents=True, exist_ok=True)
        prepare_output(output / FIDELITY_FILE, overwrite)
    found = []
    names = [family.name for family in families]
    print(f"{'median PSNR, dB':<16}{'cells':>6}" + "".join(f"{name:>13}" for name in names) + "    |scale|")
    with Meter(len(dataset.scenes)) as meter:
        for scene in dataset.scenes:
            found.append(check_scene(scene.load(), families))
            _print_fidelity(scene.name, summarise(found[-1].cells), names)
            meter.next_file()
    result = document(found, families)
    _print_fidelity("all cells", result["summary"], names)
    for name in names:
        spread = "  ".join(f"{q} % {value:.1f}" for q, value in result["summary"]["psnr"][name].items())
        print(f"{name}: of all cells below {spread}")
    if output is not None:
        print(f"\n{write(result, output, overwrite)}")


def _print_fidelity(title: str, summary: Mapping[str, Any], names: list[str]) -> None:
    scale = summary["scale"][names[-1]]
    print(
        f"{title:<16}{summary['cells']:>6}"
        + "".join(f"{summary['psnr'][name]['50']:>13.2f}" for name in names)
        + (f"{scale['50']:>11.2f}" if scale else f"{'-':>11}")
    )
