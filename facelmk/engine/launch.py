"""torchrun for tools/dist_*.sh: the exit code of the first cause, and one line for each rank that failed."""

import signal
import sys
from collections.abc import Sequence

from torch.distributed import run
from torch.distributed.elastic.multiprocessing.api import SignalException
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError

from ..errors import TrainingFault

_STOPPED = {-signal.SIGTERM, 128 + signal.SIGTERM}  # torchrun sends SIGTERM to the other ranks when one has failed


def main(arguments: Sequence[str] | None = None) -> int:
    """Start ranks as `torchrun` does and wait for them. torchrun itself always returns 1 and prints 50 lines."""
    try:
        run.main(None if arguments is None else list(arguments))
    except ChildFailedError as error:
        codes = {rank: failure.exitcode for rank, failure in sorted(error.failures.items())}
        for rank, code in codes.items():
            if code not in _STOPPED or _STOPPED.issuperset(codes.values()):
                print(f'facelmk: rank {rank} {_describe_exit(code)}', file=sys.stderr)
        return overall_exit_code(list(codes.values()))
    except SignalException as error:
        return 128 + int(error.sigval)
    return 0


def overall_exit_code(codes: Sequence[int]) -> int:
    """Return one exit code for all ranks: the smallest, because ranks that lost another rank end with 5."""
    causes = [code for code in codes if code not in _STOPPED] or codes
    return min((code for code in causes if code > 0), default=TrainingFault.exit_code)


def _describe_exit(code: int) -> str:
    if code >= 0:
        return f'ended with exit code {code}'
    return f'was killed by {signal.Signals(-code).name if -code in set(signal.Signals) else f"signal {-code}"}'


if __name__ == '__main__':
    sys.exit(main())
