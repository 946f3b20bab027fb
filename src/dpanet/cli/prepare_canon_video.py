"""`dpanet prepare-canon-video`: the published videos of Canon captures become pairs to evaluate on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter


def prepare_canon_video(
    videos: Annotated[Path, Parameter(name="VIDEOS")],
    /,
    *,
    output: Annotated[Path, Parameter(name=["--output", "-o"])],
    overwrite: Annotated[bool, Parameter(negative=())] = False,
) -> None:
    """Turn the videos that DPDNet's authors publish into pairs with their truth.

    Writes NAME_left.png, NAME_right.png, NAME_sharp.png and NAME_dpdnet.png (what DPDNet made of the views) for each
    scene. `dpanet evaluate FOLDER --layout pairs --match-colour --align` scores models on them.

    Parameters
    ----------
    videos
        The folder that holds animated_DP_examples and animated_results.
    output
        The folder to write to; it is made if there is none.
    overwrite
        Replace pictures that exist.
    """
    from dpanet.datasets.canon_video import extract_scene, find_videos
    from dpanet.errors import counted
    from dpanet.files.output import make_folder
    from dpanet.terminal.progress import Meter

    scenes = find_videos(videos)
    make_folder(output)
    with Meter(len(scenes)) as meter:
        for name, views, results in scenes:
            extract_scene(name, views, results, output, overwrite)
            meter.next_file()
    print(f"{output}: {counted(len(scenes), 'scene')}")
