"""Draw faces with a scanned head from (seed, index): first the landmarks, then, if wanted, the image."""

import numpy as np

import facelmk.synthetic.head_objects as head_objects

from ..appearance import draw_appearance
from ..background import draw_background
from ..camera import photograph
from ..coverings import draw_coverings
from ..faces import DrawnFace, box_around, hidden_landmarks, tags_of
from ..objects import draw_object
from ..shape import FaceShape, draw_shape, stream
from .expression import draw_expression
from .head import ScannedHead, mean_face
from .image import draw_body, draw_head
from .landmarks import project_landmarks

VERSION = 2  # of the images, and a part of the cache's name: increase it when they change


def draw_scanned_face(head: ScannedHead, seed: int, index: int, size: int, with_image: bool = True) -> DrawnFace:
    """Draw one face. Pose, appearance and objects are those of `draw_face` for the same numbers."""
    face, look = draw_shape(seed, index), draw_appearance(seed, index)
    head_rng, layout_rng, image_rng = (stream(seed, index, topic) for topic in (4, 2, 3))
    painted = _draw_brows(head_rng)
    identity = np.clip(head_rng.normal(0, 0.95, len(head.identity)), -2.4, 2.4)
    vertices = head.shape(identity, draw_expression(face, head_rng))
    relative, uv, projection = project_landmarks(head, vertices, painted, face)
    coverings = draw_coverings(head.mesh, painted, look, layout_rng)
    face.eye_x = painted.eye_x
    behind = head_objects.behind_head(face, look, projection, layout_rng)
    front = head_objects.in_front_of_head(face, look, projection, layout_rng)
    hidden = hidden_landmarks(relative, uv, coverings, front)
    landmarks = (relative * size - 0.5).astype(np.float32)
    visible = (1.0 - hidden).astype(np.float32)
    drawn = DrawnFace(landmarks, visible, box_around(landmarks), tags_of(face, look, hidden))
    if with_image:
        image = draw_background(size, image_rng, look)
        for item in behind:
            draw_object(image, item, look, image_rng)
        draw_head(image, head, vertices, painted, look, coverings, relative, projection, image_rng)
        draw_body(image, face, look, projection, image_rng)
        for item in front:
            draw_object(image, item, look, image_rng)
        drawn.image = photograph(image, look, image_rng)
    return drawn


def _draw_brows(rng: np.random.Generator) -> FaceShape:
    """The mean face with brows of its own; brows are painted, and no part of the head's shape."""

    def normal(spread: float) -> float:
        return float(np.clip(rng.standard_normal(), -2, 2)) * spread

    return mean_face(
        brow_y=np.full(2, -0.185 + normal(0.025)),
        brow_tilt=np.full(2, -0.01 + normal(0.03)),
        brow_arch=np.full(2, 0.075 + normal(0.018)),
        brow_outer=0.675 + normal(0.025),
        brow_inner=np.full(2, 0.145 + normal(0.02)),
        brow_thick=0.062 + normal(0.013),
    )
