# SPDX-License-Identifier: Apache-2.0
"""Requests against the standard at every HTTP door, JSON that is none, and hostile text in calls."""

import asyncio
import json
import unittest

from lib import stack
from lib.calls import Refused, call, fresh_handle, register
from lib.raw import JSON_PROTOCOL, TEXT, Socket, exchange, frame
from lib.wellbeing import unharmed

DOORS = ("gateway", "edge_ws", "auth", "users")
NODES = ("gateway", "edge", "auth", "users")
LOGIN = "/causeway.auth.v1.AuthService/Login"
FIND = "/causeway.users.v1.UserService/FindUser"
HOSTILE_NAMES = (
    "'; drop table users.person; --", "\" or ''='", "${jndi:ldap://127.0.0.1/a}", "%s%n%x", "$(id)`id`",
    "Robert'); --", "\\", "<b>bold</b>", "{{7*7}}",
)  # fmt: skip
UNFIT_NAMES = ("", " ", "\u200b", "\u00a0\u2003", "a\r\nSet-Cookie: x=1", "\x1b[31mred", "a\u202eb", "a\nb",
               "x" * 65, "\u2060", "tab\there", "\x7f")  # fmt: skip


def request(lines, body=b"", method="POST", target=LOGIN, version="HTTP/1.1", host="Host: 127.0.0.1"):
    head = [f"{method} {target} {version}"] + ([host] if host else []) + lines
    return ("\r\n".join(head) + "\r\n\r\n").encode("latin-1") + body


def json_request(body, target=LOGIN):
    lines = ["Content-Type: application/json", f"Content-Length: {len(body)}", "Connection: close"]
    return request(lines, body, target=target)


# Each must be refused with one of the statuses, and the connection closed.
HEADS = {
    "18 length and chunked": (request(["Content-Length: 2", "Transfer-Encoding: chunked"], b"{}"), 400),
    "18 chunked and length": (request(["Transfer-Encoding: chunked", "Content-Length: 2"], b"{}"), 400),
    "18 two lengths": (request(["Content-Length: 2", "Content-Length: 3"], b"{}}"), 400),
    "18 two equal lengths": (request(["Content-Length: 2", "Content-Length: 2"], b"{}"), 400),
    "18 list of lengths": (request(["Content-Length: 2, 2"], b"{}"), 400),
    "18 length with plus": (request(["Content-Length: +2"], b"{}"), 400),
    "18 negative length": (request(["Content-Length: -2"], b"{}"), 400),
    "18 hexadecimal length": (request(["Content-Length: 0x2"], b"{}"), 400),
    "18 length beyond 64 bits": (request(["Content-Length: 36893488147419103232"], b"{}"), 400),
    "18 empty length": (request(["Content-Length:"], b"{}"), 400),
    "18 odd encoding": (request(["Transfer-Encoding: xchunked"], b"{}"), 400),
    "18 two encodings": (request(["Transfer-Encoding: chunked", "Transfer-Encoding: identity"]), 400),
    "18 encoding behind vertical tab": (request(["Transfer-Encoding:\x0bchunked"]), 400),
    "18 obs-fold": (request(["X-A: b", " c: d"]), 400),
    "18 obs-fold of an encoding": (request(["Transfer-Encoding:", "\tchunked"]), 400),
    "18 space before colon": (request(["Content-Length : 2"], b"{}"), 400),
    "18 bare LF": (b"GET / HTTP/1.1\nHost: a\n\n", 400),
    "18 bare CR in a value": (request(["X-A: b\rContent-Length: 2"]), 400),
    "18 NUL in a value": (request(["X-A: a\0b"]), 400),
    "18 NUL in a name": (request(["X\0A: b"]), 400),
    "18 no colon": (request(["X-A"]), 400),
    "18 empty name": (request([": b"]), 400),
    "18 latin-1 name": (request(["X-\xe4: b"]), 400),
    "19 absolute form": (request([], target="http://127.0.0.1/config.json", method="GET"), 400),
    "19 authority form": (request([], target="127.0.0.1:80", method="CONNECT"), 400),
    "19 no host": (request([], host=None), 400),
    "19 two hosts": (request(["Host: other"]), 400),
    "19 host with path": (request([], host="Host: a/b"), 400),
    "19 host with userinfo": (request([], host="Host: user@127.0.0.1"), 400),
    "19 empty host": (request([], host="Host:"), 400),
    "19 HTTP/0.9": (b"GET /\r\n\r\n", 505),
    "19 HTTP/1.0": (request([], version="HTTP/1.0"), 505),
    "19 HTTP/2 in words": (request([], version="HTTP/2.0"), 505),
    "19 HTTP/2 preface": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    "19 h2c upgrade": (request(["Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c",
                                "HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA"]), 400),
    "19 no version": (b"GET / \r\n\r\n", 400),
    "19 two spaces": (b"GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "19 blank in target": (b"GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "19 fragment in target": (request([], target="/#x", method="GET"), 400),
    "header beyond 8 KiB": (request(["X-A: " + "a" * 9000]), 431),
    "101 headers": (request([f"X-{n}: b" for n in range(101)]), 431),
    "TLS to a plain door": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 200, 400),
}  # fmt: skip

# No chunked bodies: refused before they are read, on a connection that ends.
CHUNKED = request(["Content-Type: application/json", "Transfer-Encoding: chunked"], b"2\r\n{}\r\n0\r\n\r\n")

BAD_JSON = {
    "nothing": b"",
    "words": b"hello",
    "depth 7,000": b"[" * 7000,
    "depth 17": b'{"a":' * 17 + b"1" + b"}" * 17,
    "duplicate keys": b'{"handle": "a", "handle": "b"}',
    "both spellings of a key": b'{"deviceId": "a", "device_id": "b"}',
    "1e999": b'{"handle": 1e999}',
    "1e999 in an unknown field": b'{"unknown": 1e999}',
    "NaN": b'{"handle": NaN}',
    "Infinity": b'{"unknown": -Infinity}',
    "byte order mark": b"\xef\xbb\xbf{}",
    "UTF-16": '{"handle": "a"}'.encode("utf-16"),
    "lone surrogate": b'{"handle": "\\ud800"}',
    "reversed surrogates": b'{"handle": "\\udc00\\ud800"}',
    "invalid UTF-8 and a quote": b"{\"handle\": \"a\xc0' or 1=1 --\"}",
    "overlong quote": b'{"handle": "a\xc0\xa2"}',
    "NUL": b'{"handle": "a\\u0000b"}',
    "raw control character": b'{"handle": "a\x01"}',
    "array": b"[]",
    "number for a string": b'{"handle": 1}',
    "trailing bytes": b"{} {}",
    "trailing comma": b'{"handle": "a",}',
    "single quotes": b"{'handle': 'a'}",
    "comment": b'{/* a */"handle": "a"}',
    "cut": b'{"handle": "a',
}


class Heads(unittest.IsolatedAsyncioTestCase):
    async def test_18_19_requests_against_the_standard(self):
        async with unharmed(*NODES):
            for door in DOORS:
                for name, (raw, status) in HEADS.items():
                    with self.subTest(f"{door}: {name}"):
                        answers = await exchange(stack.port(door), raw)
                        self.assertEqual([status for status, _ in answers], [status])

    async def test_18_refusals_carry_code_and_ref_and_nothing_else(self):
        await asyncio.sleep(1.1)  # refusals are logged up to a number a second
        async with unharmed(*NODES) as harm:
            for door in DOORS:
                ((_, body),) = await exchange(stack.port(door), HEADS["18 two lengths"][0])
                error = json.loads(body)
                self.assertEqual(error["code"], "BAD_REQUEST")
                self.assertFalse(error["retryable"])
                harm.refs.append(error["ref"])

    async def test_18_chunked_bodies_are_refused_and_never_a_second_request(self):
        smuggled = CHUNKED + request(["Connection: close"], method="GET", target="/config.json")
        async with unharmed("gateway", "auth", "users"):
            for door in ("gateway", "auth", "users"):
                answers = await exchange(stack.port(door), smuggled)
                self.assertEqual(len(answers), 1, door)
                self.assertIn(answers[0][0], (404, 411), door)

    async def test_19_wrong_host_is_misdirected(self):
        async with unharmed(*NODES):
            for door in DOORS:
                raw = request([], host="Host: attacker.example", method="GET", target="/healthz")
                with self.subTest(door):
                    answers = await exchange(stack.port(door), raw)
                    self.assertEqual([status for status, _ in answers], [421])

    async def test_18_paths_stay_inside(self):
        targets = ("/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/..%2f..%2fetc/passwd", "//etc/passwd",
                   "/static/..\\..\\etc", "/%00", "/index.html%00.js", "/.git/config",
                   "/./../package.json")  # fmt: skip
        async with unharmed("gateway"):
            for target in targets:
                raw = request(["Connection: close"], method="GET", target=target)
                ((status, body),) = await exchange(stack.port("gateway"), raw)
                self.assertIn(status, (400, 404), target)
                self.assertNotIn(b"root:", body)

    async def test_18_forwarded_calls_keep_to_their_service(self):
        token = (await register())["accessToken"]
        lines = ["Content-Type: application/json", "Content-Length: 2", "Connection: close",
                 f"Authorization: Bearer {token}", "causeway-internal: forged",
                 "X-User-Id: 1", "X-Forwarded-For: 127.0.0.1"]  # fmt: skip
        targets = ("/causeway.users.v1.UserService/CreateUser", "/causeway.users.v1.UserService/EnsureLinked",
                   "/causeway.users.v1.UserService/ListLinked", "/causeway.users.v1.UserService/FindTenant",
                   "/causeway.users.v1.UserService/../../metrics", "/causeway.users.v1.UserService/",
                   "/causeway.users.v1.UserService/%2e%2e/%2e%2e/metrics")  # fmt: skip
        async with unharmed("gateway", "users"):
            for target in targets:
                raw = request(lines, b"{}", target=target)
                ((status, body),) = await exchange(stack.port("gateway"), raw)
                self.assertIn(status, (401, 403, 404), (target, body))
                self.assertNotIn(b"METHOD_NOT_ALLOWED", body)  # another route was reached


class Json(unittest.IsolatedAsyncioTestCase):
    async def refused(self, door, target, body):
        ((status, answer),) = await exchange(stack.port(door), json_request(body, target))
        return Refused(status, answer.decode(), {})

    async def test_24_json_that_is_none_at_the_calls(self):
        doors = (("gateway", LOGIN), ("auth", LOGIN))
        async with unharmed("gateway", "auth") as harm:
            for door, target in doors:
                for name, body in BAD_JSON.items():
                    with self.subTest(f"{target} at {door}: {name}"):
                        refused = await self.refused(door, target, body)
                        self.assertEqual((refused.status, refused.code), (400, "BAD_JSON"))
                        harm.refs.append(refused.ref)

    async def test_24_depth_of_100_000_is_too_large(self):
        async with unharmed("gateway", "auth"):
            for door in ("gateway", "auth"):
                refused = await self.refused(door, LOGIN, b"[" * 100_000 + b"]" * 100_000)
                self.assertEqual((refused.status, refused.code), (413, "TOO_LARGE"))

    async def test_24_json_that_is_none_from_a_person(self):
        token = (await register())["accessToken"]
        async with unharmed("users"):
            for name, body in BAD_JSON.items():
                with self.subTest(name), self.assertRaises(Refused) as caught:
                    await call("users.v1.UserService/FindUser", body, token=token)
                if "spellings" not in name:
                    self.assertEqual(caught.exception.code, "BAD_JSON", name)

    async def test_24_a_million_keys_are_too_large(self):
        body = b"{" + b",".join(b'"k%d":1' % n for n in range(10**6)) + b"}"
        async with unharmed("gateway", "auth"):
            for door in ("gateway", "auth"):
                raw = json_request(body)
                ((status, _),) = await exchange(stack.port(door), raw)
                self.assertEqual(status, 413)
            fits = b"{" + b",".join(b'"k%d":1' % n for n in range(800)) + b"}"
            refused = await self.refused("auth", LOGIN, fits)
            self.assertEqual(refused.code, "BAD_CREDENTIALS")  # unknown fields mean nothing

    async def test_24_json_that_is_none_at_the_edge(self):
        session = await register()
        async with unharmed("edge") as harm:
            for name, body in BAD_JSON.items():
                if b"\xc0" in body or body[:1] in (b"\xff", b"\xfe"):
                    continue  # no UTF-8: closed 1007 by the frame layer
                whole = body.replace(b"handle", b"nope") if name == "duplicate keys" else body
                whole = whole.replace(b"deviceId", b"requestId").replace(b"device_id", b"request_id")
                whole = whole.replace(b'"handle"', b'"requestId"')
                if name == "number for a string":
                    whole = b'{"requestId": {}}'
                with self.subTest(name):
                    async with await Socket.logged_in(session, JSON_PROTOCOL) as peer:
                        await peer.send(frame(TEXT, whole))
                        error = (await peer.until_said("error"))["error"]
                        self.assertEqual(error["code"], "ERROR_CODE_BAD_JSON")
                        harm.refs.append(error["ref"])


class Names(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        self.person = await register()
        self.token = self.person["accessToken"]

    async def refused(self, method, body, token=None):
        with self.assertRaises(Refused) as caught:
            await call(method, body, token=token)
        return caught.exception

    async def test_26_27_hostile_names_are_kept_as_they_are(self):
        async with unharmed("users", logged=False, counts=False) as harm:
            for name in HOSTILE_NAMES:
                changed = await call("users.v1.UserService/UpdateProfile", {"displayName": name},
                                     token=self.token)  # fmt: skip
                self.assertEqual(changed["displayName"], name)
                found = await call("users.v1.UserService/FindUser", {"handle": self.person["handle"]},
                                   token=self.token)  # fmt: skip
                self.assertEqual(found["displayName"], name)
            self.assertTrue(harm.vitals[0].lines())

    async def test_27_28_names_nobody_may_have(self):
        async with unharmed("users", "auth") as harm:
            for name in UNFIT_NAMES:
                with self.subTest(repr(name)):
                    refused = await self.refused("users.v1.UserService/UpdateProfile",
                                                 {"displayName": name}, self.token)  # fmt: skip
                    self.assertEqual((refused.status, refused.code), (400, "INVALID_NAME"))
                    harm.refs.append(refused.ref)
                    if not name:
                        continue  # at registration: the handle
                    refused = await self.refused("auth.v1.AuthService/Register", {
                        "tenant": stack.TENANT, "handle": fresh_handle(), "password": "long enough",
                        "displayName": name})  # fmt: skip
                    self.assertEqual((refused.status, refused.code), (400, "INVALID_NAME"))

    async def test_26_hostile_credentials(self):
        hostile = (*HOSTILE_NAMES, *UNFIT_NAMES, "admin'--", "a" * 5000, "\U0001f600")
        body = {"tenant": stack.TENANT, "handle": self.person["handle"], "password": "wrong password"}
        async with unharmed("auth"):
            for text in hostile:
                for field in ("tenant", "handle", "password", "deviceName"):
                    with self.subTest(f"{field} {text!r:.40}"):
                        refused = await self.refused("auth.v1.AuthService/Login", body | {field: text})
                        self.assertIn(refused.status, (400, 401, 429), refused.body)
                refused = await self.refused("auth.v1.AuthService/Register", body | {"handle": text})
                self.assertEqual(refused.code, "INVALID_NAME")

    async def test_26_hostile_ids(self):
        async with unharmed("users"):
            for text in (*HOSTILE_NAMES, "", "0" * 36, "x" * 5000, "../../etc"):
                if text == "0" * 36:
                    continue
                refused = await self.refused("users.v1.UserService/GetUsers", {"userIds": [text]},
                                             self.token)  # fmt: skip
                self.assertEqual((refused.status, refused.code), (400, "INVALID_ARGUMENT"), text)

    async def test_26_errors_say_nothing_about_the_inside(self):
        refused = await self.refused("users.v1.UserService/GetUsers", {"userIds": ["'"]}, self.token)
        text = json.dumps(refused.error).lower()
        for word in ("select", "postgres", "sql", "/", "libpq", "version"):
            self.assertNotIn(word, text)
        self.assertLessEqual(len(refused.error["message"]), 120)

    async def test_26_bad_json_at_the_gateway_is_never_a_5xx(self):
        answers = await asyncio.gather(*(
            exchange(stack.port("gateway"), json_request(body, FIND)) for body in BAD_JSON.values()))  # fmt: skip
        self.assertTrue(all(status < 500 for ((status, _),) in answers))
