# Sourced: where PostgreSQL's programs are, and as whom they run on a folder.
bin=$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -n 1)

# own DIR: the server does not run as root.
own() {
    if [ "$(id -u)" = 0 ]; then chown postgres "$1"; fi
}

as() {
    if [ "$(id -u)" = 0 ]; then
        setpriv --reuid=postgres --regid=postgres --clear-groups "$@"
    else
        "$@"
    fi
}

new_cluster() {
    as "$bin/initdb" --pgdata="$1" --username=zhengming --auth=trust --encoding=UTF8 --locale=C >"$1.initdb.log" 2>&1
}

# start_cluster DATA PORT OPTIONS
start_cluster() {
    as "$bin/pg_ctl" --pgdata="$1" --log="$1.log" --wait --options="-p $2 -c listen_addresses=127.0.0.1 \
        -c unix_socket_directories= -c max_connections=500 -c autovacuum=off $3" start >/dev/null
}
