# SPDX-License-Identifier: Apache-2.0
"""A person of company A: the Causeway client protocol over a foreign websocket client, as JSON."""

import asyncio
import json
import urllib.error
import urllib.request
import uuid

import websockets

ANSWER_LIMIT_S = 10
RETRY_S = 0.2


class Refused(Exception):
    """A call or command was answered with an error; args[0] is its code."""


def call(gateway, service, method, body, token=None):
    """A Connect unary call in JSON. Blocks."""
    headers = {"content-type": "application/json"}
    if token:
        headers["authorization"] = f"Bearer {token}"
    request = urllib.request.Request(
        f"{gateway}/causeway.{service}/{method}", json.dumps(body).encode(), headers
    )
    try:
        with urllib.request.urlopen(request, timeout=ANSWER_LIMIT_S) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        raise Refused(error.code, error.read().decode(errors="replace")[:300]) from None


def log_in(gateway, tenant, handle, password):
    """Logs in, or registers who is not there yet. Returns auth.v1.Session."""
    person = {"tenant": tenant, "handle": handle, "password": password}
    try:
        return call(gateway, "auth.v1.AuthService", "Login", person | {"deviceName": "infra/demo"})
    except Refused:
        name = {"displayName": handle.capitalize()}
        return call(gateway, "auth.v1.AuthService", "Register", person | name)


def direct_conversation_id(tenant_id, one, other):
    return str(uuid.uuid5(uuid.UUID(tenant_id), ":".join(sorted([one, other]))))


class Conversation:
    """What a client keeps of one conversation."""

    def __init__(self):
        self.applied_seq = 0
        self.last_device_seq = 0
        self.pending = {}  # device_seq -> command, until its verdict
        self.attempt = 1
        self.attached = asyncio.Event()


class NativePerson:
    def __init__(self, session, on_text):
        self.session = session
        self.user_id = session["userId"]
        self.conversations = {}
        self.on_text = on_text  # (conversation_id, sender_user_id, text)
        self.errors = []
        self.welcome = None

    async def connect(self, url):
        self.socket = await websockets.connect(
            url, subprotocols=["causeway.v1.json"], compression=None, max_size=None
        )
        token = self.session["accessToken"]
        await self.send({"connect": {"token": token, "client": "infra-demo/1"}})
        self.reader = asyncio.create_task(self.read())
        async with asyncio.timeout(ANSWER_LIMIT_S):
            while self.welcome is None:
                self.stop_if_broken()
                await asyncio.sleep(0.01)

    def stop_if_broken(self):
        if self.reader.done():
            raise Refused("closed", self.errors or self.reader.exception())

    async def close(self):
        self.reader.cancel()
        await self.socket.close()

    async def send(self, frame):
        await self.socket.send(json.dumps(frame, separators=(",", ":")))

    def conversation(self, conversation_id):
        return self.conversations.setdefault(conversation_id, Conversation())

    async def read(self):
        handlers = {
            "welcome": self.on_welcome,
            "attached": self.on_attached,
            "deliver": self.on_deliver,
            "verdict": self.on_verdict,
            "error": self.on_error,
        }
        async for message in self.socket:
            for kind, content in json.loads(message).items():
                if kind in handlers:
                    await handlers[kind](content)

    async def on_welcome(self, welcome):
        self.welcome = welcome

    async def on_error(self, error):
        self.errors.append(error)

    async def on_attached(self, attached):
        kept = self.conversation(attached["conversation"]["conversationId"])
        kept.applied_seq = max(kept.applied_seq, int(attached.get("afterSeq", 0)))
        kept.last_device_seq = max(kept.last_device_seq, int(attached.get("lastDeviceSeq", 0)))
        kept.attached.set()

    async def on_deliver(self, deliver):
        conversation_id = deliver["conversationId"]
        kept = self.conversation(conversation_id)
        for entry in deliver.get("entries", []):
            if int(entry["seq"]) <= kept.applied_seq:
                continue
            kept.applied_seq = int(entry["seq"])
            self.apply(conversation_id, entry)
        seq = str(kept.applied_seq)
        ack = {"conversationId": conversation_id, "epoch": deliver.get("epoch", "0")}
        await self.send({"ack": ack | {"deliveredSeq": seq, "readSeq": seq}})

    def apply(self, conversation_id, entry):
        body = entry.get("change", {}).get("message", {}).get("body", {})
        for part in body.get("parts", []):
            self.on_text(conversation_id, entry["senderUserId"], part["text"]["text"])

    async def on_verdict(self, verdict):
        kept = self.conversation(verdict["conversationId"])
        code = verdict["code"].removeprefix("VERDICT_CODE_")
        number = int(verdict.get("deviceSeq", 0))
        if code == "GAP":
            await self.rewind(kept, verdict)
        elif code == "UNAVAILABLE":
            asyncio.get_running_loop().call_later(RETRY_S, self.retry, kept, number)
        else:
            kept.pending.pop(number, None)
            if code != "ACCEPTED":
                self.errors.append(verdict)

    async def rewind(self, kept, verdict):
        if int(verdict.get("attempt", 0)) != kept.attempt:
            return
        kept.attempt += 1
        for number in sorted(n for n in kept.pending if n > int(verdict.get("last", 0))):
            kept.pending[number]["attempt"] = kept.attempt
            await self.send({"command": kept.pending[number]})

    def retry(self, kept, number):
        if number in kept.pending:
            asyncio.ensure_future(self.send({"command": kept.pending[number]}))

    async def command(self, conversation_id, operation):
        kept = self.conversation(conversation_id)
        kept.last_device_seq += 1
        command = {
            "conversationId": conversation_id,
            "epoch": self.welcome.get("epoch", "0"),
            "deviceSeq": str(kept.last_device_seq),
            "attempt": kept.attempt,
            "seenSeq": str(kept.applied_seq),
            "clientMsgId": str(uuid.uuid4()),
            "op": operation,
        }
        kept.pending[kept.last_device_seq] = command
        await self.send({"command": command})

    async def say(self, conversation_id, text):
        await self.command(conversation_id, {"send": {"body": {"parts": [{"text": {"text": text}}]}}})

    async def open_direct(self, other_user_id):
        """The direct conversation with somebody: as it is, or made now."""
        conversation_id = direct_conversation_id(
            self.session["tenantId"], self.user_id, other_user_id
        )
        kept = self.conversation(conversation_id)
        try:
            await asyncio.wait_for(kept.attached.wait(), 0.5)
        except TimeoutError:
            create = {"kind": "CONVERSATION_KIND_DIRECT", "userIds": [other_user_id]}
            await self.command(conversation_id, {"create": create})
            await self.wait_attached(kept)
        # Nothing may be said before the first entry is here.
        async with asyncio.timeout(ANSWER_LIMIT_S):
            while kept.applied_seq == 0:
                await asyncio.sleep(0.005)
        return conversation_id

    async def wait_attached(self, kept):
        try:
            await asyncio.wait_for(kept.attached.wait(), ANSWER_LIMIT_S)
        except TimeoutError:
            text = f"no new conversation within {ANSWER_LIMIT_S} s; errors: {self.errors}"
            raise RuntimeError(text) from None
