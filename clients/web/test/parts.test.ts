// SPDX-License-Identifier: Apache-2.0
// The small parts: ids, typing, presence, text, ticks, the codec's edges, calls and tokens.
import assert from "node:assert/strict";
import { test } from "node:test";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { ClientFrameSchema, ServerFrameSchema } from "../src/gen/causeway/client/v1/client_pb";
import { AuthService } from "../src/gen/causeway/auth/v1/auth_pb";
import { lifetimeMs, SessionEnded, SessionKeeper, type SavedSession } from "../src/sdk/auth";
import { cleanText } from "../src/sdk/client";
import { bodyBytes, decodeFrame, encodeFrame } from "../src/sdk/codec";
import { directConversationId, uuid5, uuid7 } from "../src/sdk/id";
import { call, CallError } from "../src/sdk/rpc";
import { emptyConversation } from "../src/sdk/session";
import { PresenceBook, TypingIn, TypingOut } from "../src/sdk/signals";
import { tickOf } from "../src/sdk/timeline";

const DNS = "6ba7b810-9dad-11d1-80b4-00c04fd430c8";

test("uuid5 is RFC 9562's example", async () => {
  assert.equal(await uuid5(DNS, "www.example.com"), "2ed6657d-e927-568b-95e1-2665a8aea6a2");
});

test("both sides make the same direct conversation id", async () => {
  const [a, b] = ["0191aaaa-0000-7000-8000-000000000001", "0191bbbb-0000-7000-8000-000000000001"];
  const id = await directConversationId(DNS, a, b);
  assert.equal(id, await directConversationId(DNS, b, a));
  assert.equal(id, await uuid5(DNS, `${a}:${b}`));
});

test("uuid7 is RFC 9562's example", () => {
  // unix_ts_ms 0x017F22E279B0, rand_a CC3, rand_b 18C4DC0C0C07398F
  const random = Uint8Array.from([0x0c, 0xc3, 0x18, 0xc4, 0xdc, 0x0c, 0x0c, 0x07, 0x39, 0x8f]);
  assert.equal(uuid7(0x017f22e279b0, random), "017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
});

test("typing is told at most every 3 s, and its end only when somebody still believes it", () => {
  const out = new TypingOut();
  assert.deepEqual([0, 100, 2_999, 3_000].map((ms) => out.pressed("c", ms)),
    [true, false, false, true]);
  assert.equal(out.pressed("other", 3_001), true);
  assert.equal(out.stopped("other", 4_000), true);
  assert.equal(out.stopped("other", 4_001), false);
});

test("typing of others is over after 6 s", () => {
  const typing = new TypingIn();
  typing.notice("c", "u", true, 0);
  assert.deepEqual(typing.who("c", 5_999), ["u"]);
  assert.deepEqual(typing.expire(5_999), []);
  assert.deepEqual(typing.who("c", 6_000), []);
  assert.deepEqual(typing.expire(6_000), ["c"]);
});

test("presence is asked for when the set changed, and unknown without a connection", () => {
  const book = new PresenceBook();
  assert.equal(book.want(["b", "a"]), true);
  assert.equal(book.want(["a", "b", "a"]), false);
  book.update("a", "online");
  book.lost();
  assert.equal(book.of("a"), "unknown");
  assert.equal(book.want(Array.from({ length: 900 }, (_, i) => `u${i}`)), true);
  assert.equal(book.subscribed.length, 500);
});

test("text that is sent is whole, and not nothing", () => {
  assert.equal(cleanText("  a\0b \n"), "ab");
  assert.equal(cleanText(" \t\n"), "");
  assert.equal(cleanText("x\ud83dy"), "x\ufffdy");
  assert.equal(cleanText("\u{1f600}"), "\u{1f600}");
  assert.equal(bodyBytes("\u{1f600}"), 10, "part, text and string headers of 2 bytes, 4 of UTF-8");
});

test("ticks: delivered and read by every other present member", () => {
  const c = emptyConversation("c", 0);
  c.members = ["me", "a", "b"].map((userId) => ({ userId, role: 3, joinedSeq: 1, leftSeq: 0 }));
  const ticks = (): string[] => [4, 5, 6].map((seq) => tickOf(c, "me", seq));
  assert.deepEqual(ticks(), ["sent", "sent", "sent"]);
  c.cursors = { a: { delivered: 9, read: 9 }, b: { delivered: 5, read: 4 } };
  assert.deepEqual(ticks(), ["read", "delivered", "sent"]);
  c.members[2]!.leftSeq = 9;
  assert.deepEqual(ticks(), ["read", "read", "read"]);
});

test("a command carries its ids as written, and a trace id made of them", () => {
  const item = {
    order: 1, conversationId: "c", clientMsgId: "0191aaaa-0000-7000-8000-00000000000a",
    deviceSeq: 7, epoch: 3, operation: { kind: "send", text: "hi" } as const, writtenMs: 0,
    seenSeq: 4, notBefore: 0, state: { status: "pending" } as const,
  };
  const bytes = encodeFrame({ kind: "command", item, seenSeq: 4, attempt: 2 }, 0);
  const { frame } = fromBinary(ClientFrameSchema, bytes);
  assert.equal(frame.case, "command");
  if (frame.case !== "command") return;
  const { deviceSeq, epoch, seenSeq, attempt, clientMsgId, traceId } = frame.value;
  assert.deepEqual([deviceSeq, epoch, seenSeq, attempt], [7n, 3n, 4n, 2]);
  assert.equal(clientMsgId, item.clientMsgId);
  assert.equal(traceId, "0191aaaa00007000800000000000000a");
});

test("frames: numbers out of range throw, verdicts of a newer server are no verdicts", () => {
  const bytes = (frame: object): Uint8Array => toBinary(ServerFrameSchema,
    create(ServerFrameSchema, { frame: frame as never }));
  const huge = bytes({ case: "pong", value: { nonce: 2n ** 60n } });
  assert.throws(() => decodeFrame(huge), RangeError);
  assert.throws(() => decodeFrame(Uint8Array.from([0x12, 0xff])));
  const { frame } = decodeFrame(bytes({ case: "verdict", value: { code: 99 } }));
  assert.equal(frame.kind === "verdict" && frame.verdict.code, "UNAVAILABLE");
});

// --- calls ---

function answering(status: number, body: unknown): { fetch: typeof fetch; seen: Request[] } {
  const seen: Request[] = [];
  const doFetch = async (input: RequestInfo | URL, init?: RequestInit): Promise<Response> => {
    seen.push(new Request(new URL(String(input), "http://host"), init));
    return new Response(typeof body === "string" ? body : JSON.stringify(body), { status });
  };
  return { fetch: doFetch as typeof fetch, seen };
}

const LOGIN = { tenant: "demo", handle: "a", password: "p" };

async function codeOf(status: number, body: unknown): Promise<string> {
  const error = await call({ baseUrl: "", fetch: answering(status, body).fetch },
    AuthService.method.login, LOGIN).catch((e: unknown) => e);
  assert.ok(error instanceof CallError);
  return error.refusal.code;
}

test("calls are Connect's unary JSON", async () => {
  const { fetch, seen } = answering(200, { userId: "u", accessExpiresMs: "5", newField: 1 });
  const caller = { baseUrl: "", fetch, token: async () => "t0k" };
  const session = await call(caller, AuthService.method.login, LOGIN);
  assert.deepEqual([session.userId, session.accessExpiresMs], ["u", 5n]);
  assert.equal(new URL(seen[0]!.url).pathname, "/causeway.auth.v1.AuthService/Login");
  assert.equal(seen[0]!.headers.get("authorization"), "Bearer t0k");
  assert.deepEqual(await seen[0]!.json(), LOGIN);
});

test("refusals are read wherever they are", async () => {
  const error = { code: "ERROR_CODE_BAD_CREDENTIALS" };
  assert.equal(await codeOf(401, { code: "unauthenticated", error }), "BAD_CREDENTIALS");
  // model.v1.Error { code: 12 } as a Connect detail
  const details = [{ type: "causeway.model.v1.Error", value: "CAw" }];
  assert.equal(await codeOf(409, { code: "already_exists", details }), "ALREADY_EXISTS");
  assert.equal(await codeOf(401, "<html>"), "UNAUTHENTICATED");
  assert.equal(await codeOf(502, "<html>"), "UNAVAILABLE");
  assert.equal(await codeOf(200, "not json"), "UNAVAILABLE");
});

// --- tokens ---

function jwt(seconds: number): string {
  const part = (o: object): string => Buffer.from(JSON.stringify(o)).toString("base64url");
  return `${part({ alg: "ES256" })}.${part({ iat: 1_000, exp: 1_000 + seconds })}.sig`;
}

const SAVED: SavedSession = {
  userId: "u", deviceId: "d", tenantId: DNS, handle: "a", accessToken: "old",
  accessExpiresMs: 600_000, refreshToken: "r1",
};

test("a token's life is its own, whatever this clock says", () => {
  assert.equal(lifetimeMs(jwt(90)), 90_000);
  assert.equal(lifetimeMs("opaque"), 600_000);
});

test("one refresh at a time, saved before its token is used", async () => {
  const fresh = { accessToken: jwt(600), refreshToken: "r2", userId: "u" };
  const { fetch, seen } = answering(200, fresh);
  const saved: Array<SavedSession | null> = [];
  const caller = { baseUrl: "", fetch };
  const keeper = new SessionKeeper(SAVED, caller, (s) => saved.push(s), () => 599_000);
  const tokens = await Promise.all([keeper.token(), keeper.token()]);
  keeper.stop();
  assert.equal(seen.length, 1);
  assert.equal(tokens[0], jwt(600));
  assert.equal(saved[0]?.refreshToken, "r2");
  assert.equal(saved[0]?.accessExpiresMs, 599_000 + 600_000);
});

test("a refused refresh ends the session, an unreachable server does not", async () => {
  const error = { code: "ERROR_CODE_TOKEN_INVALID" };
  for (const [status, ended] of [[401, true], [503, false]] as const) {
    const saved: Array<SavedSession | null> = [];
    const { fetch } = answering(status, status === 401 ? { error } : "");
    const caller = { baseUrl: "", fetch };
    const keeper = new SessionKeeper(SAVED, caller, (s) => saved.push(s), () => 600_000);
    await assert.rejects(keeper.token(), ended ? SessionEnded : CallError);
    assert.deepEqual(saved, ended ? [null] : []);
  }
});
