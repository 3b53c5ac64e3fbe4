# SPDX-License-Identifier: Apache-2.0
"""Frames and calls of the right shape with impossible values: numbers at the ends of their range, ids of
others, of nobody and of no form, in every field and in every order. Nothing may fall over."""

import asyncio
import json
import random
import unittest

from lib import pb, stack
from lib.calls import Refused, call, register
from lib.client import Client, code_of, text_body, uuid7
from lib.raw import BINARY, PROTO_PROTOCOL, Socket, frame
from lib.stack import until
from lib.wellbeing import unharmed

SEED = 20261122
FRAMES = 1500
PER_CONNECTION = 150
NODES = ("edge", "d1")
I64 = ("0", "1", "-1", "2", "5", str(2**63 - 1), str(-(2**63)), "200")
U64 = ("0", "1", "2", "3", str(2**64 - 1), str(2**63), str(2**63 - 1))
U32 = (0, 1, 200, 201, 2**32 - 1)
TEXTS = ("", " ", "x", "\u200b", "'; --", "%s%n", "x" * 20000, "\U0001f600" * 50)
KINDS = ("CONVERSATION_KIND_UNSPECIFIED", "CONVERSATION_KIND_DIRECT", "CONVERSATION_KIND_GROUP")
ROLES = ("MEMBER_ROLE_UNSPECIFIED", "MEMBER_ROLE_OWNER", "MEMBER_ROLE_ADMIN", "MEMBER_ROLE_READER")


class Generator:
    """Frames from pools of values; the same seed gives the same ones."""

    def __init__(self, seed, conversations, people):
        self.random = random.Random(seed)
        self.conversations = [*conversations, "", "x", "0" * 32, uuid7().upper(), "x" * 300]
        self.people = [*people, "", "x", "00000000-0000-0000-0000-000000000000"]

    def pick(self, pool):
        return self.random.choice(pool)

    def maybe(self, fields):
        """Some of the fields."""
        return {name: value for name, value in fields.items() if self.random.random() < 0.85}

    def fresh(self):
        return self.pick((uuid7(), uuid7(), *self.conversations))

    def operation(self):
        people = [self.pick(self.people) for _ in range(self.random.randrange(4))]
        parts = [{"text": {"text": self.pick(TEXTS)}} for _ in range(self.random.randrange(4))]
        return self.pick((
            {"send": {"body": {"parts": parts}}}, {"send": {"body": {"parts": [{}]}}}, {"send": {}}, {},
            {"create": {"kind": self.pick(KINDS), "title": self.pick(TEXTS), "userIds": people}},
            {"addMember": {"userId": self.pick(self.people), "role": self.pick(ROLES)}},
            {"removeMember": {"userId": self.pick(self.people)}},
        ))  # fmt: skip

    def command(self):
        return {"command": self.maybe({
            "conversationId": self.pick((*self.conversations, uuid7())), "epoch": self.pick(U64),
            "deviceSeq": self.pick(U64), "attempt": self.pick(U32), "seenSeq": self.pick(I64),
            "clientMsgId": self.fresh(), "op": self.operation(),
            "traceId": self.pick(("", "z" * 32, "a" * 32, "a" * 5000))})}  # fmt: skip

    def other(self):
        id_, people = self.pick(self.conversations), [self.pick(self.people) for _ in range(3)]
        return self.pick((
            {"ack": self.maybe({"conversationId": id_, "epoch": self.pick(U64),
                                "deliveredSeq": self.pick(I64), "readSeq": self.pick(I64)})},
            {"history": self.maybe({"conversationId": id_, "fromSeq": self.pick(I64),
                                    "toSeq": self.pick(I64), "limit": self.pick(U32)})},
            {"list": self.maybe({"limit": self.pick(U32), "page": self.pick((*TEXTS, id_))})},
            {"typing": self.maybe({"conversationId": id_, "typing": True})},
            {"presence": {"userIds": people}},
            {"ping": {"nonce": self.pick(U64)}},
            {"resume": self.maybe({"conversationId": id_, "epoch": self.pick(U64), "seq": self.pick(I64)})},
        ))  # fmt: skip

    def frame(self):
        content = self.command() if self.random.random() < 0.5 else self.other()
        return {"requestId": self.pick(U64)} | content

    def resume_points(self):
        return [self.maybe({"conversationId": self.pick(self.conversations), "epoch": self.pick(U64),
                            "seq": self.pick(I64)}) for _ in range(20)]  # fmt: skip


class Frames(unittest.IsolatedAsyncioTestCase):
    async def connection(self, session, generator):
        """Frames on one connection; it may be closed for them, but only in words."""
        async with await Socket.upgraded() as peer:
            points = generator.resume_points()
            await peer.say({"connect": {"token": session["accessToken"], "resume": points}})
            await peer.until_said("welcome")
            for _ in range(PER_CONNECTION):
                await peer.say(generator.frame())
            await peer.send(frame(8, b"\x03\xe8"))
            code, _ = await peer.closed(30)
            self.assertIn(code, (1000, 1007, 1009, 4010))
            for error in peer.errors():
                self.assertLessEqual(len(error.get("message", "")), 120)
                self.assertTrue(error["ref"])

    async def test_odd_values_in_every_field(self):
        odd, friend, stranger = await asyncio.gather(*(register("val") for _ in range(3)))
        async with Client(friend) as client, Client(stranger) as other:
            mine = await client.open_direct(odd["userId"])
            group = await client.open_group("Odd", [odd["userId"]])
            foreign = await other.open_group("Others", [friend["userId"]])
            await client.settle(group, {"send": text_body("before")})
            people = [person["userId"] for person in (odd, friend, stranger)] + [uuid7()]
            generator = Generator(SEED, [mine, group, foreign, uuid7()], people)
            async with unharmed(*NODES):
                for _ in range(FRAMES // PER_CONNECTION):
                    await self.connection(odd, generator)
                await client.settle(foreign, {"send": text_body("after")})
                await other.settle(foreign, {"send": text_body("after, too")})
            await until(lambda: client.texts(foreign)[-2:] == ["after", "after, too"], "still works")
            self.assertEqual(set(other.texts(foreign)), {"after", "after, too"})
            self.assertEqual(client.mistakes + other.mistakes, [])

    async def test_odd_enums_in_protobuf(self):
        session = await register("val")
        operations = [pb.field(2, pb.message({1: kind, 2: "t", 3: uuid7()})) for kind in (3, 99, 2**31, 2**63)]
        operations += [pb.field(3, pb.message({1: uuid7(), 2: role})) for role in (5, 99, 2**31, 2**63)]
        async with unharmed(*NODES):
            async with await Socket.logged_in(session, PROTO_PROTOCOL) as peer:
                for operation in operations:
                    await peer.send(frame(BINARY, pb.command(uuid7(), 1, 1, 0, uuid7(), operation)))
                    kinds = (pb.SERVER_VERDICT, pb.SERVER_ERROR)
                    answer = pb.read(await peer.until(lambda _, p: set(kinds) & set(pb.read(p))))
                    verdict = pb.read(answer.get(pb.SERVER_VERDICT, b""))
                    self.assertNotEqual(verdict.get(5), 1, "never ACCEPTED")

    async def test_22_two_members_of_a_oneof(self):
        """Protobuf: the last one counts. JSON: refused."""
        session = await register("val")
        async with unharmed("edge"):
            async with await Socket.logged_in(session, PROTO_PROTOCOL) as peer:
                await peer.send(frame(BINARY, pb.field(pb.CLIENT_ACK, b"") + pb.ping(5)))
                await peer.until(lambda _, p: pb.SERVER_PONG in pb.read(p))
            async with await Socket.logged_in(session) as peer:
                await peer.say({"ping": {}, "list": {}})
                error = (await peer.until_said("error"))["error"]
                self.assertEqual(error["code"], "ERROR_CODE_BAD_JSON")

    async def test_43_more_members_than_allowed(self):
        session = await register("val")
        async with unharmed(*NODES):
            async with Client(session) as client:
                limit = int(client.welcome["limits"]["membersMax"])
                create = {"kind": "CONVERSATION_KIND_GROUP", "title": "Crowd",
                          "userIds": [uuid7() for _ in range(limit)]}  # fmt: skip
                verdict = await client.settle(uuid7(), {"create": create})
                self.assertEqual(code_of(verdict), "REJECTED")
                self.assertEqual(verdict["error"]["code"], "ERROR_CODE_LIMIT_EXCEEDED")


class Calls(unittest.IsolatedAsyncioTestCase):
    BAD = {
        "truncated": pb.field(1, "demo")[:-1],
        "varint of 11 bytes": b"\x08" + b"\xff" * 10 + b"\x01",
        "group": b"\x0b\x0c",
        "tag 0": b"\x00\x00",
        "invalid UTF-8 and a quote": pb.field(1, b"demo\xc0' or 1=1 --"),
        "NUL": pb.field(1, b"demo\0"),
        "number for a text": b"\x08\x01",
        "length of 4 GB": b"\x0a\xff\xff\xff\xff\x0f",
    }

    async def refused(self, method, body, **more):
        with self.assertRaises(Refused) as caught:
            await call(method, body, **more)
        return caught.exception

    async def test_20_26_broken_protobuf_at_the_calls(self):
        token = (await register("val"))["accessToken"]
        headers = {"content-type": "application/proto"}
        async with unharmed("gateway", "auth", "users") as harm:
            for method in ("auth.v1.AuthService/Login", "auth.v1.AuthService/Register",
                           "users.v1.UserService/FindUser"):  # fmt: skip
                for name, body in self.BAD.items():
                    with self.subTest(f"{method} {name}"):
                        refused = await self.refused(method, body, token=token, headers=headers)
                        self.assertEqual((refused.status, refused.code), (400, "BAD_MESSAGE"))
                        harm.refs.append(refused.ref)

    async def test_odd_protocol_headers(self):
        odd = ({"content-type": "text/html"}, {"content-type": "application/json; charset=utf-16"},
               {"connect-protocol-version": "2"}, {"content-encoding": "gzip"},
               {"connect-timeout-ms": "-1"}, {"connect-timeout-ms": "9" * 30},
               {"content-type": "application/jsonx"})  # fmt: skip
        body = {"tenant": stack.TENANT, "handle": "nobody.here", "password": "wrong password"}
        async with unharmed("auth"):
            for headers in odd:
                with self.subTest(str(headers)):
                    refused = await self.refused("auth.v1.AuthService/Login", body, headers=headers,
                                                 base=stack.http("auth"))  # fmt: skip
                    self.assertIn(refused.status, (400, 401, 415, 501))
                    self.assertTrue(json.dumps(refused.body))
