#!/usr/bin/env bash
# tools/dist_test.sh CONFIG CHECKPOINT GPUS [options of test]; several machines: NNODES, NODE_RANK, MASTER_ADDR, PORT
set -eu
[ $# -ge 3 ] || { echo "usage: $0 CONFIG CHECKPOINT GPUS [options]" >&2; exit 2; }
config=$1 checkpoint=$2 gpus=$3
shift 3
tools=$(cd "$(dirname "$0")" && pwd)
. "$tools/dist_port.sh"
exec python -m facelmk.engine.launch --nnodes="${NNODES:-1}" --node-rank="${NODE_RANK:-0}" \
    --master-addr="${MASTER_ADDR:-127.0.0.1}" --master-port="$port" --nproc-per-node="$gpus" \
    "$tools/test.py" "$config" "$checkpoint" --launcher pytorch "$@"
