#!/usr/bin/env bash
# Measures what docs/benchmarks.md reports, each in a fresh process and against a rival on the same input in the same run.
#
#   ./bench.sh check REPOSITORY   `tickmark check` from nothing against `git log` with trailers, medians of five
#   ./bench.sh million            a million changes against DuckDB over the frozen tables, bulk load
#   ./bench.sh procedures         every procedure over 20,000 rows a table
#   ./bench.sh ledger FOLDER      the ledger's figures; put FOLDER on the disk that counts
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

case ${1:-} in
check) check "${2:?name a repository}" ;;
million) cargo bench -q -p conformance --bench million -- "${2:-1000000}" ;;
procedures) cargo bench -q -p conformance --bench content -- "${2:-20000}" ;;
ledger)
    cargo build --release -q -p store --example ledger_figures
    ./target/release/examples/ledger_figures "${2:?name a new folder}" "${3:-200000}"
    ;;
build)
    folder=$(mktemp -d)
    trap 'rm -rf "$folder"' EXIT
    seconds cargo build --release -q --timings --target-dir "$folder"
    ls -l "$folder/release/tickmark" | awk '{ print "binary " $5 " bytes" }'
    memory "$folder/release/tickmark"
    ;;
*)
    sed -n '4,8s/^# *//p' "$0"
    exit 2
    ;;
esac
