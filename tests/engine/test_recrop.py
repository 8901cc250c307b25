"""The same faces in other boxes: the geometry of the boxes, a detector's recall, and figures of known networks."""

import itertools
import json
import sys
import types

import numpy as np
import pytest
import torch
from mmengine.model import BaseModel

from facelmk import geometry
from facelmk.cli import main
from facelmk.cli.box_options import choose_boxes
from facelmk.config import load_config
from facelmk.datasets import FaceDataset
from facelmk.engine import recrop
from facelmk.engine.recrop import DetectedBox, RecroppedFaces, TightBox, crop_by, only_box, predict_in_boxes
from facelmk.engine.run import test as run_test
from facelmk.errors import FacelmkError
from facelmk.registry import DATASETS, MODELS
from facelmk.report import Collector, conclude
from facelmk.report.collect import collect_results
from facelmk.report.jitter_study import COUNT, SCALES, SHIFTS, STILL_NOISE, jittered_boxes
from facelmk.report.studies import run_studies

FIVE = np.array([[30.0, 40], [70, 40], [50, 60], [35, 80], [65, 80]])
PIPELINE = [dict(type='LoadImage'), dict(type='CropFace', size=64), dict(type='PackFace')]
COUNT_OF_FACES = 6
NUMBERS = itertools.count()


@DATASETS.register_module(force=True)
class PlainFaces(FaceDataset):
    """Faces of five points in grey pictures, each a little lower; two of them share a picture."""

    def __init__(self, pipeline=()):
        super().__init__('five', pipeline)
        self.loaded = 0

    def __len__(self):
        return COUNT_OF_FACES

    def face(self, index):
        self.loaded += 1
        landmarks = (FIVE + [0, index]).astype(np.float32)
        return dict(
            id=f'face{index}',
            path=f'{index // 2}.png',
            image=np.full((120, 120, 3), 10 * index, np.uint8),
            box=np.array([20, 20 + index, 90, 90 + index], np.float32),
            landmarks=landmarks,
            visible=np.ones(5, np.float32),
            norm=None,
            tags=(),
        )


@MODELS.register_module(force=True)
class Fixed(BaseModel):
    """Finds the true landmarks, moved by `follow` times the way that the centre of the crop has moved."""

    def __init__(self, follow=0.0, offset=2.0):
        super().__init__()
        self.follow, self.offset = follow, offset
        self.unused = torch.nn.Parameter(torch.zeros(1))

    def forward(self, inputs, data_samples=None, mode='tensor'):
        centre = torch.linalg.inv(data_samples['warp']) @ torch.tensor([32.0, 32, 1], dtype=torch.float64)
        box = data_samples['box'].double()
        moved = centre[:, :2] - (box[:, :2] + box[:, 2:]) / 2
        landmarks = data_samples['landmarks'].double() + self.follow * moved[:, None] + torch.tensor([self.offset, 0])
        return [
            dict(id=name, landmarks=face, scores=torch.ones(len(face)))
            for name, face in zip(data_samples['id'], landmarks, strict=True)
        ]


CONFIG = f"""
val_dataloader = dict(batch_size=60, num_workers=0, dataset=dict(type='PlainFaces', pipeline={PIPELINE}))
val_evaluator = [dict(type='NME'), dict(type='FailureRate', threshold=.1)]
model = dict(type='facelmk.Fixed')
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The current folder, with a config and a checkpoint."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'plain.py').write_text(CONFIG)
    torch.save({'state_dict': {'unused': torch.zeros(1)}}, tmp_path / 'some.pth')
    return tmp_path


@pytest.fixture
def tested(folder):
    """A function that tests a network with a step that chooses the boxes, and returns what `run_test` returns."""

    def test(box_step=None, **values):
        options = {f'model.{key}': value for key, value in values.items()}
        name = f'recrop_{next(NUMBERS)}'  # mmengine wants a new one for each run of a process
        options |= {'work_dir': str(folder / 'work'), 'log_level': 'ERROR', 'experiment_name': name}
        config = load_config(folder / 'plain.py', options)
        return run_test(config, str(folder / 'some.pth'), watch=[Collector()], box_step=box_step)

    return test


def middle(image):
    """A detector that finds a face in the pictures whose pixels are not 0."""
    boxes = np.array([[0, 0, 10, 10], [30, 40, 70, 80]], np.float32)
    return (boxes, np.ones(2)) if image.max() else (np.zeros((0, 4), np.float32), np.zeros(0))


# -- boxes


def test_the_tight_box_is_the_square_around_the_visible_landmarks():
    face = PlainFaces().face(0) | {'visible': np.array([1, 1, 1, 1, 0], np.float32)}
    assert TightBox()(face)['detection'].tolist() == [30, 40, 70, 80]  # 40 x 40
    face['visible'][3] = 0
    assert TightBox()(face)['detection'].tolist() == [30, 30, 70, 70]  # 40 x 20, made square


def test_a_detected_box_overlaps_the_tight_box_enough_or_is_missing():
    found = DetectedBox(middle)(PlainFaces().face(1))['detection']
    assert found.tolist() == [30, 40, 70, 80]
    assert np.isnan(DetectedBox(middle)(PlainFaces().face(0))['detection']).all()
    assert np.isnan(DetectedBox(middle, 0.99)(PlainFaces().face(1))['detection']).all()  # its tight box is one lower


def test_a_step_comes_after_the_picture_is_loaded_and_needs_a_crop():
    data = PlainFaces(PIPELINE)
    crop_by(data, TightBox())
    assert [type(step).__name__ for step in data.pipeline] == ['LoadImage', 'TightBox', 'CropFace', 'PackFace']
    with pytest.raises(FacelmkError, match='CropFace'):
        crop_by(PlainFaces(PIPELINE[:1]), TightBox())


def test_points_are_the_warped_landmarks_in_every_box():
    data = PlainFaces(PIPELINE)
    crops = RecroppedFaces(data, jittered_boxes, COUNT)
    assert len(crops) == COUNT * COUNT_OF_FACES
    warps = []
    for i in range(COUNT, 2 * COUNT):
        sample = crops[i]['data_samples']
        assert sample['id'] == 'face1'
        np.testing.assert_allclose(sample['points'], geometry.apply(sample['warp'], sample['landmarks']), atol=1e-3)
        warps.append(sample['warp'])
    assert len(np.unique(np.round(warps, 6), axis=0)) == COUNT and data.loaded == 1
    np.testing.assert_allclose(warps[0], data[1]['data_samples']['warp'], atol=1e-9)


def test_jittered_boxes_are_moved_and_scaled_as_stated():
    box = np.array([10.0, 20, 110, 100])
    boxes = np.stack([jittered_boxes(box, f'face{i}') for i in range(200)]).astype(float)
    centre, side = (boxes[..., :2] + boxes[..., 2:]) / 2 - [60, 60], (boxes[..., 2:] - boxes[..., :2])[..., 0]
    assert boxes.shape == (200, COUNT, 4) and (side[:, 0] == 100).all() and (centre[:, 0] == 0).all()
    shifts = np.linalg.norm(centre[:, 1:9], axis=-1)
    assert shifts == pytest.approx(np.tile(np.repeat(SHIFTS, 2) * 100, (200, 1)), abs=1e-3)
    assert centre[:, 1:9:2] == pytest.approx(-centre[:, 2:9:2], abs=1e-3)
    assert side[:, 9:17:2] == pytest.approx(np.tile(100 * (1 + np.array(SCALES)), (200, 1)), abs=1e-3)
    assert side[:, 10:17:2] == pytest.approx(np.tile(100 / (1 + np.array(SCALES)), (200, 1)), abs=1e-3)
    noise = np.stack([*np.moveaxis(centre[:, 17:] / 100, -1, 0), np.log(side[:, 17:] / 100)])
    assert noise.std((1, 2)) == pytest.approx([STILL_NOISE] * 3, rel=0.1)
    assert (jittered_boxes(box, 'face3') == boxes[3].astype(np.float32)).all()


# -- figures


def test_without_a_detector_every_face_has_a_box(tested):
    runner, metrics = tested(TightBox())
    assert metrics['NME'] == pytest.approx(100 * 2 / 40)
    (study,) = run_studies(runner, 'tight boxes')
    assert study.recall[0] == 100 and study.ratio[0] == pytest.approx(1) and study.undetected == 0


def test_recall_and_ratio_of_a_detector(tested):
    """The detected boxes of faces 1 to 5 are 1 to 5 pixels higher than the tight ones, and the landmarks follow."""
    runner, metrics = tested(DetectedBox(middle), follow=1.0, offset=0.0)
    (study,) = run_studies(runner, 'boxes of `middle`')
    numbers = study.to_dict()
    own = [np.hypot(55 - 50, 55 + i - 60) for i in range(1, 6)]  # from the annotated centre to the detected one
    tight = [np.hypot(5, 5)] * 6
    assert (numbers['faces'], numbers['undetected']) == (6, 1)
    assert numbers['recall'] == pytest.approx(100 * 5 / 6)
    assert numbers['nme_detected'] == pytest.approx(100 * np.mean(own) / 40) == metrics['NME']
    assert numbers['nme_detected_tight_box'] == pytest.approx(100 * tight[0] / 40)
    assert numbers['ratio_to_tight_box'] == pytest.approx(np.mean(own) / tight[0])
    assert numbers['nme_undetected_tight_box'] == pytest.approx(100 * tight[0] / 40)
    assert numbers['intervals']['nme_undetected_tight_box'] == [None, None]
    assert '1 other faces' in study.text() and metrics['FR@0.1'] == pytest.approx(100)


@pytest.mark.fault('T04')
def test_a_detector_that_finds_no_face(tested, folder):
    runner, metrics = tested(DetectedBox(lambda image: np.zeros((0, 4))))
    studies = run_studies(runner, 'boxes of nothing')
    numbers = studies[0].to_dict()
    assert np.isnan(metrics['NME']) and metrics['FR@0.1'] == 100
    assert (numbers['recall'], numbers['undetected'], numbers['nme_detected'], numbers['ratio_to_tight_box']) == (
        0,
        6,
        None,
        None,
    )
    assert numbers['nme_undetected_tight_box'] == pytest.approx(5)
    conclude(runner, metrics, 'some.pth', work_dir=folder / 'out', studies=studies, detail=True)
    assert json.loads((folder / 'out/metrics.json').read_text())['per_face']['error'] == [None] * 6


def test_the_error_of_a_network_that_follows_the_box_grows_with_the_shift(tested):
    runner, _ = tested(follow=1.0, offset=0.0)
    (study,) = run_studies(runner, jitter=True)
    shifts = {level.noise: level.error for level in study.of_kind('shift')}
    assert shifts == pytest.approx({noise: 100 * noise * 70 / 40 for noise in (0, *SHIFTS)}, abs=1e-3)
    assert [level.error for level in study.of_kind('scale')] == pytest.approx([0] * 5, abs=1e-3)
    # a shift of sigma in x and in y
    assert study.still[0] == pytest.approx(100 * STILL_NOISE * np.sqrt(2) * 70 / 40, rel=0.25)
    assert [level.failures for level in study.of_kind('shift')] == [0, 0, 0, 100, 100]


def test_a_network_that_ignores_the_box_does_not_tremble(tested, folder):
    runner, metrics = tested()
    studies = run_studies(runner, 'boxes of the file', jitter=True)
    jitter = studies[1]
    assert [level.error for level in jitter.levels] == pytest.approx([5] * 9) and jitter.still[0] == pytest.approx(0)
    conclude(runner, metrics, 'some.pth', page=str(folder / 'page'), work_dir=folder / 'out', studies=studies)
    entry = json.loads((folder / 'out/metrics.json').read_text())
    assert entry['jitter']['shift'][0]['nme'] == pytest.approx(5) and entry['boxes']['recall'] == 100
    assert entry['bootstrap']['groups'] == 3 and 'pictures' in entry['bootstrap']['drawn']
    assert (folder / 'out/jitter.png').read_bytes()[:4] == b'\x89PNG'
    assert 'Jitter of the box' in (folder / 'page/index.html').read_text()


def test_the_ranks_share_the_faces(tested, monkeypatch):
    """Two processes, simulated one after the other, predict each face once, and the order is that of one process."""
    runner, _ = tested(follow=1.0)
    alone = predict_in_boxes(runner, only_box, 1)
    shares = []
    monkeypatch.setattr(recrop, 'get_world_size', lambda: 2)
    monkeypatch.setattr(recrop, 'gather', lambda rows: shares.append(rows) or shares)
    for rank in (0, 1):
        monkeypatch.setattr(recrop, 'get_rank', lambda rank=rank: rank)
        both = predict_in_boxes(runner, only_box, 1)
    assert [len(share) for share in shares] == [3, 3]
    assert np.array_equal(both, alone) and len(both) == len(collect_results(runner))


# -- the command line

TEST = ('test', 'plain.py', 'some.pth', '--work-dir', 'work')


def test_the_command_line(folder, monkeypatch, capsys):
    detectors = types.SimpleNamespace(find_detector={'middle': middle}.__getitem__)
    monkeypatch.setitem(sys.modules, 'facelmk.inference.detectors', detectors)
    options = ('--cfg-options', 'log_level=ERROR', f'experiment_name=recrop_{next(NUMBERS)}')
    words = ('--boxes', 'detector', '--detector', 'middle', '--jitter', '--detail', '--out', 'out.json')
    assert main([*TEST, *words, *options]) == 0
    printed = capsys.readouterr().out
    for word in (
        '95 % interval',
        'p95',
        'eyes',
        'inter_pupil',
        'NME of each landmark',
        'Boxes of middle',
        'shift by 5',
    ):
        assert word in printed, word
    entry = json.loads((folder / 'out.json').read_text())
    assert entry['boxes']['undetected'] == 1 and entry['detail']['region']['values']['eyes'] == pytest.approx(5)
    assert entry['detail']['percentile']['values']['p99'] is None  # one face of six has no box
    assert entry['detail']['landmark'] == pytest.approx([5] * 5) and (folder / 'work/jitter.png').is_file()


@pytest.mark.fault('T03')
@pytest.mark.parametrize(
    ('words', 'word'),
    [
        (('--boxes', 'file'), 'PlainFaces'),
        (('--boxes', 'tight', '--bbox-file', 'b.json'), '--bbox-file'),
        (('--detector', 'YuNet'), '--boxes detector'),
    ],
)
def test_options_that_do_not_fit_are_refused(folder, words, word, capsys):
    assert main([*TEST, *words]) == 2
    assert word in capsys.readouterr().err and not (folder / 'work/metrics.json').exists()


@pytest.mark.parametrize(
    ('name', 'boxes'),
    [('facelmk_nano', {'file'}), ('hrnetv2_w18_wflw', {'provided', 'file'}), ('res50_aflw', {'file'})],
)
def test_annotated_boxes_replace_tight_ones(name, boxes):
    config = load_config(name)
    choose_boxes(config, types.SimpleNamespace(boxes='file', detector=None, bbox_file=None))
    chosen = set()

    def visit(part):
        for key, value in part.items() if isinstance(part, dict) else enumerate(part if isinstance(part, list) else ()):
            chosen.update([value] if key == 'box' else [])
            visit(value)

    visit(config.test_dataloader.dataset)
    assert chosen <= boxes and chosen
