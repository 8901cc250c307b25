# sets `port` for dist_train.sh and dist_test.sh: PORT, which must be free where the ranks meet; without PORT a free one
if [ "${NODE_RANK:-0}" = 0 ]; then
    wanted=${PORT:-}
    [ "${NNODES:-1}" = 1 ] || wanted=${PORT:-29500}  # the other machines must know it
    port=$(python - "${wanted:-0}" <<'END'
import socket, sys
try:
    with socket.create_server(('', int(sys.argv[1]))) as free:
        print(free.getsockname()[1])
except (OSError, OverflowError, ValueError) as error:
    sys.exit(f'PORT={sys.argv[1]}: the ranks cannot meet at this port ({error}). Set PORT to a free one'
             ', or leave it out for one machine')
END
    ) || exit 2
else
    port=${PORT:-29500}
fi
