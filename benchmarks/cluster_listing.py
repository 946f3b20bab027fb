"""What memory and time the names of many pairs cost `dpanet deblur --cluster ray`: an object store of names alone.

python benchmarks/cluster_listing.py 100000
"""

from __future__ import annotations

import datetime
import hashlib
import json
import resource
import sys
import time
from typing import Any

import fsspec
from fsspec.spec import AbstractFileSystem

from dpanet.cluster.pairs import PairList
from dpanet.cluster.places import find_place
from dpanet.cluster.results import Delivered, ObjectResults

KEY = {
    "weights": "0" * 64,
    "run": ["auto", 2, "cpu", "float32"],
    "versions": ["0.1.0", "onnxruntime", "1.32.0"],
}


class Names(AbstractFileSystem):  # type: ignore[misc]
    """Lists names as a package for S3 does; only the manifest has any content."""

    protocol = "names"
    cachable = False
    pairs = 0
    manifest: dict[str, bytes] = {}  # noqa: RUF012

    def find(self, path: str, **options: Any) -> dict[str, dict[str, Any]]:
        sides = ("_left", "_right") if path.endswith("in") else ("",)
        names = [
            f"{path}/day{pair // 1000}/IMG_{pair:07d}{side}.png"
            for pair in range(self.pairs)
            for side in sides
            if side or self.manifest
        ]
        return {name: describe(name) for name in [*names, *self.manifest]}

    def pipe_file(self, path: str, value: bytes, mode: str = "overwrite", **options: Any) -> None:
        self.manifest[path] = value

    def cat_file(self, path: str, start: Any = None, end: Any = None, **options: Any) -> bytes:
        return self.manifest[path]

    def rm_file(self, path: str) -> None:
        del self.manifest[path]


def describe(name: str) -> dict[str, Any]:
    """Return what a listing of S3 says of an object."""
    tag = hashlib.md5(name.encode(), usedforsecurity=False).hexdigest()
    facts: dict[str, Any] = {
        "Key": name,
        "LastModified": datetime.datetime.now(datetime.UTC),
        "ETag": f'"{tag}"',
    }
    return facts | {"Size": 10**7, "StorageClass": "STANDARD", "type": "file", "size": 10**7, "name": name}


def main() -> None:
    Names.pairs = int(sys.argv[1])
    fsspec.register_implementation("names", Names)
    source, output = find_place("names://bucket/in"), find_place("names://bucket/out")
    before, start = memory(), time.process_time()
    with PairList(source, output, None, True) as found:
        results = ObjectResults(output, found.pairs, None, overwrite=False)
        assert not any(results.is_finished(pair, pair.own_key(KEY)) for pair in found.pairs)
        first = time.process_time() - start
        results.begin(found.pairs)
        for pair in found.pairs:
            (place,) = pair.outputs
            facts = describe(f"bucket/out/{place.file}")
            results.finish(
                pair, pair.own_key(KEY), [Delivered(place, "0" * 64, facts["size"], facts["ETag"])]
            )
        results.close()
        start = time.process_time()
        results = ObjectResults(output, found.pairs, None, overwrite=False)
        assert all(results.is_finished(pair, pair.own_key(KEY)) for pair in found.pairs)
    report = {
        "pairs": len(found.pairs),
        "CPU seconds until the first pair": first,
        "CPU seconds to see that all are finished": time.process_time() - start,
        "MB of memory": memory() - before,
        "MB of the manifest": sum(map(len, Names.manifest.values())) / 1e6,
    }
    print(json.dumps(report, indent=1))


def memory() -> float:
    """Return the most memory that this process had, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


if __name__ == "__main__":
    main()
