#!/usr/bin/env bash
# The Kubernetes manifests fit the schemas, and their commands make boards that the pods' groups may count on.
set -euo pipefail
cd "$(dirname "$0")/.."
set -x
./with-venv.sh python -m live.manifests
