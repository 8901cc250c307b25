#!/usr/bin/env bash
# tools/dist_train.sh CONFIG GPUS [options of train]; several machines: NNODES, NODE_RANK, MASTER_ADDR, PORT
set -eu
[ $# -ge 2 ] || { echo "usage: $0 CONFIG GPUS [options]" >&2; exit 2; }
config=$1 gpus=$2
shift 2
tools=$(cd "$(dirname "$0")" && pwd)
. "$tools/dist_port.sh"
exec python -m facelmk.engine.launch --nnodes="${NNODES:-1}" --node-rank="${NODE_RANK:-0}" \
    --master-addr="${MASTER_ADDR:-127.0.0.1}" --master-port="$port" --nproc-per-node="$gpus" \
    "$tools/train.py" "$config" --launcher pytorch "$@"
