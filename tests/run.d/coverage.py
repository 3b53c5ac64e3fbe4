# SPDX-License-Identifier: Apache-2.0
"""Prints line coverage per folder from gcovr's summary: coverage.py SUMMARY.json"""

import collections
import json
import os
import sys

LINES_PERCENT_MIN = 75


def main():
    folders = collections.defaultdict(lambda: [0, 0])
    with open(sys.argv[1]) as f:
        for file in json.load(f)["files"]:
            # Headers are found through links in the build folder.
            folder = folders[os.path.relpath(os.path.dirname(os.path.realpath(file["filename"])))]
            folder[0] += file["line_covered"]
            folder[1] += file["line_total"]
    failed = 0
    for name, (covered, total) in sorted(folders.items()):
        percent = 100 * covered / max(total, 1)
        failed += percent < LINES_PERCENT_MIN
        mark = "" if percent >= LINES_PERCENT_MIN else f"  below {LINES_PERCENT_MIN} %"
        print(f"{percent:5.1f} %  {covered:5} of {total:5} lines  {name}{mark}")
    print(f"{len(folders) - failed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


sys.exit(main())
