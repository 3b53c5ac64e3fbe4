# SPDX-License-Identifier: Apache-2.0
"""Access tokens with every fault, signed with the real key, with another one, or not at all."""

import base64
import hashlib
import hmac
import json
import os
import subprocess
import tempfile
import time

from lib import stack

COORDINATE_BYTES = 32


def b64(raw):
    raw = raw if isinstance(raw, bytes) else raw.encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def unb64(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def openssl(*arguments, feed=b""):
    return subprocess.run(["openssl", *arguments], input=feed, capture_output=True, check=True).stdout


class Key:
    """A P-256 key as PEM text."""

    def __init__(self, pem, kid):
        self.pem = pem
        self.kid = kid

    @classmethod
    def real(cls):
        """The key that auth signs with: what a thief of its database and its secret would have."""
        query = ("select kid, encode(private_pem_encrypted, 'hex') from auth.signing_key "
                 "where retired_ms is null order by number desc limit 1")  # fmt: skip
        ((kid, encrypted),) = stack.sql(query, "causeway_auth")
        secret = f"pass:{stack.secret('auth_key')}"
        return cls(openssl("pkey", "-passin", secret, feed=bytes.fromhex(encrypted)), kid)

    @classmethod
    def fresh(cls, kid):
        """Another key under a name of choice."""
        arguments = ("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256")
        return cls(openssl(*arguments), kid)

    def sign(self, text):
        with tempfile.NamedTemporaryFile() as file:
            file.write(self.pem)
            file.flush()
            der = openssl("dgst", "-sha256", "-sign", file.name, feed=text.encode())
        return raw_signature(der)

    def public_pem(self):
        return openssl("pkey", "-pubout", feed=self.pem)


def raw_signature(der):
    """r || s of an ECDSA signature: SEQUENCE { INTEGER r, INTEGER s }."""
    at, out = 2, b""
    for _ in range(2):
        size = der[at + 1]
        out += der[at + 2 : at + 2 + size].lstrip(b"\0").rjust(COORDINATE_BYTES, b"\0")
        at += 2 + size
    return out


class Forge:
    """Makes tokens like those of a person's session, with changes."""

    def __init__(self, session):
        header, payload, _ = session["accessToken"].split(".")
        self.header = json.loads(unb64(header))
        self.claims = json.loads(unb64(payload))
        self.key = Key.real()

    def text(self, header=None, claims=None, raw_claims=None):
        """header "." payload, encoded. A change to None takes the member away."""
        head = self.changed(self.header, header)
        body = raw_claims or json.dumps(self.changed(self.claims, claims))
        return f"{b64(json.dumps(head))}.{b64(body)}"

    def changed(self, members, changes):
        merged = members | (changes or {})
        return {name: value for name, value in merged.items() if value is not None}

    def token(self, header=None, claims=None, raw_claims=None, key=None):
        text = self.text(header, claims, raw_claims)
        return f"{text}.{b64((key or self.key).sign(text))}"

    def hmac_token(self, secret, **more):
        text = self.text(header={"alg": "HS256"} | more)
        return f"{text}.{b64(hmac.digest(secret, text.encode(), hashlib.sha256))}"

    def unsigned(self, algorithm):
        return self.text(header={"alg": algorithm}) + "."

    def with_claim(self, name, json_text):
        """One claim as this JSON text."""
        rest = {key: value for key, value in self.claims.items() if key != name}
        body = json.dumps(rest)[:-1] + f', "{name}": {json_text}}}'
        return self.token(raw_claims=body)


def now_s():
    return int(time.time())


def unknown_kid():
    return b64(os.urandom(32))
