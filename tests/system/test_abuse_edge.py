# SPDX-License-Identifier: Apache-2.0
"""What a websocket client may not do at the edge: framing, floods, messages that are none."""

import asyncio
import os
import unittest

from lib import pb
from lib.calls import log_in, register
from lib.client import Client, text_body, uuid7
from lib.raw import (
    BINARY, CLOSE, CONTINUATION, JSON_PROTOCOL, PING, PONG, PROTO_PROTOCOL, TEXT, Socket, frame)  # fmt: skip
from lib.stack import until
from lib.wellbeing import unharmed

BAD_UTF8 = (b"\xc0\xaf", b"\xe0\x80\xaf", b"\xf0\x80\x80\xaf", b"\xed\xa0\x80", b"\xed\xbf\xbf",
            b"\xf4\x90\x80\x80", b"\xf8\x88\x80\x80\x80", b"\xff", b"\x80", b"\xe2\x82")  # fmt: skip


class EdgeCase(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        self.session = await register("abuser")

    async def close_after(self, *raw, protocol=JSON_PROTOCOL):
        """Close code after these bytes from somebody who is logged in."""
        async with await Socket.logged_in(self.session, protocol) as peer:
            for piece in raw:
                await peer.send(piece)
            return (await peer.closed())[0]


class Framing(EdgeCase):
    async def each(self, code, cases, protocol=JSON_PROTOCOL):
        async with unharmed("edge"):
            for name, pieces in cases.items():
                with self.subTest(name):
                    self.assertEqual(await self.close_after(*pieces, protocol=protocol), code)

    async def test_07_header_of_10_mb_is_closed_1009_before_its_payload(self):
        async with unharmed("edge"):
            head = frame(TEXT, b"", length=10_000_000)
            self.assertEqual(await self.close_after(head), 1009)
            head = frame(TEXT, b"", length=2**62)
            self.assertEqual(await self.close_after(head), 1009)

    async def test_08_endless_fragments(self):
        one = frame(TEXT, b"{", fin=False)
        await self.each(1008, {
            "1 byte each": [one, frame(CONTINUATION, b" ", fin=False) * 20000],
            "empty ones": [one, frame(CONTINUATION, b"", fin=False) * 20000],
        })  # fmt: skip
        await self.each(1009, {
            "in all too large": [one, frame(CONTINUATION, b" " * 8000, fin=False) * 20],
        })  # fmt: skip

    async def test_09_to_12_frames_against_the_standard(self):
        await self.each(1002, {
            "09 fragmented ping": [frame(PING, b"x", fin=False)],
            "09 fragmented close": [frame(CLOSE, b"\x03\xe8", fin=False)],
            "10 ping of 126 bytes": [frame(PING, b"x" * 126)],
            "10 close of 70,000 bytes": [frame(CLOSE, b"", length=70000)],
            "11 unmasked text": [frame(TEXT, b"{}", masked=False)],
            "11 unmasked ping": [frame(PING, b"", masked=False)],
            "12 RSV1": [frame(TEXT, b"{}", reserved=4)],
            "12 RSV2": [frame(TEXT, b"{}", reserved=2)],
            "12 RSV3 on a control frame": [frame(PONG, b"", reserved=1)],
            "12 opcode 3": [frame(3, b"{}")],
            "12 opcode 11": [frame(11, b"")],
            "continuation of nothing": [frame(CONTINUATION, b"{}")],
            "text inside a fragmented text": [frame(TEXT, b"{", fin=False), frame(TEXT, b"}")],
            "length not minimal": [b"\x81\xfe\x00\x02\0\0\0\0{}"],
            "close with one byte": [frame(CLOSE, b"\x03")],
            "close with code 1005": [frame(CLOSE, b"\x03\xed")],
        })  # fmt: skip

    async def test_11_unmasked_before_connect(self):
        async with unharmed("edge"), await Socket.upgraded() as peer:
            await peer.send(frame(TEXT, b"{}", masked=False))
            self.assertEqual((await peer.closed())[0], 1002)

    async def test_13_the_other_kind_of_message_is_closed_1003(self):
        text = [frame(TEXT, b'{"ping": {}}')]
        await self.each(1003, {"text on protobuf": text}, PROTO_PROTOCOL)
        await self.each(1003, {"binary on JSON": [frame(BINARY, pb.ping(1))]})

    async def test_14_text_that_is_no_utf8_is_closed_1007(self):
        quoted = {raw.hex(): [frame(TEXT, b'{"ping": {"nonce": "' + raw + b'"}}')] for raw in BAD_UTF8}
        await self.each(1007, quoted)
        await self.each(1007, {"cut at the end": [frame(TEXT, b"{} \xe2\x82")]})
        await self.each(1007, {"reason of a close": [frame(CLOSE, b"\x03\xe8\xff")]})

    async def test_17_compression_is_not_negotiated(self):
        offer = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"
        async with unharmed("edge"), await Socket.upgraded(more=offer) as peer:
            self.assertNotIn("sec-websocket-extensions", peer.headers)
            bomb = bytes.fromhex("aa56ca48cdc9c95728cf2fca4901") * 1000
            await peer.send(frame(TEXT, bomb, reserved=4))
            self.assertEqual((await peer.closed())[0], 1002)


class Floods(EdgeCase):
    async def test_15_pings_in_reason_are_answered_with_their_payload(self):
        async with await Socket.logged_in(self.session) as peer:
            await peer.send(frame(PING, b"who is there"))
            while (found := await peer.next()) and found[0] != PONG:
                pass
            self.assertEqual(found, (PONG, b"who is there"))

    async def test_15_ping_flood_is_closed_4010(self):
        async with unharmed("edge"):
            self.assertEqual(await self.close_after(frame(PING, b"p" * 100) * 20000), 4010)

    async def test_16_pong_flood_is_closed_4010(self):
        async with unharmed("edge"):
            self.assertEqual(await self.close_after(frame(PONG, b"p" * 100) * 20000), 4010)

    async def test_15_flood_of_application_pings_is_closed_4010(self):
        async with unharmed("edge"):
            flood = frame(TEXT, b'{"ping": {"nonce": "1"}}') * 20000
            self.assertEqual(await self.close_after(flood), 4010)

    async def test_43_flood_of_large_pages_is_limited(self):
        other = await register("abuser")
        async with Client(other) as writer:
            id_ = await writer.open_direct(self.session["userId"])
            for number in range(60):
                await writer.say(id_, f"{number:016000}")
            await until(lambda: not writer.conversation(id_).outbox, "accepted")
        ask = {"requestId": "7", "history": {"conversationId": id_, "limit": 200}}
        async with unharmed("edge", "d1"), await Socket.logged_in(self.session) as peer:
            reading = asyncio.create_task(peer.closed(60))
            for _ in range(500):
                await peer.say(ask)
                await asyncio.sleep(0.002)  # the flood's own pace: below the limit on frames
            await peer.send(frame(CLOSE, b"\x03\xe8"))
            await reading
            codes = {error["code"] for error in peer.errors()}
            self.assertEqual(codes, {"ERROR_CODE_LIMIT_EXCEEDED"})
            self.assertTrue([content for content in peer.said() if "history" in content])

    async def test_16_after_close_nothing_is_processed(self):
        other = await register("abuser")
        async with unharmed("edge", logged=False, counts=False):
            async with Client(other) as bob:
                id_ = await bob.open_direct(self.session["userId"])
                async with await Socket.logged_in(self.session) as peer:
                    late = {"command": {
                        "conversationId": id_, "epoch": peer.welcome["epoch"], "deviceSeq": "1",
                        "seenSeq": "1", "clientMsgId": uuid7(), "op": {"send": text_body("late")}}}  # fmt: skip
                    await peer.send(frame(CLOSE, b"\x03\xe8"))
                    await peer.say(late)
                    self.assertEqual((await peer.closed())[0], 1000)
                    self.assertFalse([f for f in peer.said() if "verdict" in f])
                await bob.settle(id_, {"send": text_body("later")})
                self.assertEqual(bob.texts(id_), ["later"])


class Protobuf(EdgeCase):
    async def refusals(self, payload, times):
        """Codes of the error frames, and the close code if it comes to that."""
        async with await Socket.logged_in(self.session, PROTO_PROTOCOL) as peer:
            for _ in range(times):
                await peer.send(frame(BINARY, payload))
            if times < 3:
                await peer.send(frame(BINARY, pb.ping(7)))
                await peer.until(lambda _, p: pb.SERVER_PONG in pb.read(p))
                code = None
            else:
                code = (await peer.closed())[0]
            errors = [pb.read(p)[pb.SERVER_ERROR] for o, p in peer.frames
                      if o == BINARY and pb.SERVER_ERROR in pb.read(p)]  # fmt: skip
            return [pb.read(error) for error in errors], code

    async def each_is_bad(self, cases, codes=(1,)):
        async with unharmed("edge") as harm:
            for name, payload in cases.items():
                with self.subTest(name):
                    errors, _ = await self.refusals(payload, 1)
                    self.assertEqual(len(errors), 1)
                    self.assertIn(errors[0][1], codes)
                    harm.refs.append(errors[0][4].decode())

    async def test_20_broken_protobuf_is_bad_message(self):
        good = pb.ping(1)
        await self.each_is_bad({
            "truncated": good[:-1],
            "length beyond the end": pb.tag(9, pb.BYTES) + b"\x7f\x08",
            "varint of 11 bytes": pb.tag(1, pb.VARINT) + b"\xff" * 10 + b"\x01",
            "varint beyond 64 bits": pb.tag(1, pb.VARINT) + b"\xff" * 9 + b"\x02",
            "varint without end": pb.tag(1, pb.VARINT) + b"\xff" * 9,
            "tag 0": b"\x00\x00",
            "wire type 7": b"\x0f",
            "fixed 64 cut": pb.tag(100, pb.FIXED64) + b"\0\0\0",
            "length of 4 GB": pb.tag(9, pb.BYTES) + b"\xff\xff\xff\xff\x0f",
            "random": b"\xff" + os.urandom(200),
        })  # fmt: skip

    async def test_20_the_third_one_is_closed_1007(self):
        async with unharmed("edge"):
            errors, code = await self.refusals(b"\x00\x00", 5)
            self.assertEqual((len(errors), code), (3, 1007))

    async def test_21_groups_and_nesting(self):
        nested = b""
        for _ in range(10000):
            nested = pb.field(3, nested)[-60000:]
        groups = pb.tag(15, pb.GROUP) * 10000 + pb.tag(15, pb.GROUP_END) * 10000
        await self.each_is_bad({
            "group": pb.tag(15, pb.GROUP) + pb.tag(15, pb.GROUP_END),
            "10,000 groups": groups,
            "end of a group that is none": pb.tag(15, pb.GROUP_END),
            "nested 10,000 deep": nested,
        })  # fmt: skip

    async def test_22_unknown_fields_are_ignored_up_to_the_cap(self):
        async with unharmed("edge"):
            async with await Socket.logged_in(self.session, PROTO_PROTOCOL) as peer:
                await peer.send(frame(BINARY, pb.ping(3) + pb.field(999, b"u" * 60000)))
                await peer.until(lambda _, p: pb.SERVER_PONG in pb.read(p))
                await peer.send(frame(BINARY, pb.ping(4) + pb.field(999, b"u" * 1_000_000)))
                self.assertEqual((await peer.closed())[0], 1009)

    async def test_22_missing_and_wrong_parts_are_bad_message(self):
        ids = {1: uuid7(), 2: 1, 3: 1, 6: uuid7()}
        await self.each_is_bad({
            "empty frame": b"",
            "frame of a later version": pb.field(99, b"x"),
            "varint where a message belongs": pb.tag(9, pb.VARINT) + b"\x01",
            "command without operation": pb.field(pb.CLIENT_COMMAND, pb.message(ids)),
            "command with an empty operation": pb.field(pb.CLIENT_COMMAND, pb.message(ids | {7: b""})),
            "connect again": pb.connect("x"),
        })  # fmt: skip

    async def test_23_frames_of_servers_are_refused(self):
        """ServerFrame's and StreamItem's own numbers mean nothing here; an adapter's field is an attack."""
        foreign = pb.command(uuid7(), 1, 1, 0, uuid7(), pb.send_operation("x"), pb.field(8, "foreign"))
        async with unharmed("edge") as harm:
            errors, _ = await self.refusals(foreign, 1)
            self.assertEqual([error[1] for error in errors], [9])  # FORBIDDEN_OP
            ref = errors[0][4].decode()
            (line,) = [line for line in harm.vitals[0].lines() if line.get("ref") == ref]
            self.assertEqual((line["event"], line["level"]), ("attack", "warn"), line)
        await self.each_is_bad({
            "verdict": pb.field(13, pb.message({1: uuid7(), 2: 1})),
            "stream verdict": pb.field(17, pb.message({1: 1})),
        })  # fmt: skip

    async def test_14_text_in_protobuf_that_is_no_utf8(self):
        cases = {raw.hex(): pb.command(uuid7(), 1, 1, 0, uuid7(), pb.field(1, pb.field(1, pb.field(
            1, pb.field(1, pb.field(1, raw)))))) for raw in BAD_UTF8}  # fmt: skip
        await self.each_is_bad(cases, codes=(1, 3))


class Sessions(EdgeCase):
    async def test_40_the_older_socket_of_a_device_gets_4009(self):
        async with unharmed("edge", logged=False):
            async with Client(self.session, reconnect=False) as older:
                async with Client(self.session, reconnect=False) as newer:
                    await until(lambda: older.closes, "the older one is closed")
                    self.assertEqual(older.closes[0][0], 4009)
                    self.assertEqual((await newer.request({"ping": {}}))[0], "pong")

    async def test_40_another_device_stays(self):
        second = await log_in(self.session["handle"], self.session["password"])
        async with Client(self.session) as one, Client(second) as two:
            for client in (one, two):
                self.assertEqual((await client.request({"ping": {}}))[0], "pong")
                self.assertEqual(client.closes, [])

    async def test_43_too_many_people_to_watch(self):
        async with unharmed("edge") as harm:
            async with Client(self.session) as client:
                people = [uuid7() for _ in range(501)]
                kind, answer = await client.request({"presence": {"userIds": people}})
                self.assertEqual((kind, answer["code"]), ("error", "ERROR_CODE_LIMIT_EXCEEDED"))
                harm.refs.append(answer["ref"])
                self.assertEqual((await client.request({"ping": {}}))[0], "pong")

    async def test_43_too_many_conversations_to_resume(self):
        point = {"conversationId": uuid7(), "epoch": "1", "seq": "1"}
        async with unharmed("edge"):
            async with await Socket.upgraded() as peer:
                await peer.say({"connect": {"token": self.session["accessToken"], "resume": [point] * 500}})
                await peer.until_said("welcome")
            async with await Socket.upgraded() as peer:
                await peer.say({"connect": {"token": "x", "resume": [point] * 20_000}})
                self.assertEqual((await peer.closed())[0], 1009)

    async def test_43_typing_storm_is_coalesced(self):
        other = await register("abuser")
        async with unharmed("edge", logged=False, counts=False):
            async with Client(self.session) as storm, Client(other) as calm:
                id_ = await storm.open_direct(calm.user_id)
                await asyncio.wait_for(calm.conversation(id_).attached.wait(), 20)
                for _ in range(40):
                    await storm.send({"typing": {"conversationId": id_, "typing": True}})
                await storm.settle(id_, {"send": text_body("done")})
                await until(lambda: calm.texts(id_) == ["done"], "the message")
                notices = [f for kind, f in calm.frames if kind == "typing"]
                self.assertTrue(1 <= len(notices) <= 3, len(notices))
