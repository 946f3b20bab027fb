"""Nothing but the page's own requests gets through, and no path outside the temporary folder is reached."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from app.running_app import RunningApp, Visitor

from dpanet.app.capture import Capture
from dpanet.app.guard import AllowedHosts, is_loopback
from dpanet.app.temporary_folder import create_file, is_own_file
from dpanet.errors import OutputError

EVIL_PATHS = [
    "/../../etc/passwd",
    "/..%2f..%2f..%2fetc%2fpasswd",
    "/%2e%2e/%2e%2e/etc/passwd",
    "//etc/passwd",
    "/page/../../app.py",
    "/example/../../../../errors.py",
    "/example/%2e%2e/truth.webp",
    "/server_deblur.js%00.css",
    "/main.js/",
    "/__init__.py",
    "/C:%5CWindows%5Cwin.ini",
    "/..%5c..%5cerrors.py",
    "/browser/",
    "/%ff%fe",
]

EVIL_NAMES = [
    "../../evil.png",
    "/tmp/evil.png",
    "a\0b.png",
    "..",
    "con.png\n",
    "C:\\evil.png",
    "x/../../y.png",
]


@pytest.mark.parametrize("path", EVIL_PATHS)
def test_no_file_but_those_of_the_page_is_served(visitor: Visitor, path: str) -> None:
    status, _, content = visitor.ask("GET", path)
    assert status == 404
    assert b"root:" not in content
    assert b"import" not in content


def test_no_path_leads_out_of_a_job(visitor: Visitor, views: tuple[Path, Path]) -> None:
    job = visitor.send(*views)
    visitor.wait(job)
    for name in ("left.png", "picture.tif", "radius.npy", "..%2fafter", "%2e%2e", "/etc/passwd", ".lock"):
        assert visitor.ask("GET", f"{job}/{name}")[0] == 404, name
    for side in ("picture.tif", "..%2f..%2fx", "%2ftmp%2fx", "left%00"):
        assert visitor.ask("PUT", f"{job}/{side}", b"x")[0] in (404, 405, 409), side


@pytest.mark.parametrize("name", EVIL_NAMES)
def test_names_of_files_are_never_paths(
    visitor: Visitor, app: RunningApp, views: tuple[Path, Path], name: str
) -> None:
    names = {"model": "nano", "left": name, "right": name}
    outside = {path for path in app.folder.parent.rglob("*") if app.folder not in path.parents}
    job = "/jobs/" + visitor.json("POST", "/jobs", names, status=201)["id"]
    for side, view in zip(("left", "right"), views, strict=True):
        assert visitor.ask("PUT", f"{job}/{side}", view.read_bytes())[0] == 201
    assert visitor.wait(job)["state"] == "done"
    assert {path for path in app.folder.parent.rglob("*") if app.folder not in path.parents} == outside
    assert {path.name.partition(".")[0] for path in app.files()} <= {
        *("left", "right", "before", "after", "beyond", "picture", ""),
    }
    _, headers, _ = visitor.ask("GET", f"{job}/picture.png")
    title = headers["x-dpanet-name"]
    assert "/" not in title
    assert "%2F" not in title
    assert not title.startswith(".")


def test_links_are_not_followed(visitor: Visitor, app: RunningApp, views: tuple[Path, Path]) -> None:
    job = visitor.send(*views)
    visitor.wait(job)
    (before,) = [path for path in app.files() if path.name == "before.png"]
    before.unlink()
    before.symlink_to("/etc/passwd")
    visitor.get(f"{job}/before", status=404)


def test_an_upload_never_replaces_or_follows(tmp_path: Path) -> None:
    (tmp_path / "there").write_text("1")
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    for name in ("there", "link"):
        with pytest.raises(OutputError, match="cannot be stored"):
            create_file(tmp_path / name)
    assert not (tmp_path / "elsewhere").exists()
    assert is_own_file(tmp_path / "there")
    assert not is_own_file(tmp_path / "link")
    with create_file(tmp_path / "new") as file:
        file.write(b"1")
    assert (tmp_path / "new").stat().st_mode & 0o077 == 0 or os.name == "nt"


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "127.0.0.1.evil.example"},
        {"Host": "evil.example:7860"},
        {"Host": ""},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors"},
        {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "no-cors"},
    ],
    ids=str,
)
def test_foreign_pages_and_names_are_refused(visitor: Visitor, headers: dict[str, str]) -> None:
    for method, path in (("GET", "/"), ("GET", "/capabilities"), ("POST", "/visitors"), ("GET", "/main.js")):
        assert visitor.ask(method, path, headers=headers)[0] == 403, path


def test_own_requests_and_links_from_elsewhere_are_answered(visitor: Visitor, app: RunningApp) -> None:
    own = {"Origin": f"http://{app.address}", "Sec-Fetch-Site": "same-origin"}
    assert visitor.ask("GET", "/capabilities", headers=own)[0] == 200
    link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    assert visitor.ask("GET", "/", headers=link)[0] == 200
    assert visitor.ask("GET", "/capabilities", headers=link)[0] == 403
    _, headers, _ = visitor.ask("GET", "/")
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert "access-control-allow-origin" not in headers


def test_names_that_lead_to_this_server() -> None:
    local = AllowedHosts("127.0.0.1")
    for header in ("127.0.0.1:7860", "localhost", "LOCALHOST:1", "[::1]:7860"):
        assert header in local, header
    for header in ("10.0.0.1", "example.org", "", "localhost@evil.example", "127.0.0.1.nip.example", "[::1"):
        assert header not in local, header
    everywhere = AllowedHosts("0.0.0.0", ["pictures.example"])
    for header in ("10.0.0.1:80", "[fe80::1]", "pictures.example", "localhost"):
        assert header in everywhere, header
    assert "evil.example" not in everywhere
    assert [is_loopback(host) for host in ("127.0.0.1", "::1", "localhost", "0.0.0.0", "192.168.0.2")] == [
        *(True, True, True, False, False)
    ]


def test_a_server_for_others_warns_in_one_line(start: Callable[..., RunningApp]) -> None:
    app = start("--host", "0.0.0.0")
    assert Visitor(app).ask("GET", "/capabilities")[0] == 200
    _, error = app.stop()
    (line, _) = error.splitlines()
    assert line.startswith("dpanet: warning: everyone who reaches 0.0.0.0")


def test_sentences_never_show_the_temporary_folder(tmp_path: Path) -> None:
    names = {"left": "my left.png", "right": "../right.png"}
    capture = Capture("id", tmp_path / "secret", names, "nano", None)
    path = capture.upload_path
    text = f"{path['left']} is 8-bit and {path['right']} 16-bit; add --camera canon-right"
    assert (
        capture.describe(text)
        == "my left.png is 8-bit and ../right.png 16-bit; choose “Canon, the second frame is the right half” "
        "under Camera"
    )
    assert path["right"].parent == capture.folder
