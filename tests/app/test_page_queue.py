"""The list of many pairs in the page."""

import io
import zipfile
from pathlib import Path

import numpy as np
import tifffile
from app.browser_page import Open, save
from app.running_app import write_view

QUEUE = """async () => {
  const { Queue } = await import('./queue.js');
  const started = [], file = (name) => new File([name], name);
  const deblur = ({ left, onProgress }) => new Promise((done) => started.push({ name: left.name, onProgress, done }));
  const queue = new Queue(deblur, 2, () => {}, () => {}, () => {});
  queue.list(['001', '002', '003'].map((name) => ({ name, left: file(name), right: file(name) })), []);
  const seen = [], text = () => document.querySelector('#queue-list .state').textContent;
  const look = () => seen.push([started.map(({ name }) => name).join(' '), text(), !queue.items[0].bar.hidden]);
  queue.start({});
  look();
  started[0].onProgress(0.1, null, 'Waiting');
  look();
  started[0].onProgress(0.6, null, 'Deblurring');
  look();
  started[0].onProgress(0.4, null, 'Deblurring');
  started[0].done({ seconds: 2, notes: ['odd'] });
  await new Promise((later) => setTimeout(later));
  look();
  started[1].onProgress(0.1, null, 'Waiting');
  look();
  return seen;
}"""

LENSES = """async () => {
  const { Queue } = await import('./queue.js');
  const notes = { a: ['lens found'], b: ['no lens explains it'], c: ['no lens was found'], d: [] };
  const download = async () => ({ name: 'x.tif', blob: new Blob(['x']) });
  const deblur = async ({ left }) => ({ seconds: 1, notes: notes[left.name], download });
  const queue = new Queue(deblur, 2, () => {}, () => {}, () => {});
  const seen = [];
  for (const refine of [true, false]) {
    queue.list(Object.keys(notes).map((name) => ({ name, left: new File([name], name), right: null })), []);
    queue.start({ refine });
    while (queue.items.some(({ state }) => state !== 'done')) await new Promise((later) => setTimeout(later));
    seen.push(queue.items.map(({ text }) => text.textContent.replace('Done in 1.0 s', '')));
  }
  const asks = [queue.hasUnsaved];
  await queue.downloadAll('tiff', () => {});
  return [...seen, [...asks, queue.hasUnsaved]];
}"""


def test_the_list_is_worked_off_from_top_to_bottom(open_page: Open) -> None:
    assert open_page().evaluate(QUEUE) == [
        ["001", "Sending, 0 %", True],
        ["001 002", "Waiting", False],  # the second is sent when the first has been
        ["001 002", "Deblurring, 60 %", True],
        ["001 002", "Done in 2.0 s, with 1 note", False],
        ["001 002 003", "Done in 2.0 s, with 1 note", False],
    ]


def test_the_list_says_what_was_refined_and_what_is_not_saved(open_page: Open) -> None:
    assert open_page().evaluate(LENSES) == [
        [
            ", refined by the lens, with 1 note",
            *[", not refined, with 1 note"] * 2,
            ", refined by the lens",
        ],
        [*[", with 1 note"] * 3, ""],
        [True, False],
    ]


def test_a_folder_is_a_queue(open_page: Open, tmp_path: Path) -> None:
    page = open_page()
    folder = tmp_path / "day"
    folder.mkdir()
    for name in ("IMG_10", "IMG_2"):
        for number, side in enumerate(("left", "right")):
            write_view(folder / f"{name}_{side}.png", number)
    (folder / "BAD_left.png").write_text("no")
    (folder / "BAD_right.png").write_text("no")
    write_view(folder / "alone_left.png")
    (folder / "notes.txt").write_text("beside")
    page.set_input_files("#folder", str(folder))
    titles = page.locator("#queue-list .title")
    assert titles.all_inner_texts() == ["BAD", "IMG_2", "IMG_10"]
    assert page.locator("#left-out li").all_inner_texts() == ["alone_left.png has no right view."]
    page.get_by_role("button", name="Cancel IMG_10").click()
    page.select_option("#model", "nano")
    page.get_by_role("button", name="Deblur", exact=True).press("Enter")
    assert page.evaluate("document.activeElement.id") == "queue-title"  # not lost with the button
    page.locator("#queue-list .done").wait_for()
    page.locator("#queue-list .failed").wait_for()
    states = dict(
        zip(titles.all_inner_texts(), page.locator("#queue-list .state").all_inner_texts(), strict=True)
    )
    assert "BAD_left.png is not a picture" in states["BAD"]
    assert states["IMG_10"] == "Canceled"
    assert page.locator("#queue-summary").inner_text() == "1 of 3 pairs done, 1 failed, 1 canceled"
    page.get_by_role("button", name="Show IMG_2").click()
    page.wait_for_selector("#result:not([hidden])")
    assert save(page, "Download TIFF")[0] == "IMG_2_sharp.tif"
    page.get_by_role("button", name="Back to the list").click()
    _, content = save(page, "Download all as zip")
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.namelist() == ["IMG_2_sharp.tif"]
        assert archive.testzip() is None
        assert tifffile.imread(io.BytesIO(archive.read("IMG_2_sharp.tif"))).dtype == np.uint16
    page.get_by_role("button", name="Other options for the rest").click()
    assert page.locator("#queue-list .state").all_inner_texts()[::2] == ["Waiting", "Waiting"]
    page.get_by_role("button", name="Deblur", exact=True).click()
    page.locator("#queue-list .done").nth(1).wait_for()
    page.locator("#queue-list .failed").wait_for()
    assert page.locator("#queue-summary").inner_text() == "2 of 3 pairs done, 1 failed"
