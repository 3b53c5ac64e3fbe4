#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Style as a test: tests/tidy.sh prints each violation as file:line: what, and ends non-zero when
# there is any. The rules are in tests/tidy/rules.py.
cd "$(dirname "$0")/.." || exit 2
exec python3 tests/tidy/main.py
