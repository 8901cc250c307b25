"""Five points, circles and alignment under the names of HRNet-landmarks."""

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from .. import geometry
from ..errors import FacelmkError
from ..faces import ARCFACE, similarity
from ..markups import MARKUPS, Group

FIVE: dict[int, tuple[Group, ...]] = {  # left eye, right eye, nose, mouth corners, by the number of points
    14: ((0, 1, 2, 3), (4, 5, 6, 7), (8,), (10,), (11,)),
    18: ((1, 2, 3, 4), (7, 8, 9, 10), (12,), (14,), (15,)),
    **{
        MARKUPS[name].size: MARKUPS[name].five or ()
        for name in ('five', 'aflw', 'cofw', '300w', 'wflw', 'lapa', 'wflw_300w')
    },
}
ORIGINAL: dict[int, tuple[Group, ...]] = dict.fromkeys(
    (98, 166),
    ((96,), (97,), (53,), (88,), (92,)),  # bridge, inner lip corners; of 166 points, the first 98 are WFLW's
)


def get_five_landmarks_from_net(landmarks: ArrayLike, corrected: bool = False) -> NDArray:
    """Left eye, right eye, nose, left and right mouth corner (5, 2) of 5, 14, 18, 19, 29, 68, 98, 106 or 166 landmarks.

    166 are the 98 and 68 that a network such as `facelmk_nano` joins; the 98 count. For 98 points the original takes
    the bridge above the nose tip (53) and the inner lip corners (88, 92), but the tip and the outer corners for all
    other schemes. With `corrected` these are taken for 98 points, too (54, 76, 82).
    """
    points = np.asarray(landmarks)
    groups = FIVE if corrected else FIVE | ORIGINAL
    if len(points) not in groups:
        raise FacelmkError(
            f'five points of {len(points)} landmarks are not known. Expected one of these numbers: '
            f'{", ".join(map(str, sorted(groups)))}. For a scheme of your own, use '
            'facelmk.markups.MARKUPS[NAME].five_points(landmarks), or Face.five_points()'
        )
    return np.stack([points[list(group)].mean(0) for group in groups[len(points)]])


def set_circles_on_img(
    image: NDArray[np.uint8],
    circles_list: Sequence[Any] | NDArray,
    circle_size: int = 5,
    color: Sequence[int] = (255, 0, 0),
    is_copy: bool = False,
) -> NDArray[np.uint8]:
    """The picture, or a copy, with a filled circle at each point (x, y) of one face, or of each of several."""
    canvas = np.array(image, order='C') if is_copy or not image.flags['C_CONTIGUOUS'] else image
    faces = circles_list if len(circles_list) and np.ndim(circles_list[0]) == 2 else [circles_list]
    for x, y in (np.rint(point[:2]).astype(int).tolist() for face in faces for point in np.asarray(face, float)):
        cv2.circle(canvas, (x, y), circle_size, tuple(color), -1)
    if canvas is not image and not is_copy:
        image[...] = canvas  # OpenCV cannot draw on a mirrored or transposed view
    return canvas if is_copy else image


def show_landmarks(
    img: NDArray[np.uint8],
    lmks: Sequence[Any] | NDArray,
    circle_size: int = 3,
    color: Sequence[int] = (255, 0, 0),
    figsize: tuple[float, float] = (10, 8),
    is_copy: bool = True,
    bgr: bool = True,
) -> None:
    """Show a picture with its landmarks by matplotlib; `img` is BGR as cv2.imread gives it, `color` is RGB."""
    import matplotlib.pyplot as plt  # takes a second, and few callers need it

    if not is_copy:
        set_circles_on_img(img, lmks, circle_size, color[::-1] if bgr else color)
    plt.figure(figsize=figsize)
    plt.imshow(set_circles_on_img(img[..., ::-1] if bgr else img, lmks, circle_size, color, is_copy=True))
    plt.show()


def alignment_orig(
    src_img: NDArray, src_pts: ArrayLike, ncols: int = 96, nrows: int = 112, custom_align: Sequence[float] | None = None
) -> NDArray:
    """The face of five points (5, 2) aligned with MTCNN's template, as a crop of nrows x ncols pixels.

    The template of 96 x 112 pixels is moved to the centre of 112 or 128 columns and of 128 rows, or by `custom_align`
    (x, y).
    """
    shift_x = {112: 8.0, 128: 16.0}.get(ncols, 0.0)
    shift = (shift_x, 16.0 if nrows == 128 else 0.0) if custom_align is None else custom_align
    template = ARCFACE - [8.0, 0.0] + np.asarray(shift, np.float64)
    points = np.asarray(src_pts, np.float64)
    if points.size != 10:
        raise FacelmkError(
            f'src_pts has the shape {points.shape}. Expected five points (5, 2): '
            'get_five_landmarks_from_net(landmarks) makes them of the landmarks of a face'
        )
    points = points.reshape(5, 2)
    warp = geometry.invert(similarity(template, points))  # as cp2tform: least squares in the photograph
    return cv2.warpAffine(src_img, warp[:2], (ncols, nrows))
