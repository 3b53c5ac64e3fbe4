# SPDX-License-Identifier: Apache-2.0
"""Accounts through the gateway, as a client uses them."""

import asyncio
import base64
import json
import unittest

from lib import stack
from lib.calls import Refused, call, fresh_handle, log_in, register
from lib.client import Client


def claims_of(token):
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


class Accounts(unittest.IsolatedAsyncioTestCase):
    async def refused(self, method, body, **more):
        with self.assertRaises(Refused) as caught:
            await call(method, body, **more)
        return caught.exception

    async def test_register_log_in_and_claims(self):
        person = await register()
        again = await log_in(person["handle"], person["password"], deviceId=person["deviceId"])
        self.assertEqual(again["userId"], person["userId"])
        self.assertEqual(again["deviceId"], person["deviceId"])
        claims = claims_of(again["accessToken"])
        self.assertEqual((claims["sub"], claims["tid"], claims["did"], claims["aud"], claims["typ"]),
                         (person["userId"], person["tenantId"], person["deviceId"], "causeway", "access"))  # fmt: skip
        self.assertEqual(claims["exp"] - claims["iat"], 600)

    async def test_a_device_of_somebody_else_is_not_taken(self):
        one, two = await asyncio.gather(register(), register())
        thief = await log_in(two["handle"], two["password"], deviceId=one["deviceId"])
        self.assertNotEqual(thief["deviceId"], one["deviceId"])

    async def test_wrong_password_and_unknown_person_look_the_same(self):
        person = await register()
        wrong = await self.refused("auth.v1.AuthService/Login", {
            "tenant": stack.TENANT, "handle": person["handle"], "password": "wrong password"})  # fmt: skip
        unknown = await self.refused("auth.v1.AuthService/Login", {
            "tenant": stack.TENANT, "handle": fresh_handle(), "password": "wrong password"})  # fmt: skip
        self.assertEqual((wrong.status, wrong.code), (unknown.status, unknown.code))
        self.assertEqual(wrong.code, "BAD_CREDENTIALS")
        self.assertEqual(wrong.body["message"], unknown.body["message"])

    async def test_taken_handle_and_bad_input(self):
        person = await register()
        base = {"tenant": stack.TENANT, "handle": person["handle"], "password": "long enough"}
        method = "auth.v1.AuthService/Register"
        self.assertEqual((await self.refused(method, base)).code, "ALREADY_EXISTS")
        for change, code in (
            ({"handle": "UPPER"}, "INVALID_NAME"),
            ({"handle": "a"}, "INVALID_NAME"),
            ({"handle": fresh_handle(), "password": "x" * 129}, "PASSWORD_TOO_LONG"),
            ({"handle": fresh_handle(), "password": "short"}, "INVALID_ARGUMENT"),
            ({"handle": fresh_handle(), "displayName": "\u200b"}, "INVALID_NAME"),
            ({"handle": fresh_handle(), "tenant": "nobody"}, "NOT_FOUND"),
        ):
            self.assertEqual((await self.refused(method, base | change)).code, code, change)

    async def test_refresh_rotates_and_reuse_ends_the_session(self):
        person = await register()
        method = "auth.v1.AuthService/Refresh"
        second = await call(method, {"refreshToken": person["refreshToken"]})
        self.assertNotEqual(second["refreshToken"], person["refreshToken"])
        self.assertEqual(second["deviceId"], person["deviceId"])
        third = await call(method, {"refreshToken": second["refreshToken"]})
        await self.refused(method, {"refreshToken": person["refreshToken"]})
        await self.refused(method, {"refreshToken": second["refreshToken"]})
        await self.refused(method, {"refreshToken": third["refreshToken"]})

    async def test_logout_ends_refreshing(self):
        person = await register()
        await call("auth.v1.AuthService/Logout", {"refreshToken": person["refreshToken"]})
        await self.refused("auth.v1.AuthService/Refresh", {"refreshToken": person["refreshToken"]})

    async def test_find_by_handle_and_profile(self):
        one, two = await asyncio.gather(register(), register())
        token = one["accessToken"]
        found = await call("users.v1.UserService/FindUser", {"handle": two["handle"]}, token=token)
        self.assertEqual(found["userId"], two["userId"])
        await call("users.v1.UserService/UpdateProfile", {"displayName": "Zoë"}, token=token)
        found = await call("users.v1.UserService/FindUser", {"handle": one["handle"]}, token=token)
        self.assertEqual(found["displayName"], "Zoë")
        missing = await self.refused("users.v1.UserService/FindUser",
                                     {"handle": fresh_handle()}, token=token)  # fmt: skip
        self.assertEqual((missing.status, missing.code), (404, "NOT_FOUND"))
        nobody = await self.refused("users.v1.UserService/FindUser", {"handle": two["handle"]})
        self.assertEqual(nobody.status, 401)

    async def test_internal_calls_are_closed_to_people(self):
        person = await register()
        body = {"userId": person["userId"], "handle": fresh_handle(), "displayName": "x"}
        refused = await self.refused("users.v1.UserService/CreateUser", body,
                                     token=person["accessToken"])  # fmt: skip
        self.assertIn(refused.status, (401, 403, 404))

    async def test_key_set_and_signed_in_websocket(self):
        status, body = await asyncio.to_thread(stack.get, stack.http("auth") + "/.well-known/jwks.json")
        keys = json.loads(body)["keys"]
        self.assertEqual(status, 200)
        self.assertTrue(all(k["kty"] == "EC" and k["crv"] == "P-256" and "d" not in k for k in keys))
        person = await register()
        async with Client(person) as client:
            self.assertEqual(client.welcome["userId"], person["userId"])
