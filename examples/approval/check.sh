#!/bin/sh
# check.sh MOST: exit code 3 if more orders came than that.
set -eu
count=$(sqlite3 orders.db "SELECT count(*) FROM incoming")
echo "$count orders, $1 are usual"
test "$count" -le "$1" || exit 3
