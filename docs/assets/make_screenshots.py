"""Draws pictures of the page of `facelmk serve`, at 1280 and 390 pixels, light and dark, in headless Chromium.

python docs/assets/make_screenshots.py FOLDER [--chromium /usr/bin/chromium] needs `pip install playwright`; with
`--docs` it draws docs/assets/serve.jpg, the one picture that the docs show.
"""

import argparse
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import cv2  # noqa: E402
import numpy as np  # noqa: E402

from facelmk.serve import ServedModels, Server  # noqa: E402  the package of this clone
from facelmk.serve.models import open_model, sources_at_hand  # noqa: E402

PORTRAIT = ROOT / 'docs/assets/astronaut.jpg'  # by NASA, in the public domain
SIZES = {1280: 860, 390: 844}  # width and height of the window in pixels
PATIENCE_MS = 60_000


def main() -> None:
    """Draw the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('folder', type=Path, nargs='?', default=Path('work_dirs/screenshots'))
    parser.add_argument('--chromium', default='/usr/bin/chromium', help='the browser (default: %(default)s)')
    parser.add_argument('--docs', action='store_true', help='draw docs/assets/serve.jpg alone')
    options = parser.parse_args()
    from playwright.sync_api import sync_playwright

    with served() as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=options.chromium, args=['--no-sandbox'])
        if options.docs:
            page = open_page(browser, url, 1280, 'light')
            show_portrait(page)
            page.screenshot(path=ROOT / 'docs/assets/serve.jpg', type='jpeg', quality=82)
        else:
            options.folder.mkdir(parents=True, exist_ok=True)
            for width in SIZES:
                for scheme in ('light', 'dark'):
                    draw_states(open_page(browser, url, width, scheme), options.folder, f'{width}-{scheme}')
        browser.close()


@contextmanager
def served() -> Iterator[str]:
    """Yield the address of a server with the models of this clone."""
    server, ready = Server(ServedModels(sources_at_hand([]), open_model)), threading.Event()
    thread = threading.Thread(target=server.run, args=(ready.set,))
    thread.start()
    ready.wait()
    try:
        yield server.url
    finally:
        server.stop()
        thread.join()


def open_page(browser: Any, url: str, width: int, scheme: str) -> Any:
    """Return the page in a window of that width."""
    page = browser.new_page(
        viewport={'width': width, 'height': SIZES[width]}, color_scheme=scheme, device_scale_factor=1
    )
    page.goto(url)
    page.wait_for_function("document.getElementById('model').options.length > 0")
    return page


def draw_states(page: Any, folder: Path, name: str) -> None:
    """Draw the empty page, a result, a point with its score, several faces, no face, and an error."""

    def shot(state: str) -> None:
        path = folder / f'{name}-{state}.png'
        page.screenshot(path=path, full_page=True)
        print(path)

    shot('empty')
    show_portrait(page)
    shot('result')
    page.check('#show-numbers')
    page.check('#zoom')
    page.focus('#canvas')
    for _ in range(61):
        page.keyboard.press('ArrowRight')
    shot('point')
    page.uncheck('#show-numbers')
    page.uncheck('#zoom')
    portrait = cv2.imread(str(PORTRAIT))
    send(page, 'three.png', np.hstack([portrait, cv2.resize(portrait, None, fx=0.6, fy=1.0), portrait[:, ::-1]]))
    wait_for(page, 'result', 'three.png')
    shot('faces')
    send(page, 'wall.png', np.full((300, 500, 3), 180, np.uint8))
    wait_for(page, 'none', 'wall.png')
    shot('none')
    page.set_input_files('#file', {'name': 'notes.jpg', 'mimeType': 'image/jpeg', 'buffer': b'these are my notes'})
    wait_for(page, 'error', 'picture')
    shot('error')
    page.close()


def show_portrait(page: Any) -> None:
    """Choose the portrait, and wait for its landmarks."""
    page.set_input_files('#file', PORTRAIT)
    wait_for(page, 'result', PORTRAIT.name)


def send(page: Any, name: str, picture: np.ndarray) -> None:
    """Choose a picture as a file."""
    content = cv2.imencode('.png', picture)[1].tobytes()
    page.set_input_files('#file', {'name': name, 'mimeType': 'image/png', 'buffer': content})


def wait_for(page: Any, state: str, word: str) -> None:
    """Wait until the page has that state, and a sentence with that word."""
    page.wait_for_selector(f'body[data-state="{state}"]:has(#status:text("{word}"))', timeout=PATIENCE_MS)


if __name__ == '__main__':
    main()
