"""`facelmk bench`: speed and memory of facelmk beside those of MMPose-style code, on this machine, as ratios.

Each part is a module with `rows(options)`. The code that it is compared with is in baseline/.
"""

PARTS = {
    'loader': 'pictures, crops and batches',
    'codec': 'targets and decoding',
    'metric': 'NME, failure rate, AUC',
    'step': 'training steps',
    'predict': 'one picture',
    'stages': 'where the time of one picture goes',
    'imports': 'the start of commands',
    'scale': 'large annotation files',
}
