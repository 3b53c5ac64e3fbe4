# SPDX-License-Identifier: Apache-2.0
"""Protobuf bytes by hand: right ones and wrong ones, without a library that would refuse to write them."""

VARINT, FIXED64, BYTES, GROUP, GROUP_END, FIXED32 = range(6)

# Fields of causeway.client.v1 and model.v1 that tests write or read.
CLIENT_CONNECT, CLIENT_COMMAND, CLIENT_ACK, CLIENT_PRESENCE, CLIENT_PING = 2, 3, 4, 8, 9
SERVER_WELCOME, SERVER_VERDICT, SERVER_PONG, SERVER_ERROR = 2, 3, 12, 13


def varint(number):
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes(out) + bytes([number])


def tag(number, wire_type):
    return varint(number << 3 | wire_type)


def field(number, value):
    """An integer as varint; text or bytes with their length."""
    if isinstance(value, int):
        return tag(number, VARINT) + varint(value)
    raw = value.encode() if isinstance(value, str) else value
    return tag(number, BYTES) + varint(len(raw)) + raw


def message(fields):
    """{number: value or list of values} as one message."""
    out = b""
    for number, values in fields.items():
        for value in values if isinstance(values, list) else [values]:
            out += field(number, value)
    return out


def connect(token):
    return field(CLIENT_CONNECT, field(1, token))


def send_operation(text):
    """Operation{send{body{parts{text{text}}}}}"""
    return field(1, field(1, field(1, field(1, field(1, text)))))


def command(conversation_id, epoch, device_seq, seen_seq, client_msg_id, operation, more=b""):
    fields = {1: conversation_id, 2: epoch, 3: device_seq, 5: seen_seq, 6: client_msg_id, 7: operation}
    return field(CLIENT_COMMAND, message(fields) + more)


def ping(nonce):
    return field(CLIENT_PING, field(1, nonce))


def read_varint(raw, at):
    value = shift = 0
    while True:
        value |= (raw[at] & 0x7F) << shift
        at, shift, last = at + 1, shift + 7, raw[at] < 0x80
        if last:
            return value, at


def read(raw):
    """{number: last value} of the top level; fixed-size values are skipped."""
    found, at = {}, 0
    while at < len(raw):
        key, at = read_varint(raw, at)
        value, wire_type = None, key & 7
        if wire_type == VARINT:
            value, at = read_varint(raw, at)
        elif wire_type == BYTES:
            length, at = read_varint(raw, at)
            value, at = raw[at : at + length], at + length
        else:
            at += {FIXED64: 8, FIXED32: 4}[wire_type]
        found[key >> 3] = value
    return found
