// SPDX-License-Identifier: Apache-2.0
// When to connect: a step function without I/O, clock or randomness.
//
//   idle --start--> opening --welcome--> open
//                    ^   |lost             |lost
//                    |   v                 v
//                   (retryAt)-- waiting <--+        terminal close, stop --> closed
//
// What people see is the status: a connection that has been down for longer than SUSPENDED_MS is
// "suspended", whatever is being tried.

export type Status =
  | "idle" | "connecting" | "connected" | "disconnected" | "suspended" | "closed";

export interface Reason {
  /** A websocket close code, or one of Local below. */
  code: number;
  retryable: boolean;
  text: string;
}

/** Reasons that are not close codes of the wire. */
export const Local = { stopped: 0, token: 1, offline: 2, timeout: 3, storage: 4 } as const;

const CLOSE_TEXT: Record<number, string> = {
  [Local.stopped]: "stopped here",
  [Local.token]: "the session has ended",
  [Local.offline]: "this device is offline",
  [Local.timeout]: "no answer",
  [Local.storage]: "this device cannot store messages",
  1009: "a frame was too large",
  1011: "server error",
  1012: "server restarts",
  1013: "server is busy",
  4001: "authentication took too long",
  4002: "the token was refused",
  4003: "the token has expired",
  4004: "the session was revoked",
  4008: "too slow",
  4009: "connected somewhere else as this device",
  4010: "too many requests",
  4011: "the store was restored",
  4013: "server is overloaded",
};

/** After these the same device must not come back by itself. */
const TERMINAL = new Set<number>([Local.stopped, Local.token, Local.storage, 4002, 4004, 4009]);
/** After these a fresh start is expected to work: no backoff the first time. */
const AT_ONCE = new Set<number>([4003, 4011]);

export const BACKOFF_MIN_MS = 500;
export const BACKOFF_MAX_MS = 20_000;
export const STABLE_MS = 10_000;
export const OPENING_MS = 15_000;
export const SUSPENDED_MS = 120_000;

type Phase = "idle" | "opening" | "open" | "waiting" | "closed";

export interface ConnectionState {
  phase: Phase;
  status: Status;
  reason: Reason | null;
  /** Lost connections in a row, none of them stable. */
  failures: number;
  openedMs: number;
  downSinceMs: number;
  retryAtMs: number;
  /** The server asked not to come back before this. */
  notBeforeMs: number;
  openingUntilMs: number;
  drainMs: number;
  hintMs: number;
}

export type ConnectionEvent =
  | { type: "start" }
  | { type: "stop" }
  | { type: "welcome" }
  /** The socket is gone, or the token provider failed. */
  | { type: "lost"; code: number }
  /** The server will close; come back within a part of this window. */
  | { type: "drain"; retryAfterMs: number }
  /** An error on this connection said how long to stay away. */
  | { type: "hint"; retryAfterMs: number }
  /** The network is back, or the page is visible again. */
  | { type: "nudge" }
  | { type: "tick" };

export type ConnectionEffect =
  /** Get a token, open a socket, say Connect. */
  | { type: "open" }
  /** Close the socket, if any; its own close event no longer counts. */
  | { type: "drop" }
  | { type: "status"; status: Status; reason: Reason | null };

export function connectionInit(): ConnectionState {
  return {
    phase: "idle", status: "idle", reason: null, failures: 0, openedMs: 0, downSinceMs: 0,
    retryAtMs: 0, notBeforeMs: 0, openingUntilMs: 0, drainMs: 0, hintMs: 0,
  };
}

export function reasonOf(code: number): Reason {
  return {
    code,
    retryable: !TERMINAL.has(code),
    text: CLOSE_TEXT[code] ?? "the connection was lost",
  };
}

/** Changes s; random is uniform in [0, 1). */
export function connectionStep(
  s: ConnectionState, event: ConnectionEvent, nowMs: number, random: number,
): ConnectionEffect[] {
  const effects: ConnectionEffect[] = [];
  switch (event.type) {
    case "start":
      if (s.phase === "idle" || s.phase === "closed") {
        Object.assign(s, connectionInit(), { downSinceMs: nowMs });
        open(s, nowMs, effects);
      }
      break;
    case "stop":
      if (s.phase !== "closed") end(s, Local.stopped, effects);
      break;
    case "welcome":
      if (s.phase === "opening") {
        s.phase = "open";
        s.openedMs = nowMs;
        s.drainMs = s.hintMs = 0;
        s.reason = null;
      }
      break;
    case "lost":
      if (s.phase === "opening" || s.phase === "open") lost(s, event.code, nowMs, random, effects);
      break;
    case "drain":
      s.drainMs = event.retryAfterMs;
      break;
    case "hint":
      s.hintMs = Math.max(s.hintMs, event.retryAfterMs);
      break;
    case "nudge":
      if (s.phase === "waiting") s.retryAtMs = Math.max(nowMs, s.notBeforeMs);
      due(s, nowMs, random, effects);
      break;
    case "tick":
      due(s, nowMs, random, effects);
      break;
  }
  show(s, nowMs, effects);
  return effects;
}

/** When a tick is due next; null = none. */
export function connectionWakeMs(s: ConnectionState): number | null {
  const suspendAt = s.status === "suspended" ? Infinity : s.downSinceMs + SUSPENDED_MS;
  if (s.phase === "waiting") return Math.min(s.retryAtMs, suspendAt);
  if (s.phase === "opening") return Math.min(s.openingUntilMs, suspendAt);
  return null;
}

function open(s: ConnectionState, nowMs: number, effects: ConnectionEffect[]): void {
  s.phase = "opening";
  s.openingUntilMs = nowMs + OPENING_MS;
  effects.push({ type: "open" });
}

function end(s: ConnectionState, code: number, effects: ConnectionEffect[]): void {
  s.phase = "closed";
  s.reason = reasonOf(code);
  effects.push({ type: "drop" });
}

function lost(
  s: ConnectionState, code: number, nowMs: number, random: number, effects: ConnectionEffect[],
): void {
  if (TERMINAL.has(code)) return end(s, code, effects);
  const wasOpen = s.phase === "open";
  if (wasOpen) s.downSinceMs = nowMs;
  if (wasOpen && nowMs - s.openedMs >= STABLE_MS) s.failures = 0;
  effects.push({ type: "drop" });
  s.phase = "waiting";
  s.reason = reasonOf(code);
  s.notBeforeMs = nowMs + (s.drainMs > 0 ? Math.floor(random * s.drainMs) : s.hintMs);
  s.retryAtMs = Math.max(s.notBeforeMs, nowMs + backoff(s, code, random));
  s.failures += 1;
  s.drainMs = s.hintMs = 0;
}

function backoff(s: ConnectionState, code: number, random: number): number {
  if (s.drainMs > 0) return 0;
  if (AT_ONCE.has(code) && s.failures === 0) return 0;
  const spread = BACKOFF_MIN_MS * 2 ** Math.min(s.failures, 10);
  const jitter = Math.min(BACKOFF_MAX_MS, BACKOFF_MIN_MS + Math.floor(random * spread));
  return s.hintMs + jitter;
}

function due(
  s: ConnectionState, nowMs: number, random: number, effects: ConnectionEffect[],
): void {
  if (s.phase === "opening" && nowMs >= s.openingUntilMs) {
    lost(s, Local.timeout, nowMs, random, effects);
  }
  if (s.phase === "waiting" && nowMs >= s.retryAtMs) open(s, nowMs, effects);
}

const SHOWN: Record<Phase, Status> = {
  idle: "idle", opening: "connecting", open: "connected", waiting: "disconnected",
  closed: "closed",
};

function show(s: ConnectionState, nowMs: number, effects: ConnectionEffect[]): void {
  const down = s.phase === "opening" || s.phase === "waiting";
  const suspended = down && nowMs - s.downSinceMs >= SUSPENDED_MS;
  const status = suspended ? "suspended" : SHOWN[s.phase];
  if (status === s.status) return;
  s.status = status;
  effects.push({ type: "status", status, reason: s.reason });
}
