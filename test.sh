#!/usr/bin/env bash
# Runs every test. What third-party programs the tests need is prepared under target/ by the tests themselves (a Go
# verifier, DuckDB, a stand-in for GitHub) or used when installed (git, openssl, PostgreSQL, strace, node).
#
#   ./test.sh          what this machine cannot have is skipped, with the reason
#   TICKMARK_CI=1 ./test.sh   nothing may be skipped
#
# Arguments go to the test runner: ./test.sh -p assess
set -euo pipefail
cd "$(dirname "$0")"

# The licences of every dependency are tested, those of other systems, too; a build brings only this one's.
cargo fetch --quiet --locked || echo "not every dependency could be fetched"

built=${CARGO_TARGET_DIR:-target}
output=$built/test-output.txt
status=0
mkdir -p "$built"
if command -v cargo-nextest >/dev/null; then
    # The runner hides the output of tests that pass, and keeps it in a file.
    output=$built/nextest/all/junit.xml
    rm -f "$output"
    cargo nextest run --workspace --profile all --no-fail-fast --no-tests=warn "$@" || status=$?
else
    cargo test --workspace --no-fail-fast "$@" -- --nocapture 2>&1 | tee "$output" || status=$?
fi
# What was skipped is worth a line.
if grep -qs 'skipped: ' "$output"; then
    echo
    echo "skipped on this machine:"
    grep -ho 'skipped: .*' "$output" | sort | uniq -c
fi
exit "$status"
