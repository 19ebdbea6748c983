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

if command -v cargo-nextest >/dev/null; then
    cargo nextest run --workspace --no-fail-fast --no-tests=warn --success-output=never "$@" 2>&1 |
        tee target/test-output.txt
else
    cargo test --workspace --no-fail-fast "$@" -- --nocapture 2>&1 | tee target/test-output.txt
fi
# nextest hides the output of tests that pass: what they skipped is worth a line.
if grep -q '^ *skipped: ' target/test-output.txt; then
    echo
    echo "skipped on this machine:"
    grep -h '^ *skipped: ' target/test-output.txt | sort | uniq -c
fi
