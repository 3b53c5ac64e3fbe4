# SPDX-License-Identifier: Apache-2.0
"""What the code must look like: limits and tables only."""

FUNCTION_LINES_MAX = 70
FUNCTION_MEDIAN_MAX = 15
FUNCTION_P90_MAX = 50  # shown, not enforced
LINE_CHARS_MAX = 100
FILE_LINES_MAX = 600
ASSERTIONS_PER_1000_MIN = 10  # shown, not enforced

LIB = "services/lib/"

# Which folders or files may include a vendor's headers. The first row whose prefix fits decides.
# Tests may include anything.
VENDOR_HEADERS = [
    ("uv.h", [LIB + name + "/" for name in ("loop", "net", "db", "cache", "bus")]),
    ("curl/", [LIB + "net/"]),
    ("openssl/ssl.h", [LIB + "net/"]),
    ("openssl/", [LIB + "crypto/", LIB + "base/id.c", LIB + "net/"]),
    ("libpq-fe.h", [LIB + "db/"]),
    ("hiredis/", [LIB + "cache/"]),
    ("librdkafka/", [LIB + "bus/"]),
    ("protobuf-c/", [LIB + "wire/", LIB + "service/"]),
    ("jansson.h", [LIB + "wire/", LIB + "crypto/", "services/gateway/"]),
    ("argon2.h", [LIB + "crypto/"]),
    ("ini.h", [LIB + "base/"]),
    ("expat.h", ["adapters/lib/"]),
    ("mysql", ["adapters/lib/"]),
]

# Kinds of files whose first line (after #! or a doctype) names the licence.
SPDX = "SPDX-License-Identifier: Apache-2.0"
SPDX_SUFFIXES = (".c", ".h", ".cmake", ".css", ".html", ".js", ".mjs", ".proto", ".py", ".sh",
                 ".sql", ".ts", "CMakeLists.txt")

# In every text file: what, and why not.
FORBIDDEN_TEXT = [
    (r"\b(TODO|FIXME)\b", "unfinished work belongs in an issue"),
    (r"(?<![\w.$}])/(work|root)/\w", "path of one machine"),
    (r"(?<![\w.$}])/home/\w", "path of one machine"),
    (r"\.\./shared/|(?<![\w./-])shared/[A-Z]", "not part of the project"),
]
# In C files only, tests excepted.
FORBIDDEN_C = [
    (r"\bPQescape\w*", "SQL from pieces: use parameters"),
    (r"\b(strcpy|strcat|sprintf|vsprintf|gets|strtok)\s*\(", "unbounded"),
]
# These say what is forbidden, or are not ours.
TEXT_EXCEPTIONS = ("tests/tidy/rules.py", "LICENSE", "package-lock.json")
