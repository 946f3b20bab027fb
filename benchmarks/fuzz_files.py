"""Read damaged picture files for some minutes, and print each that is not read or refused as it should be.

python benchmarks/fuzz_files.py [--minutes 60] [--seed 1] [--only NAME] [--keep FOLDER]

A file fails if reading it ends in another error than a sentence of the package, takes more than 1 GB or 20 seconds,
prints anything, or ends the process; and if a file that is cut, or a PNG whose checksums say that it is damaged,
gives other pixels than the sound one. A failure is printed once for each kind, with the command that repeats it:
python benchmarks/fuzz_files.py --seed 1 --repeat NUMBER
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from random import Random

from damaged_files.damage import damage
from damaged_files.reader import Reader, Result
from damaged_files.sound_files import sound_files

_PERIOD = 60.0
"""Seconds between lines of progress."""


def make_file(files: dict[str, bytes], seed: int, number: int) -> tuple[str, str, bytes]:
    """Return the name of a sound file, the ways of its damage, and the damaged contents."""
    random = Random(f"{seed}/{number}")
    name = random.choice(sorted(files))
    ways, data = damage(name, files[name], files[random.choice(sorted(files))], random)
    return name, ways, data


def read_sound(reader: Reader, files: dict[str, bytes], folder: Path) -> dict[str, str]:
    """Return the digest of the pixels of each sound file; print which are not read, and why."""
    digests = {}
    for name, data in files.items():
        (folder / name).write_bytes(data)
        result = reader.read(folder / name)
        digests[name] = result.digest
        if result.outcome != "read":
            print(f"the sound {name} is {result.outcome}: {result.reason}")
    return digests


def check(result: Result, name: str, ways: str, digest: str) -> Result:
    """Judge pixels that were read from a file whose damage had to be noticed."""
    noticed = (ways == "cut" and name != "words.pgm") or (
        name.endswith(".png") and {*ways.split("+")} <= {"flip", "cut", "number", "overwrite"}
    )
    # A damaged chunk of transparency is said, whatever letter of its name is left, and concerns alpha alone.
    noticed &= not re.search("damaged (.RNS|t.NS|tR.S|tRN.) chunk", result.notes)
    if result.outcome == "read" and noticed and result.digest != digest:
        return Result("failed", "the damage is not noticed: other pixels are read")
    return result


def kind_of(result: Result, name: str) -> str:
    """Return what failures of one kind have in common: the format, and the last lines of the reason in short."""
    lines = [line for line in result.reason.strip().splitlines() if line.strip()]
    places = [line.strip() for line in lines if line.lstrip().startswith("File ")]
    return re.sub(r"\d{2,}|'[^']*'", "N", " ".join([name.rpartition(".")[2], *places[-1:], *lines[-1:]]))


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="part of the names of the sound files that are damaged")
    parser.add_argument("--repeat", type=int, help="read this one again and print all that came of it")
    parser.add_argument("--keep", type=Path, help="folder for the files that failed")
    options = parser.parse_args()
    files = {name: data for name, data in sound_files().items() if options.only in name}
    outcomes, kinds = Counter[str](), Counter[str]()
    with tempfile.TemporaryDirectory() as place, Reader() as reader:
        digests = read_sound(reader, files, Path(place))
        start = last = time.monotonic()
        number = options.repeat or 0
        while options.repeat in (None, number) and time.monotonic() - start < options.minutes * 60:
            name, ways, data = make_file(files, options.seed, number)
            path = Path(place, f"damaged.{name.rpartition('.')[2]}")
            path.write_bytes(data)
            result = check(reader.read(path), name, ways, digests[name])
            outcomes[result.outcome] += 1
            if options.repeat is not None:
                print(name, ways, result)
            if result.outcome == "failed":
                kind = kind_of(result, name)
                kinds[kind] += 1
                if kinds[kind] == 1:
                    repeat = f"--seed {options.seed} --repeat {number}"
                    repeat += f" --only {options.only}" if options.only else ""
                    print(f"FAILED {number} {name} {ways}: python benchmarks/fuzz_files.py {repeat}")
                    print("    " + result.reason.strip().replace("\n", "\n    "), flush=True)
                if options.keep is not None:
                    options.keep.mkdir(parents=True, exist_ok=True)
                    (options.keep / f"{number}-{name}").write_bytes(data)
            number += 1
            if time.monotonic() - last > _PERIOD:
                last = time.monotonic()
                print(f"{(last - start) / 60:.0f} min: {_count(outcomes)}", flush=True)
    print(f"{outcomes.total()} files tried: {_count(outcomes)}")
    for kind, count in kinds.most_common():
        print(f"  {count} x {kind}")
    return 1 if kinds else 0


def _count(outcomes: Counter[str]) -> str:
    return ", ".join(f"{outcomes[name]} {name}" for name in ("read", "refused", "failed"))


if __name__ == "__main__":
    sys.exit(main())
