#!/bin/sh
# postgres.sh DIR PORT: a new PostgreSQL server on loopback, with its files in
# DIR, until the input ends; DIR goes with it. Says "ready" when it answers.
set -eu
dir=$1 port=$2
bin=$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -n 1)

# The server does not run as root.
if [ "$(id -u)" = 0 ]; then
    chown postgres "$dir"
    as() { setpriv --reuid=postgres --regid=postgres --clear-groups "$@"; }
else
    as() { "$@"; }
fi

cd "$dir"
as "$bin/initdb" --pgdata=data --username=zhengming --auth=trust --encoding=UTF8 --locale=C >initdb.log 2>&1
as "$bin/pg_ctl" --pgdata=data --log=server.log --wait --options="-p $port -c listen_addresses=127.0.0.1 \
    -c unix_socket_directories= -c max_connections=500 -c autovacuum=off" start >/dev/null
echo ready
cat >/dev/null
as "$bin/pg_ctl" --pgdata=data --mode=immediate stop >/dev/null
cd /
rm -rf "$dir"
