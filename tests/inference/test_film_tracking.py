"""Faces that are followed through films: their ids, when the detector runs, smoothing, and where both start again."""

from collections.abc import Iterable

import numpy as np
import pytest
from films import HEIGHT, RADIUS, WIDTH, DiscPredictor, frame

from facelmk.errors import FacelmkError
from facelmk.faces import Faces
from facelmk.inference.films.read import Frame
from facelmk.inference.films.smoothing import Smoother

FPS = 20.0


class Frames:
    """Frames in memory, as a film has them."""

    source, is_camera = 'frames', False

    def __init__(self, images: Iterable[np.ndarray]) -> None:
        self.images = list(images)

    def __iter__(self):
        return (Frame(image, i, i / FPS) for i, image in enumerate(self.images))


def follow(images: Iterable[np.ndarray], model: DiscPredictor | None = None, **options: object) -> list[Faces]:
    return list((model or DiscPredictor()).follow(Frames(images), **options))  # type: ignore[arg-type]


def ids(frames: list[Faces]) -> list[list[int | None]]:
    return [[face.id for face in faces] for faces in frames]


def test_a_face_is_detected_once_and_then_followed() -> None:
    model = DiscPredictor()
    places = [(30 + 2 * i, 60 + 10 * np.sin(i / 5)) for i in range(45)]
    frames = follow((frame(place) for place in places), model, smooth=False, detect_every=20)
    assert ids(frames) == [[1]] * 45 and model.detections == 3  # frames 0, 20 and 40
    for faces, place in zip(frames, places, strict=True):
        assert np.abs(faces[0].landmarks.mean(0) - place).max() < 1
    assert [faces.frame for faces in frames] == list(range(45)) and frames[10].time == 0.5


def test_a_lost_face_is_looked_for_at_once_and_keeps_its_id() -> None:
    model = DiscPredictor()
    places = [(40, 60)] * 10 + [(66, 60)] * 10  # too far for the crop of the last frame
    frames = follow((frame(place) for place in places), model, detect_every=1000)
    assert ids(frames) == [[1]] * 20 and model.detections == 2
    hidden = [(60 + i, 60) if not 10 <= i < 18 else None for i in range(40)]
    frames = follow((frame(place) for place in hidden), detect_every=1000)
    assert ids(frames) == [[1]] * 10 + [[]] * 8 + [[1]] * 22


def test_a_face_that_was_away_for_long_gets_a_new_id() -> None:
    places = [(60, 60) if not 10 <= i < 40 else None for i in range(50)]
    assert ids(follow(frame(place) for place in places)) == [[1]] * 10 + [[]] * 30 + [[2]] * 10


def test_faces_enter_and_leave() -> None:
    frames = follow((frame((40, 60), (120, 60) if 8 <= i < 30 else None) for i in range(40)), detect_every=5)
    numbers = ids(frames)
    assert numbers[:8] == [[1]] * 8 and [1, 2] in numbers[8:13] and numbers[14:30] == [[1, 2]] * 16
    assert numbers[30:] == [[1]] * 10


@pytest.mark.parametrize('speed', [2, 4])
def test_faces_that_pass_each_other_keep_their_ids(speed: int) -> None:
    """The second disc hides the first one while they pass."""
    steps = range(120 // speed)
    frames = follow((frame((20 + speed * i, 56), (140 - speed * i, 66)) for i in steps), detect_every=5)
    first, last = frames[0], frames[-1]
    start = {face.id: face.landmarks[:, 0].mean() for face in first}
    end = {face.id: face.landmarks[:, 0].mean() for face in last}
    assert sorted(start) == sorted(end) == [1, 2]
    assert all((start[number] < 80) == (end[number] > 80) for number in (1, 2))


def test_nothing_is_followed_across_a_cut() -> None:
    rng = np.random.default_rng(0)
    other = np.repeat(np.repeat(rng.integers(0, 256, (HEIGHT // 8, WIDTH // 8, 1), np.uint8), 8, 0), 8, 1).repeat(3, 2)
    other[40:80, 40:80] = frame((60, 60))[40:80, 40:80]
    images = [frame((60, 60))] * 8 + [other] * 8
    assert ids(follow(images, detect_every=100)) == [[1]] * 8 + [[2]] * 8


def test_schemes_without_a_contour_are_detected_in_each_frame() -> None:
    model = DiscPredictor('aflw')
    frames = follow((frame((40 + i, 60), (120, 60)) for i in range(12)), model, smooth=False)
    assert ids(frames) == [[1, 2]] * 12 and model.detections == 12


def test_boxes_of_the_user_hold_for_each_frame() -> None:
    model = DiscPredictor()
    box = [[10, 30, 70, 90], [90, 30, 150, 90]]
    frames = follow((frame((40, 60 + i % 2), (120, 60)) for i in range(6)), model, boxes=box)
    assert ids(frames) == [[1, 2]] * 6 and model.detections == 0
    assert (frames[3][1].box == box[1]).all()


def test_smoothing_calms_a_still_face_and_hardly_delays_a_fast_one() -> None:
    def noisy(smooth: bool, step: float) -> np.ndarray:
        model = DiscPredictor()
        model.noise = 0.3
        frames = follow((frame((30 + step * i, 60)) for i in range(50)), model, smooth=smooth, detect_every=100)
        return np.array([faces[0].landmarks for faces in frames])[15:]

    jitter = [float(noisy(smooth, 0).std(0).mean()) for smooth in (False, True)]
    assert jitter[1] < 0.6 * jitter[0]
    behind = (noisy(False, 2) - noisy(True, 2))[..., 0].mean() / 2
    assert 0 < behind < 0.5  # frames


def test_the_filter_is_that_of_the_paper() -> None:
    """A constant speed v is v / (2 pi cutoff) behind, with cutoff = least + factor * v."""
    smoother, points = Smoother(0.5, 4.0), np.array([[0, 0], [100, 0], [0, 100]], np.float32)
    for i in range(2000):
        moved = points + [i * 0.5, 0]  # 0.5 px in 1/100 s: half a face side a second
        smooth = smoother(moved.astype(np.float32), i / 100)
    behind = (moved - smooth)[:, 0]
    rate = 2 * np.pi * (0.5 + 4.0 * 0.5) / 100
    weight = rate / (1 + rate)
    assert np.allclose(behind, 0.5 * (1 - weight) / weight, atol=1e-3)


def test_smoothing_starts_again_after_a_jump_and_a_pause() -> None:
    points = np.random.default_rng(0).uniform(0, 100, (98, 2)).astype(np.float32)
    for place, seconds in ((points + 40, 1.04), (points + 1, 3.0), (points + 1, 0.5)):
        smoother = Smoother()
        assert (smoother(points, 1.0) == points).all()
        assert (smoother(place, seconds) == place).all()
    assert (smoother(points, 0.54) != points).any()


@pytest.mark.parametrize('options', [dict(detect_every=0), dict(refine=9), dict(boxes=[[1, 2, 3]])])
def test_wrong_arguments_are_named(options: dict) -> None:
    with pytest.raises(FacelmkError, match='detect_every=0|refine=9|shape'):
        follow([frame((60, 60))], **options)


def test_a_point_has_its_face_in_the_crop() -> None:
    """The box of a followed face is that of its landmarks in the frame before."""
    frames = follow(frame((40 + 3 * i, 60)) for i in range(10))
    assert all(np.abs((f[0].box[:2] + f[0].box[2:]) / 2 - (40 + 3 * f.frame, 60)).max() < RADIUS for f in frames)


def test_a_network_in_torch_without_a_calibration(predictor, picture) -> None:
    def one_face(image: np.ndarray) -> list[list[float]]:
        return [[30, 20, 130, 120]]

    frames = list(predictor.follow(Frames([picture] * 4), detector=one_face, smooth=False))  # type: ignore[arg-type]
    assert [len(faces) for faces in frames] == [1] * 4 and frames[0][0].score is None
    assert frames[0][0].landmarks.shape == (98, 2) and frames[3][0].landmarks.dtype == np.float32


def test_a_weak_face_is_detected_again_and_followed_until_then() -> None:
    class Weak(DiscPredictor):
        """Its scores are low in the frames 5 to 14; the detector misses the face in some of these."""

        number = 0

        def predict_boxes(self, rows):
            predictions = super().predict_boxes(rows)
            for one in predictions:
                one['score'] *= 0.2 if 5 <= self.number < 15 else 1
            return predictions

    def find(image: np.ndarray) -> list[list[float]]:
        found.append(model.number)
        return [] if 5 <= model.number < 11 else [[45.0, 45.0, 75.0, 75.0], [105.0, 45.0, 135.0, 75.0]]

    model, found, numbers = Weak(), [], []
    for faces in model.follow(Frames([frame((60, 60), (120, 60))] * 20), detector=find, detect_every=100):  # type: ignore[arg-type]
        numbers.append([face.id for face in faces])
        model.number = faces.frame + 1
    assert numbers == [[1, 2]] * 20
    assert found[0] == 0 and set(found[1:]) <= set(range(5, 16)) and 2 <= len(found) <= 6
