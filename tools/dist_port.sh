# Sets `port` for dist_train.sh and dist_test.sh: PORT, which must be free on the first machine; without PORT a free one.
if [ "${NODE_RANK:-0}" = 0 ]; then
    asked=${PORT:-}
    [ "${NNODES:-1}" = 1 ] || asked=${PORT:-29500}  # the other machines must know it
    port=$(python - "${asked:-0}" <<'END'
import socket, sys
try:
    with socket.create_server(('', int(sys.argv[1]))) as server:
        print(server.getsockname()[1])
except (OSError, OverflowError, ValueError) as error:
    sys.exit(f'PORT={sys.argv[1]}: this port cannot be used ({error}). Set PORT to a free one, '
             'or leave it out on one machine')
END
    ) || exit 2
else
    port=${PORT:-29500}
fi
