"""The page in a real browser: headless Chromium, driven by Playwright. Both are optional."""

import json
import shutil
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from serving import picture, running

from facelmk.datasets.defects import DefectList
from facelmk.datasets.readers.pts import read_pts
from facelmk.inference.runtime import is_available
from facelmk.serve import ServedModels, Server
from facelmk.serve.models import open_model

CHROMIUM = shutil.which('chromium') or shutil.which('chromium-browser') or shutil.which('google-chrome')
PHOTOGRAPH = Path(__file__).parents[2] / 'docs/assets/astronaut.jpg'
CAMERA = ['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream']
DROP = """([name, bytes]) => {
  const data = new DataTransfer();
  data.items.add(new File([new Uint8Array(bytes)], name, { type: 'image/jpeg' }));
  for (const type of ['dragover', 'drop'])
    document.getElementById('stage').dispatchEvent(new DragEvent(type, { dataTransfer: data, bubbles: true }));
}"""
PASTE = """([name, bytes]) => {
  const data = new DataTransfer();
  data.items.add(new File([new Uint8Array(bytes)], name, { type: 'image/png' }));
  document.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true }));
}"""
PIXELS = '(canvas) => { let h = 0; for (const c of canvas.toDataURL()) h = (h * 31 + c.charCodeAt(0)) | 0; return h; }'


@pytest.fixture(scope='module')
def url() -> Iterator[str]:
    """A server with the shipped model, twice, so that there is a choice."""
    if not is_available():
        pytest.skip('needs onnxruntime')
    models = ServedModels(['facelmk_nano', 'again'], lambda name: open_model('facelmk_nano', 'cpu'))
    with running(Server(models)) as server:
        yield server.url


@pytest.fixture(scope='module')
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip('playwright.sync_api', reason='needs Playwright')
    if CHROMIUM is None:
        pytest.skip('needs Chromium')
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=['--no-sandbox', *CAMERA])
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Any, url: str) -> Iterator[Any]:
    """The page; in the end, no request went to another host and the browser complained about nothing."""
    context = browser.new_context(viewport={'width': 1280, 'height': 800}, permissions=['camera'])
    page, hosts, complaints = context.new_page(), set(), []
    page.on('request', lambda request: hosts.add(request.url.partition('://')[2].partition('/')[0]))
    page.on('console', lambda message: complaints.append(message.text))
    page.on('pageerror', lambda error: complaints.append(str(error)))
    page.goto(url)
    page.wait_for_function("document.getElementById('model').options.length == 2")
    yield page
    context.close()
    own = url.partition('://')[2].strip('/')
    assert {host for host in hosts if host} <= {own, f'{own}'}
    assert [text for text in complaints if '422' not in text and '413' not in text] == []  # answers to bad pictures


def drop(page: Any, name: str, content: bytes, script: str = DROP) -> None:
    page.evaluate(script, [name, list(content)])


def wait_for(page: Any, state: str, word: str = '') -> str:
    """Wait for a state of the page; return its sentence."""
    page.wait_for_selector(f'body[data-state="{state}"]:has(#status:text("{word}"))', timeout=60_000)
    return page.inner_text('#status')


def saved(page: Any, button: str) -> tuple[str, Path]:
    with page.expect_download() as download:
        page.click(f'#{button}')
    return download.value.suggested_filename, download.value.path()


def test_from_a_dropped_picture_to_its_files(page: Any) -> None:
    assert page.is_disabled('#save-json') and page.inner_text('#status') == 'No picture yet.'
    drop(page, 'my photo.jpg', PHOTOGRAPH.read_bytes())
    assert '1 face in my photo.jpg' in wait_for(page, 'result')
    assert page.locator('#faces tr').count() == 1

    name, path = saved(page, 'save-json')
    answer = json.loads(path.read_text())
    (face,) = answer['faces']
    assert name == 'my_photo.json' and answer['picture'] == 'my photo.jpg' and len(face['landmarks']) == 98
    name, path = saved(page, 'save-pts')
    points = np.array(read_pts(path, DefectList()), float).reshape(-1, 2)
    assert name == 'my_photo.pts' and points.tolist() == face['landmarks']
    name, path = saved(page, 'save-png')
    drawn, plain = cv2.imread(str(path)), cv2.imread(str(PHOTOGRAPH))
    assert name == 'my_photo_landmarks.png' and drawn.shape == plain.shape
    changed = np.abs(drawn.astype(int) - plain).max(2) > 60
    x1, y1, x2, y2 = np.round(face['box']).astype(int)
    inside = changed[y1 - 8 : y2 + 8, x1 - 8 : x2 + 8].sum()
    assert inside > 200 and changed.sum() - inside < 20  # points and box are on the face, and nowhere else


def test_sliders_and_choices(page: Any) -> None:
    drop(page, 'a.jpg', PHOTOGRAPH.read_bytes())
    wait_for(page, 'result')
    before = page.eval_on_selector('#canvas', PIXELS)
    page.locator('#size').fill('6')
    larger = page.eval_on_selector('#canvas', PIXELS)
    assert larger != before and page.inner_text('#size-value') == '6'
    for box in ('show-boxes', 'show-lines', 'show-numbers', 'zoom'):
        page.click(f'#{box}')
        after = page.eval_on_selector('#canvas', PIXELS)
        assert after != larger, box
        larger = after
    page.locator('#threshold').fill('1')
    assert 'none with a score' in wait_for(page, 'none') and page.locator('#faces tr').count() == 0
    assert page.is_disabled('#save-pts')
    page.locator('#threshold').fill('0.5')
    wait_for(page, 'result')
    page.select_option('#model', 'again')
    assert 'again' in wait_for(page, 'result', 'again')


def test_keys_and_pointer_show_a_point(page: Any) -> None:
    drop(page, 'a.jpg', PHOTOGRAPH.read_bytes())
    wait_for(page, 'result')
    page.focus('#canvas')
    for _ in range(3):
        page.keyboard.press('ArrowRight')
    assert page.inner_text('#tip').startswith('point 2, contour, score 0.')
    page.keyboard.press('Escape')
    assert page.is_hidden('#tip')
    answer = json.loads(saved(page, 'save-json')[1].read_text())
    stage = page.locator('#stage').bounding_box()
    scale = min(stage['width'], stage['height']) / 512
    x, y = (value * scale for value in answer['faces'][0]['landmarks'][54])
    page.mouse.move(stage['x'] + (stage['width'] - 512 * scale) / 2 + x, stage['y'] + y)
    assert page.inner_text('#tip').startswith('point 54, nose')
    drop(page, 'b.jpg', PHOTOGRAPH.read_bytes())
    wait_for(page, 'result', 'b.jpg')
    assert page.is_hidden('#tip'), 'the point is that of the picture before'


def test_no_face_and_errors_are_sentences(page: Any) -> None:
    drop(page, 'wall.png', bytes(cv2.imencode('.png', np.full((200, 300, 3), 170, np.uint8))[1]), PASTE)
    assert 'No face was found in wall.png' in wait_for(page, 'none')
    drop(page, 'notes.jpg', b'these are my notes')
    assert 'No picture: 18 bytes' in wait_for(page, 'error')
    page.set_input_files('#file', {'name': 'a.tiff', 'mimeType': 'image/tiff', 'buffer': picture(64, '.tiff')})
    assert 'This browser cannot show' in wait_for(page, 'none')
    page.evaluate(DROP, ['huge.jpg', 21 << 20])  # Uint8Array makes as many zeros of a number
    assert '20971520' in wait_for(page, 'error')


def test_the_camera(page: Any) -> None:
    page.click('#camera')  # Chromium's own test pattern, in which there is no face
    assert 'pictures a second' in wait_for(page, 'result')
    assert page.inner_text('#camera') == 'Stop the camera'
    page.click('#camera')
    assert page.inner_text('#camera') == 'Open the camera' and page.inner_text('#status') == 'The camera is off.'
    requests: list[Any] = []
    page.on('request', lambda request: requests.append(request))
    page.wait_for_timeout(500)
    assert len(requests) <= 1  # what was on its way


def test_nothing_is_cut_off_on_a_telephone(browser: Any, url: str) -> None:
    page = browser.new_page(viewport={'width': 390, 'height': 844})
    page.goto(url)
    page.set_input_files('#file', PHOTOGRAPH)
    before = page.locator('#stage').bounding_box(), page.locator('#model').bounding_box()
    wait_for(page, 'result')
    assert page.evaluate('document.documentElement.scrollWidth') == 390
    assert before == (page.locator('#stage').bounding_box(), page.locator('#model').bounding_box())  # nothing jumps
    page.close()


class OtherPage(BaseHTTPRequestHandler):
    """A page of another origin on this machine."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header('Content-Type', 'text/html')
        self.end_headers()
        self.wfile.write(b'<p>another page')

    def log_message(self, *words: Any) -> None:
        """Print nothing."""


ATTACK = """async (url) => {
  const attempt = async (path, options) => {
    try { return (await fetch(url + path, options)).type } catch { return 'blocked' }
  };
  const frame = document.createElement('iframe');
  frame.src = url;
  document.body.append(frame);
  await new Promise((resolve) => { frame.onload = resolve; });
  const picture = { method: 'POST', body: new Uint8Array(9), headers: { 'Content-Type': 'image/jpeg' } };
  return [await attempt('api/models'), await attempt('api/predict', picture),
          await attempt('api/predict', { method: 'POST', body: 'text', mode: 'no-cors' })];
}"""


def test_another_page_may_not_use_the_server(browser: Any, url: str) -> None:
    """It can read no answer, send no picture, and show the page in no frame."""
    page, complaints = browser.new_page(), []
    page.on('console', lambda message: complaints.append(message.text))
    with HTTPServer(('127.0.0.1', 0), OtherPage) as other:
        threading.Thread(target=other.serve_forever, daemon=True).start()
        page.goto(f'http://127.0.0.1:{other.server_address[1]}/')
        assert page.evaluate(ATTACK, url) == ['blocked'] * 3
        other.shutdown()
    assert any('frame-ancestors' in text for text in complaints)
    assert page.frames[1].query_selector('#canvas') is None
    page.close()
