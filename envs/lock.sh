#!/usr/bin/env bash
# Renew both lock files from pyproject.toml and build.in, for every Python and platform at once.
# Needs uv. Afterwards put the pip wheel that build.lock names beside it.
set -euo pipefail
cd "$(dirname "$0")/.."
compile=(uv pip compile --quiet --universal --fork-strategy fewest --python-version 3.11
         --generate-hashes --no-annotate --no-header)
"${compile[@]}" --all-extras pyproject.toml -o envs/requirements.lock "$@"
"${compile[@]}" envs/build.in -c envs/requirements.lock -o envs/build.lock "$@"
