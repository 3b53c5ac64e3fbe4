# SPDX-License-Identifier: Apache-2.0
"""Connections of plain bytes, for what no library would send: TCP, HTTP requests, websocket frames."""

import asyncio
import base64
import json
import os
import socket
import struct

from lib import stack

TEXT, BINARY, CLOSE, PING, PONG, CONTINUATION = 1, 2, 8, 9, 10, 0
JSON_PROTOCOL, PROTO_PROTOCOL = "causeway.v1.json", "causeway.v1.proto"
ANSWER_LIMIT_S = 15


class Wire:
    """One TCP connection. A peer that goes away while we write is no error: what it said is read."""

    def __init__(self, reader, writer):
        self.reader = reader
        self.writer = writer

    @classmethod
    async def open(cls, port, receive_bytes=None):
        sock = socket.socket()
        if receive_bytes:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", port))
        limit = receive_bytes or 2**20
        return cls(*await asyncio.open_connection(sock=sock, limit=limit))

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        self.writer.transport.abort()

    async def send(self, raw):
        """Answers whether the bytes went out."""
        try:
            self.writer.write(raw)
            await asyncio.wait_for(self.writer.drain(), ANSWER_LIMIT_S)
        except OSError:
            return False
        return True

    async def exactly(self, count, limit_s=ANSWER_LIMIT_S):
        """count bytes; fewer at the end of the connection."""
        try:
            return await asyncio.wait_for(self.reader.readexactly(count), limit_s)
        except asyncio.IncompleteReadError as error:
            return error.partial
        except ConnectionError:
            return b""

    async def rest(self, limit_s=ANSWER_LIMIT_S):
        """All that comes until the end of the connection, which must come in time."""
        found = b""
        async with asyncio.timeout(limit_s):
            while True:
                try:
                    piece = await self.reader.read(65536)
                except ConnectionError:
                    return found
                if not piece:
                    return found
                found += piece

    async def head(self, limit_s=ANSWER_LIMIT_S):
        """Status and headers of an HTTP answer."""
        lines = []
        async with asyncio.timeout(limit_s):
            while not lines or lines[-1]:
                lines.append((await self.reader.readline()).decode("latin-1").rstrip("\r\n"))
        headers = dict(line.lower().split(": ", 1) for line in lines[1:-1])
        return int(lines[0].split()[1]) if lines[0] else 0, headers


def split_answers(raw):
    """[(status, body)] of what one connection answered."""
    answers = []
    while raw.startswith(b"HTTP/1.1 "):
        head, _, raw = raw.partition(b"\r\n\r\n")
        length = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        size = int(length[0].split(b":")[1]) if length else 0
        answers.append((int(head.split()[1]), raw[:size]))
        raw = raw[size:]
    return answers


async def exchange(port, raw, limit_s=ANSWER_LIMIT_S):
    """Sends bytes, reads to the end of the connection: [(status, body)]."""
    async with await Wire.open(port) as wire:
        await wire.send(raw)
        return split_answers(await wire.rest(limit_s))


def frame(opcode, payload=b"", fin=True, reserved=0, masked=True, length=None):
    """length: what the header claims, when that is not the payload's."""
    size = len(payload) if length is None else length
    first = (0x80 if fin else 0) | reserved << 4 | opcode
    flag = 0x80 if masked else 0
    if size < 126:
        head = struct.pack("!BB", first, flag | size)
    elif size < 65536:
        head = struct.pack("!BBH", first, flag | 126, size)
    else:
        head = struct.pack("!BBQ", first, flag | 127, size)
    if not masked:
        return head + payload
    mask = os.urandom(4)
    pattern = int.from_bytes((mask * (len(payload) // 4 + 1))[: len(payload)], "big")
    return head + mask + (int.from_bytes(payload, "big") ^ pattern).to_bytes(len(payload), "big")


def handshake(protocol=JSON_PROTOCOL, path="/v1/connect", more=""):
    key = base64.b64encode(os.urandom(16)).decode()
    return (
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{stack.port('edge_ws')}\r\nUpgrade: websocket\r\n"
        f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
        f"Sec-WebSocket-Protocol: {protocol}\r\n{more}\r\n"
    ).encode()


class Socket(Wire):
    """A websocket of the edge, frame by frame. What came is in frames: (opcode, payload)."""

    frames = None
    headers = None

    @classmethod
    async def upgraded(cls, protocol=JSON_PROTOCOL, more="", receive_bytes=None):
        found = await cls.open(stack.port("edge_ws"), receive_bytes)
        found.frames = []
        await found.send(handshake(protocol, more=more))
        status, found.headers = await found.head()
        assert status == 101, status
        return found

    @classmethod
    async def logged_in(cls, session, protocol=JSON_PROTOCOL, receive_bytes=None):
        found = await cls.upgraded(protocol, receive_bytes=receive_bytes)
        if protocol == JSON_PROTOCOL:
            await found.say({"connect": {"token": session["accessToken"]}})
            found.welcome = (await found.until_said("welcome"))["welcome"]
        else:
            from lib import pb

            await found.send(frame(BINARY, pb.connect(session["accessToken"])))
            await found.until(lambda _, payload: pb.SERVER_WELCOME in pb.read(payload))
        return found

    async def say(self, content):
        return await self.send(frame(TEXT, json.dumps(content).encode()))

    async def next(self, limit_s=ANSWER_LIMIT_S):
        """(opcode, payload), or None at the end of the connection."""
        head = await self.exactly(2, limit_s)
        if len(head) < 2:
            return None
        size = head[1] & 0x7F
        if size > 125:
            size = int.from_bytes(await self.exactly(2 if size == 126 else 8), "big")
        found = head[0] & 0x0F, await self.exactly(size)
        self.frames.append(found)
        return found

    async def until(self, wanted, limit_s=ANSWER_LIMIT_S):
        """The first payload that is wanted(opcode, payload)."""
        async with asyncio.timeout(limit_s):
            while found := await self.next(limit_s):
                if found[0] in (TEXT, BINARY) and wanted(*found):
                    return found[1]
        raise AssertionError(f"the connection ended first: {self.frames[-3:]}")

    async def until_said(self, kind, limit_s=ANSWER_LIMIT_S):
        """The first JSON frame of that kind."""
        return json.loads(await self.until(lambda _, p: kind in json.loads(p), limit_s))

    async def closed(self, limit_s=ANSWER_LIMIT_S):
        """(code, reason) of the close frame; (0, "") when the connection ended without one. Then the
        connection must end too."""
        async with asyncio.timeout(limit_s):
            while found := await self.next(limit_s):
                if found[0] == CLOSE:
                    code = int.from_bytes(found[1][:2], "big") if found[1] else 1005
                    await self.send(frame(CLOSE, found[1][:2]))
                    await self.rest(limit_s)
                    return code, found[1][2:].decode()
        return 0, ""

    def said(self):
        """All JSON frames so far."""
        return [json.loads(payload) for opcode, payload in self.frames if opcode == TEXT]

    def errors(self):
        """model.v1.Error of all error frames so far."""
        return [content["error"] for content in self.said() if "error" in content]
