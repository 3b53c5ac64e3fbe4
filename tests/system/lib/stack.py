# SPDX-License-Identifier: Apache-2.0
"""The running stack that the tests talk to: infra/up made it; CAUSEWAY_TEST_RUN names its run folder."""

import asyncio
import json
import os
import subprocess
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
RUN = Path(os.environ["CAUSEWAY_TEST_RUN"])
TENANT = "demo"
LEGACY_DOMAIN = "legacy.test"
NATIVE_DOMAIN = "a.legacy.test"

# Offsets from the base port, as in docs/operations.md.
OFFSETS = {
    "gateway": 0, "edge_ws": 1, "auth": 2, "users": 3, "d1": 4, "edge": 5, "xmpp-a": 6, "xmpp-b": 7,
    "postgres": 20, "redis": 21, "kafka": 22, "mariadb": 24, "c2s": 25, "ejabberd_api": 27,
}  # fmt: skip
PROGRAMS = ("auth", "users", "d1", "edge", "gateway", "xmpp-a", "xmpp-b")


def settings():
    lines = (RUN / "settings").read_text().split()
    return dict(line.split("=", 1) for line in lines)


BASE = int(settings()["base"])


def port(name):
    return BASE + OFFSETS[name]


def http(name):
    return f"http://127.0.0.1:{port(name)}"


GATEWAY = http("gateway")
EDGE_URL = f"ws://127.0.0.1:{port('edge_ws')}/v1/connect"


def secret(name):
    return (RUN / "secrets" / name).read_text().strip()


def log_path(node):
    return RUN / "log" / f"{node}.log"


def supervised():
    """What the supervisor last wrote: {node: {pid, state, role, restarts}}."""
    status = json.loads((RUN / "pid" / "supervisor.json").read_text())
    return {program["name"]: program for program in status["programs"]}


def pid_of(node):
    return supervised()[node]["pid"]


def get(url, limit_s=5):
    """(status, body); a refused connection raises OSError."""
    try:
        with urllib.request.urlopen(url, timeout=limit_s) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def is_ready(node):
    try:
        return get(http(node) + "/readyz", 2)[0] == 200
    except OSError:
        return False


def metric(node, name):
    """Sum over the samples of a metric; 0 when absent."""
    total = 0.0
    for line in get(http(node) + "/metrics")[1].splitlines():
        if line.startswith((name + " ", name + "{")):
            total += float(line.rsplit(" ", 1)[1])
    return total


async def until(condition, what, limit_s=20, every_s=0.05):
    """Waits for a condition; fails with its name when the limit passes."""
    end = time.monotonic() + limit_s
    while True:
        value = condition()
        if asyncio.iscoroutine(value):
            value = await value
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {limit_s} s: {what}")
        await asyncio.sleep(every_s)


def sql(statement, user="causeway_delivery"):
    """Rows of a statement as lists of text; only for looking, with the rights of one program."""
    env = os.environ | {"PGPASSWORD": secret(f"pg_{user}")}
    command = ["psql", "-h", "127.0.0.1", "-p", str(port("postgres")), "-U", user, "-d", "causeway",
               "-X", "-q", "-A", "-t", "-F", "\t", "-v", "ON_ERROR_STOP=1", "-c", statement]  # fmt: skip
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=True, timeout=30)
    return [line.split("\t") for line in done.stdout.splitlines()]
