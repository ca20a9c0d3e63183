#!/bin/sh
# How much memory the service holds when idle, on an empty store, after one
# request to each listener. At most 64 MiB.
#
#     cargo build --release && tests/bench/idle.sh [BINARY]
#
# Ports are the system's choice, and all that is written is removed.
set -eu

at_most_kib=65536
binary=${1:-${CARGO_TARGET_DIR:-target}/release/zhengming}
folder=$(mktemp -d)
service=
trap 'test -z "$service" || kill "$service" 2>/dev/null; wait; rm -rf "$folder"' EXIT

cat > "$folder/zhengming.toml" <<TOML
listen = "127.0.0.1:0"
admin_listen = "127.0.0.1:0"
data_dir = "$folder/data"
TOML
"$binary" --log-format json serve --config "$folder/zhengming.toml" 2> "$folder/log" &
service=$!

# The first line that names both addresses.
address() {
    sed -n "s/.*\"$1\":\"\([0-9.:]*\)\".*/\1/p" "$folder/log" | head -n 1
}
tries=100
until curl -fsS -o /dev/null "http://$(address admin_listen)/readyz" 2> /dev/null; do
    tries=$((tries - 1))
    if test "$tries" = 0 || ! kill -0 "$service" 2> /dev/null; then
        cat "$folder/log" >&2
        exit 1
    fi
    sleep 0.1
done
curl -fsS -o /dev/null "http://$(address listen)/v1/challenge"

grep -E '^(VmRSS|RssAnon|RssFile|VmHWM|Threads)' "/proc/$service/status"
rss_kib=$(sed -n 's/^VmRSS:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$service/status")
echo "idle: $((rss_kib / 1024)) MiB of at most $((at_most_kib / 1024))"
test "$rss_kib" -le "$at_most_kib"
