# SPDX-License-Identifier: Apache-2.0
"""Company B's side: raw streams to its server, and awkward stanzas to people of A. What B's server lets
through must not hurt the adapter, and native people notice nothing."""

import asyncio
import base64
import secrets
import ssl
import unittest
from xml.sax.saxutils import escape

from lib import stack
from lib.calls import fresh_handle, register
from lib.client import Client
from lib.legacy import Legacy, make_account
from lib.stack import LEGACY_DOMAIN, NATIVE_DOMAIN, until
from lib.wellbeing import unharmed

HEADER = (f"<?xml version='1.0'?><stream:stream to='{LEGACY_DOMAIN}' version='1.0' xmlns='jabber:client' "
          "xmlns:stream='http://etherx.jabber.org/streams'>")  # fmt: skip
ENTITY_BOMB = ("<!DOCTYPE b [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;'>"
               "<!ENTITY c '&b;&b;&b;&b;&b;&b;&b;&b;'>]><b>&c;</b>")  # fmt: skip
ANSWER_LIMIT_S = 15


def active_adapter():
    return next(name for name in ("xmpp-a", "xmpp-b") if stack.supervised()[name]["role"] == "active")


class RawStream:
    """A legacy client that writes what it wants."""

    def __init__(self, user, password):
        self.user, self.password = user, password
        self.text = ""

    async def __aenter__(self):
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # made for this checkout
        self.reader, self.writer = await asyncio.open_connection(
            "127.0.0.1", stack.BASE + 26, ssl=context, server_hostname=LEGACY_DOMAIN)  # fmt: skip
        return self

    async def __aexit__(self, *_):
        self.writer.transport.abort()

    async def send(self, raw):
        try:
            self.writer.write(raw if isinstance(raw, bytes) else raw.encode())
            await self.writer.drain()
        except OSError:
            pass  # what it said before is read

    async def until(self, wanted, limit_s=ANSWER_LIMIT_S):
        """Reads until the text is there; answers what came, up to it."""
        async with asyncio.timeout(limit_s):
            while wanted not in self.text:
                piece = await self.reader.read(65536)
                if not piece:
                    raise AssertionError(f"the stream ended before {wanted}: {self.text[-300:]}")
                self.text += piece.decode(errors="replace")
        before, _, self.text = self.text.partition(wanted)
        return before + wanted

    async def rest(self, limit_s=ANSWER_LIMIT_S):
        """What comes until the end of the connection, which must come."""
        async with asyncio.timeout(limit_s):
            while True:
                try:
                    piece = await self.reader.read(65536)
                except OSError:
                    return self.text
                if not piece:
                    return self.text
                self.text += piece.decode(errors="replace")

    async def log_in(self, resource="raw"):
        await self.send(HEADER)
        await self.until("</stream:features>")
        secret = base64.b64encode(f"\0{self.user}\0{self.password}".encode()).decode()
        await self.send(f"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{secret}</auth>")
        await self.until("<success")
        await self.send(HEADER)
        await self.until("</stream:features>")
        await self.send("<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>"
                        f"<resource>{resource}</resource></bind></iq>")  # fmt: skip
        await self.until("</jid>")
        await self.send("<iq type='set' id='session'><session xmlns='urn:ietf:params:xml:ns:xmpp-session'/>"
                        "</iq><presence/>")  # fmt: skip
        return self

    async def settled(self):
        """A round trip through B's server: what was sent before has been routed."""
        mark = secrets.token_hex(8)
        await self.send(f"<iq type='get' id='{mark}' to='{LEGACY_DOMAIN}'><ping xmlns='urn:xmpp:ping'/></iq>")
        await self.until(mark)


class Stanzas(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        self.person = await register("nat")
        self.account = await asyncio.to_thread(make_account)
        self.to = f"{self.person['handle']}@{NATIVE_DOMAIN}"

    def texts(self, native):
        return [text for id_ in native.conversations for text in native.texts(id_)]

    async def still_works(self, native, stream):
        """After the odd ones an ordinary message arrives, exactly once."""
        text = f"ordinary {secrets.token_hex(6)}"
        await stream.send(f"<message type='chat' id='{secrets.token_hex(6)}' to='{self.to}'>"
                          f"<body>{text}</body></message>")  # fmt: skip
        await until(lambda: text in self.texts(native), "an ordinary message", 30)
        self.assertEqual(self.texts(native).count(text), 1)

    async def each(self, stanzas, arrives):
        """arrives: {name: text} of those that are messages after all; nothing else may arrive."""
        refused = len(arrives) < len(stanzas)
        async with unharmed("edge", "d1", active_adapter(), logged=False, counts=refused):
            async with Client(self.person) as native, RawStream(*self.account) as stream:
                await stream.log_in()
                await self.still_works(native, stream)
                for stanza in stanzas.values():
                    await stream.send(stanza)
                    await stream.settled()
                await self.still_works(native, stream)
                odd = [text for text in self.texts(native) if not text.startswith("ordinary")]
                self.assertEqual(odd, [arrives[name] for name in stanzas if name in arrives])

    def message(self, inside, attributes="type='chat'", to=None):
        return f"<message {attributes} to='{to or self.to}'>{inside}</message>"

    async def test_45_text_of_every_kind_arrives_as_it_is(self):
        hostile = ("<b>&amp;</b>", "]]>", "'; drop table adapter.inbound; --", "${jndi:x} %s%n", "\u202eevil",
                   "</body></message><message to='x'>", "\U0001f600" * 20, "&#x41;", "a\tb\nc")  # fmt: skip
        stanzas = {text: self.message(f"<body>{escape(text)}</body>", f"type='chat' id='i{number}'")
                   for number, text in enumerate(hostile)}  # fmt: skip
        stanzas["CDATA"] = self.message("<body><![CDATA[<raw> & \"text\"]]></body>", "type='chat' id='c1'")
        stanzas["references"] = self.message("<body>&#65;&#x1F600;&lt;</body>", "type='chat' id='c2'")
        arrives = {text: text for text in hostile} | {"CDATA": '<raw> & "text"', "references": "A\U0001f600<"}
        await self.each(stanzas, arrives)

    async def test_45_odd_shapes_are_messages_or_nothing(self):
        body = "<body>{}</body>"
        stanzas = {
            "no id": self.message(body.format("no id")),
            "empty id": self.message(body.format("empty id"), "type='chat' id=''"),
            "id of 2,000": self.message(body.format("long id"), f"type='chat' id='{'i' * 2000}'"),
            "no type": self.message(body.format("no type"), "id='t1'"),
            "odd type": self.message(body.format("odd type"), "type='nonsense' id='t2'"),
            "groupchat": self.message(body.format("groupchat"), "type='groupchat' id='t3'"),
            "headline": self.message(body.format("headline"), "type='headline' id='t4'"),
            "error": self.message(body.format("error"), "type='error' id='t5'"),
            "no body": self.message("", "type='chat' id='t6'"),
            "empty body": self.message("<body/>", "type='chat' id='t7'"),
            "blank body": self.message("<body>  \n </body>", "type='chat' id='t8'"),
            "unseen body": self.message("<body>\u200b\u2060</body>", "type='chat' id='t9'"),
            "body of another namespace": self.message("<body xmlns='urn:x'>other</body>", "id='t10'"),
            "nested body": self.message("<x xmlns='urn:x'><body>nested</body></x>", "id='t11'"),
            "nested message": self.message("<message><body>inner</body></message>", "id='t12'"),
            "forged delay": self.message("<body>delayed</body><delay xmlns='urn:xmpp:delay' "
                                         "stamp='1999-01-01T00:00:00Z' from='x'/>", "type='chat' id='t13'"),
            "forged carbon": self.message(
                "<received xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'>"
                "<message xmlns='jabber:client' from='boss@legacy.test' to='x' type='chat'>"
                "<body>forged</body></message></forwarded></received>", "id='t14'"),
        }  # fmt: skip
        arrives = {"no id": "no id", "empty id": "empty id", "id of 2,000": "long id", "no type": "no type",
                   "odd type": "odd type", "forged delay": "delayed"}  # fmt: skip
        await self.each(stanzas, arrives)

    async def test_45_depth_attributes_and_size(self):
        deep = "<a xmlns='urn:x'>" * 200 + "</a>" * 200
        stanzas = {
            "200 deep": self.message(f"<body>deep</body>{deep}", "type='chat' id='d1'"),
            "500 attributes": self.message("<x xmlns='urn:x' " + " ".join(f"a{n}='v'" for n in range(500))
                                           + "/><body>attributes</body>", "type='chat' id='d2'"),
            "5,000 elements": self.message("<x xmlns='urn:x'>" + "<y/>" * 5000 + "</x><body>elements</body>",
                                           "type='chat' id='d3'"),
            "250 KB of text": self.message(f"<body>{'x' * 250_000}</body>", "type='chat' id='d4'"),
            "200 KB of white space": self.message("<body>space</body>" + " " * 200_000, "id='d5'"),
        }  # fmt: skip
        # Some are too much for the adapter's limits, none may end its connection or lose the next.
        async with unharmed("edge", "d1", active_adapter(), logged=False, counts=False):
            async with Client(self.person) as native, RawStream(*self.account) as stream:
                await stream.log_in()
                for name, stanza in stanzas.items():
                    with self.subTest(name):
                        await stream.send(stanza)
                        await self.still_works(native, stream)

    async def test_45_strange_addresses(self):
        addresses = {
            "nobody": f"{fresh_handle()}@{NATIVE_DOMAIN}",
            "domain alone": NATIVE_DOMAIN,
            "with a resource": f"{self.to}/somewhere",
            "upper case": self.to.upper(),
            "escaped": f"alice\\27s@{NATIVE_DOMAIN}",
            "long": f"{'l' * 1000}@{NATIVE_DOMAIN}",
            "sql": f"x'or'1'='1@{NATIVE_DOMAIN}".replace("'", "&apos;"),
            "domain below": f"{self.person['handle']}@deep.{NATIVE_DOMAIN}",
        }
        async with unharmed("edge", "d1", active_adapter(), logged=False):
            async with Client(self.person) as native, RawStream(*self.account) as stream:
                await stream.log_in()
                for name, address in addresses.items():
                    body = f"<body>to {name}</body>"
                    await stream.send(self.message(body, f"type='chat' id='{name.replace(' ', '-')}'", address))
                await self.still_works(native, stream)
                arrived = sorted(t for t in self.texts(native) if t.startswith("to "))
                self.assertEqual(arrived, ["to upper case", "to with a resource"])

    async def test_45_errors_are_answered_in_xmpps_words(self):
        async with RawStream(*self.account) as stream:
            await stream.log_in()
            await stream.send(self.message("<body>x</body>", "type='chat' id='unknown'",
                                           f"{fresh_handle()}@{NATIVE_DOMAIN}"))  # fmt: skip
            self.assertIn("item-not-found", await stream.until("</error>"))
            await stream.send(self.message(f"<body>{'x' * 40000}</body>", "type='chat' id='large'"))
            self.assertIn("policy-violation", await stream.until("</error>"))
            for query in ("urn:x:unknown", "jabber:iq:register"):
                await stream.send(f"<iq type='set' id='q' to='{NATIVE_DOMAIN}'><query xmlns='{query}'/></iq>")
                self.assertIn("<error", await stream.until("</error>"))

    async def test_45_presence_of_every_kind(self):
        kinds = ("subscribe", "subscribed", "unsubscribe", "unsubscribed", "probe", "unavailable", "error",
                 "nonsense")  # fmt: skip
        async with unharmed("edge", "d1", active_adapter(), logged=False, counts=False):
            async with Client(self.person) as native, RawStream(*self.account) as stream:
                await stream.log_in()
                for to in (self.to, NATIVE_DOMAIN, f"{fresh_handle()}@{NATIVE_DOMAIN}", f"{self.to}/x"):
                    for kind in kinds:
                        await stream.send(f"<presence type='{kind}' to='{to}'><status>s</status></presence>")
                await self.still_works(native, stream)


class Streams(unittest.IsolatedAsyncioTestCase):
    """B's server stands before the adapter: these never reach it, and must not hurt what it serves."""

    async def asyncSetUp(self):
        self.account = await asyncio.to_thread(make_account)

    async def ends(self, *pieces, logged_in=True):
        async with RawStream(*self.account) as stream:
            if logged_in:
                await stream.log_in()
            for piece in pieces:
                await stream.send(piece)
            return await stream.rest(40)

    async def test_45_broken_streams_end_with_an_error(self):
        cases = {
            "not XML": ["<<hello there>>\r\n\r\n"],
            "entity bomb": [ENTITY_BOMB],
            "unclosed tag": ["<message><body>x</message>"],
            "undefined entity": ["<message><body>&nope;</body></message>"],
            "invalid UTF-8": [b"<message><body>\xc0\xaf\xff</body></message>"],
            "UTF-16": ["<message/>".encode("utf-16")],
            "huge stanza": ["<message><body>" + "x" * 300_000],
            "end of the stream": ["</stream:stream>"],
        }
        async with unharmed("edge", active_adapter(), logged=False, counts=False):
            for name, pieces in cases.items():
                with self.subTest(name):
                    self.assertIn("</stream:stream>", await self.ends(*pieces))

    async def test_45_half_messages_are_nothing(self):
        person = await register("nat")
        to = f"{person['handle']}@{NATIVE_DOMAIN}"
        async with unharmed("edge", active_adapter(), logged=False, counts=False):
            async with Client(person) as native:
                for cut in ("<message", f"<message to='{to}' type='chat'><body>half",
                            f"<message to='{to}' type='chat'><body>half</body></messag"):  # fmt: skip
                    async with RawStream(*self.account) as stream:
                        await stream.log_in()
                        await stream.send(cut)
                async with Legacy(*self.account) as whole:
                    whole.say(to, "whole")
                    await until(lambda: any(native.texts(i) for i in native.conversations), "whole", 30)
                texts = [t for i in native.conversations for t in native.texts(i)]
                self.assertEqual(texts, ["whole"])

    async def test_45_second_login_takes_the_place_of_the_first(self):
        person = await register("nat")
        to = f"{person['handle']}@{NATIVE_DOMAIN}"
        async with unharmed("edge", active_adapter(), logged=False, counts=False):
            async with Client(person) as native, RawStream(*self.account) as first:
                await first.log_in("same")
                async with RawStream(*self.account) as second:
                    await second.log_in("same")
                    self.assertIn("conflict", await first.rest())
                    await second.send(f"<message to='{to}' type='chat' id='s'><body>second</body></message>")
                    await until(lambda: any("second" in native.texts(i) for i in native.conversations),
                                "the second one is heard", 30)  # fmt: skip
                    (id_,) = native.conversations
                    await native.say(id_, "answer")
                    self.assertIn("answer", await second.until("</message>"))
