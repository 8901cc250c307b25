"""All places where mmengine builds something from a config, from its source, with a foreign part at each of them."""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mmengine
import pytest
from mmengine import registry as roots
from mmengine.hooks import Hook
from mmengine.registry import DefaultScope, Registry
from mmengine.runner import Runner

from facelmk.cli import main
from facelmk.config import load_config
from facelmk.errors import FacelmkError
from facelmk.registry import BACKBONES, registered_parts_only

MODULE = 'canary_part'  # in the current folder; writes the file `canary` when it is imported
FOREIGN = {  # values of `type` that no registry of facelmk or mmengine holds
    'function': 'os.system',
    'module of the folder': MODULE,
    'class of the folder': f'{MODULE}.H',
    'builtin': 'eval',
    'builtin by its module': 'builtins.exec',
    'class by its path': 'torch.optim.SGD',
    "mmengine's by its path": 'mmengine.hooks.EMAHook',
    "facelmk's by its path": 'facelmk.models.FaceLandmarker',
    'other scope': 'mmdet.FasterRCNN',
    'scope of the folder': f'{MODULE}.EMAHook',
    'nothing': None,
    'number': 3,
    'list': [f'{MODULE}.H'],
    'part as a type': dict(type=f'{MODULE}.H'),
}
OPTIM = "optim_wrapper = dict(optimizer=dict(type='SGD', lr=1){})"
OPTIMIZER = 'optim_wrapper = dict(optimizer={})'
WRAPPED = "model_wrapper_cfg = dict(type='MMFullyShardedDataParallel', {})"
FSDP = "strategy = dict(type='FSDPStrategy', {})"
DATASET = "val_dataloader['dataset'] = "
TTA = "custom_hooks = [dict(type='PrepareTTAHook', tta_cfg={})]"
LOADER = ['dataset', 'sampler', 'batch_sampler', 'collate_fn', 'worker_init_fn']
PART, NAME = '<part>', '<name>'
LOADER_LINES = [f"val_dataloader['{key}'] = <part>" for key in LOADER]
LOOP_LINES = [f'{phase}_cfg = <part>' for phase in ('train', 'val', 'test')]
PLACES: dict[str, list[str] | str] = {  # function of mmengine: lines of a config that lead there, or why none does
    'Runner.build_model': ['model = <part>'],
    'Runner.wrap_model': ['model_wrapper_cfg = <part>'],
    'Runner.build_visualizer': ['visualizer = <part>'],
    'Runner.build_optim_wrapper': ['optim_wrapper = <part>', OPTIM.format(', type=<name>')],
    'Runner._build_param_scheduler': [
        'param_scheduler = [<part>]',
        'param_scheduler = <part>',
        'param_scheduler = dict(a=[<part>])',
        'param_scheduler = [dict(type=<name>, convert_to_iter_based=True)]',
    ],
    'Runner.build_evaluator': ['val_evaluator = <part>', 'test_evaluator = [<part>]'],
    'Runner.build_dataloader': LOADER_LINES,
    'Runner.build_train_loop': LOOP_LINES,
    'Runner.build_val_loop': LOOP_LINES,
    'Runner.build_test_loop': LOOP_LINES,
    'Runner.build_log_processor': ['log_processor = <part>'],
    'Runner.register_hook': ['default_hooks.update(timer=<part>)', 'custom_hooks = [<part>]'],
    'FlexibleRunner.build_strategy': ['strategy = <part>', 'runner_type = <name>'],
    'FlexibleRunner.build_visualizer': ['visualizer = <part>'],
    'FlexibleRunner.build_evaluator': ['test_evaluator = <part>'],
    'FlexibleRunner.build_dataloader': LOADER_LINES,
    'FlexibleRunner.build_train_loop': LOOP_LINES,
    'FlexibleRunner.build_val_loop': LOOP_LINES,
    'FlexibleRunner.build_test_loop': LOOP_LINES,
    'FlexibleRunner.build_log_processor': ['log_processor = <part>'],
    'FlexibleRunner.register_hook': ['default_hooks.update(mine=<part>)'],
    'BaseStrategy.build_model': ['model = <part>'],
    'BaseStrategy.build_optim_wrapper': ['optim_wrapper = <part>'],
    'BaseStrategy._build_param_scheduler': ['param_scheduler = [<part>]'],
    'DDPStrategy._wrap_model': ["strategy = dict(type='DDPStrategy', model_wrapper=<part>)"],
    'FSDPStrategy._wrap_model': [
        FSDP.format('model_wrapper=<part>'),
        FSDP.format('activation_checkpointing=dict(check_fn=<name>)'),
        FSDP.format('activation_checkpointing=dict(checkpoint_wrapper_fn=<part>)'),
    ],
    'FSDPStrategy._init_state_dict_cfg': [FSDP.format('state_dict_cfg=dict(state_dict_config=<part>)')],
    'FSDPStrategy.build_optim_wrapper': ['optim_wrapper = <part>'],
    'FSDPStrategy._build_param_scheduler': ['param_scheduler = [<part>]'],
    'ColossalAIStrategy.prepare': ['optim_wrapper = <part>'],
    'ColossalAIStrategy._build_plugin': ["strategy = dict(type='ColossalAIStrategy', plugin=<part>)"],
    'ColossalAIStrategy._build_mixed_precision': ["strategy = dict(type='ColossalAIStrategy', mixed_precision=<part>)"],
    'ColossalAIStrategy._wrap': ["strategy = dict(type='ColossalAIStrategy', model_wrapper=<part>)"],
    'Compose.__init__': [DATASET + "dict(type='SyntheticFaces', pipeline=[<part>])", 'val_pipeline = [<part>]'],
    'ConcatDataset.__init__': [DATASET + "dict(type='ConcatDataset', datasets=[<part>])"],
    'RepeatDataset.__init__': [DATASET + "dict(type='RepeatDataset', dataset=<part>, times=2)"],
    'ClassBalancedDataset.__init__': [DATASET + "dict(type='ClassBalancedDataset', dataset=<part>)"],
    'Evaluator.__init__': ["val_evaluator = dict(type='Evaluator', metrics=[<part>])"],
    'EMAHook.before_run': ["custom_hooks = [dict(type='EMAHook', ema_type=<name>)]"],
    'PrepareTTAHook.before_test': [TTA.format('<part>')],
    'build_runner_with_tta': [TTA.format("dict(type='BaseTTAModel', module=<part>)"), 'tta_model = <part>'],
    'BaseModel.__init__': ["model['data_preprocessor'] = <part>", 'data_preprocessor = <part>'],
    'BaseTTAModel.__init__': [TTA.format("dict(type='BaseTTAModel', module=<part>)")],
    'MMFullyShardedDataParallel.__init__': [
        WRAPPED.format('auto_wrap_policy=<name>'),
        WRAPPED.format('auto_wrap_policy=<part>'),
        WRAPPED.format('param_init_fn=<name>'),
        WRAPPED.format('param_init_fn=<part>'),
    ],
    'MMFullyShardedDataParallel.__init__.parse_dtype': [WRAPPED.format('mixed_precision=dict(param_dtype=<name>)')],
    'build_optim_wrapper': [OPTIM.format(', constructor=<name>')],
    'DefaultOptimWrapperConstructor.__call__': [OPTIMIZER.format('<part>'), 'optim_wrapper = <part>'],
    'ZeroRedundancyOptimizer.__init__': [
        OPTIMIZER.format("dict(type='ZeroRedundancyOptimizer', optimizer_type=<name>)")
    ],
    'Visualizer.__init__': ["visualizer = dict(type='Visualizer', vis_backends=[<part>])"],
    'Registry.switch_scope_and_registry': ["model['_scope_'] = <name>", 'default_scope = <name>'],
    'Registry.get': ["model['init_cfg'] = <part>", 'custom_hooks = [[dict(x=(<part>,))]]', "model['head'] = <part>"],
    'Config.fromfile': ['custom_imports = dict(imports=[<name>])', "model['custom_imports'] = <part>"],
    'MemcachedBackend.__init__': [
        "default_hooks.update(checkpoint=dict(type='CheckpointHook', {}))".format(
            "backend_args=dict(backend='memcached', server_list_cfg='a', client_cfg='b', sys_path='.')"
        ),
        "default_hooks.update(logger=dict(type='LoggerHook', file_client_args=dict(backend='memcached', sys_path='.')))",
        DATASET
        + "dict(type='RepeatDataset', pipeline=[dict(type='LoadImageFromFile', {}=dict(sys_path='.'))])".format(
            'backend_args'
        ),
    ],
    'Runner._maybe_compile': ["compile = dict(options={'cpp.cxx': (None, 'touch canary')})", 'compile = <part>'],
    'ProfilerHook._parse_trace_config': ["custom_hooks = [dict(type='ProfilerHook', on_trace_ready=<part>)]"],
    'Config._file2dict': 'runs a file that is more than data; --safe-config does not reach it',
    'Config._parse_lazy_import': 'the same',
    'Config._get_base_files': 'the same',
    'LazyObject.build': 'stands for an import of a program; `evaluate` makes none',
    'Registry.import_from_location': 'imports the locations that facelmk names',
    'AmpOptimWrapper.__init__': 'takes an attribute of torch as a data type and calls nothing',
    'register_torch_optimizers': 'names of torch.optim, when mmengine is imported',
    'register_torch_npu_optimizers': 'the same',
    'get_torchvision_models': 'names of the modules of torchvision',
    'import_modules_from_strings': 'called for custom_imports alone',
    '_check_py_package': 'no config reaches it',
    '_check_executable': 'no config reaches it',
    'BaseStrategy.compile_model': 'the same key as Runner._maybe_compile',
    'get_object_from_string': 'called by Registry.get',
    'get_model': 'mmengine.hub, which no run calls',
    'BaseInferencer._get_repo_or_mim_dir': 'no run calls it',
    'BaseInferencer._init_model': 'no run calls it',
    'BaseInferencer._init_visualizer': 'no run calls it',
    'DVCLiveVisBackend._init_env': 'a fixed command',
    '_minimal_ext_cmd': 'a fixed command',
}
LINES = sorted({line for lines in PLACES.values() if not isinstance(lines, str) for line in lines})
RUNS = {'exec', 'eval', 'system', 'Popen', 'call', 'check_output', 'getoutput', '__import__'}
IMPORTS = {'import_module', 'get_object_from_string', 'import_modules_from_strings'}
UNREACHED = ('testing/', 'utils/dl_utils/collect_env.py', 'utils/package_utils.py', 'dist/utils.py')  # fixed commands
PLAIN = (
    'model = dict(type="facelmk.FaceLandmarker", backbone=dict(type="QuickNet"), head=dict(type="RegressionHead"), '
    'codec=dict(type="Coordinates"), loss=dict(type="WingLoss"))\n'
    'default_hooks = dict()\nval_dataloader = dict(dataset=dict(type="SyntheticFaces", count=2))\n'
)


def calls_of_mmengine() -> Iterator[tuple[str, ast.Call]]:
    """Each call in mmengine with the function around it."""
    root = Path(mmengine.__file__).parent
    for path in root.rglob('*.py'):
        if not str(path.relative_to(root)).startswith(UNREACHED):
            nodes: list[tuple[str, ast.AST]] = [('', ast.parse(path.read_text(encoding='utf-8')))]
            for name, node in nodes:
                inner = f'{name}.{node.name}'.strip('.') if isinstance(node, (ast.FunctionDef, ast.ClassDef)) else name
                nodes += [(inner, child) for child in ast.iter_child_nodes(node)]
                if isinstance(node, ast.Call):
                    yield name, node


def resolves(call: ast.Call) -> bool:
    """Whether a call builds from a registry, imports, or runs something by a name."""
    text = ast.unparse(call.func)
    owner, _, name = text.rpartition('.')
    if name in ('build', 'get') and owner.isupper():
        return True
    if name == 'getattr' and 'torch' in ast.unparse(call.args[0]) and not isinstance(call.args[1], ast.Constant):
        return True
    imports = name in IMPORTS or text in ('sys.path.append', 'sys.path.insert', 'torch.compile')
    return imports or (name in RUNS and owner in ('', 'os', 'subprocess'))


@pytest.mark.fault('O01')
def test_the_table_has_each_place_of_mmengine() -> None:
    """A place that a later mmengine adds must be added to PLACES, with a config that leads there."""
    found = {name for name, call in calls_of_mmengine() if resolves(call)}
    assert len(found) > 50 and found - set(PLACES) == set()
    here = {'ProfilerHook._parse_trace_config'}  # interprets a type without a registry
    assert set(PLACES) - found - here == set(), 'mmengine has no such place any more'


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with modules that write the file `canary` when they are imported."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    text = f'open({str(tmp_path / "canary")!r}, "w")\nclass H:\n    def __init__(self, **options):\n        pass\n'
    for name in (MODULE, 'mc'):
        monkeypatch.delitem(sys.modules, name, raising=False)
        (tmp_path / f'{name}.py').write_text(text)
    return tmp_path


def assert_nothing_ran(folder: Path) -> None:
    assert not (folder / 'canary').exists() and not {MODULE, 'mc', 'mmdet'} & set(sys.modules)


@pytest.mark.parametrize('line', LINES)
@pytest.mark.fault('O01', 'O03')
def test_a_foreign_part_is_refused_at_each_place(line: str, folder: Path) -> None:
    for value in FOREIGN.values():
        if NAME in line and not isinstance(value, str):
            continue
        text = line.replace(PART, f'dict(type={value!r}, command="touch canary")').replace(NAME, repr(value))
        (folder / 'my.py').write_text(PLAIN + text + '\n')
        with pytest.raises(FacelmkError) as error:
            load_config('my.py', safe=True)
        key = re.split(r'[ .\[(]', text)[0]
        assert error.value.exit_code == 2 and key in str(error.value) and 'my.py' in str(error.value), text
        assert_nothing_ran(folder)


def parts(value: Any, path: tuple = ()) -> Iterator[tuple]:
    """The paths of all parts of a complete config."""
    if isinstance(value, dict) and 'type' in value:
        yield path
    for key, child in value.items() if isinstance(value, dict) else enumerate(value):
        if isinstance(child, (dict, list, tuple)):
            yield from parts(child, (*path, key))


def test_a_foreign_part_is_refused_in_the_place_of_each_part_of_a_complete_config(folder: Path) -> None:
    values = load_config('quickstart')._cfg_dict.to_dict()
    places = list(parts(values))
    assert len(places) > 20
    for place in places:
        owner = values
        for key in place:
            owner = owner[key]
        before, owner['type'] = owner['type'], f'{MODULE}.H'
        (folder / 'my.py').write_text('\n'.join(f'{key} = {value!r}' for key, value in values.items()))
        owner['type'] = before
        with pytest.raises(FacelmkError) as error:
            load_config('my.py', safe=True)
        dotted = re.sub(r'\.(\d+)', r'[\1]', '.'.join(map(str, place)))
        assert f'{dotted}.type=' in str(error.value)
    (folder / 'my.py').write_text('\n'.join(f'{key} = {value!r}' for key, value in values.items()))
    assert load_config('my.py', safe=True).model == load_config('quickstart').model
    assert_nothing_ran(folder)


ROOTS = sorted(name for name, value in vars(roots).items() if isinstance(value, Registry) and name != 'LOG_PROCESSOR')


@pytest.mark.parametrize('name', [*ROOTS, 'BACKBONES'])
@pytest.mark.fault('O02')
def test_no_registry_resolves_a_foreign_part_while_it_builds(name: str, folder: Path) -> None:
    """The rule itself, wherever a part comes from: a hook, a library, a config that was not checked."""
    registry = getattr(roots, name, BACKBONES)
    kinds = [kind for kind in FOREIGN.values() if isinstance(kind, str)]
    with registered_parts_only():
        for kind in kinds:
            with pytest.raises((FacelmkError, KeyError)):
                registry.build(dict(type=kind) if name != 'RUNNERS' else dict(runner_type=kind))
            assert registry.get(kind) is None
        with pytest.raises((FacelmkError, KeyError, RuntimeError)):
            registry.build(dict(type='H', runner_type='H', _scope_=MODULE))
        with DefaultScope.overwrite_default_scope(MODULE), pytest.raises((FacelmkError, KeyError, RuntimeError)):
            registry.build(dict(type='H', runner_type='H'))
        assert_nothing_ran(folder)
        with registered_parts_only(False):
            assert registry.get(f'{MODULE}.H') is None
    if name != 'BACKBONES':
        assert registry.get(f'{MODULE}.H').__name__ == 'H'
        assert (folder / 'canary').exists()


@pytest.mark.fault('O02')
def test_the_rule_holds_until_a_verb_ends(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hook that mmengine would import as late as the run starts."""
    found = []

    def run(runner: Runner) -> None:
        found.append(roots.HOOKS.get(f'{MODULE}.H'))

    monkeypatch.setattr(Runner, 'train', run)
    options = ['train_dataloader.dataset.count=4', 'train_dataloader.dataset.cache=None', 'work_dir=out']
    assert main(['train', 'quickstart', '--safe-config', '--cfg-options', *options]) == 0
    assert found == [None] and roots.HOOKS.get('IterTimerHook') is not None
    assert_nothing_ran(folder)
    assert issubclass(roots.HOOKS.get('mmengine.hooks.IterTimerHook'), Hook)  # the rule ends with the verb
