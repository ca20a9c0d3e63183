#!/usr/bin/env bash
# run.sh FOLDER PORT: the peer on 127.0.0.1:PORT, with a PostgreSQL of its own
# whose files lie in FOLDER, an empty one. Says "ready" when all its processes
# can answer, and runs until SIGTERM or SIGINT, which end all that it started.
# FOLDER stays as it is then: it is the caller's.
set -euo pipefail

PROCESSES=2

main() {
    folder=$(realpath "$1") port=$2
    here=$(realpath "$(dirname "${BASH_SOURCE[0]}")")
    # shellcheck source=../../../it/support/postgres-here.sh
    . "${here}/../../../it/support/postgres-here.sh"
    # shellcheck source=../../../tools/install.sh
    . "${here}/../../../tools/install.sh"
    server=
    trap end EXIT
    trap 'exit 143' TERM
    trap 'exit 130' INT
    python=$(realpath --canonicalize-missing "${here}/../../../../target/tools/peers")
    install_python "${python}" "${here}/requirements.txt"
    cd "${folder}"
    start_database
    start_server
    echo ready
    # Not in the foreground: bash would hear no signal before its end.
    wait "${server}"
}

# What is acknowledged is durable, and what is dead is cleared away, as
# PostgreSQL has it by default; the sizes are for a machine that it shares.
start_database() {
    local database_port
    database_port=$(free_port)
    own "${folder}"
    new_cluster data
    start_cluster data "${database_port}" "-c fsync=on -c synchronous_commit=on -c autovacuum=on \
        -c shared_buffers=256MB -c max_wal_size=4GB"
    export DATABASE_URL="postgresql://zhengming@127.0.0.1:${database_port}/postgres"
    "${bin}/psql" --quiet --no-psqlrc --set=ON_ERROR_STOP=1 --file="${here}/schema.sql" "${DATABASE_URL}"
}

free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

start_server() {
    local log=uvicorn.log
    : >"${log}"
    # Compiled files would lie among the sources.
    PYTHONDONTWRITEBYTECODE=1 "${python}/bin/uvicorn" app:app --app-dir "${here}" --host 127.0.0.1 --port "${port}" \
        --workers "${PROCESSES}" --loop uvloop --http httptools \
        --no-access-log --no-proxy-headers --no-server-header >>"${log}" 2>&1 &
    server=$!
    until [[ $(grep --count "Application startup complete" "${log}") == "${PROCESSES}" ]]; do
        if ! kill -0 "${server}" 2>/dev/null; then
            cat "${log}" >&2
            exit 1
        fi
        sleep 0.1
    done
}

end() {
    if [[ -n ${server} ]]; then
        kill "${server}" 2>/dev/null || true
        wait "${server}" || true
    fi
    if [[ -e ${folder}/data/postmaster.pid ]]; then
        as "${bin}/pg_ctl" --pgdata="${folder}/data" --mode=immediate stop >/dev/null
    fi
}

main "$@"
