# SPDX-License-Identifier: Apache-2.0
"""Finds function definitions in C laid out by clang-format, and in shell: (name, line, length)."""

import re

C_BEGIN = re.compile(r"[A-Za-z_]")
C_NOT_FUNCTION = re.compile(r"(typedef|struct \w+ \{|enum|union|extern \"C\")")
SHELL_BEGIN = re.compile(r"(?:function\s+)?([\w:.-]+)\s*\(\)\s*[{(]")


def c_signature_end(lines, begin):
    """Index of the line that opens the body when a function is defined at begin, else None."""
    for at in range(begin, min(begin + 12, len(lines))):
        line = lines[at]
        if line.endswith(";") or line == "" or "=" in line.split("(")[0]:
            return None
        if line.endswith(") {") or line.endswith(") {}"):
            return at
    return None


def c_name(signature):
    found = re.search(r"START_TEST\((\w+)\)|(\w+)\(", signature)
    return found[1] or found[2] if found else "?"


def in_c(lines):
    at = 0
    while at < len(lines):
        begin, at = at, at + 1
        if not C_BEGIN.match(lines[begin]) or C_NOT_FUNCTION.match(lines[begin]):
            continue
        opened = c_signature_end(lines, begin)
        if opened is None:
            continue
        end = next((i for i in range(opened, len(lines)) if lines[i].startswith("}")), opened)
        yield c_name(" ".join(lines[begin:opened + 1])), begin + 1, end - begin + 1
        at = end + 1


def in_shell(lines):
    for begin, line in enumerate(lines):
        found = SHELL_BEGIN.match(line)
        if not found or line.rstrip().endswith("}"):
            continue
        end = next((i for i in range(begin, len(lines)) if re.match(r"[})]", lines[i])), begin)
        yield found[1], begin + 1, end - begin + 1
