#!/usr/bin/env bash
# curl, promtool and systemd find TLS, users, headers, limits and sockets as the web configuration says them.
set -euo pipefail
cd "$(dirname "$0")/.."
set -x
./with-venv.sh python -m live.web
