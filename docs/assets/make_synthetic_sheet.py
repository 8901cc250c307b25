"""Makes docs/assets/synthetic_sheet.jpg: two rows of drawn faces, and the same faces with their 98 points."""

from pathlib import Path

import cv2
import numpy as np

from facelmk.synthetic import sheet


def main() -> None:
    """Write the sheet beside this file, under 200 kB."""
    plain, marked = (sheet(0, range(24, 40), 8, points=points, size=160) for points in (False, True))
    file = Path(__file__).with_name('synthetic_sheet.jpg')
    cv2.imwrite(str(file), np.vstack([plain, marked]), [cv2.IMWRITE_JPEG_QUALITY, 72])
    print(f'{file}: {file.stat().st_size / 1000:.0f} kB')


if __name__ == '__main__':
    main()
