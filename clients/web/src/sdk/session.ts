// SPDX-License-Identifier: Apache-2.0
// The session logic of one device as a step function: no I/O, no clock, no randomness.
//
// The caller owns the order of effects: all writes of a step are on disk before any of its sends go
// out. So a command is never sent unless it can be found again, and nothing is acknowledged that
// could be lost. What the two halves do: outbox.ts (commands and verdicts), positions.ts (entries
// and cursors).
import type {
  Conversation, Entry, Operation, Outgoing, OutboxItem, Refusal, Summary, Verdict,
} from "./model";
import { enqueue, dismiss, pump, rescanned, rewindAll, timeouts, onVerdict } from "./outbox";
import {
  flushAcks, forget, onAttached, onCursor, onDeliver, onHistory, onListed, onRead,
} from "./positions";

/** Commands without a verdict on one connection, whatever the server allows. */
export const WINDOW_MAX = 32;
/** No verdict for this long on an open connection: the copy is taken for lost. */
export const VERDICT_TIMEOUT_MS = 10_000;
/** Pending commands kept on this device. */
export const OUTBOX_MAX = 1000;
/** Newest entries kept per conversation. */
export const ENTRIES_KEPT = 500;
/** A hole is asked for again after this long. */
export const HOLE_RETRY_MS = 5_000;

/** What a connection knows of one conversation; forgotten with it. */
export interface Lane {
  attempt: number;
  /** The greatest device_seq sent with this attempt. */
  sentUpTo: number;
  /** When the oldest unanswered command was sent, or the last verdict came. */
  waitingSinceMs: number;
  pausedUntilMs: number;
  rescanning: boolean;
  holeAskedMs: number;
  /** The hole was asked for and the server went on after it all the same. */
  holeRefused: boolean;
  ackDue: boolean;
}

export interface SessionState {
  userId: string;
  deviceId: string;
  /** The store's life as last heard; 0 = never. */
  epoch: number;
  online: boolean;
  windowMax: number;
  nextOrder: number;
  conversations: Map<string, Conversation>;
  /** Ordered by `order`. */
  outbox: OutboxItem[];
  lanes: Map<string, Lane>;
}

export type SessionEvent =
  | { type: "enqueue"; conversationId: string; clientMsgId: string; operation: Operation }
  | { type: "dismiss"; clientMsgId: string }
  | { type: "welcome"; epoch: number; windowMax: number }
  | { type: "lost" }
  | { type: "attached"; summary: Summary; afterSeq: number; lastDeviceSeq: number }
  | { type: "deliver"; conversationId: string; epoch: number; prevSeq: number; entries: Entry[] }
  | { type: "verdict"; verdict: Verdict }
  | { type: "cursor"; conversationId: string; epoch: number; userId: string;
      delivered: number; read: number }
  | { type: "listed"; summaries: Summary[] }
  /** A page of older entries that was asked for with to_seq = toSeq. */
  | { type: "history"; conversationId: string; epoch: number; toSeq: number; entries: Entry[] }
  /** The person has seen the conversation up to seq. */
  | { type: "read"; conversationId: string; seq: number }
  /** The answer to a rescan effect: which client_msg_ids the store has, and where. */
  | { type: "rescanned"; conversationId: string; epoch: number; last: number;
      found: Map<string, number>; /** Not in the store for us. */ absent: boolean }
  /** The server speaks of another life of the store: positions mean nothing any more. */
  | { type: "forget" }
  | { type: "tick" }
  /** Once after each batch of events: what is stored may be acknowledged. */
  | { type: "flush" };

export type SessionEffect =
  // Writes.
  | { type: "putConversation"; conversation: Conversation }
  | { type: "putItem"; item: OutboxItem }
  | { type: "dropItem"; clientMsgId: string }
  | { type: "putEntries"; conversationId: string; entries: Entry[] }
  /** Those at or before upTo; null = all. */
  | { type: "dropEntries"; conversationId: string; upTo: number | null }
  | { type: "putEpoch"; epoch: number }
  // Sends.
  | { type: "send"; frame: Outgoing }
  /** Read entries from_seq..newest, look for my client_msg_ids, answer with "rescanned". */
  | { type: "rescan"; conversationId: string; fromSeq: number; epoch: number; last: number }
  // News for the application.
  | { type: "changed"; conversationId: string }
  | { type: "arrived"; conversationId: string; entries: Entry[] }
  | { type: "settled"; clientMsgId: string; seq: number; error: Refusal | null };

export type Out = SessionEffect[];

export function sessionInit(
  userId: string, deviceId: string, epoch: number, conversations: Conversation[],
  outbox: OutboxItem[],
): SessionState {
  const items = [...outbox].sort((a, b) => a.order - b.order);
  return {
    userId, deviceId, epoch, online: false, windowMax: WINDOW_MAX,
    nextOrder: (items.at(-1)?.order ?? 0) + 1,
    conversations: new Map(conversations.map((c) => [c.id, c])),
    outbox: items,
    lanes: new Map(),
  };
}

/** Changes s. */
export function sessionStep(s: SessionState, event: SessionEvent, nowMs: number): Out {
  const out: Out = [];
  HANDLERS[event.type](s, event as never, nowMs, out);
  if (event.type !== "flush") pump(s, nowMs, out);
  return out;
}

type Handler<T extends SessionEvent["type"]> = (
  s: SessionState, event: Extract<SessionEvent, { type: T }>, nowMs: number, out: Out,
) => void;

const HANDLERS: { [T in SessionEvent["type"]]: Handler<T> } = {
  enqueue, dismiss, rescanned,
  welcome: onWelcome,
  lost: onLost,
  verdict: (s, e, nowMs, out) => onVerdict(s, e.verdict, nowMs, out),
  attached: onAttached,
  deliver: onDeliver,
  cursor: onCursor,
  listed: onListed,
  history: onHistory,
  read: onRead,
  forget,
  tick: timeouts,
  flush: flushAcks,
};

/** What the first frame of a connection says about what this device keeps. */
export function resumePoints(s: SessionState): Array<{
  conversationId: string; epoch: number; seq: number;
}> {
  return [...s.conversations.values()]
    .filter((c) => c.known)
    .map((c) => ({ conversationId: c.id, epoch: c.epoch, seq: c.applied }));
}

export function laneOf(s: SessionState, conversationId: string): Lane {
  let lane = s.lanes.get(conversationId);
  if (!lane) {
    lane = {
      attempt: 0, sentUpTo: 0, waitingSinceMs: 0, pausedUntilMs: 0, rescanning: false,
      holeAskedMs: -Infinity, holeRefused: false, ackDue: false,
    };
    s.lanes.set(conversationId, lane);
  }
  return lane;
}

export function emptyConversation(id: string, nowMs: number): Conversation {
  return {
    id, kind: "group", title: "", members: [], memberCount: 0, known: false, epoch: 0,
    applied: 0, floor: 0, lastSeq: 0, lastEntry: null, unread: 0, countedTo: 0,
    mine: { delivered: 0, read: 0 }, cursors: {}, lastDeviceSeq: 0, numbersEpoch: 0,
    joinedSeq: 0, createdSeq: 0, activityMs: nowMs,
  };
}

function onWelcome(
  s: SessionState, e: { epoch: number; windowMax: number }, _nowMs: number, out: Out,
): void {
  s.online = true;
  s.windowMax = Math.min(WINDOW_MAX, e.windowMax > 0 ? e.windowMax : WINDOW_MAX);
  if (s.epoch === e.epoch) return;
  s.epoch = e.epoch;
  out.push({ type: "putEpoch", epoch: e.epoch });
}

/** A closed connection says nothing about the commands on it: all are sent again with their ids. */
function onLost(s: SessionState): void {
  s.online = false;
  rewindAll(s);
}
