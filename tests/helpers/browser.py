"""Measure pages in a headless Chromium: each page is a frame of the width of a phone, read by a page around it."""

import html
import json
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

NAMES = ('chromium', 'chromium-browser', 'google-chrome')
TIMEOUT_S = 60
FRAMES = """<!DOCTYPE html><meta charset="utf-8">{frames}<pre id="found"></pre><script>
const size = (node, view) => {{
  let font = parseFloat(view.getComputedStyle(node).fontSize);
  const svg = node.ownerSVGElement;
  return svg ? font * svg.getBoundingClientRect().width / svg.viewBox.baseVal.width : font;
}};
const measure = (frame) => {{
  const page = frame.contentDocument, view = frame.contentWindow;
  const texts = [...page.querySelectorAll('body *')].filter((node) =>
    [...node.childNodes].some((child) => child.nodeType === 3 && child.textContent.trim()) &&
    node.getBoundingClientRect().width > 0);
  const shown = () => [...page.querySelectorAll('.numbers')].filter((node) => node.getBoundingClientRect().width).length;
  const smallest = Math.min(...texts.map((node) => size(node, view)));
  const width = page.documentElement.scrollWidth, before = shown();
  const cut = [...page.querySelectorAll('table')].filter((table) =>
    table.parentNode.scrollWidth > table.parentNode.clientWidth).length;
  page.querySelectorAll('.show-numbers').forEach((box) => {{ box.checked = true; }});
  return {{width, smallest, cut, before, after: shown(), widthWithNumbers: page.documentElement.scrollWidth,
    paper: view.getComputedStyle(page.body).backgroundColor}};
}};
window.onload = () => {{
  document.getElementById('found').textContent = JSON.stringify([...document.querySelectorAll('iframe')].map(measure));
}};
</script>"""


def measure(folder: Path, pages: Sequence[Path], width: int = 390, dark: bool = False) -> list[dict[str, Any]]:
    """Return what a browser measures of each page; skip the test without a Chromium."""
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        pytest.skip(f'no browser: none of {", ".join(NAMES)} is installed')
    frames = ''.join(f'<iframe width="{width}" height="900" src="{page.as_uri()}"></iframe>' for page in pages)
    around = folder / 'around.html'
    around.write_text(FRAMES.format(frames=frames))
    options = ['--headless=new', '--no-sandbox', '--disable-gpu', '--allow-file-access-from-files', '--dump-dom']
    options += [f'--user-data-dir={folder / "browser"}', f'--blink-settings=preferredColorScheme={0 if dark else 1}']
    command = [program, *options, around.as_uri()]
    printed = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S).stdout
    text = printed.partition('<pre id="found">')[2].partition('</pre>')[0]
    assert text, printed[-2000:]
    return list(json.loads(html.unescape(text)))
