#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Style, and descriptions that must fit what they describe.
. tests/run.d/common.sh

if tests/tidy.sh; then counted 1 0 0; else counted 0 1 0; fi
