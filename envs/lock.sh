#!/usr/bin/env bash
# Renew the lock files from pyproject.toml and build.in, for every Python and platform at once.
# Needs uv. Afterwards put the pip wheel that build.lock names beside it.
set -euo pipefail
cd "$(dirname "$0")/.."
compile=(uv pip compile --quiet --universal --fork-strategy fewest --python-version 3.11
         --generate-hashes --no-annotate --no-header)
"${compile[@]}" --extra slurm --extra test --extra lint pyproject.toml -o envs/requirements.lock "$@"
"${compile[@]}" --extra judges pyproject.toml -c envs/requirements.lock -o envs/judges.lock "$@"
"${compile[@]}" envs/build.in -c envs/requirements.lock -o envs/build.lock "$@"
