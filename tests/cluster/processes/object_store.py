"""An object store in a folder, for processes that share the variable OBJECT_STORE: whole objects, no renaming."""

import hashlib
import os
import secrets
from pathlib import Path
from typing import Any

from fsspec.spec import AbstractFileSystem


class ObjectStore(AbstractFileSystem):
    protocol = "store"
    cachable = False

    def _file(self, path: str) -> Path:
        return Path(os.environ["OBJECT_STORE"], self._strip_protocol(path))

    def info(self, path: str, **options: Any) -> dict[str, Any]:
        file, name = self._file(path), self._strip_protocol(path)
        if file.is_dir():
            return {"name": name, "size": 0, "type": "directory"}
        content = file.read_bytes()
        return {
            "name": name,
            "size": len(content),
            "type": "file",
            "ETag": hashlib.md5(content).hexdigest(),
        }

    def ls(self, path: str, detail: bool = True, **options: Any) -> list[Any]:
        folder, name = self._file(path), self._strip_protocol(path)
        if not folder.is_dir():
            raise FileNotFoundError(path)
        infos = [self.info(f"{name}/{file.name}") for file in sorted(folder.iterdir())]
        return infos if detail else [info["name"] for info in infos]

    def cat_file(self, path: str, start: Any = None, end: Any = None, **options: Any) -> bytes:
        return self._file(path).read_bytes()

    def pipe_file(self, path: str, value: bytes, mode: str = "overwrite", **options: Any) -> None:
        file = self._file(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        unfinished = Path(os.environ["OBJECT_STORE"] + secrets.token_hex(8))
        unfinished.write_bytes(value)
        unfinished.replace(file)
        with Path(os.environ["OBJECT_STORE"] + ".log").open("a") as log:
            log.write(f"{self._strip_protocol(path)}\n")

    def put_file(self, lpath: str, rpath: str, *options: Any, **more: Any) -> None:
        self.pipe_file(rpath, Path(lpath).read_bytes())

    def get_file(self, rpath: str, lpath: str, *options: Any, **more: Any) -> None:
        Path(lpath).write_bytes(self.cat_file(rpath))

    def rm_file(self, path: str) -> None:
        self._file(path).unlink()
