#!/bin/sh
# Takes over the orders. Whoever approved them sent who they are: one JSON line a signal.
set -eu
sqlite3 orders.db "CREATE TABLE orders AS SELECT * FROM incoming"
echo "loaded; approved by ${FERMATA_SIGNAL_COUNT:-0} signal(s): $(cat "${FERMATA_SIGNALS:-/dev/null}")"
