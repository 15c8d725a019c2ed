#!/bin/sh
# verify.sh INPUT: counts the input by other means than the import did, and compares with what stands in vendors.db and
# rejects.csv.
set -eu
count() {
    sqlite3 :memory: -cmd ".import --csv \"$1\" source" "ATTACH 'vendors.db' AS target" "$2"
}
expected=$(count "$1" "SELECT count(DISTINCT Assignment) FROM source WHERE trim(\"Organization Address\") <> ''")
found=$(count "$1" "SELECT count(*) FROM target.vendors")
missing=$(count "$1" "SELECT count(*) FROM source WHERE trim(\"Organization Address\") = ''")
rejected=$(($(sqlite3 :memory: -cmd ".import --csv rejects.csv reject" "SELECT count(*) FROM reject")))

echo "vendors: $found of $expected, rejected: $rejected of $missing"
test "$found" = "$expected" && test "$rejected" = "$missing"
