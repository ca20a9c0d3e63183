#!/bin/sh
# postgres.sh DIR PORT: a new PostgreSQL server on loopback, with its files in
# DIR, until the input ends; DIR goes with it. Says "ready" when it answers.
set -eu
dir=$1 port=$2
. "$(dirname "$0")/postgres-here.sh"

own "$dir"
cd "$dir"
new_cluster data
start_cluster data "$port" ""
echo ready
cat >/dev/null
as "$bin/pg_ctl" --pgdata=data --mode=immediate stop >/dev/null
cd /
rm -rf "$dir"
