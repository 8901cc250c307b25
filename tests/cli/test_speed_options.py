"""The options that choose precision and memory layout, and how they reach a config."""

import argparse

import pytest

from facelmk.cli.speed_options import add_speed, chosen_speed, put_speed, words_of_amp
from facelmk.errors import FacelmkError


def options(*words, training=True):
    parser = argparse.ArgumentParser()
    add_speed(parser, training)
    return parser.parse_args(words_of_amp(words))


@pytest.mark.parametrize(
    ('words', 'expected'),
    [
        (['--amp', 'my.py', '--resume'], ['--amp=auto', 'my.py', '--resume']),
        (['my.py', '--amp'], ['my.py', '--amp=auto']),
        (['my.py', '--amp', 'fp16'], ['my.py', '--amp', 'fp16']),
        (['my.py', '--amp=bf16'], ['my.py', '--amp=bf16']),
    ],
)
def test_the_word_after_amp_may_be_another_argument(words, expected):
    assert words_of_amp(words) == expected


def test_options_replace_switches_of_the_config_and_keep_the_others():
    config = dict(speed=dict(precision='bf16', compile=True))
    put_speed(config, options('--amp', 'fp16', '--channels-last', '--no-keep-memory'))
    assert config['speed'] == dict(precision='fp16', compile=True, channels_last=True, keep_memory=False)


def test_without_options_the_config_does_not_change():
    config: dict = {}
    put_speed(config, options())
    put_speed(config, options(training=False))
    assert config == {} and chosen_speed(options('--fast')) == dict(fast=True)


def test_a_misspelt_precision_is_refused():
    with pytest.raises(FacelmkError, match="'bf16'"):
        options('--amp=bf61')
