"""The script for darktable, run by Lua 5.4 (as darktable runs it) against a stand-in for darktable's module."""

import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from integrations.conftest import Program, write_views
from lupa.lua54 import LuaError, LuaRuntime

SCRIPT = Path(__file__).parents[2] / "integrations/darktable/dpanet.lua"

STAND_IN = """
local dt = { log = {}, registered = {}, stored = {}, commands = {}, imported = {}, jobs = {} }
dt.configuration = { running_os = "linux" }
dt.print = function(text) table.insert(dt.log, "print: " .. text) end
dt.print_error = function(text) table.insert(dt.log, "error: " .. text) end
dt.preferences = {
  register = function(script, name, kind, label, tooltip, default)
    assert(kind == "string" and #label > 0 and #tooltip > 0)
    if dt.stored[name] == nil then dt.stored[name] = default end
  end,
  read = function(script, name, kind) assert(script == "dpanet" and kind == "string"); return dt.stored[name] end,
}
dt.control = { execute = function(command) table.insert(dt.commands, command); return python_run(command) end }
local image = {}
image.__index = image
function image:group_with(leader) self.group_leader = leader end
function dt.new_image(path, filename)
  local one = setmetatable({ path = path, filename = filename }, image)
  one.group_leader = one
  return one
end
dt.database = { import = function(path)
  if dt.refuses then return nil end
  local one = dt.new_image(path:match("^(.*)/([^/]*)$"))
  table.insert(dt.imported, one)
  return one
end }
dt.gui = {
  action_images = {},
  libs = { image = {
    register_action = function(name, label, callback, tooltip)
      assert(type(name) == "string" and type(label) == "string" and type(tooltip) == "string")
      dt.registered[name] = callback
    end,
    destroy_action = function(name) dt.registered[name] = nil end,
  } },
  create_job = function(text, has_bar, cancel)
    local job = { percent = 0, valid = true, cancel = cancel }
    table.insert(dt.jobs, job)
    return job
  end,
}
dt.register_event = function(name, event, callback, label)
  assert(event == "shortcut" and #label > 0)
  dt.shortcut = callback
end
dt.destroy_event = function(name, event) dt.shortcut = nil end
package.loaded["darktable"] = dt
return dt
"""
"""What the script uses of darktable's Lua API 7 to 9: nothing else exists, so another call fails."""


class Darktable:
    def __init__(self, system: str = "linux", source: str | None = None) -> None:
        self.lua: Any = LuaRuntime(unpack_returned_tuples=True)
        self.during: list[Any] = []
        self.lua.globals().python_run = self.run
        self.module = self.lua.execute(STAND_IN)
        self.module.configuration.running_os = system
        self.script = self.lua.execute(SCRIPT.read_text() if source is None else source)

    def run(self, command: str) -> int:
        for action in self.during:
            action()
        return subprocess.run(command, shell=True, check=False).returncode * 256  # as system() gives it

    def press(self, *paths: Path) -> None:
        """Press the button of the script with these images selected."""
        images = [self.module.new_image(str(path.parent), path.name) for path in paths]
        self.module.registered.dpanet(None, self.lua.table_from(images))

    @property
    def log(self) -> list[str]:
        return list(self.module.log.values())

    @property
    def results(self) -> list[tuple[str, str]]:
        """Each imported file, and the leader of its group."""
        return [
            (f"{one.path}/{one.filename}", one.group_leader.filename) for one in self.module.imported.values()
        ]


@pytest.fixture
def darktable(program: Program) -> Darktable:
    darktable = Darktable()
    darktable.module.stored.program = str(program.path)
    return darktable


def test_the_result_is_imported_and_grouped(darktable: Darktable, program: Program, tmp_path: Path) -> None:
    left, right = write_views(tmp_path / "it's a folder", "a b_left.tif", "a b_right.tif")
    darktable.press(left)
    output = left.parent / "a b_deblurred.tif"
    assert darktable.results == [(str(output), "a b_left.tif")]
    assert program.calls == [
        ["edit", "--edit", str(left), "--output", str(output), "--format", "tiff", "--model", "compact"]
    ]
    assert darktable.log[-1] == "print: a b_deblurred.tif is imported and grouped with a b_left.tif"
    (job,) = darktable.module.jobs.values()
    assert job.percent == 1 and job.valid is False, "the progress bar goes away"
    darktable.press(right)
    assert darktable.results[1] == (str(left.parent / "a b_deblurred_2.tif"), "a b_right.tif")


def test_with_dpanet_itself(darktable: Darktable, program: Program, tmp_path: Path) -> None:
    program.is_dpanet()
    darktable.module.stored.model = "nano"
    left, right = write_views(tmp_path / "in", "a_left.tif", "a_right.tif")
    darktable.press(left)
    codes = tifffile.imread(left.with_name("a_deblurred.tif"))
    assert (codes.shape, codes.dtype) == ((40, 56, 3), np.uint16)
    right.unlink()
    darktable.press(left)
    sentence = f"{left} has no second view: name the right view a_right.tif and put it into the same folder"
    assert darktable.log[-1] == f"error: dpanet: {sentence}"
    shown = darktable.log[-2].removeprefix("print: ").split("\n")
    assert " ".join(shown) == sentence.replace(f"{left.parent}/", "") and max(map(len, shown)) <= 62
    assert len(darktable.results) == 1


def test_a_capture_is_deblurred_once_though_both_views_are_selected(
    darktable: Darktable, program: Program, tmp_path: Path
) -> None:
    views = write_views(
        tmp_path, "a_left.tif", "a_RIGHT.tif", "inputL/x.tif", "inputR/x.tif", "IMG_1.CR2", "left.tif"
    )
    darktable.press(*views)
    assert [Path(call[2]).name for call in program.calls] == ["a_left.tif", "x.tif", "IMG_1.CR2", "left.tif"]
    assert [Path(file).relative_to(tmp_path).as_posix() for file, _ in darktable.results] == [
        "a_deblurred.tif",
        "x_deblurred.tif",  # not into inputL, where it would be a left view
        "IMG_1_deblurred.tif",
        "left_deblurred.tif",
    ]


def test_stop(darktable: Darktable, program: Program, tmp_path: Path) -> None:
    views = write_views(tmp_path, "a_left.tif", "b_left.tif", "c_left.tif")
    darktable.during.append(lambda: list(darktable.module.jobs.values())[-1].cancel())
    darktable.press(*views)
    assert len(program.calls) == 1 and next(iter(darktable.module.jobs.values())).valid is False


def test_one_failure_does_not_stop_the_others(darktable: Darktable, program: Program, tmp_path: Path) -> None:
    views = write_views(tmp_path, "a_left.tif", "b_left.tif")
    program.answers(
        'case "$3" in *a_left*) echo "dpanet: note: x" >&2; echo "dpanet: error: no" >&2; exit 1;; esac; touch "$out"'
    )
    darktable.press(*views)
    assert "error: dpanet: no" in darktable.log and "print: no" in darktable.log
    assert [file for file, _ in darktable.results] == [str(tmp_path / "b_deblurred.tif")]
    program.answers("exit 0")
    darktable.press(views[0])
    assert len(darktable.results) == 1, "no file, no result"


def test_a_program_that_is_not_there(darktable: Darktable, tmp_path: Path) -> None:
    darktable.module.stored.program = str(tmp_path / "no such dpanet")
    darktable.press(*write_views(tmp_path, "a_left.tif"))
    assert "the program dpanet does not run (" in darktable.log[-1]
    assert darktable.log[-1].endswith("give its path in preferences > Lua options")


def test_nothing_selected_and_nothing_imported(darktable: Darktable, tmp_path: Path) -> None:
    darktable.press()
    assert darktable.log == ["print: select a view of a dual-pixel pair, or a dual-pixel raw file"]
    darktable.module.refuses = True
    darktable.press(*write_views(tmp_path, "a_left.tif"))
    assert "a_deblurred.tif is written, but darktable does not import it" in darktable.log[-1]


def test_the_shortcut_and_the_end(darktable: Darktable, program: Program, tmp_path: Path) -> None:
    (left,) = write_views(tmp_path, "a_left.tif")
    image = darktable.module.new_image(str(left.parent), left.name)
    darktable.module.gui.action_images = darktable.lua.table_from([image])
    darktable.module.shortcut()
    assert len(program.calls) == 1
    darktable.script.destroy()
    assert darktable.module.shortcut is None and darktable.module.registered.dpanet is None


def test_windows_gets_a_file_of_commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    darktable = Darktable("windows")
    seen: list[str] = []

    def run(command: str) -> int:
        seen.append(Path(command).read_text())
        return 1

    darktable.lua.globals().python_run = run
    darktable.press(Path("C:/my photos/100%_left.tif"))
    (text,) = seen
    assert (
        '"dpanet" edit --edit "C:/my photos\\100%%_left.tif" --output "C:/my photos\\100%%_deblurred.tif"'
        in text
    )
    assert not Path(next(iter(darktable.module.commands.values()))).exists()


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("result:group_with(image.group_leader)", ""),
        ("text:gsub(\"'\", \"'\\\\''\")", "text"),
        ("if not seen[key] then", "if true then"),
    ],
)
def test_a_planted_fault_is_noticed(right: str, wrong: str, program: Program, tmp_path: Path) -> None:
    source = SCRIPT.read_text()
    assert source.count(right) == 1
    darktable = Darktable(source=source.replace(right, wrong))
    darktable.module.stored.program = str(program.path)
    views = write_views(tmp_path / "it's", "a_left.tif", "a_right.tif")
    darktable.press(*views)
    output = str(tmp_path / "it's/a_deblurred.tif")
    assert darktable.results != [(output, "a_left.tif")]


def test_an_api_that_is_not_there_is_noticed() -> None:
    with pytest.raises(LuaError, match="register_lib"):
        Darktable(source=SCRIPT.read_text().replace("dt.register_event(", "dt.register_lib("))
