# SPDX-License-Identifier: Apache-2.0
"""A person of company B on an unmodified XMPP client (slixmpp), and accounts at ejabberd."""

import asyncio
import json
import secrets
import ssl
import urllib.request

from slixmpp import ClientXMPP
from slixmpp.xmlstream.handler import Callback
from slixmpp.xmlstream.matcher import MatchXPath

from lib.stack import LEGACY_DOMAIN, http, port


def make_account(prefix="b"):
    """A fresh account at B. Returns (user name, password)."""
    user, password = f"{prefix}{secrets.token_hex(5)}", secrets.token_hex(8)
    body = json.dumps({"user": user, "host": LEGACY_DOMAIN, "password": password}).encode()
    request = urllib.request.Request(http("ejabberd_api") + "/api/register", body,
                                     {"content-type": "application/json"})  # fmt: skip
    urllib.request.urlopen(request, timeout=10).read()
    return user, password


class Legacy(ClientXMPP):
    def __init__(self, user, password, auto_receipt=True):
        super().__init__(f"{user}@{LEGACY_DOMAIN}/android", password)
        self.messages = []  # every message stanza with a body
        self.stanzas = []  # every message stanza
        self.bounces = []  # error stanzas
        self.presences = []
        self.started = asyncio.Event()
        self.enable_direct_tls = False
        self.ssl_context.check_hostname = False
        self.ssl_context.verify_mode = ssl.CERT_NONE  # made for this checkout
        for plugin in ("xep_0184", "xep_0333", "xep_0085", "xep_0199"):
            self.register_plugin(plugin)
        self["xep_0184"].auto_ack = auto_receipt
        self.add_event_handler("session_start", self.on_start)
        # The library's own event leaves out stanzas without a body: receipts, markers, chat states.
        every_message = MatchXPath("{jabber:client}message")
        self.register_handler(Callback("every message", every_message, self.on_message))
        self.add_event_handler("presence", self.presences.append)

    async def __aenter__(self):
        self.connect(host="127.0.0.1", port=port("c2s"))
        await asyncio.wait_for(self.started.wait(), 20)
        return self

    async def __aexit__(self, *_):
        await self.disconnect()

    async def on_start(self, _):
        await self.get_roster()
        self.send_presence()
        self.started.set()

    def on_message(self, stanza):
        self.stanzas.append(stanza)
        if stanza["type"] == "error":
            self.bounces.append(stanza)
        elif stanza["body"]:
            self.messages.append(stanza)

    def say(self, address, text, id_=None):
        message = self.make_message(mto=address, mbody=text, mtype="chat")
        message["id"] = id_ or secrets.token_hex(8)
        message.send()
        return message["id"]

    def conditions(self):
        """Names of the stanza errors that came back (RFC 6120 8.3.3)."""
        namespace = "{urn:ietf:params:xml:ns:xmpp-stanzas}"
        found = []
        for bounce in self.bounces:
            for child in bounce.xml.iter():
                if child.tag.startswith(namespace) and not child.tag.endswith("}text"):
                    found.append(child.tag.removeprefix(namespace))
        return found

    def texts(self, address=None):
        return [m["body"] for m in self.messages if address in (None, m["from"].bare)]

    def states_of(self, address):
        return [p["type"] for p in self.presences if p["from"].bare == address]
