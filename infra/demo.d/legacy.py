# SPDX-License-Identifier: Apache-2.0
"""A person of company B: an ordinary XMPP client that knows nothing of Causeway."""

import asyncio
import ssl

from slixmpp import ClientXMPP

LOGIN_LIMIT_S = 20


class LegacyPerson(ClientXMPP):
    def __init__(self, jid, password, on_text):
        super().__init__(jid, password)
        self.on_text = on_text  # (bare address, text)
        self.errors = []
        self.logged_in = asyncio.Event()
        self.failed = asyncio.Event()
        self.seen_online = {}  # bare address -> event
        # The certificate was made for this checkout; nobody else vouches for it.
        self.enable_direct_tls = False
        self.ssl_context.check_hostname = False
        self.ssl_context.verify_mode = ssl.CERT_NONE
        self.register_plugin("xep_0184")
        self["xep_0184"].auto_ack = True
        self.add_event_handler("session_start", self.on_session_start)
        self.add_event_handler("failed_all_auth", lambda _: self.failed.set())
        self.add_event_handler("message", self.on_message)
        self.add_event_handler("presence_available", self.on_presence)

    async def log_in(self, port):
        self.connect(host="127.0.0.1", port=port)
        async with asyncio.timeout(LOGIN_LIMIT_S):
            waits = [asyncio.create_task(e.wait()) for e in (self.logged_in, self.failed)]
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            for wait in waits:
                wait.cancel()
        if self.failed.is_set():
            raise PermissionError(f"{self.boundjid.bare} cannot log in")

    async def on_session_start(self, _):
        await self.get_roster()
        self.send_presence()
        self.logged_in.set()

    def on_presence(self, presence):
        self.online(presence["from"].bare).set()

    def online(self, address):
        return self.seen_online.setdefault(address, asyncio.Event())

    def on_message(self, message):
        if message["type"] == "error":
            self.errors.append(str(message)[:500])
        elif message["body"]:
            self.on_text(message["from"].bare, message["body"])

    def say(self, address, text):
        self.send_message(mto=address, mbody=text, mtype="chat")

    async def add_contact(self, address, limit_s):
        """Adds somebody and waits to see them online. Returns whether that happened."""
        self.send_presence_subscription(pto=address, ptype="subscribe")
        try:
            await asyncio.wait_for(self.online(address).wait(), limit_s)
            return True
        except TimeoutError:
            return False
