#!/usr/bin/env bash
# The alert rules pass promtool and their own tests; every query of the dashboard finds something in a real Prometheus.
set -euo pipefail
cd "$(dirname "$0")/.."
set -x
promtool check rules ../exporter/packaging/alerts/*.rules.yml
(cd ../exporter/packaging/alerts && promtool test rules rules.test.yml)
./with-venv.sh python -m live.monitoring
