#!/usr/bin/env bash
# Builds the playground's editor into built/ from the packages that package-lock.json names. Needs npm; without what it
# builds the page has a plain text field. An installation does the same by itself where npm is there.
set -euo pipefail

cd "$(dirname "$0")"
npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
npm run --silent build
