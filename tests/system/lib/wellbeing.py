# SPDX-License-Identifier: Apache-2.0
"""After an abuse: the same process, no leak, other people undisturbed, a log line and a count of it."""

import asyncio
import contextlib
import json
import os
import statistics
import time

from lib import stack
from lib.calls import register
from lib.client import Client
from lib.stack import until

RSS_GROWTH_KIB_MAX = 12 * 1024
RSS_GROWTH_SANITIZED_KIB_MAX = 400 * 1024  # a sanitizer keeps what was freed
DESCRIPTORS_MORE_MAX = 2
SETTLE_LIMIT_S = 30
PAUSE_S = 0.03
BYSTANDER_MESSAGES_MIN = 5
LATENCY_MEDIAN_MAX_S = 0.25
LATENCY_MAX_S = 3
SANITIZED_SLOWER = 8
SESSION_LIFE_S = 300

# Samples that count refusals: begin, and must not hold what counts the rest.
REFUSALS = ("causeway_websocket_failed_total", "causeway_http_refused_total",
            'causeway_http_answers_total{class="4xx"}', 'causeway_http_answers_total{class="5xx"}',
            "causeway_edge_refused_total", "causeway_edge_closes_total", "causeway_rpc_requests_total{",
            "causeway_verdicts_total{", "causeway_commands_refused_total",
            'causeway_attachments_total{result="refused"', "causeway_xmpp_ignored_total",
            'causeway_xmpp_inbound_total{result="rejected"')  # fmt: skip
NO_REFUSALS = ('code="ok"', 'code="ACCEPTED"')


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def rss_kib(pid):
    with open(f"/proc/{pid}/status") as file:
        for line in file:
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
    raise AssertionError(f"{pid} is gone")


def sanitized(pid):
    with open(f"/proc/{pid}/maps") as file:
        return "libasan" in file.read()


def rss_growth_kib_max(pid):
    return RSS_GROWTH_SANITIZED_KIB_MAX if sanitized(pid) else RSS_GROWTH_KIB_MAX


def counted(node):
    """All that the node counted of what it refused."""
    total = 0.0
    for line in stack.get(stack.http(node) + "/metrics")[1].splitlines():
        if line.startswith(REFUSALS) and not any(word in line for word in NO_REFUSALS):
            total += float(line.rsplit(" ", 1)[1])
    return total


class Vitals:
    """What a program was before."""

    def __init__(self, node):
        self.node = node
        program = stack.supervised()[node]
        self.pid, self.restarts = program["pid"], program["restarts"]
        self.descriptors = descriptors(self.pid)
        self.rss_kib = rss_kib(self.pid)
        self.log_bytes = stack.log_path(node).stat().st_size
        self.counted = counted(node)

    def lines(self):
        """Log lines since then; each must be one JSON object."""
        with stack.log_path(self.node).open("rb") as file:
            file.seek(self.log_bytes)
            return [json.loads(line) for line in file.read().splitlines()]

    def alive(self):
        now = stack.supervised()[self.node]
        assert (now["pid"], now["restarts"]) == (self.pid, self.restarts), f"{self.node} died: {now}"

    async def settled(self):
        allowed = self.descriptors + DESCRIPTORS_MORE_MAX
        await until(lambda: descriptors(self.pid) <= allowed, f"descriptors of {self.node} come back"
                    f" to {allowed}", SETTLE_LIMIT_S)  # fmt: skip
        limit = self.rss_kib + rss_growth_kib_max(self.pid)
        await until(lambda: rss_kib(self.pid) <= limit, f"memory of {self.node} comes back to"
                    f" {limit} KiB, it has {rss_kib(self.pid)}", SETTLE_LIMIT_S)  # fmt: skip

    def figures(self):
        return (f"{self.node} rss {rss_kib(self.pid) - self.rss_kib:+} KiB, descriptors"
                f" {descriptors(self.pid) - self.descriptors:+},"
                f" counted +{counted(self.node) - self.counted:.0f}")  # fmt: skip


class Bystanders:
    """Two people who go on talking."""

    sessions = None
    made_at = 0.0

    def __init__(self):
        self.sent_at = {}
        self.latencies = []

    @classmethod
    async def people(cls):
        if time.monotonic() - cls.made_at > SESSION_LIFE_S:
            cls.sessions = [await register("calm") for _ in range(2)]
            cls.made_at = time.monotonic()
        return cls.sessions

    def on_entry(self, client, _, entry):
        sent_at = self.sent_at.get(entry["clientMsgId"])
        if sent_at and client is self.two:
            self.latencies.append(time.monotonic() - sent_at)

    async def __aenter__(self):
        one, two = await self.people()
        self.one, self.two = Client(one), Client(two, on_entry=self.on_entry)
        await self.one.__aenter__()
        await self.two.__aenter__()
        await self.find_conversation()
        self.already = len(self.two.texts(self.id))
        self.talk = asyncio.create_task(self.go_on())
        return self

    async def find_conversation(self):
        """Made by the first pair; later ones get it right after the welcome."""
        _, page = await self.one.request({"list": {"limit": 1}})
        if page.get("conversations"):
            self.id = page["conversations"][0]["conversationId"]
            await asyncio.wait_for(self.one.conversation(self.id).attached.wait(), 20)
        else:
            self.id = await self.one.open_direct(self.two.user_id)
        await asyncio.wait_for(self.two.conversation(self.id).attached.wait(), 20)

    async def go_on(self):
        number = 0
        while True:
            before = time.monotonic()
            command = await self.one.say(self.id, f"calm {number}")
            self.sent_at[command.client_msg_id] = before
            number += 1
            await asyncio.sleep(PAUSE_S)

    async def __aexit__(self, kind, *_):
        try:
            if kind is None:
                enough = lambda: len(self.latencies) >= BYSTANDER_MESSAGES_MIN  # noqa: E731
                await until(enough, "the bystander is heard")
            self.talk.cancel()
            if kind is None:
                await self.check()
        finally:
            self.talk.cancel()
            await self.one.__aexit__()
            await self.two.__aexit__()

    async def check(self):
        count = len(self.sent_at)
        await until(lambda: len(self.latencies) >= count, "the bystander has all messages")
        entries = [e for e in self.two.conversation(self.id).entries if e["clientMsgId"] in self.sent_at]
        assert [e["clientMsgId"] for e in entries] == list(self.sent_at), "once and in order"
        assert not self.one.closes + self.two.closes, "the bystanders stay connected"
        slower = SANITIZED_SLOWER if sanitized(stack.pid_of("edge")) else 1
        assert statistics.median(self.latencies) <= slower * LATENCY_MEDIAN_MAX_S, self.figures()
        assert max(self.latencies) <= slower * LATENCY_MAX_S, self.figures()

    def figures(self):
        ordered = sorted(self.latencies) or [0]
        return (f"bystander {len(ordered)} messages, p50 {1000 * statistics.median(ordered):.1f} ms,"
                f" max {1000 * ordered[-1]:.1f} ms")  # fmt: skip


class Harm:
    """What the test learns about its abuse, for the checks at its end."""

    def __init__(self, vitals):
        self.vitals = vitals
        self.refs = []  # of errors that were answered

    async def check(self, logged, counts):
        for vitals in self.vitals:
            vitals.alive()
            await vitals.settled()
        if counts:
            assert any(counted(v.node) > v.counted for v in self.vitals), "no counter went up"
        for ref in self.refs:
            found = [line for v in self.vitals for line in v.lines() if line.get("ref") == ref]
            assert len(found) == 1, f"{len(found)} log lines with ref {ref}"
        if logged:
            refs = [line for v in self.vitals for line in v.lines() if line.get("ref")]
            assert refs, "no log line with a ref"


@contextlib.asynccontextmanager
async def unharmed(*nodes, logged=True, counts=True):
    """Around an abuse of these programs. logged: a line with a ref must be there; counts: a counter
    must have gone up."""
    # A first bystander pair brings what programs allocate once.
    bystanders = Bystanders() if stack.is_ready("edge") else contextlib.nullcontext()
    async with bystanders:
        harm = Harm([Vitals(node) for node in nodes])
        yield harm
        await harm.check(logged, counts)
    figures = [vitals.figures() for vitals in harm.vitals]
    if isinstance(bystanders, Bystanders):
        figures.append(bystanders.figures())
    print("        " + "; ".join(figures), flush=True)
