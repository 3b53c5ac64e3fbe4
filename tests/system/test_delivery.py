# SPDX-License-Identifier: Apache-2.0
"""Conversations between people of company A: order, receipts, groups, history, several devices."""

import asyncio
import subprocess
import unittest

from lib import stack
from lib.calls import log_in, register
from lib.client import Client, code_of, text_body, text_of, uuid7
from lib.stack import until


class Direct(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        self.a, self.b = await asyncio.gather(register("a"), register("b"))

    async def test_messages_arrive_once_in_order_with_their_bytes(self):
        texts = [f"{n} grüße 👋 <&>\"' \\u0000 %s" for n in range(100)]
        async with Client(self.a) as alice, Client(self.b) as bob:
            id_ = await alice.open_direct(bob.user_id)
            commands = [await alice.say(id_, text) for text in texts]
            verdicts = [await asyncio.wait_for(c.verdict, 20) for c in commands]
            self.assertEqual({code_of(v) for v in verdicts}, {"ACCEPTED"})
            seqs = [int(v["seq"]) for v in verdicts]
            self.assertEqual(seqs, list(range(2, 102)))  # 1 is the creation
            await until(lambda: len(bob.texts(id_)) == 100, "bob has all")
            self.assertEqual(bob.texts(id_), texts)
            await until(lambda: len(alice.texts(id_)) == 100, "the sender's device has all")
            self.assertEqual(alice.texts(id_), texts)

    async def test_delivered_and_read_move_at_the_sender(self):
        async with Client(self.a) as alice, Client(self.b) as bob:
            id_ = await alice.open_direct(bob.user_id)
            await (await alice.say(id_, "one")).verdict
            kept = alice.conversation(id_)
            await until(lambda: kept.cursors.get(bob.user_id, (0, 0))[0] >= 2, "delivered")
            self.assertEqual(kept.cursors[bob.user_id][1], 0)
            await bob.ack(id_, 2, read=2)
            await until(lambda: kept.cursors[bob.user_id] == (2, 2), "read")

    async def test_own_other_device_sees_what_one_device_sends_and_reads(self):
        second = await log_in(self.a["handle"], self.a["password"])
        self.assertNotEqual(second["deviceId"], self.a["deviceId"])
        async with Client(self.a) as phone, Client(second) as laptop, Client(self.b) as bob:
            id_ = await phone.open_direct(bob.user_id)
            await asyncio.wait_for(laptop.conversation(id_).attached.wait(), 20)
            await (await phone.say(id_, "from the phone")).verdict
            await until(lambda: laptop.texts(id_) == ["from the phone"], "laptop has it")
            await (await bob.say(id_, "answer")).verdict
            await until(lambda: len(phone.texts(id_)) == 2, "phone has the answer")
            await phone.ack(id_, 3, read=3)
            mine = laptop.conversation(id_).cursors
            await until(lambda: mine.get(phone.user_id, (0, 0))[1] == 3, "laptop knows it is read")

    async def test_offline_person_gets_all_on_return(self):
        async with Client(self.a) as alice:
            async with Client(self.b) as bob:
                id_ = await alice.open_direct(bob.user_id)
                await (await alice.say(id_, "before")).verdict
                await until(lambda: bob.texts(id_) == ["before"], "first")
                kept = bob.conversations
            for n in range(300):
                await alice.say(id_, f"while away {n}")
            await until(lambda: not alice.conversation(id_).outbox, "all have verdicts", 30)
            again = Client(self.b)
            again.conversations = kept
            async with again:
                await until(lambda: len(again.texts(id_)) == 301, "all arrived", 30)
                expected = ["before"] + [f"while away {n}" for n in range(300)]
                self.assertEqual(again.texts(id_), expected)

    async def test_typing_and_presence(self):
        async with Client(self.a) as alice:
            await alice.send({"presence": {"userIds": [self.b["userId"]]}})

            def state_is(wanted):
                people = [p for kind, f in alice.frames if kind == "presence" for p in f["people"]]
                return people and people[-1].get("state") == f"PRESENCE_STATE_{wanted}"

            await until(lambda: state_is("OFFLINE"), "offline at first")
            async with Client(self.b) as bob:
                await until(lambda: state_is("ONLINE"), "online")
                id_ = await alice.open_direct(bob.user_id)
                await asyncio.wait_for(bob.conversation(id_).attached.wait(), 20)
                await bob.send({"typing": {"conversationId": id_, "typing": True}})
                notices = lambda: [f for kind, f in alice.frames if kind == "typing"]  # noqa: E731
                await until(notices, "typing")
                self.assertEqual(notices()[0]["userId"], bob.user_id)
            await until(lambda: state_is("OFFLINE"), "offline again", 30)

    async def test_history_by_seq_and_conversation_list(self):
        async with Client(self.a) as alice, Client(self.b) as bob:
            id_ = await alice.open_direct(bob.user_id)
            for n in range(20):
                await alice.say(id_, f"m{n}")
            await until(lambda: len(bob.texts(id_)) == 20, "all")
            ask = {"history": {"conversationId": id_, "fromSeq": "5", "toSeq": "9", "limit": 3}}
            kind, page = await bob.request(ask)
            self.assertEqual(kind, "history")
            self.assertEqual([int(e["seq"]) for e in page["entries"]], [7, 8, 9])
            self.assertTrue(page["hasMore"])
            kind, listed = await bob.request({"list": {"limit": 10}})
            mine = [c for c in listed["conversations"] if c["conversationId"] == id_][0]
            self.assertEqual(int(mine["lastSeq"]), 21)
            self.assertEqual(int(mine["unreadCount"]), 20)
            self.assertEqual(text_of(mine["lastEntry"]), "m19")


class Group(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        self.people = await asyncio.gather(*(register("g") for _ in range(4)))

    async def test_members_see_their_stay_and_nothing_else(self):
        one, two, three, four = (Client(p) for p in self.people)
        async with one, two, three, four:
            id_ = await one.open_group("Climbing", [two.user_id])
            await (await one.say(id_, "before three")).verdict
            add = {"addMember": {"userId": three.user_id}}
            self.assertEqual(code_of(await one.settle(id_, add)), "ACCEPTED")
            await asyncio.wait_for(three.conversation(id_).attached.wait(), 20)
            await (await two.say(id_, "with three")).verdict
            await until(lambda: three.texts(id_) == ["with three"], "three has it")
            remove = {"removeMember": {"userId": three.user_id}}
            self.assertEqual(code_of(await one.settle(id_, remove)), "ACCEPTED")
            await (await one.say(id_, "after three")).verdict
            await until(lambda: two.texts(id_)[-1:] == ["after three"], "two has it")
            _, page = await three.request({"history": {"conversationId": id_, "fromSeq": "1"}})
            self.assertEqual([int(e["seq"]) for e in page["entries"]], [3, 4, 5])
            self.assertEqual(three.texts(id_), ["with three"])
            verdict = await three.settle(id_, {"send": text_body("still here?")})
            self.assertEqual(code_of(verdict), "NOT_MEMBER")
            kind, answer = await four.request({"history": {"conversationId": id_}})
            self.assertEqual((kind, answer["code"]), ("error", "ERROR_CODE_NOT_FOUND"))

    async def test_only_owners_add_and_remove(self):
        one, two, three, _ = (Client(p) for p in self.people)
        async with one, two:
            id_ = await one.open_group("Rules", [two.user_id])
            await asyncio.wait_for(two.conversation(id_).attached.wait(), 20)
            verdict = await two.settle(id_, {"addMember": {"userId": three.user_id}})
            self.assertEqual(code_of(verdict), "REJECTED")
            self.assertEqual(verdict["error"]["code"], "ERROR_CODE_FORBIDDEN")
            verdict = await two.settle(id_, {"removeMember": {"userId": two.user_id}})
            self.assertEqual(code_of(verdict), "ACCEPTED")

    async def test_two_senders_one_order_for_all(self):
        one, two, three, four = (Client(p) for p in self.people)
        async with one, two, three, four:
            id_ = await one.open_group("Crowd", [c.user_id for c in (two, three, four)])
            for c in (two, three, four):
                await asyncio.wait_for(c.conversation(id_).attached.wait(), 20)

            async def chatter(client, name):
                for n in range(50):
                    await (await client.say(id_, f"{name}{n}")).verdict

            await asyncio.gather(*(chatter(c, n) for c, n in zip((one, two, three, four), "wxyz")))
            for c in (one, two, three, four):
                await until(lambda c=c: len(c.texts(id_)) == 200, "all 200")
            self.assertEqual(one.texts(id_), two.texts(id_))
            self.assertEqual(one.texts(id_), three.texts(id_))
            self.assertEqual(one.texts(id_), four.texts(id_))


class Verdicts(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        self.a, self.b = await asyncio.gather(register("a"), register("b"))

    async def raw(self, client, id_, number, text, message_id, attempt=0):
        """A command with ids of the test's choice; answers its verdict."""
        seen = len(client.verdicts)
        await client.send({"command": {
            "conversationId": id_, "epoch": client.welcome["epoch"], "deviceSeq": str(number),
            "attempt": attempt, "seenSeq": str(client.conversation(id_).applied),
            "clientMsgId": message_id, "op": {"send": text_body(text)}}})  # fmt: skip
        await until(lambda: len(client.verdicts) > seen, "a verdict")
        return client.verdicts[-1]

    async def test_stored_verdicts_gaps_and_reused_numbers(self):
        class Recorder(Client):
            verdicts = []

            async def on_verdict(self, verdict):
                self.verdicts.append(verdict)
                await super().on_verdict(verdict)

        async with Recorder(self.a) as alice, Client(self.b) as bob:
            id_ = await alice.open_direct(bob.user_id)
            message_id = uuid7()
            first = await self.raw(alice, id_, 2, "hello", message_id)
            again = await self.raw(alice, id_, 2, "hello", message_id)
            self.assertEqual((code_of(first), first["seq"]), ("ACCEPTED", "2"))
            self.assertEqual((code_of(again), again["seq"]), ("ACCEPTED", "2"))
            reused = await self.raw(alice, id_, 2, "other text", message_id)
            self.assertEqual(code_of(reused), "ID_REUSED")
            gap = await self.raw(alice, id_, 9, "too early", uuid7(), attempt=7)
            self.assertEqual((code_of(gap), gap["last"], gap["attempt"]), ("GAP", "2", 7))
            empty = await self.raw(alice, id_, 3, " \u200b ", uuid7())
            self.assertEqual((code_of(empty), empty["error"]["code"]),
                             ("REJECTED", "ERROR_CODE_EMPTY_MESSAGE"))  # fmt: skip
            late = await self.raw(alice, id_, 4, "after the refusal", uuid7())
            self.assertEqual((code_of(late), late["seq"]), ("ACCEPTED", "3"))
            await until(lambda: bob.texts(id_) == ["hello", "after the refusal"], "bob has two")


class Events(unittest.IsolatedAsyncioTestCase):
    async def test_every_entry_is_in_kafka_and_the_outbox_empties(self):
        a, b = await asyncio.gather(register("a"), register("b"))
        async with Client(a) as alice, Client(b) as bob:
            id_ = await alice.open_direct(bob.user_id)
            for n in range(30):
                await (await alice.say(id_, f"event {n}")).verdict
        waiting = f"select count(*) from delivery.outbox where conversation_id = '{id_}'"
        await until(lambda: stack.sql(waiting) == [["0"]], "the outbox is empty")
        read = ["kcat", "-b", f"127.0.0.1:{stack.port('kafka')}", "-t", "messages", "-C", "-e", "-q",
                "-f", "%k\n"]  # fmt: skip
        keys = subprocess.run(read, capture_output=True, text=True, timeout=60, check=True).stdout
        self.assertGreaterEqual(keys.split().count(id_), 31)
