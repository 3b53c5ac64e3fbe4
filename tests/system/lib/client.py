# SPDX-License-Identifier: Apache-2.0
"""A client by the rules of docs/protocol.md, over a websocket library that is not ours: outbox kept until
the verdict, reconnect, resume, in-order apply. What it saw is kept for the checks."""

import asyncio
import json
import random
import time
import uuid

import websockets

from lib.stack import EDGE_URL

VERDICT_LIMIT_S = 3
ATTACH_LIMIT_S = 5
BACKOFF_S = (0.05, 1.0)
WINDOW = 32


def code_of(verdict):
    return verdict.get("code", "").removeprefix("VERDICT_CODE_")


class Command:
    def __init__(self, device_seq, operation, loop):
        self.device_seq = device_seq
        self.operation = operation
        self.client_msg_id = str(uuid.uuid4())
        self.invoked = time.monotonic()
        self.sent = None
        self.verdict = loop.create_future()


class Conversation:
    def __init__(self):
        self.epoch = 0
        self.applied = 0
        self.entries = []
        self.summary = None
        self.next_device_seq = 1
        self.attempt = 0
        self.outbox = {}  # device_seq -> Command, in order
        self.cursors = {}  # user id -> (delivered, read)
        self.attached = asyncio.Event()
        self.retrying = False


class Client:
    def __init__(self, session, url=EDGE_URL, on_entry=None, reconnect=True):
        self.session = session
        self.user_id = session["userId"]
        self.url = url
        self.on_entry = on_entry
        self.reconnect = reconnect
        self.conversations = {}
        self.frames = []  # everything that is not about an entry or a verdict
        self.mistakes = []
        self.connected = asyncio.Event()
        self.closes = []  # (code, reason)
        self.requests = {}
        self.socket = None
        self.welcome = {}
        self.tasks = []
        self.last_request = 0

    async def __aenter__(self):
        self.tasks = [asyncio.create_task(self.live()), asyncio.create_task(self.nag())]
        await asyncio.wait_for(self.connected.wait(), 20)
        return self

    async def __aexit__(self, *_):
        self.reconnect = False
        for task in self.tasks:
            task.cancel()
        if self.socket:
            await self.socket.close()

    # --- connection ---------------------------------------------------------------------------

    async def live(self):
        backoff = BACKOFF_S[0]
        while True:
            try:
                await self.one_connection()
                backoff = BACKOFF_S[0]
            except (OSError, websockets.WebSocketException, asyncio.TimeoutError):
                pass
            self.connected.clear()
            if not self.reconnect:
                return
            await asyncio.sleep(random.uniform(0, backoff))
            backoff = min(backoff * 2, BACKOFF_S[1])

    async def one_connection(self):
        async with asyncio.timeout(5):
            self.socket = await websockets.connect(
                self.url, subprotocols=["causeway.v1.json"], compression=None, max_size=None)  # fmt: skip
        resume = [
            {"conversationId": id_, "epoch": str(kept.epoch), "seq": str(kept.applied)}
            for id_, kept in self.conversations.items()
            if kept.epoch
        ]
        await self.send({"connect": {"token": self.session["accessToken"], "resume": resume}})
        try:
            async for message in self.socket:
                await self.take(json.loads(message))
        finally:
            self.closes.append((self.socket.close_code, self.socket.close_reason))

    async def send(self, frame):
        await self.socket.send(json.dumps(frame))

    async def send_quietly(self, frame):
        """A lost connection is the reconnect's business."""
        try:
            if self.connected.is_set():
                await self.send(frame)
        except (OSError, websockets.WebSocketException):
            pass

    async def nag(self):
        """Commands without a verdict are sent again, oldest first, with the same ids."""
        while True:
            await asyncio.sleep(0.2)
            limit = time.monotonic() - VERDICT_LIMIT_S
            for id_, kept in list(self.conversations.items()):
                first = next(iter(kept.outbox.values()), None)
                if first and first.sent is not None and first.sent < limit:
                    await self.send_outbox(id_, kept, 0)

    # --- frames -------------------------------------------------------------------------------

    async def take(self, frame):
        for kind, content in frame.items():
            handler = getattr(self, f"on_{kind}", None)
            if handler:
                await handler(content)
            elif kind != "requestId":
                self.frames.append((kind, content))
                waiting = self.requests.pop(int(frame.get("requestId", 0)), None)
                if waiting and not waiting.done():
                    waiting.set_result((kind, content))

    async def on_welcome(self, welcome):
        self.welcome = welcome
        self.connected.set()
        for id_, kept in list(self.conversations.items()):
            await self.send_outbox(id_, kept, 0)

    async def on_attached(self, attached):
        summary = attached["conversation"]
        kept = self.conversation(summary["conversationId"])
        kept.summary = summary
        kept.epoch = int(summary["epoch"])
        if not kept.attached.is_set():
            kept.applied = int(attached.get("afterSeq", 0))
            if not kept.outbox:
                kept.next_device_seq = int(attached.get("lastDeviceSeq", 0)) + 1
        kept.attached.set()

    async def on_deliver(self, deliver):
        id_ = deliver["conversationId"]
        kept = self.conversation(id_)
        kept.epoch = int(deliver["epoch"])
        if int(deliver.get("prevSeq", 0)) > kept.applied:
            point = {"conversationId": id_, "epoch": str(kept.epoch), "seq": str(kept.applied)}
            await self.send_quietly({"resume": point})
            return
        for entry in deliver.get("entries", []):
            if int(entry["seq"]) > kept.applied:
                self.apply(id_, kept, entry)
        await self.ack(id_, kept.applied)

    def apply(self, id_, kept, entry):
        kept.applied = int(entry["seq"])
        kept.entries.append(entry)
        if self.on_entry:
            self.on_entry(self, id_, entry)

    async def ack(self, id_, delivered, read=0):
        kept = self.conversation(id_)
        await self.send_quietly({"ack": {"conversationId": id_, "epoch": str(kept.epoch),
                                         "deliveredSeq": str(delivered), "readSeq": str(read)}})  # fmt: skip

    async def on_cursor(self, cursor):
        kept = self.conversation(cursor["conversationId"])
        kept.cursors[cursor["userId"]] = (
            int(cursor.get("deliveredSeq", 0)), int(cursor.get("readSeq", 0)))  # fmt: skip

    async def on_verdict(self, verdict):
        kept = self.conversation(verdict["conversationId"])
        code, number = code_of(verdict), int(verdict.get("deviceSeq", 0))
        if code == "GAP":
            if int(verdict.get("attempt", 0)) == kept.attempt:
                kept.attempt += 1
                await self.send_outbox(verdict["conversationId"], kept, int(verdict.get("last", 0)))
        elif code == "UNAVAILABLE":
            self.retry_later(verdict["conversationId"], kept, verdict)
        elif code == "RESYNC":
            self.mistakes.append(verdict)
        else:
            self.finish(kept, number, verdict, code)

    def finish(self, kept, number, verdict, code):
        command = kept.outbox.pop(number, None)
        if command is None:
            return  # a repeat
        command.verdict.set_result(verdict)
        if code == "NOT_MEMBER":
            self.renumber(kept, int(verdict.get("last", 0)))

    def renumber(self, kept, last):
        waiting = list(kept.outbox.values())
        kept.outbox = {}
        for number, command in enumerate(waiting, last + 1):
            command.device_seq = number
            kept.outbox[number] = command
        kept.next_device_seq = last + 1 + len(waiting)

    def retry_later(self, id_, kept, verdict):
        """One retry of the whole outbox, however many commands were unavailable."""
        if kept.retrying:
            return
        kept.retrying = True
        wait = int(verdict.get("error", {}).get("retryAfterMs", 0)) / 1000 or 0.2
        asyncio.get_running_loop().call_later(wait, self.retry, id_, kept)

    def retry(self, id_, kept):
        kept.retrying = False
        asyncio.ensure_future(self.send_outbox(id_, kept, 0))

    # --- commands -----------------------------------------------------------------------------

    def conversation(self, id_):
        return self.conversations.setdefault(id_, Conversation())

    def frame_of(self, id_, kept, command):
        create = "create" in command.operation
        return {"command": {
            "conversationId": id_,
            "epoch": self.welcome.get("epoch", "0"),
            "deviceSeq": str(command.device_seq),
            "attempt": kept.attempt,
            "seenSeq": "0" if create else str(kept.applied),
            "clientMsgId": command.client_msg_id,
            "op": command.operation,
        }}  # fmt: skip

    async def send_outbox(self, id_, kept, after):
        for command in list(kept.outbox.values())[:WINDOW]:
            if command.device_seq > after:
                command.sent = time.monotonic()
                await self.send_quietly(self.frame_of(id_, kept, command))

    async def command(self, id_, operation):
        """Queues a command and sends it when the window allows. Returns it; its verdict is a future."""
        kept = self.conversation(id_)
        if "create" not in operation:
            await self.caught_up(kept)
        command = Command(kept.next_device_seq, operation, asyncio.get_running_loop())
        kept.next_device_seq += 1
        kept.outbox[command.device_seq] = command
        if len(kept.outbox) <= WINDOW:
            command.sent = time.monotonic()
            await self.send_quietly(self.frame_of(id_, kept, command))
        else:
            command.sent = 0.0
        return command

    async def caught_up(self, kept):
        """Commands wait until the first entry of the stay is here; without a stay they go for their verdict."""
        end = time.monotonic() + ATTACH_LIMIT_S
        while (not kept.attached.is_set() or kept.applied == 0) and time.monotonic() < end:
            await asyncio.sleep(0.005)

    async def settle(self, id_, operation, limit_s=20):
        """A command and its verdict."""
        command = await self.command(id_, operation)
        return await asyncio.wait_for(asyncio.shield(command.verdict), limit_s)

    async def say(self, id_, text):
        return await self.command(id_, {"send": text_body(text)})

    async def request(self, frame, limit_s=10):
        """A frame with a request id, and (kind, content) of its answer."""
        self.last_request += 1
        waiting = asyncio.get_running_loop().create_future()
        self.requests[self.last_request] = waiting
        await self.send({"requestId": str(self.last_request)} | frame)
        return await asyncio.wait_for(waiting, limit_s)

    async def open_direct(self, other_user_id):
        """Id of the direct conversation with somebody, made when it is not there."""
        id_ = direct_id(self.session["tenantId"], self.user_id, other_user_id)
        kept = self.conversation(id_)
        if not kept.attached.is_set():
            create = {"kind": "CONVERSATION_KIND_DIRECT", "userIds": [other_user_id]}
            await self.settle(id_, {"create": create})
            await asyncio.wait_for(kept.attached.wait(), 20)
        return id_

    async def open_group(self, title, user_ids):
        id_ = uuid7()
        create = {"kind": "CONVERSATION_KIND_GROUP", "title": title, "userIds": user_ids}
        verdict = await self.settle(id_, {"create": create})
        assert code_of(verdict) == "ACCEPTED", verdict
        await asyncio.wait_for(self.conversation(id_).attached.wait(), 20)
        return id_

    def texts(self, id_, sender=None):
        """Texts applied so far, in order."""
        found = []
        for entry in self.conversation(id_).entries:
            text = text_of(entry)
            if text is not None and sender in (None, entry["senderUserId"]):
                found.append(text)
        return found


def text_body(text):
    return {"body": {"parts": [{"text": {"text": text}}]}}


def text_of(entry):
    parts = entry.get("change", {}).get("message", {}).get("body", {}).get("parts", [])
    return "".join(part["text"]["text"] for part in parts) if parts else None


def direct_id(tenant_id, one, other):
    return str(uuid.uuid5(uuid.UUID(tenant_id), ":".join(sorted([one, other]))))


def uuid7():
    value = int(time.time() * 1000) << 80 | 7 << 76 | random.getrandbits(12) << 64
    return str(uuid.UUID(int=value | 2 << 62 | random.getrandbits(62)))
