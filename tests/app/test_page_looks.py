"""The page in a narrow window: its width, its contrast, the names of its controls."""

from pathlib import Path

import pytest
from app.browser_page import Open, deblur


@pytest.mark.parametrize("width", [390, 1280])
def test_the_header_is_one_line_of_the_page(open_page: Open, width: int) -> None:
    page = open_page(width=width)
    assert page.locator("header").evaluate("one => one.offsetHeight") <= 60
    assert page.locator("#privacy").inner_text() == "Everything stays on this computer."
    title = page.get_by_role("heading", name="Two dual-pixel views in, a sharper picture out")
    assert title.is_visible()
    page.evaluate(
        "document.querySelector('#privacy').textContent = "
        "'Pictures are on this page\u2019s computer until you leave.'"
    )
    assert page.locator("header").evaluate("one => one.offsetHeight") <= 60
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_narrow_window_fits_and_can_be_read(open_page: Open, views: tuple[Path, Path], scheme: str) -> None:
    page = open_page(width=390, color_scheme=scheme)
    deblur(page, *views)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    ratios = page.evaluate(CONTRAST)
    assert ratios
    assert {text: ratio for text, ratio in ratios.items() if ratio < 4.5} == {}
    unnamed = page.evaluate("""() => [...document.querySelectorAll('button, input, select, [tabindex]')]
        .filter(one => !(one.labels?.length || one.ariaLabel || one.textContent.trim() || one.hidden)).length""")
    assert unnamed == 0


CONTRAST = """() => {
  const channels = (color) => color.match(/[\\d.]+/g).map(Number);
  const light = (color) => {
    const linear = (v) => (v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
    const [r, g, b] = channels(color).map((v) => linear(v / 255));
    return .2126 * r + .7152 * g + .0722 * b;
  };
  const ground = (one) => { for (; one; one = one.parentElement) {
    const color = getComputedStyle(one).backgroundColor;
    if ((channels(color)[3] ?? 1) > .5) return color;
  } return 'rgb(255, 255, 255)'; };
  const found = {};
  for (const one of document.querySelectorAll('body *:not(option)')) {
    const text = [...one.childNodes].filter((n) => n.nodeType === 3).map((n) => n.data.trim()).join('');
    if (!text || !one.checkVisibility() || one.disabled || ['SCRIPT', 'NOSCRIPT'].includes(one.tagName)) continue;
    const [a, b] = [light(getComputedStyle(one).color), light(ground(one))].sort((x, y) => y - x);
    found[text.slice(0, 40)] = (a + .05) / (b + .05);
  }
  return found;
}"""
"""WCAG 2.2, 1.4.3: contrast of each visible text with the ground behind it."""
