# SPDX-License-Identifier: Apache-2.0
"""The `causeway` command: two people, each with a folder of his own, and a foreign client between them."""

import asyncio
import os
import tempfile
import unittest
from pathlib import Path

from lib import stack
from lib.calls import register
from lib.client import Client
from lib.stack import GATEWAY, until


def command_path():
    """Beside the programs that run."""
    pid = stack.supervised()["edge"]["pid"]
    return Path(os.readlink(f"/proc/{pid}/exe")).parent / "causeway"


class Person:
    """A folder with one login."""

    def __init__(self, session, folder):
        self.session = session
        self.folder = Path(folder)
        self.environment = os.environ | {"CAUSEWAY_HOME": str(self.folder)}

    async def run(self, *words, stdin=asyncio.subprocess.DEVNULL):
        return await asyncio.create_subprocess_exec(
            command_path(), *words, env=self.environment, stdin=stdin,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE)  # fmt: skip

    async def output(self, *words):
        process = await self.run(*words)
        out, err = await asyncio.wait_for(process.communicate(), 40)
        return process.returncode, out.decode(), err.decode()

    async def log_in(self):
        password = self.folder / "password"
        password.write_text(self.session["password"] + "\n")
        return await self.output("login", "--gateway", GATEWAY, "--password-file", str(password),
                                 self.session["handle"])  # fmt: skip


class CommandLine(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        self.temporary = tempfile.TemporaryDirectory()
        self.addCleanup(self.temporary.cleanup)
        sessions = await asyncio.gather(register("ann"), register("ben"))
        self.people = []
        for session in sessions:
            folder = Path(self.temporary.name, session["handle"])
            folder.mkdir()
            self.people.append(Person(session, folder))

    async def test_login_send_chat(self):
        ann, ben = self.people
        for person in (ann, ben):
            code, out, err = await person.log_in()
            self.assertEqual((code, out), (0, f"logged in as {person.session['handle']}\n"), err)
            self.assertEqual((person.folder / "session").stat().st_mode & 0o777, 0o600)
        for number in (2, 3):
            code, out, err = await ann.output("send", ben.session["handle"], f"message {number}")
            self.assertEqual((code, out), (0, f"sent, {number}\n"), err)
        async with Client(ben.session) as foreign:
            await self.chat(ann, ben, foreign)

    async def chat(self, ann, ben, foreign):
        process = await ann.run("chat", ben.session["handle"], stdin=asyncio.subprocess.PIPE)
        seen = []

        async def read():
            async for line in process.stdout:
                seen.append(line.decode())

        reader = asyncio.create_task(read())
        await until(lambda: any("message 3" in line for line in seen), "the history is shown")
        id_ = await foreign.open_direct(ann.session["userId"])
        await foreign.say(id_, "hello from ben")
        await until(lambda: any("hello from ben" in line for line in seen), "ben's words")
        process.stdin.write(b"hello from ann\n")
        await process.stdin.drain()
        await until(lambda: "hello from ann" in foreign.texts(id_), "ann's words")
        await until(lambda: any("vv" in line for line in seen), "that they arrived")
        process.stdin.close()
        self.assertEqual(await asyncio.wait_for(process.wait(), 20), 0)
        await reader

    async def test_mistakes_are_told(self):
        ann, _ = self.people
        code, _, err = await ann.output("send", "somebody", "x")
        self.assertEqual(code, 1)
        self.assertIn("causeway login", err)
        ann.session["password"] = "not the right one"
        self.assertEqual((await ann.log_in())[0], 1)
        self.assertEqual((await ann.output("nonsense"))[0], 2)

    async def test_status(self):
        code, out, _ = await self.people[0].output("status", "--gateway", GATEWAY)
        self.assertEqual(code, 0)
        self.assertIn('"name":"edge"', out)
