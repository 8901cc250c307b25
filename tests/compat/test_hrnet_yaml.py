"""The original HRNet's YAML files: its four published ones, its defaults, and what is refused."""

import logging
from pathlib import Path

import pytest
import yaml

from facelmk.cli.options import from_hrnet
from facelmk.compat.hrnet_yaml import DEFAULTS, read_hrnet
from facelmk.config import load_config
from facelmk.errors import FacelmkError, UnknownName

POINTS = {'300W': 68, 'AFLW': 19, 'COFW': 29, 'WFLW': 98}
TABLES = {
    '300W': ('./data/300w/face_landmarks_300w_train.csv', './data/300w/face_landmarks_300w_valid.csv'),
    'AFLW': ('./data/aflw/face_landmarks_aflw_train.csv', './data/aflw/face_landmarks_aflw_test.csv'),
    'COFW': ('./data/cofw/COFW_train_color.mat', './data/cofw/COFW_test_color.mat'),
    'WFLW': ('./data/wflw/face_landmarks_wflw_train.csv', './data/wflw/face_landmarks_wflw_test.csv'),
}
STAGE = '{{NUM_MODULES: {}, NUM_BRANCHES: {}, BLOCK: BASIC, NUM_BLOCKS: {}, NUM_CHANNELS: {}, FUSE_METHOD: SUM}}'
STAGES = [(1, 2, [4, 4], [18, 36]), (4, 3, [4] * 3, [18, 36, 72]), (3, 4, [4] * 4, [18, 36, 72, 144])]


def published(name: str) -> str:
    """The text of the published file of a data set."""
    train, test = TABLES[name]
    stages = '\n'.join(f'    STAGE{i}: {STAGE.format(*stage)}' for i, stage in enumerate(STAGES, 2))
    return f"""
GPUS: (0,)
WORKERS: 4
PRINT_FREQ: {20 if name == 'COFW' else 50}
DATASET:
  DATASET: {name}
  ROOT: './data{'' if name == 'COFW' else f'/{name.lower()}/images'}'
  TRAINSET: '{train}'
  TESTSET: '{test}'
  FLIP: true
  SCALE_FACTOR: 0.25
  ROT_FACTOR: 30
MODEL:
  NAME: 'hrnet'
  NUM_JOINTS: {POINTS[name]}
  INIT_WEIGHTS: true
  PRETRAINED: 'hrnetv2_pretrained/hrnetv2_w18_imagenet_pretrained.pth'
  SIGMA: {1.0 if name == '300W' else 1.5}
  IMAGE_SIZE: [256, 256]
  HEATMAP_SIZE: [64, 64]
  EXTRA:
    FINAL_CONV_KERNEL: 1
{stages}
TRAIN:
  BATCH_SIZE_PER_GPU: 16
  SHUFFLE: true
  BEGIN_EPOCH: 0
  END_EPOCH: 60
  RESUME: true
  OPTIMIZER: 'adam'
  LR: {0.0002 if name == 'AFLW' else 0.0001}
  WD: 0.0
  LR_STEP: [30, 50]
  MOMENTUM: 0.0
  NESTEROV: false
TEST:
  BATCH_SIZE_PER_GPU: 8
  FLIP_TEST: false
"""


def with_values(name: str, **changes: object) -> str:
    """A published file with some dotted keys changed, or removed by None."""
    content = yaml.safe_load(published(name))
    for dotted, value in changes.items():
        *parents, key = dotted.split('.')
        part = content
        for step in parents:
            part = part[step]
        part[key] = value
        if value is None:
            del part[key]
    return yaml.safe_dump(content)


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Loads a file of this content from the folder where the command runs."""
    monkeypatch.chdir(tmp_path)

    def load(content: str, options: dict | None = None, name: str = 'face_alignment_wflw_hrnet_w18.yaml'):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(content)
        return load_config(name, options)

    return load


@pytest.mark.parametrize('name', POINTS)
def test_a_published_file_changes_nothing_but_paths(name: str, load) -> None:
    """The configs hold the original's protocol: the training values of the file must be the same."""
    config = load(published(name), name=f'experiments/{name.lower()}/face_alignment_{name.lower()}_hrnet_w18.yaml')
    ours = load_config(f'hrnet_w18_{name.lower()}_orig')
    assert config.work_dir == f'output/{name}/face_alignment_{name.lower()}_hrnet_w18' and config.resume
    assert config.optim_wrapper.optimizer == ours.optim_wrapper.optimizer
    assert (config.train_cfg.max_epochs, config.model.codec) == (ours.train_cfg.max_epochs, ours.model.codec)
    assert [(step.type, step.milestones, step.gamma) for step in config.param_scheduler] == [
        ('MultiStepLR', [30, 50], 0.1)
    ]
    for phase, table in zip(('train', 'test'), TABLES[name], strict=True):
        loader = config[f'{phase}_dataloader']
        assert (loader.batch_size, loader.num_workers) == ({'train': 16, 'test': 8}[phase], 4)
        (layout,) = loader.dataset.layouts
        assert layout.ann_file.format(split=loader.dataset.split) == table.removeprefix('./')
        assert loader.dataset.pipeline == ours[f'{phase}_dataloader'].dataset.pipeline
    assert config.default_hooks.logger.interval == (20 if name == 'COFW' else 50)


def test_every_value_reaches_its_place(load, tmp_path: Path) -> None:
    (tmp_path / 'start.pth').touch()
    (tmp_path / 'lists').mkdir()
    for part in ('train', 'test', 'test_blur'):
        (tmp_path / f'lists/w_{part}.csv').touch()
    config = load(
        with_values(
            'WFLW',
            **{
                'OUTPUT_DIR': 'out',
                'GPUS': [0, 1],
                'WORKERS': 0,
                'PRINT_FREQ': 7,
                'CUDNN': {'BENCHMARK': False},
                'DATASET.ROOT': 'photos',
                'DATASET.TRAINSET': 'lists/w_train.csv',
                'DATASET.TESTSET': 'lists/w_test.csv',
                'DATASET.FLIP': False,
                'DATASET.SCALE_FACTOR': 0.1,
                'DATASET.ROT_FACTOR': 5,
                'MODEL.SIGMA': 2,
                'MODEL.IMAGE_SIZE': [128, 128],
                'MODEL.HEATMAP_SIZE': [32, 32],
                'MODEL.PRETRAINED': 'start.pth',
                'TRAIN.LR': '1e-3',
                'TRAIN.LR_STEP': 9,
                'TRAIN.LR_FACTOR': 0.5,
                'TRAIN.END_EPOCH': 3,
                'TRAIN.OPTIMIZER': 'sgd',
                'TRAIN.MOMENTUM': 0.9,
                'TRAIN.WD': 1e-2,
                'TRAIN.NESTEROV': True,
                'TRAIN.RESUME': False,
                'TRAIN.SHUFFLE': False,
                'TEST.FLIP_TEST': True,
            },
        ),
        name='mine.v2.yaml',
    )
    train, test = config.train_dataloader, config.test_dataloader
    assert config.work_dir == 'out/WFLW/mine' and not config.resume and config.model.flip_test
    assert (train.batch_size, test.batch_size, train.num_workers, train.sampler.shuffle) == (32, 16, 0, False)
    assert config.default_hooks.logger.interval == 7 and config.env_cfg.cudnn_benchmark is False
    crop = next(step for step in train.dataset.pipeline if 'rotate' in step)
    assert (crop.size, crop.flip, crop.rotate, crop.scale) == (128, 0, 5, (0.9, 1.1))
    assert next(step for step in test.dataset.pipeline if 'size' in step).size == config.model.size == 128
    assert (config.model.codec.sigma, config.model.backbone.pretrained) == (2, 'start.pth')
    assert config.optim_wrapper.optimizer == dict(type='SGD', lr=1e-3, momentum=0.9, weight_decay=1e-2, nesterov=True)
    (step,) = config.param_scheduler
    assert (step.type, step.step_size, step.gamma, config.train_cfg.max_epochs) == ('StepLR', 9, 0.5, 3)
    assert test.dataset.layouts[0].image_root == 'photos' and test.dataset.subset_files == {'blur': 'blur'}
    assert 'counts' not in test.dataset and test.dataset.markup == 'wflw'


def test_options_of_the_command_line_come_last(load) -> None:
    config = load(published('WFLW'), {'train_dataloader.batch_size': 4, 'model.flip_test': True})
    assert (config.train_dataloader.batch_size, config.model.flip_test) == (4, True)


def test_missing_start_weights_are_left_out_with_a_warning(load, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert load(published('300W')).model.backbone.pretrained is None
    assert 'hrnetv2_w18_imagenet_pretrained.pth' in caplog.text and 'hrnet_w18_300w_orig' in caplog.text


def test_missing_keys_have_the_originals_defaults(tmp_path: Path) -> None:
    (tmp_path / 'x.yaml').write_text('MODEL: {NUM_JOINTS: 19}')
    config = read_hrnet(tmp_path / 'x.yaml')
    assert config['MODEL'] == DEFAULTS['MODEL'] | {'NUM_JOINTS': 19}
    assert {key: value for key, value in config.items() if key != 'MODEL'} == {
        key: value for key, value in DEFAULTS.items() if key != 'MODEL'
    }
    assert (len(config['GPUS']), config['TRAIN']['LR'], config['TEST']['BATCH_SIZE_PER_GPU']) == (4, 1e-4, 32)


@pytest.mark.parametrize(
    ('changes', 'facts'),
    [
        ({'TRIAN': {}}, "no key 'TRIAN'. Did you mean 'TRAIN'"),
        ({'TRAIN.BATCH_SIZE': 8}, "no key 'TRAIN.BATCH_SIZE'. Did you mean 'BATCH_SIZE_PER_GPU'"),
        ({'MODEL.EXTRA.STAGE2.NUM_CHANELS': [18, 36]}, "Did you mean 'NUM_CHANNELS'"),
        ({'TRAIN': 3}, 'TRAIN is 3.*LR_FACTOR'),
        ({'TRAIN.LR': 'fast'}, "TRAIN.LR is 'fast'.*0.0001"),
        ({'DATASET.DATASET': 'WLFW'}, "Did you mean 'WFLW'"),
        ({'DATASET.TESTSET': 'x.txt'}, "DATASET.TESTSET is 'x.txt'.*.csv or .json"),
        ({'MODEL.NUM_JOINTS': 68}, 'MODEL.NUM_JOINTS is 68.*98'),
        ({'MODEL.EXTRA.STAGE4.NUM_CHANNELS': [18, 32, 72, 144]}, r'NUM_CHANNELS is .* \[18, 36, 72, 144\]'),
        ({'MODEL.EXTRA.STAGE3': None}, 'STAGE3.NUM_MODULES is 1.* 4'),
        ({'MODEL.TARGET_TYPE': 'Cauchy'}, "'Cauchy'.*'Gaussian'"),
        ({'MODEL.HEATMAP_SIZE': [32, 32]}, r'HEATMAP_SIZE is \[32, 32\]'),
        ({'TRAIN.OPTIMIZER': 'Adamm'}, "OPTIMIZER is 'Adamm'. Did you mean 'adam'"),
        ({'TRAIN.BEGIN_EPOCH': 3}, 'BEGIN_EPOCH is 3'),
    ],
)
def test_wrong_values_are_refused(changes: dict, facts: str, load) -> None:
    with pytest.raises(FacelmkError, match=facts) as error:
        load(with_values('WFLW', **changes))
    assert error.value.exit_code == 2 and 'face_alignment_wflw_hrnet_w18.yaml' in str(error.value)


def test_a_file_runs_no_code(load, tmp_path: Path) -> None:
    with pytest.raises(FacelmkError, match='python/object/apply:os.system'):
        load(f'GPUS: !!python/object/apply:os.system ["touch {tmp_path}/fired"]')
    with pytest.raises(FacelmkError, match='GPUS is'):
        load(f"GPUS: \"__import__('os').system('touch {tmp_path}/fired')\"")
    assert not (tmp_path / 'fired').exists()


@pytest.mark.parametrize(
    ('words', 'ours'),
    [
        ('train --cfg F.yaml', 'train F.yaml'),
        ('train --amp --cfg=F.yaml', 'train F.yaml --amp'),
        ('test --cfg F.yaml --model-file M.pth', 'test F.yaml M.pth'),
        ('test --model-file M.pth --cfg F.yaml --json', 'test F.yaml M.pth --json'),
        ('test F.yaml --model-file=M.pth', 'test F.yaml M.pth'),
        ('test c m --cfg-options a=1 b=2',) * 2,
    ],
)
def test_the_originals_options_are_translated(words: str, ours: str) -> None:
    assert from_hrnet(words.split()) == ours.split()


def test_a_yaml_config_of_facelmk_is_still_read(load) -> None:
    with pytest.raises(UnknownName, match='modle'):
        load('modle: {type: facelmk.FaceLandmarker}')
