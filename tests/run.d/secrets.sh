#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Secrets in places where none belongs: the tree, and what the programs say and show while they work.
. tests/run.d/common.sh

stack_programs release || exit 1
CAUSEWAY_TEST_RUN=$STACK "$(stack_python)" tests/run.d/scan.py
