#!/usr/bin/env bash
# Measures what docs/benchmarks.md reports, each in a fresh process and against a rival on the same input in the same run.
#
#   ./bench.sh check REPOSITORY   `tickmark check` from nothing against `git log` with trailers, medians of five
#   ./bench.sh million            a million changes against DuckDB over the frozen tables, bulk load
#   ./bench.sh year [CHANGES]     a year of a large company: every procedure, freezing, asking again after 100 more changes
#   ./bench.sh procedures         every procedure over 20,000 rows a table
#   ./bench.sh mutants [PROCEDURE]  what cases notice of a query with one thing changed
#   ./bench.sh ledger FOLDER      the ledger's figures; put FOLDER on the disk that counts
#   ./bench.sh access             import of 100,000 accounts and 2,000,000 grants, then who had access, 200 times
#   ./bench.sh import [ROWS]      `tickmark import` of a CSV file into a new workspace, medians of five
#   ./bench.sh build              a cold release build, with the crates that cost most; the binary and what it takes at rest
set -euo pipefail
cd "$(dirname "$0")"

median() { sort -n | sed -n 3p; }

seconds() { # of a command: wall clock
    local before after
    before=$(date +%s%N)
    "$@" >/dev/null
    after=$(date +%s%N)
    echo "scale=3; ($after - $before) / 1000000000" | bc
}

check() {
    cargo build --release -q
    local repository=$1 home
    home=$(mktemp -d)
    trap 'rm -rf "$home"' RETURN
    local git ours
    git=$(for _ in 1 2 3 4 5; do
        seconds git -C "$repository" log --format='%H %an %ae %at %cn %ce %ct %P %s%n%(trailers)'
    done | median)
    ours=$(for _ in 1 2 3 4 5; do
        rm -rf "$home/w"
        HOME=$home ./target/release/tickmark init "$home/w" >/dev/null
        HOME=$home seconds ./target/release/tickmark --workspace "$home/w" check "$repository" \
            --from 1990-01-01 --to 2100-01-01 --json
    done | median)
    echo "git log  $git s"
    echo "check    $ours s"
    echo "ratio    $(echo "scale=1; $ours / $git" | bc) (the goal is 5 times plus one second: $(echo "5 * $git + 1" | bc) s)"
}

memory() { # of a binary at rest: its peak in a small workspace that nobody is working in
    local binary=$1 home
    home=$(mktemp -d)
    trap 'rm -rf "$home"' RETURN
    git -C "$home" init -q -b main repository
    git -C "$home/repository" -c user.name=Ann -c user.email=ann@example.test commit -q --allow-empty -m one
    HOME=$home "$binary" check "$home/repository" >/dev/null 2>&1
    HOME=$home python3 -c '
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
print("peak memory of `ledger status`", resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024, "MiB")
' "$binary" ledger status
}

access() { # accounts grants
    cargo build --release -q
    local home tickmark=$PWD/target/release/tickmark
    home=$(mktemp -d)
    trap 'rm -rf "$home"' RETURN
    cd "$home"
    export HOME=$home
    awk -v n="$1" 'BEGIN { print "Key,Email,From"
        for (i = 0; i < n; i++) printf "%d,p%d@example.test,2024-01-01T00:00:00Z\n", i, i }' >accounts.csv
    printf 'table = "account"\nkey = "Key"\nscope = "hub"\n[columns]\nsystem = { constant = "hub" }\nkind = { constant = "human" }
valid_from = "From"\nvalid_to = { constant = "9999-12-31T23:59:59.999Z" }\n[display]\nemail = "Email"\n' >accounts.toml
    awk -v n="$2" -v a="$1" 'BEGIN { print "Id,System,Account,Role,From"
        for (i = 0; i < n; i++) printf "g%d,s%d,%d,r%d,2024-01-0%dT00:00:00Z\n", i, i % 40, i * 7919 % a, i % 50, i % 9 + 1 }' >grants.csv
    printf 'table = "access_grant"\nkey = "Id"\n[columns]\nsystem = "System"\naccount = { column = "Account", system = "hub" }
role = "Role"\nvalid_from = "From"\nvalid_to = { constant = "9999-12-31T23:59:59.999Z" }\n' >grants.toml
    "$tickmark" init w >/dev/null
    local s
    s=$(seconds "$tickmark" --workspace w import accounts.csv --map accounts.toml --yes)
    echo "import of $1 accounts $s s"
    s=$(seconds "$tickmark" --workspace w import grants.csv --map grants.toml --yes)
    echo "import of $2 grants $s s: $(echo "$2 / $s" | bc) rows/s (the goal is 100,000)"
    for i in $(seq 200); do
        seconds "$tickmark" --workspace w access --who "p$((i * 37 % $1))@example.test" --as-of 2025-01-01 --json
    done | sort -n >times
    echo "access, whole process: median $(sed -n 100p times) s, p99 $(sed -n 198p times) s (the goal is 0.050)"
}

import() {
    cargo build --release -q
    local rows=$1 home time
    home=$(mktemp -d)
    trap 'rm -rf "$home"' RETURN
    awk -v rows="$rows" 'BEGIN {
        print "Key,Summary,Created,Resolved"
        for (n = 1; n <= rows; n++)
            printf "OPS-%d,\"Oil pump %d, and the pipe\",2025-%02d-%02dT10:%02d:00Z,\n", n, n % 977, n % 12 + 1, n % 28 + 1, n % 60
    }' >"$home/tickets.csv"
    printf 'table = "ticket"\nkey = "Key"\n[columns]\nlabel = "Key"\ncreated_at = "Created"\nclosed_at = "Resolved"\n' \
        >"$home/tickets.toml"
    time=$(for _ in 1 2 3 4 5; do
        rm -rf "$home/w"
        HOME=$home ./target/release/tickmark init "$home/w" >/dev/null
        HOME=$home seconds ./target/release/tickmark --workspace "$home/w" import "$home/tickets.csv" \
            --map "$home/tickets.toml" --yes
    done | median)
    echo "import   $rows rows in $time s: $(echo "$rows / $time" | bc) rows/s (the goal is 100,000)"
}

case ${1:-} in
check) check "${2:?name a repository}" ;;
import) import "${2:-1000000}" ;;
million) cargo bench -q -p conformance --bench million -- "${2:-1000000}" ;;
year) cargo bench -q -p conformance --bench year -- "${2:-1000000}" ;;
procedures) cargo bench -q -p conformance --bench content -- "${2:-20000}" ;;
mutants) cargo bench -q -p conformance --bench mutants -- "${@:2}" ;;
ledger)
    cargo build --release -q -p store --example ledger_figures
    ./target/release/examples/ledger_figures "${2:?name a new folder}" "${3:-200000}"
    ;;
access) access "${2:-100000}" "${3:-2000000}" ;;
build)
    folder=$(mktemp -d)
    trap 'rm -rf "$folder"' EXIT
    seconds cargo build --release -q --timings --target-dir "$folder"
    ls -l "$folder/release/tickmark" | awk '{ print "binary " $5 " bytes" }'
    memory "$folder/release/tickmark"
    ;;
*)
    sed -n '4,13s/^# *//p' "$0"
    exit 2
    ;;
esac
