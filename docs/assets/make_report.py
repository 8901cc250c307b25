"""Makes docs/assets/report.jpg: the report of a test on drawn faces, as a wide and as a narrow window show it.

It needs a Chromium, and takes about a minute.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np

CONFIG = """
_base_ = ['{base}']
val_dataloader = dict(_delete_=True, batch_size=20, num_workers=0, dataset=dict(
    type='SyntheticFaces', markup='wflw_300w', count=200, seed=77, size=192,
    pipeline=[dict(type='LoadImage'), dict(type='CropFace', size=112, padding=1.25), dict(type='PackFace')]))
"""
HEIGHT_PX = 1500


def main() -> None:
    """Write the picture beside this file, under 200 kB."""
    with tempfile.TemporaryDirectory() as folder:
        page = report(Path(folder))
        wide, narrow = window(page, 1120, False), window(page, 390, True)
    file = Path(__file__).with_name('report.jpg')
    gap = np.full((HEIGHT_PX, 30, 3), 255, np.uint8)
    picture = cv2.resize(np.hstack([wide, gap, narrow]), None, fx=0.62, fy=0.62, interpolation=cv2.INTER_AREA)
    cv2.imwrite(str(file), picture, [cv2.IMWRITE_JPEG_QUALITY, 72])
    print(f'{file}: {file.stat().st_size / 1000:.0f} kB')


def report(folder: Path) -> Path:
    """Test the shipped network on drawn faces; return the report."""
    base = Path(__file__).parents[2] / 'configs' / 'facelmk_nano.py'
    (folder / 'drawn_faces.py').write_text(CONFIG.format(base=base))
    words = ['test', 'drawn_faces.py', 'facelmk_nano', '--report', 'page.html']
    subprocess.run([sys.executable, '-m', 'facelmk.cli', *words], cwd=folder, check=True)
    return folder / 'page.html'


def window(page: Path, width: int, dark: bool) -> np.ndarray:
    """Return the top of a page as a window of this width shows it."""
    program = shutil.which('chromium') or shutil.which('google-chrome')
    if program is None:
        raise SystemExit('no browser. Install chromium')
    file = page.with_name(f'{width}.png')
    around = page.with_name('around.html')  # a frame: a window has a least width
    around.write_text(
        '<body style="margin:0"><iframe style="border:0" '
        f'width="{width}" height="{HEIGHT_PX}" src="{page.name}"></iframe>'
    )
    options = ['--headless=new', '--no-sandbox', '--disable-gpu', '--hide-scrollbars', f'--screenshot={file}']
    options += [f'--window-size=1200,{HEIGHT_PX}', f'--blink-settings=preferredColorScheme={0 if dark else 1}']
    subprocess.run([program, *options, around.as_uri()], check=True, capture_output=True)
    return np.asarray(cv2.imread(str(file))[:HEIGHT_PX, :width])


if __name__ == '__main__':
    main()
