# SPDX-License-Identifier: Apache-2.0
"""Connect unary calls as a foreign client makes them, and people made with them."""

import asyncio
import json
import secrets
import urllib.error
import urllib.request

from lib.stack import GATEWAY, TENANT

LIMIT_S = 15


class Refused(Exception):
    """A call was answered with an error: status and the decoded body."""

    def __init__(self, status, body, headers):
        super().__init__(f"{status} {body}")
        self.status = status
        self.headers = headers
        try:
            self.body = json.loads(body)
        except ValueError:
            self.body = {}

    @property
    def error(self):
        """The model's error, or what the HTTP server itself says in its place."""
        details = self.body.get("details") or [{}]
        return details[0].get("debug", self.body)

    @property
    def code(self):
        return self.error.get("code", "").removeprefix("ERROR_CODE_")

    @property
    def ref(self):
        return self.error.get("ref")


def call_now(base, method, body, token=None, headers=None):
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    all_headers = {"content-type": "application/json"} | (headers or {})
    if token:
        all_headers["authorization"] = f"Bearer {token}"
    request = urllib.request.Request(f"{base}/causeway.{method}", raw, all_headers)
    try:
        with urllib.request.urlopen(request, timeout=LIMIT_S) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        raise Refused(error.code, error.read().decode(errors="replace"), error.headers) from None


async def call(method, body, token=None, base=GATEWAY, headers=None):
    return await asyncio.to_thread(call_now, base, method, body, token, headers)


def fresh_handle(prefix="p"):
    return f"{prefix}{secrets.token_hex(6)}"


async def register(prefix="p", password="correct horse battery"):
    handle = fresh_handle(prefix)
    session = await call("auth.v1.AuthService/Register",
                         {"tenant": TENANT, "handle": handle, "password": password})  # fmt: skip
    return session | {"handle": handle, "password": password}


async def log_in(handle, password, **more):
    return await call("auth.v1.AuthService/Login",
                      {"tenant": TENANT, "handle": handle, "password": password} | more)  # fmt: skip
