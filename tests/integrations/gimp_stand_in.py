"""A stand-in for GIMP 3: what the plug-in uses of its modules, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, Flag, auto
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import tifffile


class File:
    def __init__(self, path: str | None) -> None:
        self.path = path

    @staticmethod
    def new_for_path(path: str) -> File:
        return File(path)

    def get_path(self) -> str | None:
        return self.path


class RunMode(Enum):
    INTERACTIVE = auto()
    NONINTERACTIVE = auto()


class Status(Enum):
    EXECUTION_ERROR = auto()
    SUCCESS = auto()
    CANCEL = auto()


class Sensitivity(Flag):
    DRAWABLE = auto()
    DRAWABLES = auto()
    NO_DRAWABLES = auto()


@dataclass(eq=False)
class Layer:
    codes: np.ndarray
    name: str = "layer"
    offsets: tuple[int, int] = (0, 0)
    visible: bool = True

    @staticmethod
    def new_from_drawable(layer: Layer, image: Image) -> Layer:
        return Layer(layer.codes, layer.name, layer.offsets, layer.visible)

    def get_width(self) -> int:
        return int(self.codes.shape[1])

    def get_height(self) -> int:
        return int(self.codes.shape[0])

    def get_name(self) -> str:
        return self.name

    def set_name(self, name: str) -> None:
        self.name = name

    def get_offsets(self) -> tuple[bool, int, int]:
        return True, *self.offsets

    def set_offsets(self, x: int, y: int) -> None:
        self.offsets = x, y

    def set_visible(self, visible: bool) -> None:
        self.visible = visible

    def delete(self) -> None:
        self.codes = np.zeros((0, 0, 3))

    def has_alpha(self) -> bool:
        return self.codes.shape[2] == 4


@dataclass(eq=False)
class Image:
    layers: list[Layer] = field(default_factory=list)
    imported: File | None = None
    file: File | None = None
    precision: object = None
    profile: object = "sRGB"
    groups: int = 0
    deleted: bool = False

    @staticmethod
    def new_with_precision(width: int, height: int, base: object, precision: object) -> Image:
        image = Image(precision=precision, profile=None)
        gimp_images.append(image)
        return image

    def get_width(self) -> int:
        return self.layers[0].get_width() if self.layers else 1

    def get_height(self) -> int:
        return self.layers[0].get_height() if self.layers else 1

    def get_layers(self) -> list[Layer]:
        return self.layers

    def get_base_type(self) -> str:
        return "RGB"

    def get_effective_color_profile(self) -> object:
        return self.profile

    def set_color_profile(self, profile: object) -> bool:
        self.profile = profile
        return True

    def get_imported_file(self) -> File | None:
        return self.imported

    def get_file(self) -> File | None:
        return self.file

    def insert_layer(self, layer: Layer, parent: None, place: int) -> bool:
        self.layers.insert(place, layer)
        return True

    def flatten(self) -> Layer:
        (layer,) = self.layers
        layer.codes = layer.codes[..., :3]
        return layer

    def undo_group_start(self) -> None:
        self.groups += 1

    def undo_group_end(self) -> None:
        self.groups -= 1

    def delete(self) -> None:
        self.deleted = True


gimp_images: list[Image] = []
"""Images that a plug-in made; it has to delete them."""


def file_save(mode: RunMode, image: Image, file: File, options: None) -> bool:
    (layer,) = image.layers
    assert image.precision == "16 bits" and image.profile == "sRGB" and layer.offsets == (0, 0)
    assert layer.visible and layer.codes.shape[2] == 3, "an invisible layer would be saved as nothing"
    tifffile.imwrite(str(file.path), layer.codes, photometric="rgb")
    return True


def file_load_layer(mode: RunMode, image: Image, file: File) -> Layer:
    """As GIMP 3.0.4 does it: turned as the file says."""
    with tifffile.TiffFile(str(file.path)) as tiff:
        page = tiff.pages[0]
        turned = page.tags.valueof(274) == 6  # type: ignore[union-attr]
        codes = page.asarray()
    return Layer(np.rot90(codes, -1) if turned else codes)


def file_load(mode: RunMode, file: File) -> Image:
    """As GIMP 3.0.4 does it: not turned."""
    image = Image([Layer(tifffile.imread(str(file.path)))])
    gimp_images.append(image)
    return image


class Procedure:
    """Notes how it is described."""

    def __init__(self) -> None:
        self.noted: dict[str, Any] = {}
        self.arguments: dict[str, str] = {}

    @staticmethod
    def new(plug_in: object, name: str, kind: object, run: Any, data: None) -> Procedure:
        procedure = Procedure()
        procedure.noted |= {"name": name, "run": run}
        return procedure

    def __getattr__(self, name: str) -> Any:
        allowed = ("image_types", "sensitivity_mask", "documentation", "menu_label", "attribution")
        if name not in ("add_menu_path", *(f"set_{one}" for one in allowed)):
            raise AttributeError(name)
        return lambda *values: self.noted.update({name.partition("_")[2]: values})

    def add_string_argument(self, name: str, label: str, text: str, default: str, flags: object) -> None:
        assert label and text and flags == "read and write"
        self.arguments[name] = default

    def new_return_values(self, status: Status, error: object) -> tuple[Status, object]:
        return status, error


class Config:
    def __init__(self, values: dict[str, str]) -> None:
        self.values = values

    def get_property(self, name: str) -> str:
        return self.values[name]


class Dialog:
    """The options; `accepts` is the user's answer."""

    accepts = True
    open = 0

    @staticmethod
    def new(procedure: Procedure, config: Config, title: str) -> Dialog:
        Dialog.open += 1
        return Dialog()

    def fill(self, names: None) -> None: ...

    def run(self) -> bool:
        return Dialog.accepts

    def destroy(self) -> None:
        Dialog.open -= 1


class Progress:
    def __init__(self) -> None:
        self.calls: list[str] = []

    def init(self, text: str) -> None:
        self.calls.append("init")

    def pulse(self) -> None:
        self.calls.append("pulse")

    def end(self) -> None:
        self.calls.append("end")


def require_version(name: str, version: str) -> None:
    assert (name, version) in (("Gimp", "3.0"), ("GimpUi", "3.0"))


def make_modules() -> tuple[dict[str, ModuleType], Progress, list[type]]:
    """Return the modules by name, the progress bar, and the plug-ins that were started."""
    progress, started = Progress(), []

    class PlugIn:
        def __init_subclass__(cls) -> None:
            started.append(cls)
            cls.__gtype__ = cls

    names: dict[str, dict[str, Any]] = {
        "gi": {
            "require_version": lambda name, version: version == "3.0" or exec("raise ValueError(version)")
        },
        "gi.repository": {},
        "gi.repository.Gimp": {
            "Layer": Layer,
            "Image": Image,
            "PlugIn": PlugIn,
            "RunMode": RunMode,
            "PDBStatusType": Status,
            "PDBProcType": SimpleNamespace(PLUGIN=1),
            "Precision": SimpleNamespace(U16_NON_LINEAR="16 bits"),
            "ProcedureSensitivityMask": Sensitivity,
            "ImageProcedure": Procedure,
            "file_save": file_save,
            "file_load": file_load,
            "file_load_layer": file_load_layer,
            "progress_init": progress.init,
            "progress_pulse": progress.pulse,
            "progress_end": progress.end,
            "displays_flush": lambda: None,
            "main": lambda kind, arguments: None,
        },
        "gi.repository.GimpUi": {"init": lambda name: None, "ProcedureDialog": Dialog},
        "gi.repository.Gio": {"File": File},
        "gi.repository.GLib": {"Error": lambda text=None: text},
        "gi.repository.GObject": {"ParamFlags": SimpleNamespace(READWRITE="read and write")},
    }
    modules = {name: ModuleType(name) for name in names}
    for name, contents in names.items():
        vars(modules[name]).update(contents)
        above, _, last = name.rpartition(".")
        if above:
            setattr(modules[above], last, modules[name])
    return modules, progress, started
