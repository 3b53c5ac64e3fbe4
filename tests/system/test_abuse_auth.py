# SPDX-License-Identifier: Apache-2.0
"""Forged, stale and misshapen tokens at users (HTTP) and edge (websocket); passwords of any size."""

import asyncio
import time
import unittest

from lib import stack
from lib.calls import Refused, call, fresh_handle, log_in, register
from lib.raw import Socket
from lib.tokens import Forge, Key, b64, now_s, unknown_kid
from lib.wellbeing import unharmed

YEAR_S = 365 * 24 * 3600
STORM = 500
JWKS = 'causeway_http_request_seconds_count{method="GET",route="/.well-known/jwks.json"}'
HASHES = ("Login", "Register")


class TokenCase(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        self.session = await register("token")
        self.forge = Forge(self.session)

    async def at_users(self, token):
        """(status, code) of a call with this token; None when it is let in."""
        try:
            await call("users.v1.UserService/FindUser", {"handle": self.session["handle"]}, token=token,
                       base=stack.http("users"))  # fmt: skip
        except Refused as refused:
            return refused.status, refused.code
        return None

    async def at_edge(self, token):
        """(close code, error codes) of a connect with this token; None when it is let in."""
        async with await Socket.upgraded() as peer:
            await peer.say({"connect": {"token": token}})
            while found := await peer.next():
                if any("welcome" in content for content in peer.said()):
                    return None
                if found[0] == 8:
                    code = int.from_bytes(found[1][:2], "big")
                    return code, [e["code"].removeprefix("ERROR_CODE_") for e in peer.errors()]
        return 0, []

    async def each(self, tokens, code, close_code):
        async with unharmed("users", "edge"):
            for name, token in tokens.items():
                with self.subTest(name):
                    if len(token) < 8000 and token.isprintable() and token:  # else no header value
                        self.assertEqual(await self.at_users(token), (401, code))
                    self.assertEqual(await self.at_edge(token), (close_code, [code]))

    async def each_invalid(self, tokens):
        await self.each(tokens, "TOKEN_INVALID", 4002)


class Tokens(TokenCase):
    async def test_30_a_token_of_our_own_making_would_pass(self):
        """Else all of the below would prove nothing."""
        token = self.forge.token(claims={"exp": now_s() + 300})
        self.assertIsNone(await self.at_users(token))
        self.assertIsNone(await self.at_edge(token))

    async def test_30_algorithms(self):
        f = self.forge
        public = f.key.public_pem()
        _, _, signature = self.session["accessToken"].split(".")
        cases = {name: f.unsigned(name) for name in ("none", "None", "NONE", "nOnE", "")}
        cases |= {f"{name} with a signature": f.text(header={"alg": name}) + "." + signature
                  for name in ("none", "ES384", "RS256", "PS256", "EdDSA", "es256")}  # fmt: skip
        cases |= {
            "HS256 with the public key": f.hmac_token(public),
            "HS256 with the public key, no newline": f.hmac_token(public.strip()),
            "HS256 with the kid": f.hmac_token(f.key.kid.encode()),
            "HS256 with nothing": f.hmac_token(b""),
            "no algorithm": f.token(header={"alg": None}),
            "algorithm of another type": f.token(header={"alg": ["ES256"]}),
            "another key": f.token(key=Key.fresh(f.key.kid)),
            "signature of zeros": f.text() + "." + b64(b"\0" * 64),
            "signature cut": f.token()[:-4],
            "no signature": f.text() + ".",
            "key in the header": f.token(header={"jwk": {"kty": "EC"}}),
            "key by address": f.token(header={"jku": stack.http("auth") + "/.well-known/jwks.json"}),
            "certificate by address": f.token(header={"x5u": "http://127.0.0.1/"}),
            "critical extension": f.token(header={"crit": ["exp"]}),
        }
        await self.each_invalid(cases)

    async def test_31_key_ids(self):
        kids = {"path": "../../dev/null", "sql": "' or 1=1 --", "empty": "", "long": "k" * 1_000_0,
                "number": 7, "null byte": "a\0b", "unknown": unknown_kid(), "none": None}  # fmt: skip
        cases = {name: self.forge.token(header={"kid": kid}) for name, kid in kids.items()}
        await self.each_invalid(cases)

    async def test_31_kid_of_1_mb_is_too_big_a_frame(self):
        async with unharmed("edge"):
            async with await Socket.upgraded() as peer:
                token = self.forge.token(header={"kid": "k" * 1_000_000})
                await peer.say({"connect": {"token": token}})
                self.assertEqual((await peer.closed())[0], 1009)

    async def test_31_storm_of_unknown_kids_asks_auth_hardly_ever(self):
        fetched = stack.metric("auth", JWKS)
        text = self.forge.text
        async with unharmed("users", "edge"):
            for door, wanted in ((self.at_edge, (4002, ["TOKEN_INVALID"])),
                                 (self.at_users, (401, "TOKEN_INVALID"))):  # fmt: skip
                for _ in range(STORM // 20):
                    tokens = [f"{text(header={'kid': unknown_kid()})}.{b64(b'0' * 64)}" for _ in range(20)]
                    found = await asyncio.gather(*(door(token) for token in tokens))
                    self.assertEqual(found, [wanted] * 20)
            self.assertIsNone(await self.at_users(self.session["accessToken"]))
        self.assertLessEqual(stack.metric("auth", JWKS) - fetched, 8)

    async def test_32_expired(self):
        f = self.forge
        old = {"iat": now_s() - 1000, "nbf": now_s() - 1000}
        cases = {name: f.token(claims=old | {"exp": now_s() - ago_s})
                 for name, ago_s in (("2 minutes ago", 120), ("5 minutes ago", 300))}  # fmt: skip
        await self.each(cases, "TOKEN_EXPIRED", 4003)

    async def test_32_clock_skew_of_up_to_a_minute_is_forgiven(self):
        old = {"iat": now_s() - 1000, "nbf": now_s() - 1000, "exp": now_s() - 30}
        ahead = {"iat": now_s() + 30, "nbf": now_s() + 30, "exp": now_s() + 300}
        for claims in (old, ahead):
            self.assertIsNone(await self.at_users(self.forge.token(claims=claims)))

    async def test_32_impossible_times(self):
        f, now = self.forge, now_s()
        cases = {
            "nbf in the future": f.token(claims={"nbf": now + 3600, "exp": now + 7200}),
            "iat in 10 years": f.token(claims={"iat": now + 10 * YEAR_S, "exp": now + 10 * YEAR_S + 600}),
            "exp in year 292277026596": f.token(claims={"exp": 2**63 - 1}),
            "exp beyond 64 bits": f.with_claim("exp", "9223372036854775808"),
            "exp in 10 years": f.token(claims={"exp": now + 10 * YEAR_S}),
            "exp negative": f.token(claims={"exp": -1}),
            "exp before iat": f.token(claims={"exp": now - 5000, "iat": now}),
            "exp as text": f.with_claim("exp", f'"{now + 300}"'),
            "exp as float": f.with_claim("exp", f"{now + 300}.0"),
            "exp as 1e99": f.with_claim("exp", "1e99"),
            "exp null": f.with_claim("exp", "null"),
            "no exp": f.token(claims={"exp": None}),
            "no iat": f.token(claims={"iat": None}),
        }
        await self.each_invalid(cases)

    async def test_33_for_others(self):
        f = self.forge
        cases = {
            "other audience": f.token(claims={"aud": "other"}),
            "no audience": f.token(claims={"aud": None}),
            "list of audiences": f.token(claims={"aud": ["causeway", "other"]}),
            "other issuer": f.token(claims={"iss": "https://evil.example"}),
            "no issuer": f.token(claims={"iss": None}),
            "issuer with slash": f.token(claims={"iss": f.claims["iss"] + "/"}),
            "type refresh": f.token(claims={"typ": "refresh"}),
            "type id": f.token(claims={"typ": "id"}),
            "no type": f.token(claims={"typ": None}),
            "header type": f.token(header={"typ": "id+jwt"}),
            "refresh token": self.session["refreshToken"],
            "no person": f.token(claims={"sub": None}),
            "person that is no id": f.token(claims={"sub": "admin"}),
            "nil tenant": f.token(claims={"tid": "00000000-0000-0000-0000-000000000000"}),
            "no device": f.token(claims={"did": None}),
        }
        await self.each_invalid(cases)

    async def test_34_shapes(self):
        token = self.session["accessToken"]
        header, payload, signature = token.split(".")
        cases = {
            "empty": "",
            "no dot": header,
            "one dot": f"{header}.{payload}",
            "three dots": f"{token}.{signature}",
            "four dots": f"{token}..",
            "padding": f"{header}=.{payload}.{signature}",
            "signature padded": f"{token}==",
            "newline": f"{header}.{payload}\n.{signature}",
            "space inside": f"{header}. {payload}.{signature}",
            "standard alphabet": f"{header}.{payload}.{'+/' + signature[2:]}",
            "b64 false": self.forge.token(header={"b64": False, "crit": ["b64"]}),
            "payload is a list": self.forge.token(raw_claims="[]"),
            "payload is no JSON": self.forge.token(raw_claims="nope"),
            "claim twice": self.forge.token(raw_claims='{"iss": "causeway", "iss": "causeway"}'),
            "5 KB": self.forge.token(claims={"more": "m" * 5000}),
            "50 KB": self.forge.token(claims={"more": "m" * 36000}),
            "encrypted": ".".join([header, "", payload, signature, ""]),
        }
        await self.each_invalid(cases)

    async def test_34_token_of_1_mb(self):
        async with unharmed("users", "edge"):
            with self.assertRaises(Refused) as caught:
                await call("users.v1.UserService/FindUser", {}, token="t" * 1_000_000,
                           base=stack.http("users"))  # fmt: skip
            self.assertEqual(caught.exception.status, 431)
            async with await Socket.upgraded() as peer:
                await peer.say({"connect": {"token": "t" * 1_000_000}})
                self.assertEqual((await peer.closed())[0], 1009)


class Passwords(unittest.IsolatedAsyncioTestCase):
    async def refused(self, method, body, base=stack.GATEWAY):
        with self.assertRaises(Refused) as caught:
            await call(f"auth.v1.AuthService/{method}", body, base=base)
        return caught.exception

    def body(self, password, handle=None):
        return {"tenant": stack.TENANT, "handle": handle or fresh_handle(), "password": password}

    async def test_37_long_passwords_are_refused_before_hashing(self):
        async with unharmed("auth", "gateway") as harm:
            for method in HASHES:
                for size in (129, 1000, 60000):
                    began = time.monotonic()
                    refused = await self.refused(method, self.body("p" * size))
                    self.assertEqual((refused.status, refused.code), (400, "PASSWORD_TOO_LONG"))
                    self.assertLess(time.monotonic() - began, 1)
                    harm.refs.append(refused.ref)
                refused = await self.refused(method, self.body("\U0001f600" * 33))
                self.assertEqual(refused.code, "PASSWORD_TOO_LONG")

    async def test_37_password_of_1_mb_does_not_fit_the_door(self):
        async with unharmed("auth", "gateway"):
            for base in (stack.GATEWAY, stack.http("auth")):
                refused = await self.refused("Login", self.body("p" * 1_000_000), base)
                self.assertEqual(refused.status, 413)

    async def test_37_password_with_nul_is_refused_not_cut(self):
        password = "correct horse"
        person = await register("nul", password=password)
        async with unharmed("auth"):
            for text in (f"{password}\0", f"{password}\0tail", f"{password}\0\0"):
                refused = await self.refused("Login", self.body(text, person["handle"]))
                self.assertEqual((refused.status, refused.code), (400, "BAD_JSON"))
                refused = await self.refused("Register", self.body(text))
                self.assertEqual(refused.code, "BAD_JSON")

    async def test_37_passwords_at_the_limits_work(self):
        for password in ("p" * 8, "p" * 128, "\U0001f600" * 32, "  spaces  ", "'; --%s${x}"):
            person = await register("limit", password=password)
            again = await log_in(person["handle"], password)
            self.assertEqual(again["userId"], person["userId"])
            refused = await self.refused("Login", self.body(password[:-1] + "q", person["handle"]))
            self.assertEqual(refused.code, "BAD_CREDENTIALS")
