# SPDX-License-Identifier: Apache-2.0
"""People of both companies talk: the legacy side is an unmodified XMPP client on B's own server."""

import asyncio
import secrets
import unittest

from lib.calls import fresh_handle, register
from lib.client import Client
from lib.legacy import Legacy, make_account
from lib.stack import NATIVE_DOMAIN, until


class Bridge(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        self.person = await register("alice")
        self.account = await asyncio.to_thread(make_account)
        self.address = f"{self.person['handle']}@{NATIVE_DOMAIN}"

    async def first_word(self, alice, bob):
        """Bob writes first: that makes the conversation. Answers its id."""
        bob.say(self.address, "hello from B")
        await until(lambda: any(k.entries for k in alice.conversations.values()), "first word", 30)
        (id_,) = [i for i, k in alice.conversations.items() if k.entries]
        await until(lambda: alice.texts(id_) == ["hello from B"], "the text")
        return id_

    async def test_both_ways_once_in_order_with_ids_kept(self):
        texts = [f"{n} ünï 👋 <b>&amp;\"'" for n in range(60)]
        async with Client(self.person) as alice, Legacy(*self.account) as bob:
            id_ = await self.first_word(alice, bob)
            ids = [bob.say(self.address, text) for text in texts]
            await until(lambda: len(alice.texts(id_)) == 61, "alice has all", 30)
            self.assertEqual(alice.texts(id_)[1:], texts)
            foreign = [e.get("foreignId") for e in alice.conversation(id_).entries][-60:]
            self.assertEqual(foreign, ids)
            commands = [await alice.say(id_, text) for text in texts]
            await until(lambda: len(bob.texts(self.address)) == 60, "bob has all", 30)
            self.assertEqual(bob.texts(self.address), texts)
            self.assertEqual([m["id"] for m in bob.messages], [c.client_msg_id for c in commands])
            self.assertEqual(bob.bounces, [])

    async def test_delivered_and_read_marks_cross(self):
        async with Client(self.person) as alice, Legacy(*self.account) as bob:
            id_ = await self.first_word(alice, bob)
            message = bob.make_message(mto=self.address, mbody="please confirm", mtype="chat")
            message["id"] = secrets.token_hex(8)
            message["request_receipt"] = True
            message.enable("markable")
            message.send()
            await until(lambda: len(alice.texts(id_)) == 2, "alice has it")

            def receipts():
                return [s["receipt"] for s in bob.stanzas if s["receipt"]]

            await until(lambda: message["id"] in receipts(), "bob gets the receipt")
            last = alice.conversation(id_).applied
            await alice.ack(id_, last, read=last)
            await until(lambda: any(s["displayed"]["id"] == message["id"] for s in bob.stanzas),
                        "bob gets the displayed marker")  # fmt: skip
            await (await alice.say(id_, "and mine?")).verdict
            mine = alice.conversation(id_).applied + 0
            await until(lambda: bob.texts(self.address) == ["and mine?"], "bob has it")
            (bob_id,) = [e["senderUserId"] for e in alice.conversation(id_).entries
                         if e.get("foreignId") == message["id"]]  # fmt: skip
            cursors = alice.conversation(id_).cursors
            await until(lambda: cursors.get(bob_id, (0, 0))[0] >= mine, "delivered at bob")
            marker = bob.make_message(mto=self.address, mtype="chat")
            marker["displayed"]["id"] = bob.messages[-1]["id"]
            marker.send()
            await until(lambda: cursors[bob_id][1] >= mine, "read by bob")

    async def test_subscription_and_presence(self):
        async with Legacy(*self.account) as bob:
            bob.send_presence_subscription(pto=self.address, ptype="subscribe")
            await until(lambda: "subscribed" in bob.states_of(self.address), "subscribed")
            async with Client(self.person):
                await until(lambda: "available" in bob.states_of(self.address), "alice is online")
            await until(lambda: bob.states_of(self.address)[-1:] == ["unavailable"],
                        "alice is offline", 40)  # fmt: skip

    async def test_offline_legacy_person_gets_it_on_return(self):
        async with Client(self.person) as alice:
            async with Legacy(*self.account) as bob:
                id_ = await self.first_word(alice, bob)
            texts = [f"while you were away {n}" for n in range(5)]
            for text in texts:
                await (await alice.say(id_, text)).verdict
            async with Legacy(*self.account) as bob:
                await until(lambda: len(bob.texts(self.address)) == 5, "all five", 30)
                self.assertEqual(bob.texts(self.address), texts)

    async def test_unknown_addressee_is_item_not_found(self):
        async with Legacy(*self.account) as bob:
            bob.say(f"{fresh_handle()}@{NATIVE_DOMAIN}", "anybody?")
            await until(lambda: bob.bounces, "an error")
            self.assertEqual(bob.conditions(), ["item-not-found"])

    async def test_refused_message_comes_back_as_an_error(self):
        async with Client(self.person) as alice, Legacy(*self.account) as bob:
            await self.first_word(alice, bob)
            sent = bob.say(self.address, "x" * 40000)
            await until(lambda: bob.bounces, "an error")
            self.assertEqual(bob.bounces[0]["id"], sent)
            self.assertEqual(bob.conditions(), ["policy-violation"])
            bob.say(self.address, "still works")
            await until(lambda: any("still works" in alice.texts(i) for i in alice.conversations),
                        "the next one")  # fmt: skip

    async def test_typing_crosses(self):
        async with Client(self.person) as alice, Legacy(*self.account) as bob:
            id_ = await self.first_word(alice, bob)
            state = bob.make_message(mto=self.address, mtype="chat")
            state["chat_state"] = "composing"
            state.send()
            await until(lambda: [f for k, f in alice.frames if k == "typing"], "typing at alice")
            await alice.send({"typing": {"conversationId": id_, "typing": True}})
            await until(lambda: any(s["chat_state"] == "composing" for s in bob.stanzas),
                        "typing at bob")  # fmt: skip
