// SPDX-License-Identifier: Apache-2.0
// Where this device stands in each conversation: entries are applied strictly in order, holes are
// asked for, what is stored is acknowledged.
import type { Conversation, Entry, Member, Summary } from "./model";
import { accept, dropApplied, pendingOf, revive } from "./outbox";
import { emptyConversation, ENTRIES_KEPT, HOLE_RETRY_MS, laneOf } from "./session";
import type { Lane, Out, SessionEvent, SessionState } from "./session";

type Of<T extends SessionEvent["type"]> = Extract<SessionEvent, { type: T }>;

const TRIM_STEP = 50;

function merge(s: SessionState, c: Conversation, summary: Summary): void {
  c.kind = summary.kind;
  c.title = summary.title;
  c.members = summary.members;
  c.memberCount = summary.memberCount;
  const me = summary.members.find((m) => m.userId === s.userId && m.leftSeq === 0);
  c.joinedSeq = summary.joinedSeq || (me?.joinedSeq ?? 0);
  c.lastSeq = Math.max(c.lastSeq, summary.lastSeq);
  if (summary.lastEntry && (!c.lastEntry || summary.lastEntry.seq >= c.lastEntry.seq)) {
    c.lastEntry = summary.lastEntry;
    c.activityMs = summary.lastEntry.committedMs;
  }
  for (const { userId, cursor } of summary.cursors) {
    if (userId !== s.userId) c.cursors[userId] = cursor;
  }
}

function conversationFor(s: SessionState, id: string): Conversation {
  let c = s.conversations.get(id);
  if (!c) {
    c = { ...emptyConversation(id, 0), numbersEpoch: s.epoch };
    s.conversations.set(id, c);
  }
  return c;
}

// --- the server takes up a conversation ---

export function onAttached(s: SessionState, e: Of<"attached">, nowMs: number, out: Out): void {
  const c = conversationFor(s, e.summary.id);
  const lane = laneOf(s, c.id);
  const skips = c.known && c.epoch === e.summary.epoch && e.afterSeq > c.applied;
  if (skips && !lane.holeRefused) {
    // The server goes on after entries that we lack: ask once, then take its word.
    lane.holeRefused = true;
    askHole(c, lane, nowMs, out);
  } else {
    lane.holeRefused = false;
    if (skips || !c.known || c.epoch !== e.summary.epoch) {
      startAt(c, e.summary.epoch, e.afterSeq, out);
      revive(s, c, e.summary.epoch, out);
    }
  }
  merge(s, c, e.summary);
  takeMine(s, c, lane, e.summary);
  takeNumbers(s, c, e.summary.epoch, e.lastDeviceSeq);
  dropApplied(s, c, out);
  out.push({ type: "putConversation", conversation: c },
    { type: "changed", conversationId: c.id });
}

function startAt(c: Conversation, epoch: number, seq: number, out: Out): void {
  if (c.epoch !== epoch) {
    Object.assign(c, { lastEntry: null, lastSeq: 0, cursors: {}, createdSeq: 0 });
    c.mine = { delivered: 0, read: 0 };
  }
  c.known = true;
  c.epoch = epoch;
  c.applied = c.floor = seq;
  out.push({ type: "dropEntries", conversationId: c.id, upTo: null });
}

/** The server's view of my own cursor; where it is behind ours, an acknowledgement was lost. */
function takeMine(s: SessionState, c: Conversation, lane: Lane, summary: Summary): void {
  const server = summary.cursors.find((x) => x.userId === s.userId)?.cursor
    ?? { delivered: 0, read: 0 };
  const read = Math.max(c.mine.read, server.read);
  lane.ackDue ||= server.delivered < c.applied || server.read < read;
  c.mine = { delivered: Math.max(c.mine.delivered, server.delivered), read };
  c.unread = Math.min(summary.unread, Math.max(0, summary.lastSeq - read));
  c.countedTo = summary.lastSeq;
}

function takeNumbers(s: SessionState, c: Conversation, epoch: number, last: number): void {
  // Pending items keep their numbers: their verdicts, or a RESYNC, are still to come.
  if (pendingOf(s, c.id).length > 0) return;
  c.lastDeviceSeq = c.numbersEpoch === epoch ? Math.max(c.lastDeviceSeq, last) : last;
  c.numbersEpoch = epoch;
}

function askHole(c: Conversation, lane: Lane, nowMs: number, out: Out): void {
  if (nowMs - lane.holeAskedMs < HOLE_RETRY_MS) return;
  lane.holeAskedMs = nowMs;
  const point = { conversationId: c.id, epoch: c.epoch, seq: c.applied };
  out.push({ type: "send", frame: { kind: "resume", point } });
}

// --- entries ---

export function onDeliver(s: SessionState, e: Of<"deliver">, nowMs: number, out: Out): void {
  const c = s.conversations.get(e.conversationId);
  if (!c?.known) return; // Attached comes first; without it there is no place to put them
  const lane = laneOf(s, c.id);
  if (c.epoch !== e.epoch || e.prevSeq > c.applied) return askHole(c, lane, nowMs, out);
  const fresh: Entry[] = [];
  for (const entry of e.entries) {
    if (entry.seq <= c.applied) continue;
    c.applied = entry.seq;
    fresh.push(entry);
  }
  if (fresh.length === 0) return;
  lane.holeAskedMs = -Infinity;
  for (const entry of fresh) apply(s, c, entry, out);
  lane.ackDue = true;
  out.push({ type: "putEntries", conversationId: c.id, entries: fresh });
  trim(c, out);
  dropApplied(s, c, out);
  out.push({ type: "putConversation", conversation: c },
    { type: "arrived", conversationId: c.id, entries: fresh },
    { type: "changed", conversationId: c.id });
}

function apply(s: SessionState, c: Conversation, entry: Entry, out: Out): void {
  c.lastSeq = Math.max(c.lastSeq, entry.seq);
  if (!c.lastEntry || entry.seq > c.lastEntry.seq) {
    c.lastEntry = entry;
    c.activityMs = entry.committedMs;
  }
  applyMembership(c, entry, s.userId);
  const theirs = entry.senderUserId !== s.userId && entry.change.kind === "message";
  if (theirs && entry.seq > c.countedTo && entry.seq > c.mine.read) c.unread += 1;
  c.countedTo = Math.max(c.countedTo, entry.seq);
  if (entry.senderDeviceId === s.deviceId) settleOwn(s, c, entry, out);
}

/** Our own entry came before its verdict: it is one. */
function settleOwn(s: SessionState, c: Conversation, entry: Entry, out: Out): void {
  const item = pendingOf(s, c.id).find((i) => i.clientMsgId === entry.clientMsgId);
  if (!item || item.epoch !== c.epoch) return;
  c.lastDeviceSeq = Math.max(c.lastDeviceSeq, item.deviceSeq);
  if (item.operation.kind === "create") c.createdSeq = entry.seq;
  accept(s, item, entry.seq, entry.committedMs, out);
}

function applyMembership(c: Conversation, entry: Entry, me: string): void {
  const change = entry.change;
  if (change.kind === "created") c.joinedSeq = entry.seq;
  if (change.kind === "added" && change.member.userId === me) c.joinedSeq = entry.seq;
  if (change.kind === "removed" && change.userId === me) c.joinedSeq = 0;
  if (change.kind === "created") {
    c.members = change.members.map((m): Member => ({ ...m }));
    c.title = change.title;
    c.kind = change.conversationKind;
  } else if (change.kind === "added") {
    const others = c.members.filter((m) => m.userId !== change.member.userId);
    c.members = [...others, { ...change.member, joinedSeq: entry.seq }];
  } else if (change.kind === "removed") {
    c.members = c.members.filter((m) => m.userId !== change.userId);
  } else {
    return;
  }
  c.memberCount = Math.max(c.members.length, c.memberCount + delta(change.kind));
}

function delta(kind: "created" | "added" | "removed"): number {
  return kind === "added" ? 1 : kind === "removed" ? -1 : 0;
}

function trim(c: Conversation, out: Out): void {
  if (c.applied - c.floor < ENTRIES_KEPT + TRIM_STEP) return;
  c.floor = c.applied - ENTRIES_KEPT;
  out.push({ type: "dropEntries", conversationId: c.id, upTo: c.floor });
}

/** Older entries that join what is stored are kept with it. */
export function onHistory(s: SessionState, e: Of<"history">, _nowMs: number, out: Out): void {
  const c = s.conversations.get(e.conversationId);
  const first = e.entries[0];
  if (!c?.known || !first || c.epoch !== e.epoch || e.toSeq !== c.floor) return;
  if (c.applied - first.seq >= ENTRIES_KEPT) return;
  c.floor = first.seq - 1;
  out.push({ type: "putEntries", conversationId: c.id, entries: e.entries },
    { type: "putConversation", conversation: c });
}

// --- lists and cursors ---

export function onListed(s: SessionState, e: Of<"listed">, _nowMs: number, out: Out): void {
  for (const summary of e.summaries) {
    const c = conversationFor(s, summary.id);
    if (c.known) continue; // Attached and Deliver know better
    merge(s, c, summary);
    c.unread = summary.unread;
    out.push({ type: "putConversation", conversation: c },
      { type: "changed", conversationId: c.id });
  }
}

export function onCursor(s: SessionState, e: Of<"cursor">, _nowMs: number, out: Out): void {
  const c = s.conversations.get(e.conversationId);
  if (!c || (c.known && c.epoch !== e.epoch)) return;
  if (e.userId === s.userId) {
    // Another device of mine has read further.
    if (e.read > c.mine.read) {
      c.mine.read = e.read;
      c.unread = Math.min(c.unread, Math.max(0, c.lastSeq - e.read));
    }
  } else {
    const old = c.cursors[e.userId] ?? { delivered: 0, read: 0 };
    c.cursors[e.userId] = {
      delivered: Math.max(old.delivered, e.delivered), read: Math.max(old.read, e.read),
    };
  }
  out.push({ type: "putConversation", conversation: c },
    { type: "changed", conversationId: c.id });
}

export function onRead(s: SessionState, e: Of<"read">, _nowMs: number, out: Out): void {
  const c = s.conversations.get(e.conversationId);
  const seq = Math.min(e.seq, c?.applied ?? 0);
  if (!c?.known || seq <= c.mine.read) return;
  c.mine.read = seq;
  c.unread = seq >= c.lastSeq ? 0 : Math.min(c.unread, c.lastSeq - seq);
  laneOf(s, c.id).ackDue = true;
  out.push({ type: "putConversation", conversation: c },
    { type: "changed", conversationId: c.id });
}

/** One cumulative Ack per conversation that moved; everything it names is on disk. */
export function flushAcks(s: SessionState, _e: Of<"flush">, _nowMs: number, out: Out): void {
  if (!s.online) return;
  for (const [id, lane] of s.lanes) {
    const c = s.conversations.get(id);
    if (!lane.ackDue || !c?.known) continue;
    lane.ackDue = false;
    c.mine.delivered = Math.max(c.mine.delivered, c.applied);
    out.push({ type: "send", frame: {
      kind: "ack", conversationId: id, epoch: c.epoch, delivered: c.mine.delivered,
      read: c.mine.read,
    } });
  }
}

export function forget(s: SessionState, _e: Of<"forget">, _nowMs: number, out: Out): void {
  for (const c of s.conversations.values()) {
    if (!c.known) continue;
    c.known = false;
    out.push({ type: "dropEntries", conversationId: c.id, upTo: null },
      { type: "putConversation", conversation: c });
  }
}
