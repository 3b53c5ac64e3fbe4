# SPDX-License-Identifier: Apache-2.0
"""Strangers at delivery's internal stream: bytes that are none, frames out of turn, forged nodes."""

import struct
import unittest

from lib import pb, stack
from lib.calls import register
from lib.client import uuid7
from lib.raw import Wire
from lib.tokens import b64
from lib.wellbeing import unharmed

STREAM_OFFSET = 10
HELLO, COMMAND, ATTACH, DELIVER, COMMITTED = 1, 2, 3, 11, 18
EDGE, ADAPTER, DELIVERY = 1, 2, 3
NOBODY = "00000000-0000-0000-0000-000000000000"


def framed(payload):
    return struct.pack("!I", len(payload)) + payload


def stream_frame(number, *items, credit=100):
    return framed(pb.message({1: number, 2: list(items), 3: credit}))


def hello(token, node="edge", kind=EDGE):
    return pb.field(HELLO, pb.message({1: node, 2: uuid7(), 3: kind, 4: token, 6: 100}))


class Stream(unittest.IsolatedAsyncioTestCase):
    async def ended(self, raw, limit_s=20):
        """What came before delivery ended the connection."""
        async with await Wire.open(stack.BASE + STREAM_OFFSET) as wire:
            await wire.send(raw)
            return await wire.rest(limit_s)

    def forged_tokens(self, session):
        claims = b64('{"service": "edge", "audience": "delivery", "exp": 99999999999}')
        return {
            "none": "",
            "a person's": session["accessToken"],
            "made up": f"edge.delivery.{claims}",
            "signed with nothing": f"{claims}.{b64(b'0' * 32)}",
            "long": "t" * 60000,
        }

    async def test_bytes_that_are_no_stream_end_it(self):
        cases = {
            "HTTP": b"GET / HTTP/1.1\r\nHost: a\r\n\r\n" + b"x" * 100,
            "length of 4 GB": b"\xff\xff\xff\xff" + b"x" * 1000,
            "length of 1 GB": struct.pack("!I", 2**30),
            "no protobuf": framed(b"\xff" * 50),
            "empty": framed(b"") * 5,
            "no number": framed(pb.field(3, 1)),
            "number 7 first": stream_frame(7),
            "nested deep": framed(pb.field(2, b"\x0a\x05" * 20000)),
        }
        async with unharmed("d1", "edge", logged=False, counts=False):
            for name, raw in cases.items():
                with self.subTest(name):
                    await self.ended(raw)

    async def test_nothing_works_before_hello(self):
        person = pb.message({1: NOBODY, 2: uuid7(), 3: uuid7(), 4: 1})
        attach = pb.field(ATTACH, pb.message({1: 1, 2: person, 3: uuid7()}))
        deliver = pb.field(COMMITTED, pb.message({1: uuid7(), 2: 1}))
        async with unharmed("d1", "edge", logged=False, counts=False):
            for item in (attach, deliver, pb.field(99, b"x")):
                answer = await self.ended(stream_frame(1, item))
                self.assertNotIn(b"conversation", answer)

    async def test_forged_nodes_are_refused_and_do_not_displace_the_real_one(self):
        session = await register("node")
        async with unharmed("d1", "edge", logged=False, counts=False) as harm:
            for name, token in self.forged_tokens(session).items():
                for kind in (EDGE, ADAPTER, DELIVERY, 0, 99):
                    with self.subTest(f"{name} {kind}"):
                        await self.ended(stream_frame(1, hello(token, kind=kind)))
            said = [line for line in harm.vitals[0].lines() if line["event"] in ("node_gone", "node_refused")]
            self.assertTrue(said, "delivery says who knocked")
            self.assertFalse([line for line in harm.vitals[0].lines() if line["event"] == "node_up"])

    async def test_silence_is_ended(self):
        self.assertNotIn(b"conversation", await self.ended(b"", 30))
