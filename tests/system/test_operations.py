# SPDX-License-Identifier: Apache-2.0
"""What an operator sees: health, readiness, metrics, logs with trace ids, status, loopback only."""

import asyncio
import json
import os
import re
import secrets
import signal
import subprocess
import unittest

from lib import stack
from lib.calls import register
from lib.client import Client, text_body, uuid7
from lib.stack import until


class Operations(unittest.IsolatedAsyncioTestCase):
    async def test_health_readiness_metrics_of_every_program(self):
        for node in stack.PROGRAMS:
            base = stack.http(node)
            self.assertEqual((await asyncio.to_thread(stack.get, base + "/healthz"))[0], 200, node)
            self.assertEqual((await asyncio.to_thread(stack.get, base + "/readyz"))[0], 200, node)
            status, text = await asyncio.to_thread(stack.get, base + "/metrics")
            self.assertEqual(status, 200, node)
            self.check_exposition(node, text)

    def check_exposition(self, node, text):
        """Prometheus text format: HELP and TYPE once, before the samples of each name."""
        typed = re.findall(r"^# TYPE (\S+) (?:counter|gauge|histogram)$", text, re.M)
        self.assertEqual(len(typed), len(set(typed)), node)
        for line in text.splitlines():
            if line.startswith("#"):
                continue
            match = re.fullmatch(r"([a-z_]+)(\{[^}]*\})? [-+0-9.e]+(?:Inf)?", line)
            self.assertIsNotNone(match, line)
            name = re.sub(r"_(bucket|sum|count)$", "", match[1])
            self.assertTrue(match[1] in typed or name in typed, line)

    async def test_status_names_every_instance(self):
        def instances():
            return {i["name"]: i for i in json.loads(stack.get(stack.GATEWAY + "/status")[1])["instances"]}

        for node in ("auth", "users", "d1", "edge"):  # asked every few seconds
            await until(lambda node=node: instances()[node]["state"] == "ready", f"{node} is ready")
        status, body = await asyncio.to_thread(stack.get, stack.GATEWAY + "/status?name=edge")
        self.assertEqual([i["name"] for i in json.loads(body)["instances"]], ["edge"])
        self.assertEqual((await asyncio.to_thread(stack.get, stack.GATEWAY + "/status?name=no"))[0], 404)

    async def test_a_trace_id_follows_a_message_through_every_process(self):
        trace = secrets.token_hex(16)
        a, b = await asyncio.gather(register(), register())
        async with Client(a) as alice, Client(b) as bob:
            id_ = await alice.open_direct(bob.user_id)
            kept = alice.conversation(id_)
            await alice.send({"command": {
                "conversationId": id_, "epoch": alice.welcome["epoch"],
                "deviceSeq": str(kept.next_device_seq), "seenSeq": str(kept.applied),
                "clientMsgId": uuid7(), "traceId": trace, "op": {"send": text_body("traced")}}})  # fmt: skip
            await until(lambda: bob.texts(id_) == ["traced"], "arrived")
        self.assertEqual(bob.conversation(id_).entries[-1]["traceId"], trace)
        for node in ("edge", "d1"):
            await until(lambda node=node: trace in stack.log_path(node).read_text(errors="replace"),
                        f"the trace id in {node}'s log")  # fmt: skip

    async def test_every_log_line_is_one_json_object(self):
        for node in stack.PROGRAMS:
            for line in stack.log_path(node).read_text(errors="replace").splitlines()[-2000:]:
                entry = json.loads(line)
                self.assertTrue({"ts", "level", "service", "event"} <= entry.keys(), line)

    async def test_our_ports_listen_on_loopback_only(self):
        listing = subprocess.run(["ss", "-ltnH"], capture_output=True, text=True, check=True).stdout
        ports = {str(stack.BASE + offset) for offset in range(30)}
        for line in listing.splitlines():
            host, _, port = line.split()[3].rpartition(":")
            if port in ports:
                self.assertIn(host, ("127.0.0.1", "[::ffff:127.0.0.1]"), line)

    async def test_drain_tells_clients_and_finishes(self):
        person = await register()
        async with Client(person) as client:
            before = stack.supervised()["edge"]["pid"]
            os.kill(before, signal.SIGTERM)
            await until(lambda: any(k == "drain" for k, _ in client.frames), "a drain frame")
            await until(lambda: client.closes, "closed")
            self.assertEqual(client.closes[0][0], 1012)
            await until(lambda: client.connected.is_set() and stack.pid_of("edge") != before,
                        "connected again", 30)  # fmt: skip
        await until(lambda: asyncio.to_thread(stack.is_ready, "edge"), "edge is ready")

    async def test_no_planted_secret_in_logs(self):
        password = f"planted-{secrets.token_hex(12)}"
        person = await register(password=password)
        async with Client(person) as client:
            body = f"planted-body-{secrets.token_hex(12)}"
            other = await register()
            id_ = await client.open_direct(other["userId"])
            await (await client.say(id_, body)).verdict
        planted = [password, body, person["accessToken"], person["refreshToken"]]
        planted += [stack.secret(name) for name in ("internal_key", "redis", "component",
                                                    "pg_causeway_delivery")]  # fmt: skip
        for path in (stack.RUN / "log").glob("*.log"):
            text = path.read_text(errors="replace")
            for value in planted:
                self.assertNotIn(value, text, path.name)
