#!/usr/bin/env bash
# Runs the browser tests of e2e/ with Debian's chromium against a site that is being served.
#
#   tools/e2e.sh install                  install playwright-core and axe-core into target/e2e
#   tools/e2e.sh run BASE LINK PICTURES   come in by the one-time LINK, go through the site at BASE, keep pictures
#
# Packages are pinned; nothing of them is committed. The browser is the system's: none is downloaded.
set -euo pipefail
root="$(cd "$(dirname "$0")/.." && pwd)"
dir="${CARGO_TARGET_DIR:-$root/target}/e2e"

install() {
  [ -d "$dir/node_modules/playwright-core" ] && [ -d "$dir/node_modules/axe-core" ] && return 0
  mkdir -p "$dir"
  # Two test programs may come here at once.
  exec 9>"$dir/.lock"
  flock 9
  [ -d "$dir/node_modules/playwright-core" ] && [ -d "$dir/node_modules/axe-core" ] && return 0
  [ -f "$dir/package.json" ] || echo '{"private":true}' >"$dir/package.json"
  npm install --prefix "$dir" --no-audit --no-fund --silent playwright-core@1.65.1 axe-core@4.14.1
}

case "${1:-}" in
  install) install ;;
  run)
    install
    # Modules are found beside the script that asks for them.
    cp "$root/e2e/site.mjs" "$dir/site.mjs"
    exec node "$dir/site.mjs" "$2" "$3" "$4"
    ;;
  *) echo "usage: $0 install | run BASE LINK PICTURES" >&2; exit 2 ;;
esac
