#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The real programs on the real servers.
. tests/run.d/common.sh

stack_programs release || exit 1
CAUSEWAY_TEST_RUN=$STACK "$(stack_python)" tests/system/run.py
