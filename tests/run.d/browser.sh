#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The chat page in headless Chromium, against the real programs.
. tests/run.d/common.sh

stack_programs release || exit 1
cd tests/browser && npm ci --no-audit --no-fund >"$LOGS/npm-browser.log" 2>&1 || exit 1
CAUSEWAY_GATEWAY_URL=http://127.0.0.1:$TEST_BASE_PORT node run.mjs
