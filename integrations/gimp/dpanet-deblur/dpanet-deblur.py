#!/usr/bin/env python3
"""GIMP 3 plug-in "Filters > Enhance > Deblur dual-pixel pair".

It deblurs the capture of the open file (a view NAME_left.* or NAME_right.* whose other view lies beside it, or a
camera's raw file with both views), or two selected layers, left and right, and adds the result as a new layer. The
work is done by the program `dpanet edit`, which has to be installed.

Install: copy the folder dpanet-deblur, with this file in it, into GIMP's folder plug-ins (Edit > Preferences >
Folders > Plug-ins shows where it is), keep the file executable, and start GIMP again. License: MIT, as dpanet.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

WATCH = "--watch"
ERROR = "dpanet: error: "


def watch(folder, command):
    """Run a command line to its end, or to that of the plug-in: GIMP kills it at Cancel, and says nothing before.

    Args:
        folder: of temporary files, removed if the plug-in is gone.
        command: whose standard error is that of the plug-in.

    Returns:
        The exit code.
    """
    # what GIMP sets for its own Python would lead that of dpanet astray
    environment = {key: value for key, value in os.environ.items() if key not in ("PYTHONHOME", "PYTHONPATH")}
    try:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, env=environment
        )
    except OSError as error:
        reason = f"({error.strerror}); install dpanet, or give its full path"
        print(f"{ERROR}the program {command[0]} does not start {reason}", file=sys.stderr)
        return 127
    gone = threading.Event()

    def stop():
        os.read(0, 1)  # of standard input; it returns when the other end of the pipe is closed
        gone.set()
        process.kill()

    threading.Thread(target=stop, daemon=True).start()
    code = process.wait()
    if gone.is_set():
        shutil.rmtree(folder, ignore_errors=True)
    return code


if sys.argv[1:2] == [WATCH]:
    sys.exit(watch(sys.argv[2], sys.argv[3:]))

import gi  # noqa: E402  # the watcher needs none of it

gi.require_version("Gimp", "3.0")
from gi.repository import Gimp, Gio, GLib, GObject  # noqa: E402  # the version is required first

NAME = "plug-in-dpanet-deblur"
LABEL = "_Deblur dual-pixel pair..."
SIDES = ("left", "right")
POLL = 0.1
"""Seconds between two moves of the progress bar."""


class DeblurError(Exception):
    """Why there is no result, in one sentence for the user."""


def deblur(image, drawables, program, model):
    """Deblur two selected layers, or else the file of an image; return the new layer, which is inserted on top.

    Raises:
        DeblurError: if there is no second view, or the program fails.
    """
    layers = [drawable for drawable in drawables if isinstance(drawable, Gimp.Layer)]
    with tempfile.TemporaryDirectory(prefix="dpanet-") as folder:
        output = Path(folder) / "deblurred.tif"
        source = save_layers(image, layers, Path(folder)) if len(layers) == 2 else find_file(image)
        run_program(
            folder, [program, "edit", "--edit", str(source), "--output", str(output), "--model", model]
        )
        layer = load_layer(image, Gio.File.new_for_path(str(output)))
    layer.set_name("Deblurred")
    image.undo_group_start()
    image.insert_layer(layer, None, 0)
    if len(layers) == 2:
        _, x, y = layers[0].get_offsets()
        layer.set_offsets(x, y)
    image.undo_group_end()
    return layer


def load_layer(image, file):
    """Return a picture file as a layer of an image, not yet inserted, turned as the image is."""
    layer = Gimp.file_load_layer(Gimp.RunMode.NONINTERACTIVE, image, file)
    if layer is None:
        raise DeblurError("GIMP cannot read the result; see its error console")
    width, height = layer.get_width(), layer.get_height()
    if width == height or (height, width) != (image.get_width(), image.get_height()):
        return layer
    # a layer is turned as its file says, but the user may have declined that when the image was opened
    layer.delete()
    unturned = Gimp.file_load(Gimp.RunMode.NONINTERACTIVE, file)
    try:
        return Gimp.Layer.new_from_drawable(unturned.get_layers()[0], image)
    finally:
        unturned.delete()


def find_file(image):
    """Return the path of the file that an image was opened from."""
    file = image.get_imported_file() or image.get_file()
    path = None if file is None else file.get_path()
    if path is None:
        raise DeblurError(
            "this image has no file on this computer; save it, or select two layers, the left and the right view"
        )
    return Path(path)


def save_layers(image, layers, folder):
    """Write two layers as 16-bit TIFF, named as a pair; return the path of the left one."""
    sizes = [(layer.get_width(), layer.get_height()) for layer in layers]
    if sizes[0] != sizes[1]:
        (a, b), (c, d) = sizes
        raise DeblurError(
            f"the selected layers are {a} x {b} and {c} x {d} px; the views of a pair have one size, so select those"
        )
    for side, layer in zip(SIDES, in_order(layers), strict=True):
        width, height = layer.get_width(), layer.get_height()
        copy = Gimp.Image.new_with_precision(
            width, height, image.get_base_type(), Gimp.Precision.U16_NON_LINEAR
        )
        try:
            copy.set_color_profile(image.get_effective_color_profile())
            view = Gimp.Layer.new_from_drawable(layer, copy)
            copy.insert_layer(view, None, 0)
            view.set_offsets(0, 0)
            view.set_visible(True)
            if view.has_alpha():
                copy.flatten()
            path = folder / f"layers_{side}.tif"
            if not Gimp.file_save(Gimp.RunMode.NONINTERACTIVE, copy, Gio.File.new_for_path(str(path)), None):
                raise DeblurError(f"GIMP cannot write {path}; free space there")
        finally:
            copy.delete()
    return folder / "layers_left.tif"


def in_order(layers):
    """Return the left layer and the right one: by their names, or else the upper one first."""
    names = [layer.get_name().lower() for layer in layers]
    found = [[side in name for side in SIDES] for name in names]
    if found == [[False, True], [True, False]]:
        return layers[::-1]
    return layers


def run_program(folder, command):
    """Run a command line and move the progress bar; `folder` is removed if GIMP stops the plug-in meanwhile.

    Raises:
        DeblurError: with the program's sentence, if it fails.
    """
    theirs, ours = os.pipe()
    Gimp.progress_init("Deblurring the dual-pixel pair")
    try:
        process = subprocess.Popen(
            [sys.executable, __file__, WATCH, folder, *command],
            stdin=theirs,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
        while True:
            try:
                said = process.communicate(timeout=POLL)[1].decode("utf-8", "replace")
                break
            except subprocess.TimeoutExpired:
                Gimp.progress_pulse()
    finally:
        os.close(ours)
        os.close(theirs)
        Gimp.progress_end()
    if process.returncode == 0:
        return
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    errors = [line.removeprefix(ERROR) for line in lines if line.startswith(ERROR)]
    raise DeblurError((errors or lines or [f"{command[0]} ended with exit code {process.returncode}"])[-1])


def ask(procedure, config):
    """Show the options; return whether the user accepts."""
    gi.require_version("GimpUi", "3.0")
    from gi.repository import GimpUi

    GimpUi.init(NAME)
    dialog = GimpUi.ProcedureDialog.new(procedure, config, "Deblur dual-pixel pair")
    dialog.fill(None)
    accepted = dialog.run()
    dialog.destroy()
    return accepted


def run(procedure, run_mode, image, drawables, config, _data):
    """Answer GIMP's call; an error that is returned is shown to the user by GIMP."""
    if run_mode == Gimp.RunMode.INTERACTIVE and not ask(procedure, config):
        return procedure.new_return_values(Gimp.PDBStatusType.CANCEL, GLib.Error())
    try:
        deblur(image, drawables, config.get_property("program"), config.get_property("model"))
    except DeblurError as error:
        return procedure.new_return_values(Gimp.PDBStatusType.EXECUTION_ERROR, GLib.Error(str(error)))
    Gimp.displays_flush()
    return procedure.new_return_values(Gimp.PDBStatusType.SUCCESS, GLib.Error())


class DeblurPlugIn(Gimp.PlugIn):
    """Registers the procedure."""

    def do_set_i18n(self, _name):
        return False

    def do_query_procedures(self):
        return [NAME]

    def do_create_procedure(self, name):
        procedure = Gimp.ImageProcedure.new(self, name, Gimp.PDBProcType.PLUGIN, run, None)
        procedure.set_image_types("RGB*, GRAY*")
        procedure.set_sensitivity_mask(
            Gimp.ProcedureSensitivityMask.DRAWABLE
            | Gimp.ProcedureSensitivityMask.DRAWABLES
            | Gimp.ProcedureSensitivityMask.NO_DRAWABLES
        )
        procedure.set_documentation(
            "Make a sharper layer from the two views of a dual-pixel capture",
            "Deblurs the pair of the open file, or two selected layers (left and right), by the program dpanet.",
            name,
        )
        procedure.set_menu_label(LABEL)
        procedure.set_attribution("The dpanet contributors", "The dpanet contributors", "2026")
        procedure.add_menu_path("<Image>/Filters/Enhance")
        flags = GObject.ParamFlags.READWRITE
        procedure.add_string_argument(
            "program",
            "_Program",
            "The program dpanet, with its path if GIMP does not find it",
            "dpanet",
            flags,
        )
        procedure.add_string_argument("model", "_Model", "Name or file of the model", "compact", flags)
        return procedure


Gimp.main(DeblurPlugIn.__gtype__, sys.argv)
