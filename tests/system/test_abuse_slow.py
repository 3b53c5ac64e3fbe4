# SPDX-License-Identifier: Apache-2.0
"""Clients that take their time: who never finishes is sent away, on time, and nobody else waits."""

import asyncio
import threading
import time
import unittest

from lib import stack
from lib.calls import register
from lib.client import Client, text_body
from lib.raw import BINARY, TEXT, Socket, Wire, frame, handshake, split_answers
from lib.stack import until
from lib.wellbeing import unharmed

HEAD_DEADLINE_S = (9, 13)  # 10 s, coarse timers, a busy machine
FRAME_DEADLINE_S = 35
SLOW_CLIENTS = 20
SLOW_CLOSES = 'causeway_edge_closes_total{code="4008"}'


async def drip(wire, raw, pause_s):
    """A byte at a time, until the peer has enough."""
    for at in range(len(raw)):
        if not await wire.send(raw[at : at + 1]):
            return
        await asyncio.sleep(pause_s)


async def timed(until_end):
    began = time.monotonic()
    found = await until_end
    return found, time.monotonic() - began


async def slow_head(port):
    """(status, seconds) of a request head that never ends."""
    async with await Wire.open(port) as wire:
        dripping = asyncio.create_task(drip(wire, handshake(more="x-slow: " + "x" * 4000), 0.4))
        raw, took_s = await timed(wire.rest(FRAME_DEADLINE_S))
        dripping.cancel()
        return split_answers(raw)[0][0] if raw else None, took_s


async def slow_heads():
    ports = [stack.port("edge_ws"), stack.port("gateway"), stack.port("auth"), stack.port("users")]
    return await asyncio.gather(*(slow_head(port) for port in ports for _ in range(SLOW_CLIENTS)))


async def slow_body():
    head = (b"POST /causeway.auth.v1.AuthService/Login HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            b"Content-Type: application/json\r\nContent-Length: 4000\r\n\r\n")  # fmt: skip
    async with await Wire.open(stack.port("gateway")) as wire:
        await wire.send(head)
        dripping = asyncio.create_task(drip(wire, b" " * 4000, 0.4))
        raw, took_s = await timed(wire.rest(70))
        dripping.cancel()
        return split_answers(raw), took_s


async def slow_payload(session, opcode_and_payload):
    """Close code of a frame whose payload never ends."""
    async with await Socket.logged_in(session) as peer:
        whole = frame(*opcode_and_payload)
        await peer.send(whole[:20])
        dripping = asyncio.create_task(drip(peer, whole[20:], 0.4))
        found, took_s = await timed(peer.closed(FRAME_DEADLINE_S))
        dripping.cancel()
        return found, took_s


async def silent(port):
    async with await Wire.open(port) as wire:
        return await timed(wire.rest(20))


async def unauthenticated(first_frames):
    async with await Socket.upgraded() as peer:
        for raw in first_frames:
            await peer.send(raw)
        found, took_s = await timed(peer.closed(20))
        return found, took_s, peer.errors()


async def half_open(session, watcher_session):
    """A peer that is there for its kernel only: pings go unanswered. Seconds to the end of the
    connection, and what a watcher saw."""
    async with Client(watcher_session) as watcher:
        peer = await Socket.logged_in(session)
        beat_s = int(peer.welcome["heartbeatMs"]) / 1000
        await watcher.send({"presence": {"userIds": [session["userId"]]}})

        def seen():
            return [p.get("state") for kind, f in watcher.frames if kind == "presence"
                    for p in f["people"]]  # fmt: skip

        await until(lambda: seen()[-1:] == ["PRESENCE_STATE_ONLINE"], "online")
        began = time.monotonic()
        limit_s = 3 * beat_s + 35
        await until(lambda: seen()[-1:] == ["PRESENCE_STATE_OFFLINE"], "offline", limit_s)
        took_s = time.monotonic() - began
        pings = 0
        while await peer.next(5):
            pings += 1
        await peer.__aexit__()
        return took_s, beat_s, pings


class Patience:
    """All of them side by side, on a loop of their own: together they take as long as the longest."""

    def __init__(self, scenarios):
        self.results = {}
        self.scenarios = scenarios
        self.error = None
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        try:
            asyncio.run(self.go())
        except Exception as error:  # told by each test
            self.error = error

    async def go(self):
        async with unharmed("edge", "gateway"):
            done = await asyncio.gather(*(scenario() for scenario in self.scenarios.values()),
                                        return_exceptions=True)  # fmt: skip
            self.results = dict(zip(self.scenarios, done))


async def with_people(scenario, count, *more):
    return await scenario(*[await register("slow") for _ in range(count)], *more)


SCENARIOS = {
    "slow_heads": slow_heads,
    "slow_body": slow_body,
    "slow_text": lambda: with_people(slow_payload, 1, (TEXT, b" " * 4000)),
    "slow_binary": lambda: with_people(slow_payload, 1, (BINARY, b" " * 4000)),
    "silent_edge": lambda: silent(stack.port("edge_ws")),
    "silent_gateway": lambda: silent(stack.port("gateway")),
    "unauthenticated": lambda: unauthenticated([]),
    "early_data": lambda: unauthenticated([frame(TEXT, b'{"list": {}}')]),
    "half_open": lambda: with_people(half_open, 2),
}


class Slow(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.patience = Patience(SCENARIOS)
        cls.patience.thread.join()

    def result(self, name):
        if self.patience.error:
            raise self.patience.error
        found = self.patience.results[name]
        if isinstance(found, Exception):
            raise found
        return found

    def test_01_slow_heads_end_at_the_deadline(self):
        for status, took_s in self.result("slow_heads"):
            self.assertEqual(status, 408)
            self.assertTrue(HEAD_DEADLINE_S[0] <= took_s <= HEAD_DEADLINE_S[1], took_s)

    def test_02_slow_body_is_answered_408(self):
        answers, _ = self.result("slow_body")
        self.assertEqual([status for status, _ in answers], [408])

    def test_02_slow_payload_is_closed_1008(self):
        self.assertEqual(self.result("slow_text")[0], (1008, "frame timeout"))

    def test_02_what_the_protocol_forbids_does_not_wait_for_its_end(self):
        (code, _), took_s = self.result("slow_binary")
        self.assertIn(code, (1003, 1008))
        self.assertLess(took_s, FRAME_DEADLINE_S)

    def test_03_silent_connections_end_at_the_deadline(self):
        for name in ("silent_edge", "silent_gateway"):
            raw, took_s = self.result(name)
            self.assertTrue(raw == b"" or split_answers(raw)[0][0] == 408, raw)
            self.assertTrue(HEAD_DEADLINE_S[0] <= took_s <= HEAD_DEADLINE_S[1], took_s)

    def test_04_never_authenticating_is_closed_4001(self):
        (code, _), took_s, _ = self.result("unauthenticated")
        self.assertEqual(code, 4001)
        self.assertTrue(5 <= took_s <= 12, took_s)

    def test_04_nothing_is_answered_before_connect(self):
        (code, _), _, errors = self.result("early_data")
        self.assertIn(code, (4001, 1008, 1007))
        self.assertTrue(errors)

    def test_05_half_open_is_dropped_and_presence_goes(self):
        took_s, beat_s, pings = self.result("half_open")
        self.assertLessEqual(took_s, 3 * beat_s + 31)
        self.assertGreaterEqual(pings, 2)


class ZeroWindow(unittest.IsolatedAsyncioTestCase):
    MESSAGES = 40
    TEXT_BYTES = 12000
    ASKED_TIMES = 4

    async def test_06_who_reads_nothing_is_closed_4008_and_costs_a_bounded_queue(self):
        one, two = await asyncio.gather(register("zero"), register("zero"))
        async with unharmed("edge", logged=False):
            async with Client(one) as writer:
                id_ = await writer.open_direct(two["userId"])
                for number in range(self.MESSAGES):
                    await writer.settle(id_, {"send": text_body(f"{number:0{self.TEXT_BYTES}}")})
            before = stack.metric("edge", SLOW_CLOSES)
            peer = await Socket.logged_in(two, receive_bytes=4096)
            ask = {"history": {"conversationId": id_, "limit": self.MESSAGES}}

            async def closed():
                for number in range(self.ASKED_TIMES):
                    await peer.say({"requestId": str(number + 1)} | ask)
                return await asyncio.to_thread(stack.metric, "edge", SLOW_CLOSES) == before + 1

            await until(closed, "it is closed", 60)
            self.assertEqual((await peer.closed(30))[0], 4008)
            await peer.__aexit__()
