"""Networks in processes that were forked after torch has computed."""

import os

import torch

_process = os.getpid()


def use_one_thread_if_forked() -> None:
    """Let a forked process compute with one thread, as the workers of torch's DataLoader do.

    OpenMP's other threads exist in the parent alone, and the child would wait for them without an end.
    """
    global _process
    if _process != os.getpid():
        torch.set_num_threads(1)
        _process = os.getpid()
