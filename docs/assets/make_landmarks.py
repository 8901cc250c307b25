"""Draws docs/assets/landmarks.jpg, the picture that the README opens with: the landmarks in docs/assets/astronaut.jpg.

python docs/assets/make_landmarks.py. The photograph of Eileen Collins is by NASA and in the public domain.
"""

import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER.parents[1]))

import facelmk  # noqa: E402  the package of this clone

faces = facelmk.load(device='cpu')(FOLDER / 'astronaut.jpg')
faces.save(FOLDER / 'landmarks.jpg')
print(f'{len(faces)} face: {FOLDER / "landmarks.jpg"}')
