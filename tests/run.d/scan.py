# SPDX-License-Identifier: Apache-2.0
"""Plants secrets in a running stack and looks for them, and for its real ones, where none belongs: the
tree, logs, command lines, environments, metrics, error answers, configuration. Last line: counts."""

import asyncio
import re
import secrets
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "system"))

from lib import stack  # noqa: E402
from lib.calls import Refused, call, log_in, register  # noqa: E402
from lib.client import Client  # noqa: E402

# What a secret looks like, in a tree that has no business with any.
PATTERNS = {
    "private key": re.compile(rb"-----BEGIN (?:[A-Z]+ )?(?:ENCRYPTED )?PRIVATE KEY-----\s*[A-Za-z0-9+/]{40}"),
    "token": re.compile(rb"eyJ[\w-]{20,}\.eyJ[\w-]{20,}\.[\w-]{40,}"),
    "cloud key": re.compile(rb"\bAKIA[0-9A-Z]{16}\b"),
    "access token": re.compile(rb"\b(?:ghp|gho|glpat|xox[bp])[-_][0-9A-Za-z-]{20,}\b"),
    "password in an address": re.compile(rb"\w+://[\w.-]+:(?!\$|%|<|\{)[^\s@/'\"]{8,}@"),
    "password in hexadecimal": re.compile(rb"(?i)(?:password|secret)\s*[=:]\s*['\"]?[0-9a-f]{32,}\b"),
}
SHORT = 12  # bytes: what is shorter is found by chance


def real_secrets():
    found = {f"secret {path.name}": path.read_text().strip() for path in (stack.RUN / "secrets").iterdir()}
    return {name: value for name, value in found.items() if len(value) >= SHORT and "\n" not in value}


async def plant():
    """Lets secrets go the ways that they go in use, right ones and wrong ones."""
    mark = secrets.token_hex(12)
    planted = {"password": f"planted-password-{mark}", "wrong password": f"planted-wrong-{mark}",
               "message": f"planted-message-{mark}", "new name's password": f"planted-long-{mark}" * 9}  # fmt: skip
    person, other = await register(password=planted["password"]), await register()
    async with Client(person) as client:
        id_ = await client.open_direct(other["userId"])
        await (await client.say(id_, planted["message"])).verdict
    again = await log_in(person["handle"], planted["password"])
    refreshed = await call("auth.v1.AuthService/Refresh", {"refreshToken": again["refreshToken"]})
    for name in ("wrong password", "new name's password"):
        await refused("auth.v1.AuthService/Login", {
            "tenant": stack.TENANT, "handle": person["handle"], "password": planted[name]})  # fmt: skip
    forged = again["accessToken"][:-8] + mark[:8]
    await refused("users.v1.UserService/FindUser", {"handle": person["handle"]}, forged)
    await refused("auth.v1.AuthService/Refresh", {"refreshToken": forged})
    await refused("auth.v1.AuthService/Login", b'{"password": "' + planted["wrong password"].encode() + b'", ')
    for name, session in (("first", person), ("second", again), ("third", refreshed)):
        planted |= {f"{name} {kind}": session[kind] for kind in ("accessToken", "refreshToken")}
    return planted | {"forged token": forged}


ANSWERS = []  # what was said to somebody who was refused


async def refused(method, body, token=None):
    try:
        await call(method, body, token=token)
    except Refused as error:
        ANSWERS.append(str(error))
        return
    raise AssertionError(f"{method} was let in")


def tree():
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    for name in listed.decode().split("\0"):
        if name and (ROOT / name).is_file():
            yield name, (ROOT / name).read_bytes()


def logs():
    for path in sorted((stack.RUN / "log").glob("*")):
        if path.is_file():
            yield path.name, path.read_bytes()


def processes():
    """Command lines and environments of our programs and the servers."""
    pids = [str(program["pid"]) for program in stack.supervised().values()]
    pids += [path.read_text().split()[0] for path in (stack.RUN / "pid").glob("*.pid")]
    for pid in pids:
        for what in ("cmdline", "environ"):
            yield f"{what} of {pid}", Path(f"/proc/{pid}/{what}").read_bytes()


def shown():
    """What anybody may ask for."""
    for node in stack.PROGRAMS:
        for path in ("/metrics", "/healthz", "/readyz"):
            yield node + path, stack.get(stack.http(node) + path)[1].encode()
    for path in ("/status", "/config.json"):
        yield f"gateway{path}", stack.get(stack.GATEWAY + path)[1].encode()
    yield "answers", "\n".join(ANSWERS).encode()


def configurations():
    for path in sorted((stack.RUN / "etc").glob("*.ini")):
        yield path.name, path.read_bytes()


def database():
    """Credentials and sessions as they are stored."""
    for table in ("auth.credential", "auth.session", "auth.signing_key"):
        yield table, str(stack.sql(f"select * from {table}", "causeway_auth")).encode()


def matches(places, values, patterns):
    for where, content in places:
        for name, value in values.items():
            if value.encode() in content:
                yield f"{name} in {where}"
        for name, pattern in patterns.items():
            if pattern.search(content):
                yield f"{name} in {where}"


def forbidden_files():
    """Secrets are readable for their owner alone."""
    for path in (stack.RUN / "secrets").iterdir():
        if path.stat().st_mode & 0o077:
            yield f"others may read {path.name}"


def main():
    planted = asyncio.run(plant())
    everything = planted | real_secrets()
    without_messages = {name: value for name, value in everything.items() if name != "message"}
    tokens = {name: PATTERNS[name] for name in ("private key", "token")}
    checks = {
        "the tree": matches(tree(), real_secrets(), PATTERNS),
        "logs": matches(logs(), everything, tokens),
        "command lines and environments": matches(processes(), everything, {}),
        "what is shown": matches(shown(), everything, tokens),
        "configurations": matches(configurations(), everything, tokens),
        "the database of auth": matches(database(), without_messages, {}),
        "modes of secret files": forbidden_files(),
    }
    failed = 0
    for name, found in checks.items():
        wrong = list(found)
        failed += bool(wrong)
        print(f"{'FAILED' if wrong else 'passed'}  no secret in {name}" + "".join(f"\n  {w}" for w in wrong))
    print(f"{len(checks) - failed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
