# SPDX-License-Identifier: Apache-2.0
"""Commands with odd contents: text, sizes, reused ids, other people's conversations, wrong clocks."""

import asyncio
import statistics
import time
import unittest
import uuid

from lib import pb, stack
from lib.calls import call, fresh_handle, log_in, register
from lib.client import Client, code_of, direct_id, text_body, uuid7
from lib.stack import until
from lib.wellbeing import unharmed

YEAR_S = 365 * 24 * 3600
NODES = ("edge", "d1")
HOSTILE_TEXTS = (
    "'; drop table delivery.message; --", "\" or 1=1 --", "$$; select pg_sleep(10); $$", "\\'; --",
    "%s%n%x%p", "${jndi:ldap://127.0.0.1/a}", "{{7*7}}", "line\r\nbreak\r\n\r\n", "\x1b[31mred\x1b[0m",
    "<script>alert(1)</script>", "\u202eevil", "\ufeffbom", "a\u0300" * 500, "\U0001f468\u200d" * 50,
    "\\u0000", "bell \x01\x02\x7f", "two\u2028lines\u2029",
)  # fmt: skip
UNSEEN = ("", " ", "\t\n\r ", "\u200b", "\u200b\u200d\ufeff \u00a0", "\u2060\u00ad", "\U000e0020")


def shifted_uuid7(seconds):
    value = int((time.time() + seconds) * 1000) << 80 | uuid.UUID(uuid7()).int & ((1 << 80) - 1)
    return str(uuid.UUID(int=value))


class Recorder(Client):
    """Keeps every verdict."""

    def __init__(self, *args, **more):
        super().__init__(*args, **more)
        self.verdicts = []

    async def on_verdict(self, verdict):
        self.verdicts.append(verdict)
        await super().on_verdict(verdict)

    async def raw(self, id_, number, operation, message_id):
        """The verdict on a command with ids of the test's choice."""
        before = len(self.verdicts)
        await self.send({"command": {
            "conversationId": id_, "epoch": self.welcome["epoch"], "deviceSeq": str(number),
            "seenSeq": str(self.conversation(id_).applied), "clientMsgId": message_id,
            "op": operation}})  # fmt: skip
        await until(lambda: len(self.verdicts) > before, "a verdict")
        return self.verdicts[-1]


def outcome(verdict):
    """Code and, when refused, why."""
    error = verdict.get("error", {}).get("code", "").removeprefix("ERROR_CODE_")
    return (code_of(verdict), error) if error else code_of(verdict)


def body_bytes(text):
    """Size of Body{parts{text{text}}}."""
    return len(pb.field(1, pb.field(1, pb.field(1, text))))


class Contents(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        self.a, self.b = await asyncio.gather(register("odd"), register("odd"))

    async def test_26_27_hostile_text_is_text(self):
        async with unharmed(*NODES, logged=False, counts=False) as harm:
            async with Client(self.a) as alice, Client(self.b) as bob:
                id_ = await alice.open_direct(bob.user_id)
                for text in HOSTILE_TEXTS:
                    verdict = await alice.settle(id_, {"send": text_body(text)})
                    self.assertEqual(outcome(verdict), "ACCEPTED", repr(text))
                await until(lambda: len(bob.texts(id_)) == len(HOSTILE_TEXTS), "all")
                self.assertEqual(bob.texts(id_), list(HOSTILE_TEXTS))
            for vitals in harm.vitals:
                self.assertNotIn("jndi", str(vitals.lines()))

    async def test_26_27_hostile_titles(self):
        async with unharmed(*NODES, logged=False, counts=False):
            async with Client(self.a) as alice:
                title = "'; drop table delivery.conversation; -- ${jndi:x} %s%n"
                id_ = await alice.open_group(title, [self.b["userId"]])
                self.assertEqual(alice.conversation(id_).summary["title"], title)

    async def test_28_nothing_to_see_is_empty(self):
        async with unharmed(*NODES):
            async with Client(self.a) as alice:
                id_ = await alice.open_direct(self.b["userId"])
                for text in UNSEEN:
                    verdict = await alice.settle(id_, {"send": text_body(text)})
                    self.assertEqual(outcome(verdict), ("REJECTED", "EMPTY_MESSAGE"), repr(text))
                verdict = await alice.settle(id_, {"send": {"body": {}}})
                self.assertEqual(outcome(verdict), ("REJECTED", "EMPTY_MESSAGE"))
                verdict = await alice.settle(id_, {"send": {}})
                self.assertEqual(outcome(verdict), ("REJECTED", "EMPTY_MESSAGE"))

    async def test_28_titles_that_are_none(self):
        async with unharmed(*NODES):
            async with Client(self.a) as alice:
                for title in (*UNSEEN, "a\nb", "a\u202eb", "x" * 1000, "\x1b[31m"):
                    create = {"create": {"kind": "CONVERSATION_KIND_GROUP", "title": title,
                                         "userIds": [self.b["userId"]]}}  # fmt: skip
                    verdict = await alice.settle(uuid7(), create)
                    self.assertEqual(outcome(verdict), ("REJECTED", "INVALID_NAME"), repr(title))

    async def test_29_sizes_at_the_limit_by_bytes(self):
        async with unharmed(*NODES):
            async with Client(self.a) as alice, Client(self.b) as bob:
                id_ = await alice.open_direct(bob.user_id)
                limit = int(alice.welcome["limits"]["messageBytesMax"])
                room = limit - (body_bytes("x" * (limit - 100)) - (limit - 100))
                for text in ("x" * room, "\U0001f600" * (room // 4) + "x" * (room % 4)):
                    self.assertEqual(len(text.encode()), room)
                    verdict = await alice.settle(id_, {"send": text_body(text)})
                    self.assertEqual(outcome(verdict), "ACCEPTED")
                    verdict = await alice.settle(id_, {"send": text_body(text + "x")})
                    self.assertEqual(outcome(verdict), ("REJECTED", "TOO_LARGE"))
                await until(lambda: [len(t.encode()) for t in bob.texts(id_)] == [room] * 2, "both")

    async def test_44_a_clients_clock_may_be_a_year_off(self):
        for shift_s in (-YEAR_S, YEAR_S):
            async with Recorder(self.a) as alice:
                around_ms = int(alice.welcome["serverTimeMs"]) - 1000 * time.time()
                self.assertLess(abs(around_ms), 5000)
                id_ = shifted_uuid7(shift_s)
                create = {"create": {"kind": "CONVERSATION_KIND_GROUP", "title": "then",
                                     "userIds": [self.b["userId"]]}}  # fmt: skip
                self.assertEqual(outcome(await alice.settle(id_, create)), "ACCEPTED")
                await asyncio.wait_for(alice.conversation(id_).attached.wait(), 20)
                verdict = await alice.raw(id_, 2, {"send": text_body("hi")}, shifted_uuid7(shift_s))
                self.assertEqual(outcome(verdict), "ACCEPTED")
                self.assertLess(abs(int(verdict["committedMs"]) - 1000 * time.time()), 5000)


class Ids(unittest.IsolatedAsyncioTestCase):
    async def test_41_reused_numbers_and_ids(self):
        a, b, c = await asyncio.gather(*(register("ids") for _ in range(3)))
        async with unharmed(*NODES, logged=False):
            async with Recorder(a) as alice, Recorder(b) as bob:
                id_ = await alice.open_direct(bob.user_id)
                await asyncio.wait_for(bob.conversation(id_).attached.wait(), 20)
                other = await alice.open_direct(c["userId"])
                message_id = uuid7()
                send = {"send": text_body("one")}
                first = await alice.raw(id_, 2, send, message_id)
                self.assertEqual(outcome(first), "ACCEPTED")
                self.assertEqual(await alice.raw(id_, 2, send, message_id), first)
                again = await alice.raw(id_, 2, {"send": text_body("two")}, message_id)
                self.assertEqual(code_of(again), "ID_REUSED")
                again = await alice.raw(id_, 2, send, uuid7())
                self.assertEqual(code_of(again), "ID_REUSED")
                # The scope of a message id is (conversation, person).
                self.assertEqual(outcome(await alice.raw(other, 2, send, message_id)), "ACCEPTED")
                self.assertEqual(outcome(await bob.raw(id_, 1, send, message_id)), "ACCEPTED")
                await until(lambda: len(bob.texts(id_)) == 2, "both")


class Strangers(unittest.IsolatedAsyncioTestCase):
    TIMES = 30

    async def asyncSetUp(self):
        people = await asyncio.gather(*(register("str") for _ in range(4)))
        self.owner, self.member, self.removed, self.stranger = people

    async def group(self, owner):
        return await owner.open_group("Ours", [self.member["userId"], self.removed["userId"]])

    async def answers(self, client, id_):
        """What each operation on a conversation is answered, without its ids."""
        found = []
        for ask in ({"history": {"conversationId": id_}},
                    {"resume": {"conversationId": id_, "epoch": "1", "seq": "0"}}):  # fmt: skip
            kind, answer = await client.request(ask)
            found.append((kind, {k: v for k, v in answer.items() if k != "ref"}))
        for operation in ({"send": text_body("let me in")},
                          {"addMember": {"userId": client.user_id}},
                          {"removeMember": {"userId": client.user_id}}):  # fmt: skip
            verdict = await client.settle(id_, operation)
            error = {k: v for k, v in verdict.get("error", {}).items() if k != "ref"}
            found.append((code_of(verdict), error, verdict.get("last")))
        return found

    async def test_42_foreign_and_absent_look_the_same(self):
        async with unharmed(*NODES, logged=False):
            async with Client(self.owner) as owner, Client(self.stranger) as stranger:
                id_ = await self.group(owner)
                direct = await owner.open_direct(self.member["userId"])
                absent = await self.answers(stranger, uuid7())
                self.assertEqual(await self.answers(stranger, id_), absent)
                self.assertEqual(await self.answers(stranger, direct), absent)
                self.assertEqual(absent[0][1]["code"], "ERROR_CODE_NOT_FOUND")
                self.assertEqual([a[0] for a in absent[2:]], ["NOT_MEMBER"] * 3)

    async def test_42_foreign_and_absent_take_the_same_time(self):
        async with Client(self.owner) as owner, Client(self.stranger) as stranger:
            id_ = await self.group(owner)
            took = {id_: [], uuid7(): []}
            for _ in range(self.TIMES):
                for asked in took:
                    began = time.monotonic()
                    await stranger.request({"history": {"conversationId": asked}})
                    took[asked].append(time.monotonic() - began)
            foreign, absent = (statistics.median(times) for times in took.values())
            print(f"        foreign {1000 * foreign:.2f} ms, absent {1000 * absent:.2f} ms")
            self.assertLess(abs(foreign - absent), 0.002 + 0.5 * max(foreign, absent))

    async def test_42_create_at_the_place_of_others(self):
        async with Client(self.owner) as owner, Client(self.stranger) as stranger:
            id_ = await self.group(owner)
            create = {"create": {"kind": "CONVERSATION_KIND_GROUP", "title": "Mine now",
                                 "userIds": [self.member["userId"]]}}  # fmt: skip
            verdict = await stranger.settle(id_, create)
            self.assertIn(code_of(verdict), ("REJECTED", "NOT_MEMBER"))
            place = direct_id(self.owner["tenantId"], self.owner["userId"], self.member["userId"])
            create["create"] |= {"kind": "CONVERSATION_KIND_DIRECT", "title": ""}
            verdict = await stranger.settle(place, create)
            self.assertEqual(outcome(verdict), ("REJECTED", "INVALID_ARGUMENT"))

    async def test_42_removed_member_sees_his_stay_only(self):
        async with Client(self.owner) as owner, Client(self.removed) as removed:
            id_ = await self.group(owner)
            await asyncio.wait_for(removed.conversation(id_).attached.wait(), 20)
            await owner.settle(id_, {"send": text_body("with you")})
            await owner.settle(id_, {"removeMember": {"userId": removed.user_id}})
            await owner.settle(id_, {"send": text_body("without you")})
            for asked in ({"fromSeq": "1"}, {"fromSeq": "4", "toSeq": "9"}, {}):
                _, page = await removed.request({"history": {"conversationId": id_} | asked})
                self.assertLessEqual(max([int(e["seq"]) for e in page.get("entries", [])] or [0]), 3)
            async with Client(await log_in(self.removed["handle"], self.removed["password"])) as fresh:
                _, page = await fresh.request({"history": {"conversationId": id_, "fromSeq": "1"}})
                self.assertEqual([int(e["seq"]) for e in page["entries"]], [1, 2, 3])
            self.assertEqual(removed.texts(id_), ["with you"])


class OtherTenant(unittest.IsolatedAsyncioTestCase):
    SLUG = "other-tenant"

    async def asyncSetUp(self):
        stack.sql(f"insert into users.tenant values (gen_random_uuid(), '{self.SLUG}')"
                  " on conflict do nothing", "causeway_users")  # fmt: skip
        self.ours, self.mate = await asyncio.gather(register("ten"), register("ten"))
        self.theirs = await call("auth.v1.AuthService/Register", {
            "tenant": self.SLUG, "handle": fresh_handle(), "password": "correct horse battery"})  # fmt: skip

    async def test_42_another_tenants_people_and_conversations_are_absent(self):
        self.assertNotEqual(self.theirs["tenantId"], self.ours["tenantId"])
        async with unharmed(*NODES, logged=False):
            async with Client(self.ours) as ours, Client(self.theirs) as theirs:
                id_ = await ours.open_group("Private", [self.mate["userId"]])
                for asked in (id_, uuid7()):
                    kind, answer = await theirs.request({"history": {"conversationId": asked}})
                    self.assertEqual((kind, answer["code"]), ("error", "ERROR_CODE_NOT_FOUND"))
                    verdict = await theirs.settle(asked, {"send": text_body("hello")})
                    self.assertEqual(code_of(verdict), "NOT_MEMBER")
                add = {"addMember": {"userId": theirs.user_id}}
                self.assertEqual(outcome(await ours.settle(id_, add)), ("REJECTED", "NOT_FOUND"))
                place = direct_id(self.theirs["tenantId"], theirs.user_id, ours.user_id)
                create = {"create": {"kind": "CONVERSATION_KIND_DIRECT", "userIds": [ours.user_id]}}
                self.assertEqual(outcome(await theirs.settle(place, create)), ("REJECTED", "NOT_FOUND"))
        found = await call("users.v1.UserService/GetUsers", {"userIds": [self.ours["userId"]]},
                           token=self.theirs["accessToken"])  # fmt: skip
        self.assertEqual(found.get("users", []), [])


class LargePages(unittest.IsolatedAsyncioTestCase):
    MESSAGES = 150
    LIMIT_S = 60

    async def test_29_pages_and_backlogs_of_the_largest_messages_arrive(self):
        """More bytes than a connection's queue holds, for somebody who reads."""
        a, b = await asyncio.gather(register("big"), register("big"))
        async with unharmed(*NODES, logged=False, counts=False):
            async with Client(a) as alice:
                async with Client(b) as bob:
                    id_ = await alice.open_direct(bob.user_id)
                    await asyncio.wait_for(bob.conversation(id_).attached.wait(), 20)
                    kept = bob.conversations
                texts = [f"{number:016000}" for number in range(self.MESSAGES)]
                for text in texts:
                    await alice.say(id_, text)
                await until(lambda: not alice.conversation(id_).outbox, "accepted", self.LIMIT_S)
                again = Client(b)
                again.conversations = kept
                async with again:
                    await until(lambda: len(again.texts(id_)) >= len(texts), "the backlog", self.LIMIT_S)
                    self.assertEqual(again.texts(id_), texts)
                    _, page = await again.request({"history": {"conversationId": id_, "limit": 200}})
                    self.assertTrue(page["entries"])
                    self.assertEqual(int(page["entries"][-1]["seq"]), self.MESSAGES + 1)
                    self.assertEqual(again.closes, [])
