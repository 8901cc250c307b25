"""Measure memory and open files of `facelmk predict` over many mixed inputs. docs/predict.md holds the figures.

    python docs/measure_mixed_inputs.py [COUNT]

The inputs are pictures of six formats and several sizes, broken and empty files, and films (one of them cut off).
"""

import sys
import tempfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from facelmk.cli import main as facelmk
from facelmk.cli.found import Found
from facelmk.datasets import SyntheticFaces

ENDINGS = ('.jpg', '.png', '.bmp', '.webp', '.tif', '.ppm')
EVERY_BROKEN, EVERY_FILM, FRAMES = 17, 50, 8


def write_inputs(folder: Path, count: int) -> None:
    """Write the inputs; their names give their order."""
    face = SyntheticFaces('wflw', 1, 1, size=160).face(0)['image']
    for i in range(count):
        name = folder / f'{i:05d}'
        if i % EVERY_FILM == 0:
            writer = cv2.VideoWriter(f'{name}.avi', cv2.VideoWriter.fourcc(*'MJPG'), 20, (160, 160))
            for shift in range(FRAMES):
                writer.write(np.roll(face, shift, 1))
            writer.release()
            if i % (2 * EVERY_FILM) == 0:
                content = Path(f'{name}.avi').read_bytes()
                Path(f'{name}.avi').write_bytes(content[: len(content) * 2 // 3])
        elif i % EVERY_BROKEN == 0:
            content = cv2.imencode('.jpg', face)[1].tobytes()
            Path(f'{name}.jpg').write_bytes(content[: len(content) * (i % 2) // 3])
        else:
            side = 100 + 40 * (i % 6)
            cv2.imwrite(f'{name}{ENDINGS[i % len(ENDINGS)]}', cv2.resize(face, (side, side)))


def resident_mb() -> float:
    """Return the memory of this process in MB."""
    return int(Path('/proc/self/statm').read_text().split()[1]) * 4096 / 1e6


def main() -> None:
    """Run the command and print the slopes over the last three quarters of the inputs."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    samples: list[tuple[float, int]] = []
    add = Found.add

    def sample(self: Found, row: dict[str, Any]) -> None:
        add(self, row)
        samples.append((resident_mb(), len(list(Path('/proc/self/fd').iterdir()))))

    Found.add = sample  # type: ignore[method-assign]
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary, 'inputs')
        folder.mkdir()
        write_inputs(folder, count)
        code = facelmk(['predict', str(folder), '--out', str(Path(temporary, 'out')), '--device', 'cpu'])
    part = np.array(samples[len(samples) // 4 :])
    slopes = np.polyfit(np.arange(len(part)), part, 1)[0] * 1000
    print(f'exit code {code}; {len(samples)} pictures and frames')
    print(f'memory: {part[0, 0]:.0f} MB to {part[-1, 0]:.0f} MB, {slopes[0]:+.2f} MB for 1000 pictures')
    print(f'open files: {part[:, 1].min():.0f} to {part[:, 1].max():.0f}, {slopes[1]:+.3f} for 1000 pictures')


if __name__ == '__main__':
    main()
