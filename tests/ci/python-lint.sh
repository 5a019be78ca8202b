#!/usr/bin/env bash
# ruff and mypy --strict have nothing to remark on the Python package; ruff on these tests.
set -euo pipefail
cd "$(dirname "$0")/.."
set -x
./with-venv.sh ruff check .
./with-venv.sh ruff format --check .
./with-venv.sh ruff check --config ruff.toml ../benches
./with-venv.sh ruff format --check --config ruff.toml ../benches
./with-venv.sh ruff check --config ruff.toml ../exporter/packaging/python
./with-venv.sh ruff format --check --config ruff.toml ../exporter/packaging/python
./with-venv.sh ruff check ../ffi/python
./with-venv.sh ruff format --check ../ffi/python
./with-venv.sh bash -c "cd ../ffi/python && mypy --strict"
