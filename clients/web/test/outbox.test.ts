// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import { VERDICT_TIMEOUT_MS, WINDOW_MAX, sessionInit } from "../src/sdk/session";
import { CONV, DEVICE, entry, ME, Rig, summary } from "./rig";

test("a command is written before it is sent, and keeps its place until the verdict", () => {
  const r = new Rig().online();
  const effects = (r.say("a"), r.effects);
  const put = effects.findIndex((e) => e.type === "putItem" && e.item.clientMsgId === "a");
  const send = effects.findIndex((e) => e.type === "send" && e.frame.kind === "command");
  assert.ok(put >= 0 && put < send);
  r.verdict("ACCEPTED", { clientMsgId: "a", deviceSeq: 1, seq: 2 });
  assert.equal(r.status("a"), "accepted");
  r.deliver(1, [entry(2, { senderUserId: ME, senderDeviceId: DEVICE, clientMsgId: "a" })]);
  assert.equal(r.status("a"), undefined);
});

test("numbers are contiguous from 1 per conversation", () => {
  const r = new Rig().online();
  r.step({ type: "attached", afterSeq: 1, lastDeviceSeq: 0, summary: summary({ id: "other" }) });
  r.say("a");
  r.say("x", "other");
  r.say("b");
  assert.deepEqual(r.commands(), ["1/a", "1/x", "2/b"]);
});

test("not more than the window is unanswered, over all conversations", () => {
  const r = new Rig().online();
  for (let i = 1; i <= WINDOW_MAX + 5; i++) r.say(`m${i}`);
  assert.equal(r.commands().length, WINDOW_MAX);
  r.verdict("ACCEPTED", { clientMsgId: "m1", deviceSeq: 1, seq: 2 });
  assert.deepEqual(r.commands(), [`${WINDOW_MAX + 1}/m${WINDOW_MAX + 1}`]);
  const narrow = new Rig();
  narrow.welcome(1, 4);
  narrow.attach(1);
  for (let i = 1; i <= 9; i++) narrow.say(`m${i}`);
  assert.equal(narrow.commands().length, 4);
});

test("GAP rewinds to last+1, only for the current attempt", () => {
  const r = new Rig().online();
  for (const id of ["a", "b", "c"]) r.say(id);
  r.take();
  r.verdict("GAP", { deviceSeq: 2, attempt: 0, last: 0 });
  const again = r.take();
  assert.deepEqual(again.map((c) => c.item.clientMsgId), ["a", "b", "c"]);
  assert.deepEqual(again.map((c) => c.attempt), [1, 1, 1]);
  r.verdict("GAP", { deviceSeq: 3, attempt: 0, last: 0 });
  assert.deepEqual(r.commands(), [], "the copy of an older attempt");
});

test("GAP for a number that this device does not have is asked again slowly", () => {
  const r = new Rig();
  r.welcome();
  r.attach(1, { lastDeviceSeq: 5 });
  r.say("a");
  assert.deepEqual(r.commands(), ["6/a"]);
  r.verdict("GAP", { deviceSeq: 6, attempt: 0, last: 3 });
  assert.deepEqual(r.commands(), []);
  r.nowMs += VERDICT_TIMEOUT_MS;
  r.step({ type: "tick" });
  assert.deepEqual(r.commands(), ["6/a"], "the number is never given away");
});

test("REJECTED is final and consumes its number", () => {
  const r = new Rig().online();
  r.say("a");
  r.take();
  const error = { code: "TOO_LARGE", retryable: false, retryAfterMs: 0, ref: "", message: "" };
  r.verdict("REJECTED", { clientMsgId: "a", deviceSeq: 1, error });
  assert.equal(r.status("a"), "failed");
  r.say("b");
  assert.deepEqual(r.commands(), ["2/b"]);
  r.verdict("ACCEPTED", { clientMsgId: "a", deviceSeq: 1, seq: 9 });
  assert.equal(r.status("a"), "failed", "nothing is refused and later accepted");
});

test("NOT_MEMBER is final for its command alone and gives the number to the next", () => {
  const r = new Rig().online();
  for (const id of ["a", "b"]) r.say(id);
  r.take();
  r.verdict("NOT_MEMBER", { clientMsgId: "a", deviceSeq: 1, last: 0 });
  assert.equal(r.status("a"), "failed");
  const again = r.take();
  assert.deepEqual(again.map((c) => [c.item.deviceSeq, c.item.clientMsgId, c.attempt]),
    [[1, "b", 1]]);
  r.verdict("NOT_MEMBER", { clientMsgId: "b", deviceSeq: 2, last: 0 });
  assert.equal(r.status("b"), "failed", "also when the answer is to its older copy");
});

test("commands of two stays are not in flight together", () => {
  const r = new Rig().online();
  r.step({ type: "lost" });
  r.say("before");
  r.welcome();
  r.attach(8, { joinedSeq: 7 });
  r.attach(8, { joinedSeq: 7 });
  r.say("after");
  assert.deepEqual(r.commands(), ["1/before"]);
  r.verdict("NOT_MEMBER", { clientMsgId: "before", deviceSeq: 1, last: 0 });
  assert.deepEqual(r.commands(), ["1/after"]);
});

test("UNAVAILABLE is no verdict: the same ids after the time it names", () => {
  const r = new Rig().online();
  for (const id of ["a", "b"]) r.say(id);
  r.take();
  const error = { code: "UNAVAILABLE", retryable: true, retryAfterMs: 3_000, ref: "", message: "" };
  r.verdict("UNAVAILABLE", { clientMsgId: "a", deviceSeq: 1, error });
  assert.deepEqual(r.pending(), ["1/a", "2/b"]);
  r.nowMs += 2_999;
  r.step({ type: "tick" });
  assert.deepEqual(r.commands(), []);
  r.nowMs += 1;
  r.step({ type: "tick" });
  assert.deepEqual(r.commands(), ["1/a", "2/b"]);
});

test("silence and closes are UNKNOWN: the same ids for ever", () => {
  const r = new Rig().online();
  r.say("a");
  r.take();
  for (let i = 0; i < 5; i++) {
    r.nowMs += VERDICT_TIMEOUT_MS;
    r.step({ type: "tick" });
    assert.deepEqual(r.commands(), ["1/a"]);
    r.step({ type: "lost" });
    assert.deepEqual(r.commands(), []);
    r.welcome();
    assert.deepEqual(r.commands(), ["1/a"]);
  }
});

test("what follows a Create waits for its verdict, and fails with it", () => {
  const r = new Rig();
  r.welcome();
  const create = { kind: "create", conversationKind: "direct", title: "", userIds: ["u"] } as const;
  const found = (id: string): void => void r.step({
    type: "enqueue", conversationId: CONV, clientMsgId: id,
    operation: { ...create, userIds: [...create.userIds] },
  });
  found("create");
  r.say("a");
  assert.deepEqual(r.commands(), ["1/create"]);
  r.verdict("ACCEPTED", { clientMsgId: "create", deviceSeq: 1, seq: 1 });
  const [next] = r.take();
  assert.deepEqual([next?.item.clientMsgId, next?.seenSeq], ["a", 1]);

  const refused = new Rig();
  refused.welcome();
  refused.step({ type: "enqueue", conversationId: CONV, clientMsgId: "create",
    operation: { ...create, userIds: ["u"] } });
  refused.say("a");
  refused.verdict("REJECTED", { clientMsgId: "create", deviceSeq: 1 });
  assert.deepEqual([refused.status("create"), refused.status("a")], ["failed", "failed"]);
});

test("what is written when Attached is faster than the first entry waits until it was seen", () => {
  const r = new Rig();
  r.welcome();
  r.step({ type: "enqueue", conversationId: CONV, clientMsgId: "create",
    operation: { kind: "create", conversationKind: "group", title: "t", userIds: ["u"] } });
  r.take();
  r.attach(0);
  r.say("a");
  assert.deepEqual(r.commands(), [], "the Create has no verdict yet");
  r.deliver(0, [entry(1, { senderUserId: ME, senderDeviceId: DEVICE, clientMsgId: "create" })]);
  r.verdict("ACCEPTED", { clientMsgId: "create", deviceSeq: 1, seq: 1 });
  const [next] = r.take();
  assert.deepEqual([next?.item.clientMsgId, next?.seenSeq], ["a", 1]);

  const added = new Rig();
  added.welcome();
  added.attach(0);
  added.say("b");
  assert.deepEqual(added.commands(), [], "nothing was seen yet");
  added.deliver(0, [entry(1, {})]);
  const [first] = added.take();
  assert.deepEqual([first?.item.clientMsgId, first?.seenSeq], ["b", 1]);
});

test("a Create that the other side was faster with lets the rest go on", () => {
  const r = new Rig();
  r.welcome();
  r.step({ type: "enqueue", conversationId: CONV, clientMsgId: "create",
    operation: { kind: "create", conversationKind: "direct", title: "", userIds: ["u"] } });
  r.say("a");
  r.take();
  const error = { code: "ALREADY_EXISTS", retryable: false, retryAfterMs: 0, ref: "", message: "" };
  r.verdict("REJECTED", { clientMsgId: "create", deviceSeq: 1, error });
  assert.deepEqual(r.commands(), []);
  r.attach(1);
  assert.deepEqual(r.commands(), ["2/a"]);
  assert.equal(r.status("create"), undefined);
});

test("RESYNC: what the store has is dropped, the rest is renumbered from last+1", () => {
  const r = new Rig().online();
  for (const id of ["a", "b", "c"]) r.say(id);
  r.take();
  r.verdict("RESYNC", { deviceSeq: 1, epoch: 2, last: 7 });
  r.verdict("RESYNC", { deviceSeq: 2, epoch: 2, last: 7 });
  const scans = r.effects.filter((e) => e.type === "rescan");
  assert.deepEqual(scans.map((e) => e.type === "rescan" && e.fromSeq), [2]);
  assert.deepEqual(r.commands(), []);
  r.step({ type: "attached", afterSeq: 9, lastDeviceSeq: 7,
    summary: summary({ epoch: 2, lastSeq: 9 }) });
  r.step({ type: "rescanned", conversationId: CONV, epoch: 2, last: 7, absent: false,
    found: new Map([["b", 4]]) });
  const again = r.take();
  assert.deepEqual(again.map((c) => [c.item.clientMsgId, c.item.deviceSeq, c.item.epoch]),
    [["a", 8, 2], ["c", 9, 2]]);
  r.verdict("ACCEPTED", { clientMsgId: "a", deviceSeq: 1, seq: 3, epoch: 1 });
  assert.equal(r.status("a"), "pending", "a verdict of the old life");
});

test("a connection lost in the middle of a rescan starts it over", () => {
  const r = new Rig().online();
  r.say("a");
  r.verdict("RESYNC", { deviceSeq: 1, epoch: 2, last: 0 });
  r.step({ type: "lost" });
  r.take();
  r.welcome(2);
  assert.deepEqual(r.commands(), ["1/a"]);
  r.verdict("RESYNC", { deviceSeq: 1, epoch: 2, last: 0 });
  assert.equal(r.effects.filter((e) => e.type === "rescan").length, 2);
});

test("a restart goes on with the numbers that are on disk", () => {
  const r = new Rig().online();
  for (const id of ["a", "b"]) r.say(id);
  r.verdict("ACCEPTED", { clientMsgId: "a", deviceSeq: 1, seq: 2 });
  const kept = structuredClone({
    conversations: [...r.state.conversations.values()], outbox: r.state.outbox,
  });
  const next = new Rig();
  next.state = sessionInit(ME, DEVICE, 1, kept.conversations, kept.outbox);
  next.say("c");
  next.welcome();
  assert.deepEqual(next.commands(), ["2/b", "3/c"]);
});

test("pending commands cannot be withdrawn, failed ones can", () => {
  const r = new Rig().online();
  r.say("a");
  r.step({ type: "dismiss", clientMsgId: "a" });
  assert.equal(r.status("a"), "pending");
  r.verdict("ID_REUSED", { clientMsgId: "a", deviceSeq: 1 });
  assert.equal(r.status("a"), "failed");
  r.step({ type: "dismiss", clientMsgId: "a" });
  assert.equal(r.status("a"), undefined);
});
