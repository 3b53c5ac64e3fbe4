# SPDX-License-Identifier: Apache-2.0
"""Checks every file that git tracks; see rules.py. Prints file:line: what."""

import math
import os
import re
import subprocess
import sys

import functions
import rules


def tracked_files():
    out = subprocess.run(["git", "ls-files", "-z"], capture_output=True, check=True).stdout
    return [name for name in out.decode().split("\0") if name and os.path.isfile(name)]


def text_of(path):
    """Lines of a text file, None for a binary one."""
    with open(path, "rb") as f:
        data = f.read()
    if b"\0" in data:
        return None
    return data.decode("utf-8", "replace").splitlines()


def is_c(path):
    return path.endswith((".c", ".h"))


def is_shell(path, lines):
    return path.endswith(".sh") or (lines and re.match(r"#!.*\b(ba)?sh\b", lines[0]))


def check_spdx(path, lines):
    if path.endswith(rules.SPDX_SUFFIXES) and rules.SPDX not in "\n".join(lines[:2]):
        yield 1, "no " + rules.SPDX


def check_patterns(lines, patterns):
    for number, line in enumerate(lines, 1):
        for pattern, why in patterns:
            found = re.search(pattern, line)
            if found:
                yield number, f"'{found.group(0)}': {why}"


def check_c_lines(lines):
    for number, line in enumerate(lines, 1):
        if len(line) > rules.LINE_CHARS_MAX:
            yield number, f"line of {len(line)} characters"
    if len(lines) > rules.FILE_LINES_MAX:
        yield rules.FILE_LINES_MAX + 1, f"file of {len(lines)} lines"


def check_vendor_headers(path, lines):
    for number, line in enumerate(lines, 1):
        found = re.match(r'\s*#\s*include\s*[<"]([^>"]+)[>"]', line)
        row = found and next((r for r in rules.VENDOR_HEADERS if found[1].startswith(r[0])), None)
        if row and not path.startswith(tuple(row[1])):
            yield number, f"{found[1]} is only for {', '.join(row[1])}"


def check_functions(found):
    for name, number, length in found:
        if length > rules.FUNCTION_LINES_MAX:
            yield number, f"function {name} of {length} lines"


def check_shell_syntax(path):
    done = subprocess.run(["bash", "-n", path], capture_output=True, text=True)
    if done.returncode != 0:
        where = re.search(r"line (\d+)", done.stderr)
        yield int(where[1]) if where else 1, done.stderr.strip().splitlines()[0]


def check_format(paths):
    """clang-format over all C files: (path, line, what)."""
    half = math.ceil(len(paths) / 2)
    runs = [subprocess.Popen(["clang-format", "--dry-run", "-Werror", *part],
                             stderr=subprocess.PIPE, text=True)
            for part in (paths[:half], paths[half:]) if part]
    for run in runs:
        for line in run.communicate()[1].splitlines():
            found = re.match(r"([^:]+):(\d+):\d+: error: (.*)", line)
            if found:
                yield found[1], int(found[2]), "not as clang-format writes it"


def check_file(path, lines, found):
    yield from check_spdx(path, lines)
    if not path.endswith(rules.TEXT_EXCEPTIONS):
        yield from check_patterns(lines, rules.FORBIDDEN_TEXT)
    yield from check_functions(found)
    if is_c(path):
        yield from check_c_lines(lines)
        if not path.startswith("tests/"):
            yield from check_vendor_headers(path, lines)
            yield from check_patterns(lines, rules.FORBIDDEN_C)
    elif is_shell(path, lines):
        yield from check_shell_syntax(path)


def functions_of(path, lines):
    if is_c(path):
        return list(functions.in_c(lines))
    return list(functions.in_shell(lines)) if is_shell(path, lines) else []


def percentile(sorted_values, share):
    return sorted_values[min(len(sorted_values) - 1, int(len(sorted_values) * share))]


def lines_in(files, test):
    return sum(len(lines) for path, lines in files.items() if is_c(path) and test(path))


def print_figures(files, lengths):
    is_test = lambda path: path.startswith("tests/")
    code = lines_in(files, lambda path: not is_test(path))
    asserts = sum(len(re.findall(r"\b(?:PRE|assert|static_assert)\(", line))
                  for path, lines in files.items() if is_c(path) and not is_test(path)
                  for line in lines)
    print(f"functions: 90th percentile {percentile(lengths, 0.9)} lines"
          f" (mark {rules.FUNCTION_P90_MAX}), longest {lengths[-1]}")
    print(f"assertions: {1000 * asserts / max(code, 1):.1f} per 1000 lines of C"
          f" (mark {rules.ASSERTIONS_PER_1000_MIN})")
    print(f"C lines: {code} of code, {lines_in(files, is_test)} of tests")


def main():
    files = {path: lines for path in tracked_files() if (lines := text_of(path)) is not None}
    violations, lengths = [], []
    for path, lines in files.items():
        found = functions_of(path, lines)
        if is_c(path):
            lengths += [length for _, _, length in found]
        violations += [(path, *v) for v in check_file(path, lines, found)]
    violations += check_format([path for path in files if is_c(path)])
    lengths = sorted(lengths) or [0]
    median = percentile(lengths, 0.5)
    if median > rules.FUNCTION_MEDIAN_MAX:
        violations.append(("all C files", 0, f"function median of {median} lines"))
    for path, number, what in sorted(violations):
        print(f"{path}:{number}: {what}")
    print_figures(files, lengths)
    print(f"tidy: {len(files)} files, {len(lengths)} functions, median {median} lines,"
          f" {len(violations)} violations")
    return 1 if violations else 0


sys.exit(main())
