# SPDX-License-Identifier: Apache-2.0
"""Passed and failed cases of a kosoku report: kosoku.py index.json. Failed ones are listed on stderr."""

import json
import sys

FINE = ("OK", "INFORMATIONAL", "NON-STRICT", "UNIMPLEMENTED")


def main():
    with open(sys.argv[1]) as f:
        cases = next(iter(json.load(f).values()))
    failed = [n for n, c in cases.items() if c["behavior"] not in FINE or c["behaviorClose"] not in FINE]
    print("failed:", *failed, file=sys.stderr) if failed else None
    print(len(cases) - len(failed), len(failed))


main()
