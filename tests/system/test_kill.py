# SPDX-License-Identifier: Apache-2.0
"""kill -9 of each of our processes in turn, while both companies send: nothing lost, doubled or out of
order; healed within seconds. From B the class bounced-or-lost is counted apart."""

import asyncio
import os
import signal
import time
import unittest

from lib import stack
from lib.calls import register
from lib.client import Client
from lib.legacy import Legacy, make_account
from lib.stack import NATIVE_DOMAIN, until

ROUNDS = int(os.environ.get("CAUSEWAY_KILL_ROUNDS", "5"))
HEALED_S = 5
SETTLE_S = 60
PAUSE_S = 0.05


class Flow:
    """Numbered texts from one sender to one receiver."""

    def __init__(self, name, say, heard):
        self.name = name
        self.say = say  # coroutine function of the text
        self.heard = heard  # texts the receiver has applied, in order
        self.sent = []

    async def run(self, stopping):
        while not stopping.is_set():
            text = f"{self.name} {len(self.sent)}"
            self.sent.append(text)
            await self.say(text)
            await asyncio.sleep(PAUSE_S)

    def received(self):
        return [text for text in self.heard() if text.startswith(self.name + " ")]

    def complete(self, excused):
        return set(self.received()) >= set(self.sent) - excused


class Kill(unittest.IsolatedAsyncioTestCase):
    """One stage for all kills: two native people, one legacy person."""

    async def asyncSetUp(self):
        self.alice, self.carol = await asyncio.gather(register("alice"), register("carol"))
        self.account = await asyncio.to_thread(make_account)

    async def kill(self, node):
        """Ends a process and waits until the supervisor has it ready again."""
        before = stack.supervised()[node]
        os.kill(before["pid"], signal.SIGKILL)
        began = time.monotonic()

        def back():
            now = stack.supervised()[node]
            return now["pid"] != before["pid"] and now["state"] == "running" and stack.is_ready(node)

        await until(lambda: asyncio.to_thread(back), f"{node} is back", 30)
        return time.monotonic() - began

    async def healed(self, flows):
        """Seconds until a text sent now arrives in each flow."""
        began = time.monotonic()
        marks = [len(f.sent) for f in flows]

        def all_moved():
            return all(any(t in f.sent[m:] for t in f.received()) for f, m in zip(flows, marks))

        await until(all_moved, "every flow moves again", 30)
        return time.monotonic() - began

    async def play(self, nodes):
        async with Client(self.alice) as alice, Client(self.carol) as carol, Legacy(*self.account) as bob:
            address = f"{self.alice['handle']}@{NATIVE_DOMAIN}"
            bob.say(address, "hello")
            await until(lambda: any(alice.texts(i) for i in alice.conversations), "first word", 30)
            (with_bob,) = [i for i in alice.conversations if alice.texts(i)]
            with_carol = await alice.open_direct(carol.user_id)

            async def legacy_says(text):
                bob.say(address, text)

            flows = [
                Flow("AA", lambda t: alice.say(with_carol, t), lambda: carol.texts(with_carol)),
                Flow("AB", lambda t: alice.say(with_bob, t), lambda: bob.texts(address)),
                Flow("BA", legacy_says, lambda: alice.texts(with_bob)),
            ]
            stopping = asyncio.Event()
            senders = [asyncio.create_task(flow.run(stopping)) for flow in flows]
            times = []
            for _ in range(ROUNDS):
                for node in nodes():
                    back = await self.kill(node)
                    times.append((node, back + await self.healed(flows)))
            stopping.set()
            await asyncio.gather(*senders)
            bounced = {b["body"] for b in bob.bounces}
            await self.settle(flows, bounced)
            await until(lambda: not alice.conversation(with_bob).outbox, "all verdicts", SETTLE_S)
            self.judge(flows, bounced, times)
            self.assertEqual(alice.mistakes, [])

    async def settle(self, flows, bounced):
        """Waits until everything has arrived; says what has not."""
        try:
            await until(lambda: all(f.complete(bounced) for f in flows), "all is here", SETTLE_S)
        except AssertionError:
            missing = [sorted(set(f.sent) - set(f.received()) - bounced)[:10] for f in flows]
            raise AssertionError(f"not within {SETTLE_S} s: {missing}") from None

    def judge(self, flows, bounced, times):
        for flow in flows:
            received = flow.received()
            print(f"        {flow.name}: sent {len(flow.sent)}, received {len(received)}, "
                  f"bounced-or-lost {len(bounced) if flow.name == 'BA' else 0}")  # fmt: skip
            self.assertEqual(len(received), len(set(received)), f"doubled in {flow.name}")
            self.assertLessEqual(set(flow.sent) - bounced, set(received), f"lost in {flow.name}")
            certain = [t for t in received if t not in bounced]
            self.assertEqual(certain, [t for t in flow.sent if t not in bounced], f"order in {flow.name}")
        slowest = max(times, key=lambda pair: pair[1])
        print(f"        {len(times)} kills, slowest to heal: {slowest[0]} {slowest[1]:.1f} s")
        self.assertLessEqual(slowest[1], HEALED_S)

    async def test_delivery(self):
        await self.play(lambda: ["d1"])

    async def test_edge(self):
        await self.play(lambda: ["edge"])

    async def test_auth_users_gateway(self):
        await self.play(lambda: ["auth", "users", "gateway"])

    async def test_active_adapter(self):
        def active():
            return [n for n, p in stack.supervised().items() if p["role"] == "active"]

        await self.play(active)

    async def test_standby_adapter(self):
        def standby():
            return [n for n, p in stack.supervised().items() if p["role"] == "standby"]

        await self.play(standby)
