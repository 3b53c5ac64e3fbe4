// SPDX-License-Identifier: Apache-2.0
// Commands and their verdicts. One lane per conversation; the numbers of its pending items are
// contiguous after lastDeviceSeq. Only a verdict removes an item from its place; time-outs, closes
// and UNAVAILABLE mean UNKNOWN, and the same ids are sent again for ever.
import type { Conversation, Member, OutboxItem, Refusal, Verdict } from "./model";
import { emptyConversation, laneOf, OUTBOX_MAX, VERDICT_TIMEOUT_MS } from "./session";
import type { Lane, Out, SessionEvent, SessionState } from "./session";

type Of<T extends SessionEvent["type"]> = Extract<SessionEvent, { type: T }>;

const UNAVAILABLE_WAIT_MS = 1_000;

export function pendingOf(s: SessionState, conversationId: string): OutboxItem[] {
  return s.outbox.filter(
    (i) => i.conversationId === conversationId && i.state.status === "pending",
  );
}

/** Whether one more command fits. The caller asks before an enqueue event. */
export function outboxHasRoom(s: SessionState): boolean {
  return s.outbox.length < OUTBOX_MAX;
}

export function enqueue(s: SessionState, e: Of<"enqueue">, nowMs: number, out: Out): void {
  let c = s.conversations.get(e.conversationId);
  if (!c) {
    c = { ...emptyConversation(e.conversationId, nowMs), numbersEpoch: s.epoch };
    s.conversations.set(c.id, c);
  }
  if (e.operation.kind === "create" && !c.known) founded(s, c, e.operation);
  c.activityMs = nowMs;
  const pending = pendingOf(s, c.id);
  const item: OutboxItem = {
    order: s.nextOrder++,
    conversationId: c.id,
    clientMsgId: e.clientMsgId,
    deviceSeq: Math.max(pending.at(-1)?.deviceSeq ?? 0, c.lastDeviceSeq) + 1,
    epoch: c.numbersEpoch,
    operation: e.operation,
    writtenMs: nowMs,
    seenSeq: e.operation.kind === "create" ? 0 : c.known ? seenSomething(c) : null,
    notBefore: c.known ? seen(c) : 0,
    state: { status: "pending" },
  };
  s.outbox.push(item);
  out.push({ type: "putConversation", conversation: c }, { type: "putItem", item },
    { type: "changed", conversationId: c.id });
}

/** What the list shows of a conversation until the server has it. */
function founded(
  s: SessionState, c: Conversation,
  op: { conversationKind: Conversation["kind"]; title: string; userIds: string[] },
): void {
  const member = (userId: string): Member => ({ userId, role: 0, joinedSeq: 0, leftSeq: 0 });
  c.kind = op.conversationKind;
  c.title = op.title;
  c.members = [s.userId, ...op.userIds].map(member);
  c.memberCount = c.members.length;
}

function seen(c: Conversation): number {
  return Math.max(c.applied, c.createdSeq);
}

/** Attached comes before the first entry: until that is here, how much was seen is not known. */
function seenSomething(c: Conversation): number | null {
  return seen(c) || null;
}

/** A failed command is put away. Pending ones cannot be: they may have landed. */
export function dismiss(s: SessionState, e: Of<"dismiss">, _nowMs: number, out: Out): void {
  const item = s.outbox.find((i) => i.clientMsgId === e.clientMsgId);
  if (item?.state.status === "failed") remove(s, item, out);
}

function remove(s: SessionState, item: OutboxItem, out: Out): void {
  s.outbox = s.outbox.filter((i) => i !== item);
  out.push({ type: "dropItem", clientMsgId: item.clientMsgId },
    { type: "changed", conversationId: item.conversationId });
}

function fail(item: OutboxItem, error: Refusal, out: Out): void {
  item.state = { status: "failed", error };
  out.push({ type: "putItem", item },
    { type: "settled", clientMsgId: item.clientMsgId, seq: 0, error },
    { type: "changed", conversationId: item.conversationId });
}

/** Stored at seq: the item stays in view until that entry is applied. */
export function accept(
  s: SessionState, item: OutboxItem, seq: number, committedMs: number, out: Out,
): void {
  const c = s.conversations.get(item.conversationId);
  item.state = { status: "accepted", seq, committedMs };
  out.push({ type: "settled", clientMsgId: item.clientMsgId, seq, error: null });
  if (c && c.known && c.applied >= seq) remove(s, item, out);
  else {
    out.push({ type: "putItem", item },
      { type: "changed", conversationId: item.conversationId });
  }
}

/** Accepted items whose entries are applied have done their work. */
export function dropApplied(s: SessionState, c: Conversation, out: Out): void {
  for (const item of [...s.outbox]) {
    if (item.conversationId !== c.id || item.state.status !== "accepted") continue;
    if (item.state.seq <= c.applied) remove(s, item, out);
  }
}

// --- verdicts ---

export function onVerdict(s: SessionState, v: Verdict, nowMs: number, out: Out): void {
  const c = s.conversations.get(v.conversationId);
  if (!c) return;
  const lane = laneOf(s, c.id);
  lane.waitingSinceMs = nowMs;
  switch (v.code) {
    case "GAP":
      return onGap(s, c, lane, v, nowMs);
    case "RESYNC":
      return onResync(s, c, lane, v, out);
    case "UNAVAILABLE":
      rewind(lane, 0);
      lane.pausedUntilMs = nowMs + (v.error?.retryAfterMs || UNAVAILABLE_WAIT_MS);
      return;
    default:
      return onFinal(s, c, lane, v, out);
  }
}

function onGap(
  s: SessionState, c: Conversation, lane: Lane, v: Verdict, nowMs: number,
): void {
  if (v.attempt !== lane.attempt || v.last >= lane.sentUpTo) return;
  rewind(lane, v.last);
  const first = pendingOf(s, c.id)[0];
  // We do not have what the server wants next. Numbers that were sent are never given away, so
  // there is nothing to do but to ask again, slowly.
  if (first && first.deviceSeq > v.last + 1) lane.pausedUntilMs = nowMs + VERDICT_TIMEOUT_MS;
}

function onFinal(s: SessionState, c: Conversation, lane: Lane, v: Verdict, out: Out): void {
  const item = s.outbox.find(
    (i) => i.clientMsgId === v.clientMsgId && i.conversationId === c.id,
  );
  if (!item || item.state.status !== "pending") return;
  // A verdict of another life of the store may have been lost with it.
  if (v.epoch !== 0 && v.epoch !== item.epoch) return;
  if (v.code === "NOT_MEMBER") {
    fail(item, v.error ?? refusal("NOT_FOUND", "you are not in this conversation"), out);
    renumber(s, c, lane, Math.max(c.lastDeviceSeq, v.last), item.epoch, out);
    return;
  }
  c.lastDeviceSeq = Math.max(c.lastDeviceSeq, item.deviceSeq);
  out.push({ type: "putConversation", conversation: c });
  const isCreate = item.operation.kind === "create";
  if (v.code === "ACCEPTED") {
    if (isCreate) c.createdSeq = v.seq;
    accept(s, item, v.seq, v.committedMs, out);
    return;
  }
  const error = v.error ?? refusal("INTERNAL", "refused");
  // The other side founded the same conversation first: what was wanted is there.
  if (isCreate && error.code === "ALREADY_EXISTS") return remove(s, item, out);
  fail(item, error, out);
  if (isCreate) failAllBehind(s, c, error, out);
}

/** Items behind a refused Create were never sent and never can be. */
function failAllBehind(s: SessionState, c: Conversation, error: Refusal, out: Out): void {
  for (const item of pendingOf(s, c.id)) fail(item, error, out);
}

export function refusal(code: string, message: string): Refusal {
  return { code, message, retryable: false, retryAfterMs: 0, ref: "" };
}

/** Everything after `last` goes out again; GAPs of older copies no longer count. */
function rewind(lane: Lane, last: number): void {
  lane.attempt += 1;
  lane.sentUpTo = last;
}

export function rewindAll(s: SessionState): void {
  for (const lane of s.lanes.values()) {
    rewind(lane, 0);
    lane.rescanning = false;
    lane.pausedUntilMs = 0;
    lane.holeAskedMs = -Infinity;
    lane.holeRefused = false;
  }
}

/**
 * Gives the pending items the numbers after last, in their order. In the same life of the store
 * those up to last keep theirs: they are decided, and their stored verdicts will come.
 */
function renumber(
  s: SessionState, c: Conversation, lane: Lane, last: number, epoch: number, out: Out,
): void {
  c.lastDeviceSeq = last;
  c.numbersEpoch = epoch;
  out.push({ type: "putConversation", conversation: c });
  let next = last + 1;
  for (const item of pendingOf(s, c.id)) {
    if (item.epoch === epoch && item.deviceSeq <= last) continue;
    if (item.deviceSeq !== next || item.epoch !== epoch) {
      item.deviceSeq = next;
      item.epoch = epoch;
      out.push({ type: "putItem", item });
    }
    next += 1;
  }
  rewind(lane, last);
}

// --- another life of the store ---

/**
 * Items accepted in a life that has ended, and never applied here: the store may have lost them, we
 * have not. They are pending again in their old life, so that a rescan finds or renumbers them.
 */
export function revive(s: SessionState, c: Conversation, epoch: number, out: Out): void {
  for (const item of s.outbox) {
    if (item.conversationId !== c.id || item.state.status !== "accepted") continue;
    if (item.epoch === epoch) continue;
    item.state = { status: "pending" };
    out.push({ type: "putItem", item });
  }
}

function onResync(s: SessionState, c: Conversation, lane: Lane, v: Verdict, out: Out): void {
  if (!lane.rescanning) revive(s, c, v.epoch, out);
  const pending = pendingOf(s, c.id);
  if (lane.rescanning || pending.length === 0 || pending[0]!.epoch === v.epoch) return;
  lane.rescanning = true;
  const fromSeq = Math.min(...pending.map((i) => i.notBefore)) + 1;
  out.push({ type: "rescan", conversationId: c.id, fromSeq, epoch: v.epoch, last: v.last });
}

export function rescanned(s: SessionState, e: Of<"rescanned">, _nowMs: number, out: Out): void {
  const c = s.conversations.get(e.conversationId);
  const lane = laneOf(s, e.conversationId);
  if (!c || !lane.rescanning) return;
  lane.rescanning = false;
  for (const item of pendingOf(s, c.id)) {
    const seq = e.found.get(item.clientMsgId);
    if (seq !== undefined) accept(s, item, seq, item.writtenMs, out);
  }
  const rest = pendingOf(s, c.id);
  const creating = rest.some((i) => i.operation.kind === "create");
  for (const item of rest) {
    if (item.operation.kind === "create") continue;
    // Places of the old life mean nothing now; what the person has of the new one does. Nothing,
    // when he is not in the conversation any more: then NOT_MEMBER is the verdict to get.
    item.seenSeq = c.known && c.epoch === e.epoch ? seenSomething(c)
      : e.absent && !creating ? 0 : null;
    item.notBefore = Math.min(item.notBefore, item.seenSeq ?? item.notBefore);
    out.push({ type: "putItem", item });
  }
  renumber(s, c, lane, e.last, e.epoch, out);
}

// --- sending ---

export function timeouts(s: SessionState, _e: Of<"tick">, nowMs: number): void {
  for (const [id, lane] of s.lanes) {
    const late = nowMs - lane.waitingSinceMs >= VERDICT_TIMEOUT_MS;
    if (s.online && late && inFlight(s, id, lane) > 0) rewind(lane, 0);
  }
}

function inFlight(s: SessionState, conversationId: string, lane: Lane): number {
  return pendingOf(s, conversationId).filter((i) => i.deviceSeq <= lane.sentUpTo).length;
}

/** Sends what may be sent, oldest first, within the window. */
export function pump(s: SessionState, nowMs: number, out: Out): void {
  if (!s.online) return;
  let room = s.windowMax;
  for (const [id, lane] of s.lanes) room -= inFlight(s, id, lane);
  const blocked = new Set<string>();
  for (const item of s.outbox) {
    if (room <= 0) return;
    if (item.state.status !== "pending" || blocked.has(item.conversationId)) continue;
    const c = s.conversations.get(item.conversationId)!;
    const lane = laneOf(s, c.id);
    if (item.deviceSeq <= lane.sentUpTo) continue;
    if (!maySend(s, c, lane, item, nowMs)) {
      blocked.add(c.id);
      continue;
    }
    send(s, c, lane, item, nowMs, out);
    room -= 1;
  }
}

function maySend(
  s: SessionState, c: Conversation, lane: Lane, item: OutboxItem, nowMs: number,
): boolean {
  if (lane.rescanning || nowMs < lane.pausedUntilMs) return false;
  const ahead = pendingOf(s, c.id).filter((i) => i.deviceSeq < item.deviceSeq);
  // Before the Create has its verdict, what follows would be refused as from a stranger.
  if (ahead.some((i) => i.operation.kind === "create")) return false;
  if (item.seenSeq === null && seen(c) === 0) return false;
  // Commands of two stays are never in flight together: were the older one refused (NOT_MEMBER
  // takes no number), a late copy of the newer one could land beside its renumbered self.
  const older = (i: OutboxItem): boolean => i.seenSeq !== null && i.seenSeq < c.joinedSeq;
  return !(ahead.some(older) && !older(item));
}

function send(
  s: SessionState, c: Conversation, lane: Lane, item: OutboxItem, nowMs: number, out: Out,
): void {
  if (item.seenSeq === null) {
    item.seenSeq = seen(c);
    out.push({ type: "putItem", item });
  }
  if (inFlight(s, c.id, lane) === 0) lane.waitingSinceMs = nowMs;
  lane.sentUpTo = item.deviceSeq;
  out.push({ type: "send", frame: {
    kind: "command", item: { ...item }, seenSeq: item.seenSeq, attempt: lane.attempt,
  } });
}
