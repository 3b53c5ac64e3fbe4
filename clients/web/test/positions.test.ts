// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Outgoing } from "../src/sdk/model";
import { ENTRIES_KEPT, HOLE_RETRY_MS, resumePoints } from "../src/sdk/session";
import { CONV, DEVICE, entry, ME, PEER, Rig, summary } from "./rig";

const kinds = (frames: Outgoing[]): string[] => frames.map((f) => f.kind);

function stored(r: Rig): number[] {
  return r.effects.flatMap((e) => (e.type === "putEntries" ? e.entries.map((x) => x.seq) : []));
}

test("entries are applied in order, repeats are dropped", () => {
  const r = new Rig().online();
  r.deliver(1, [entry(2), entry(3)]);
  r.deliver(1, [entry(2), entry(3), entry(4)]);
  r.deliver(3, [entry(4)]);
  assert.deepEqual(stored(r), [2, 3, 4]);
  assert.equal(r.conversation.applied, 4);
});

test("a gap in what I may see is no hole", () => {
  const r = new Rig().online();
  r.deliver(1, [entry(7)]);
  assert.equal(r.conversation.applied, 7);
  assert.deepEqual(r.sent, []);
});

test("a hole is asked for once and nothing beyond it applied", () => {
  const r = new Rig().online();
  r.deliver(4, [entry(5)]);
  r.deliver(5, [entry(6)]);
  assert.deepEqual(r.sent, [{ kind: "resume", point: { conversationId: CONV, epoch: 1, seq: 1 } }]);
  assert.deepEqual(stored(r), []);
  r.nowMs += HOLE_RETRY_MS;
  r.deliver(6, [entry(7)]);
  assert.equal(r.sent.length, 2, "asked again when no answer came");
  r.deliver(1, [2, 3, 4, 5, 6, 7].map((seq) => entry(seq)));
  assert.equal(r.conversation.applied, 7);
});

test("entries of another life of the store are not applied", () => {
  const r = new Rig().online();
  r.deliver(1, [entry(2)], 2);
  assert.equal(r.conversation.applied, 1);
  assert.deepEqual(kinds(r.sent), ["resume"]);
  r.attach(5, { epoch: 2, lastSeq: 5 });
  assert.ok(r.effects.some((e) => e.type === "dropEntries" && e.upTo === null));
  r.deliver(5, [entry(6)], 2);
  assert.deepEqual([r.conversation.epoch, r.conversation.applied], [2, 6]);
});

test("nothing is applied before a conversation is attached", () => {
  const r = new Rig();
  r.welcome();
  r.deliver(0, [entry(1)]);
  assert.deepEqual(stored(r), []);
});

test("where the server goes on after entries that we lack, ask once, then take its word", () => {
  const r = new Rig().online();
  r.step({ type: "lost" });
  r.welcome();
  r.attach(9);
  assert.deepEqual(kinds(r.sent), ["resume"]);
  assert.equal(r.conversation.applied, 1);
  r.attach(9);
  assert.equal(r.conversation.applied, 9);
  assert.deepEqual(resumePoints(r.state), [{ conversationId: CONV, epoch: 1, seq: 9 }]);
});

test("an acknowledgement follows the write, one per conversation and batch", () => {
  const r = new Rig().online();
  r.deliver(1, [entry(2)]);
  r.deliver(2, [entry(3)]);
  assert.deepEqual(r.sent, []);
  r.step({ type: "flush" });
  r.step({ type: "flush" });
  assert.deepEqual(r.sent,
    [{ kind: "ack", conversationId: CONV, epoch: 1, delivered: 3, read: 0 }]);
});

test("a lost acknowledgement is made up for when the server knows less", () => {
  const r = new Rig().online();
  r.deliver(1, [entry(2)]);
  r.step({ type: "read", conversationId: CONV, seq: 2 });
  r.step({ type: "flush" });
  r.step({ type: "lost" });
  r.sent = [];
  r.welcome();
  r.attach(2, { cursors: [{ userId: ME, cursor: { delivered: 1, read: 0 } }] });
  r.step({ type: "flush" });
  assert.deepEqual(r.sent,
    [{ kind: "ack", conversationId: CONV, epoch: 1, delivered: 2, read: 2 }]);
  r.attach(2, { cursors: [{ userId: ME, cursor: { delivered: 2, read: 2 } }] });
  r.step({ type: "flush" });
  assert.equal(r.sent.length, 1);
});

test("unread counts others' messages after what I read, and each once", () => {
  const r = new Rig();
  r.welcome();
  r.attach(1, { lastSeq: 3, unread: 2 });
  assert.equal(r.conversation.unread, 2);
  r.deliver(1, [entry(2), entry(3)]);
  assert.equal(r.conversation.unread, 2, "they were in the server's count");
  r.deliver(3, [entry(4), entry(5, { senderUserId: ME }),
    entry(6, { change: { kind: "removed", userId: "x" } })]);
  assert.equal(r.conversation.unread, 3);
  r.step({ type: "cursor", conversationId: CONV, epoch: 1, userId: ME, delivered: 6, read: 6 });
  assert.equal(r.conversation.unread, 0, "another device of mine read it");
});

test("read never goes past what is here, and never back", () => {
  const r = new Rig().online();
  r.deliver(1, [entry(2)]);
  r.step({ type: "read", conversationId: CONV, seq: 99 });
  assert.equal(r.conversation.mine.read, 2);
  r.step({ type: "read", conversationId: CONV, seq: 1 });
  assert.equal(r.conversation.mine.read, 2);
});

test("others' cursors only grow", () => {
  const r = new Rig().online();
  const move = (delivered: number, read: number): void => void r.step(
    { type: "cursor", conversationId: CONV, epoch: 1, userId: PEER, delivered, read });
  move(5, 3);
  move(4, 4);
  assert.deepEqual(r.conversation.cursors[PEER], { delivered: 5, read: 4 });
});

test("membership follows the entries", () => {
  const r = new Rig().online();
  const member = { userId: "new", role: 3, joinedSeq: 0, leftSeq: 0 };
  r.deliver(1, [entry(2, { change: { kind: "added", member } })]);
  assert.deepEqual(r.conversation.members.map((m) => [m.userId, m.joinedSeq]),
    [[ME, 1], [PEER, 1], ["new", 2]]);
  r.deliver(2, [entry(3, { change: { kind: "removed", userId: PEER } })]);
  assert.deepEqual(r.conversation.members.map((m) => m.userId), [ME, "new"]);
  assert.equal(r.conversation.memberCount, 2);
});

test("our own entry is a verdict", () => {
  const r = new Rig().online();
  r.say("a");
  r.deliver(1, [entry(2, { senderUserId: ME, senderDeviceId: DEVICE, clientMsgId: "a" })]);
  assert.deepEqual(r.pending(), []);
  assert.ok(r.effects.some((e) => e.type === "settled" && e.clientMsgId === "a" && e.seq === 2));
  r.say("b");
  assert.deepEqual(r.pending(), ["2/b"]);
});

test("what is kept is bounded", () => {
  const r = new Rig().online();
  const many = Array.from({ length: 2 * ENTRIES_KEPT }, (_, i) => entry(i + 2));
  for (const e of many) r.deliver(e.seq - 1, [e]);
  const { applied, floor } = r.conversation;
  assert.ok(applied - floor < ENTRIES_KEPT + 100, `${applied - floor} kept`);
});

test("history that joins what is kept is kept", () => {
  const r = new Rig();
  r.welcome();
  r.attach(50);
  const page = (from: number, to: number) => Array.from({ length: to - from + 1 },
    (_, i) => entry(from + i));
  r.step({ type: "history", conversationId: CONV, epoch: 1, toSeq: 30, entries: page(10, 30) });
  assert.equal(r.conversation.floor, 50, "a page that does not join");
  r.step({ type: "history", conversationId: CONV, epoch: 1, toSeq: 50, entries: page(31, 50) });
  assert.equal(r.conversation.floor, 30);
});

test("a listed conversation has no position until it is attached", () => {
  const r = new Rig();
  r.welcome();
  r.step({ type: "listed", summaries: [summary({ unread: 4, lastSeq: 9 })] });
  assert.equal(r.conversation.unread, 4);
  assert.deepEqual(resumePoints(r.state), []);
});

test("forget keeps the outbox and drops every position", () => {
  const r = new Rig().online();
  r.say("a");
  r.step({ type: "forget" });
  assert.deepEqual(resumePoints(r.state), []);
  assert.deepEqual(r.pending(), ["1/a"]);
});
