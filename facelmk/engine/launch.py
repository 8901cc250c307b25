"""torchrun for tools/dist_*.sh: the exit code of what went wrong in a rank, and a line for each that says what."""

import signal
import sys
from collections.abc import Sequence

from torch.distributed import run
from torch.distributed.elastic.multiprocessing.api import SignalException
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError

from ..errors import TrainingFault


def main(arguments: Sequence[str] | None = None) -> int:
    """Start ranks as `torchrun` does and wait for them; torchrun's own exit code is always 1, with 50 lines."""
    try:
        run.main(None if arguments is None else list(arguments))
    except ChildFailedError as error:
        codes = {rank: failure.exitcode for rank, failure in sorted(error.failures.items())}
        stopped = -signal.SIGTERM  # torchrun ends the others so, once a rank has failed
        for rank, code in codes.items():
            if code != stopped or set(codes.values()) == {stopped}:
                print(f'facelmk: rank {rank} {_how(code)}', file=sys.stderr)
        return overall(list(codes.values()))
    except SignalException as error:
        return 128 + int(error.sigval)
    return 0


def overall(codes: Sequence[int]) -> int:
    """One exit code for all ranks: any below 5 is the cause, since 5 is also that of ranks that lost another one."""
    return min((code for code in codes if code > 0), default=TrainingFault.exit_code)


def _how(code: int) -> str:
    if code >= 0:
        return f'ended with exit code {code}'
    return f'was killed by {signal.Signals(-code).name if -code in set(signal.Signals) else f"signal {-code}"}'


if __name__ == '__main__':
    sys.exit(main())
