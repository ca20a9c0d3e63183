#!/bin/sh
# pair.sh DIR PORT PORT: a PostgreSQL server and its synchronous standby, on
# loopback, with their files in DIR, until the input ends; DIR goes with it.
#
# Says "ready". Then a line of the input does something, and is said again
# when it is done: "kill" ends the first server by SIGKILL, "promote" lets the
# second take its place.
set -eu
dir=$1 first=$2 second=$3
. "$(dirname "$0")/../support/postgres-here.sh"

sql() {
    as "$bin/psql" --no-psqlrc --quiet --host=127.0.0.1 --port="$first" --username=zhengming --dbname=postgres --command="$1"
}

own "$dir"
cd "$dir"
new_cluster first
start_cluster first "$first" "-c wal_level=replica -c max_wal_senders=5"
as "$bin/pg_basebackup" --host=127.0.0.1 --port="$first" --username=zhengming --pgdata=second --wal-method=stream \
    --checkpoint=fast --write-recovery-conf
start_cluster second "$second" ""
# After the copy was made: whoever takes the place waits for nobody.
sql "ALTER SYSTEM SET synchronous_standby_names = '*'"
sql "SELECT pg_reload_conf()" >/dev/null
sql "CREATE DATABASE zhengming"
echo ready
while read -r order; do
    case $order in
        kill) kill -KILL "$(head -n 1 first/postmaster.pid)" ;;
        promote) as "$bin/pg_ctl" --pgdata=second --wait promote >/dev/null ;;
    esac
    echo "$order"
done
as "$bin/pg_ctl" --pgdata=first --mode=immediate stop >/dev/null 2>&1 || true
as "$bin/pg_ctl" --pgdata=second --mode=immediate stop >/dev/null 2>&1 || true
cd /
rm -rf "$dir"
