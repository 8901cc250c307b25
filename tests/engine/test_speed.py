"""The switches of `speed`: a run of a few steps with each of them, its checkpoint, its resume, its averages."""

import os
import socket
from contextlib import suppress

import pytest
import torch
from mmengine import Config
from torch import distributed, multiprocessing
from toy_runs import Toy

from facelmk.checkpoint import read_checkpoint
from facelmk.config import load_config
from facelmk.engine import fastest, runner, speed
from facelmk.engine.run import train
from facelmk.engine.speed import Speed, can_fuse, convert_weights, keep_layout, speed_up, warnings_of
from facelmk.errors import FacelmkError, MissingResource, UnknownName
from facelmk.registry import MODELS

CPU = torch.device('cpu')
QUICK = dict(type='QuickNet', width=8, widths=(8, 8, 8), depths=(0, 0, 0))
DRAWN = dict(type='SyntheticFaces', markup='aflw', count=8, size=32)
SWITCHES = {
    'bf16': dict(precision='bf16'),
    'channels_last': dict(channels_last=True, fused=True),
    'fp16': dict(precision='fp16'),
    'all': dict(precision='bf16', channels_last=True, fused=True, keep_memory=True),
}


@pytest.fixture(autouse=True)
def without_allocator(monkeypatch):
    monkeypatch.setattr(runner, 'reuse_freed_memory', lambda: True)  # it would last to the end of all tests


def network(**options):
    torch.manual_seed(0)
    model = dict(
        type='facelmk.FaceLandmarker',
        backbone=QUICK,
        head=dict(type='HeatmapHead'),
        codec=dict(type='Heatmap'),
        loss=dict(type='HeatmapMSELoss'),
        markup='aflw',
        size=32,
    )
    return model | options


def run_config(folder, switches, epochs=1, hooks=()):
    pipeline = [dict(type='CropFace', size=32), dict(type='PackFace')]
    return Config(
        dict(
            model=network(),
            work_dir=str(folder),
            default_scope='facelmk',
            log_level='ERROR',
            randomness=dict(seed=0),
            train_dataloader=dict(
                dataset=DRAWN | dict(pipeline=pipeline),
                batch_size=4,
                num_workers=0,
                sampler=dict(type='FaceSampler', shuffle=True),
                collate_fn=dict(type='facelmk.collate_faces'),
            ),
            train_cfg=dict(by_epoch=True, max_epochs=epochs),
            optim_wrapper=dict(optimizer=dict(type='Adam', lr=0.01)),
            default_hooks=dict(checkpoint=dict(type='CheckpointHook', interval=1)),
            custom_hooks=list(hooks),
            speed=switches,
        )
    )


def trained(folder, switches, *, resume=None, epochs=1, launcher='none', **options):
    return train(run_config(folder, switches, epochs, **options), resume, launcher=launcher)


@pytest.mark.parametrize('name', SWITCHES)
def test_a_checkpoint_is_the_same_with_every_switch(name, tmp_path):
    run = trained(tmp_path, SWITCHES[name], hooks=[dict(type='EMAHook')])
    saved = read_checkpoint(tmp_path / 'epoch_1.pth')
    plain = MODELS.build(network()).state_dict()
    for part in ('state_dict', 'ema_state_dict'):
        weights = {key.removeprefix('module.'): value for key, value in saved[part].items() if key != 'steps'}
        assert weights.keys() == plain.keys()
        assert all(value.is_contiguous() and value.dtype == plain[key].dtype for key, value in weights.items())
    state = [value for entry in saved['optimizer']['state'].values() for value in entry.values()]
    assert state and all(value.is_contiguous() for value in state if torch.is_tensor(value))
    assert run.model.precision == speed.DTYPES.get(SWITCHES[name].get('precision'))
    assert f'precision={SWITCHES[name].get("precision", "fp32")!r}' in saved['meta']['cfg']


def test_a_resumed_run_with_all_switches_ends_with_the_same_weights(tmp_path):
    """Also with a fused optimizer, whose state a checkpoint holds in another order than the network."""
    whole = trained(tmp_path / 'whole', SWITCHES['all'], epochs=2)
    trained(tmp_path / 'parts', SWITCHES['all'], epochs=1)
    rest = trained(tmp_path / 'parts', SWITCHES['all'], epochs=2, resume='auto')
    assert rest.iter == 4
    weights = [run.model.state_dict() for run in (whole, rest)]
    assert all(map(torch.equal, *(part.values() for part in weights)))


def test_a_resumed_fast_run_takes_the_switches_of_its_checkpoint(tmp_path, monkeypatch):
    trained(tmp_path, dict(precision='bf16', channels_last=True))
    monkeypatch.setattr(runner, 'choose_fastest', None)  # nothing is measured
    run = trained(tmp_path, dict(fast=True), epochs=2, resume='auto')
    assert run.model.precision == torch.bfloat16 and run.cfg.speed.channels_last


def test_fast_training_takes_what_is_measured_to_be_the_fastest(tmp_path, monkeypatch):
    seconds = {(torch.bfloat16, True): 2.0, (None, True): 1.0}
    measured = lambda network, *_: seconds.get((network.precision, is_channels_last(network)), 3.0)  # noqa: E731
    monkeypatch.setattr(fastest, '_seconds', measured)
    run = trained(tmp_path, dict(fast=True))
    expected = dict(precision='fp32', channels_last=True, compile=False, fused=can_fuse('Adam', CPU))
    assert run.cfg.speed == expected and run.model.precision is None and is_channels_last(run.model)


def is_channels_last(model):
    weights = [weight for weight in model.parameters() if weight.ndim == 4 and weight[0].numel() > weight.shape[1] > 1]
    return all(weight.is_contiguous(memory_format=torch.channels_last) for weight in weights)


def test_the_measurement_leaves_no_trace():
    model, state = MODELS.build(network()), torch.get_rng_state()
    chosen, ratio = fastest.choose_fastest(model, 32, Speed(fast=True), CPU, training=True)
    assert chosen.precision in ('fp32', 'bf16') and chosen.channels_last in (True, False) and ratio >= 1
    assert torch.equal(torch.get_rng_state(), state)


def test_without_fp32_among_the_candidates_no_ratio_is_logged(tmp_path):
    config = Config(dict(model=network(), optim_wrapper=dict(optimizer=dict(type='Adam'))))
    _, line = runner._fastest(config, Speed(precision='bf16', fast=True), CPU, training=True, resumed=None)
    assert line.startswith('--fast: bf16') and 'fp32' not in line


def test_a_fixed_switch_is_not_measured():
    found = list(fastest.candidates(Speed(precision='fp16', fast=True), CPU))
    assert [(one.precision, one.channels_last) for one in found] == [('fp16', True), ('fp16', False)]


def test_a_network_that_predicts_keeps_its_weights_in_its_precision():
    """Once converted, they give what autocast makes of them in each call."""
    model, inputs = MODELS.build(network()).eval(), torch.rand(2, 3, 32, 32)
    plain = model(inputs)[-1]
    speed_up(model, Speed('bf16'))
    expected = model(inputs)[-1]
    convert_weights(model)
    assert torch.equal(model(inputs)[-1], expected) and not torch.equal(plain, expected)
    assert {value.dtype for value in model.buffers() if value.is_floating_point()} == {torch.float32}
    assert (plain - expected).abs().max() < 0.02 * plain.abs().max()


def test_backbone_and_head_are_compiled(monkeypatch):
    compiled = []
    monkeypatch.setattr(torch.nn.Module, 'compile', lambda part: compiled.append(part))
    model = MODELS.build(network())
    speed_up(model, Speed(compile=True))
    assert compiled == [model.backbone, model.head]


def test_compiling_needs_a_compiler(monkeypatch):
    monkeypatch.setattr(speed.shutil, 'which', lambda name: None)
    with pytest.raises(MissingResource, match='C\\+\\+ compiler'):
        speed.check_compiler(CPU)


@pytest.mark.slow
def test_a_compiled_network_trains_as_the_eager_one(tmp_path):
    losses = []
    for name, switches in (('eager', {}), ('compiled', dict(compile=True))):
        run = trained(tmp_path / name, switches, hooks=[dict(type='EMAHook')])
        losses.append(run.message_hub.get_scalar('train/loss').data[0].copy())
    eager, compiled = (history[-2:] for history in losses)  # other runs of this process may have written before
    assert len(eager) == 2 and compiled == pytest.approx(eager, rel=1e-4)


def test_the_state_of_an_optimizer_gets_the_layout_of_its_weight():
    weight = torch.nn.Parameter(torch.rand(4, 3, 2, 2).to(memory_format=torch.channels_last))
    optimizer = torch.optim.Adam([weight], fused=True)
    state = torch.rand(4, 3, 2, 2)
    optimizer.state[weight] = dict(step=torch.tensor(1.0), exp_avg=state, exp_avg_sq=state.clone())
    keep_layout(optimizer)
    (found,) = optimizer.state.values()
    assert found['exp_avg'].stride() == weight.stride() and torch.equal(found['exp_avg'], state)


def test_only_optimizers_with_a_fused_form_are_fused():
    assert not can_fuse('RMSprop', CPU) and can_fuse('Adam', CPU)


def test_a_cpu_without_bfloat16_is_warned_about(monkeypatch):
    monkeypatch.setattr(speed, '_cpu_flags', lambda: {'avx2', 'avx512f'})
    (line,) = warnings_of(Speed('bf16'), CPU)
    assert 'bf16' in line and 'CPU' in line and warnings_of(Speed('fp32'), CPU) == []
    assert next(fastest.candidates(Speed(fast=True), CPU)).precision == 'fp32'
    for known in ({'avx512_bf16'}, {'bf16', 'asimd'}, set()):  # x86, ARM, a system that does not say
        monkeypatch.setattr(speed, '_cpu_flags', lambda known=known: known)
        assert warnings_of(Speed('bf16'), CPU) == []


def test_only_our_networks_have_switches():
    speed_up(Toy(), Speed())
    with pytest.raises(FacelmkError, match='Toy'):
        speed_up(Toy(), Speed('bf16'))


@pytest.mark.parametrize(
    ('values', 'words'), [('bf61', "'bf16'"), (dict(chanels_last=True), "'channels_last'"), ('fsat', "'fast'")]
)
def test_a_misspelt_switch_of_load_is_refused(values, words):
    with pytest.raises(UnknownName, match=words):
        Speed.read(values)


@pytest.mark.parametrize(
    ('option', 'value', 'words'),
    [('precision', 'bf61', "'bf16'"), ('chanels_last', True, "'channels_last'"), ('fused', 3, 'fused=3')],
)
def test_a_misspelt_switch_of_a_config_is_refused(option, value, words):
    with pytest.raises(FacelmkError, match=words):
        load_config('quickstart', {f'speed.{option}': value})


def work(rank, port, folder):
    os.environ.update(
        MASTER_ADDR='127.0.0.1', MASTER_PORT=str(port), RANK=str(rank), WORLD_SIZE='2', LOCAL_RANK=str(rank)
    )
    run = trained(folder, SWITCHES['all'], launcher='pytorch')
    torch.save({name: value.detach() for name, value in run.model.module.named_parameters()}, folder / f'{rank}.pth')
    distributed.barrier()
    os._exit(0)


@pytest.mark.skipif(torch.cuda.is_available(), reason='with GPUs the ranks use NCCL')
def test_two_ranks_with_all_switches_train_the_same_weights(tmp_path):
    with socket.socket() as unused:
        unused.bind(('127.0.0.1', 0))
        port = unused.getsockname()[1]
    with suppress(SystemExit):
        multiprocessing.start_processes(work, (port, tmp_path), nprocs=2, start_method='fork')
    ranks = [torch.load(tmp_path / f'{rank}.pth') for rank in (0, 1)]
    assert all(map(torch.equal, *(part.values() for part in ranks)))
    initial = MODELS.build(network()).state_dict()
    assert any(not torch.equal(value, initial[name]) for name, value in ranks[0].items())
