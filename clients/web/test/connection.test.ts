// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  BACKOFF_MAX_MS, connectionInit, connectionStep, connectionWakeMs, Local, OPENING_MS,
  STABLE_MS, SUSPENDED_MS, type ConnectionEffect, type ConnectionEvent, type ConnectionState,
} from "../src/sdk/connection";

function step(
  s: ConnectionState, event: ConnectionEvent, nowMs: number, random = 0.5,
): ConnectionEffect[] {
  return connectionStep(s, event, nowMs, random);
}

function opened(nowMs = 0): ConnectionState {
  const s = connectionInit();
  step(s, { type: "start" }, nowMs);
  step(s, { type: "welcome" }, nowMs);
  assert.equal(s.status, "connected");
  return s;
}

const opens = (effects: ConnectionEffect[]): number =>
  effects.filter((e) => e.type === "open").length;

test("idle, connecting, connected, disconnected, connecting", () => {
  const s = connectionInit();
  assert.equal(s.status, "idle");
  assert.equal(opens(step(s, { type: "start" }, 0)), 1);
  assert.equal(s.status, "connecting");
  step(s, { type: "welcome" }, 10);
  assert.equal(s.status, "connected");
  step(s, { type: "lost", code: 1006 }, 20);
  assert.equal(s.status, "disconnected");
  assert.deepEqual(s.reason && [s.reason.code, s.reason.retryable], [1006, true]);
  assert.equal(opens(step(s, { type: "tick" }, s.retryAtMs - 1)), 0);
  assert.equal(opens(step(s, { type: "tick" }, s.retryAtMs)), 1);
});

test("backoff grows with full jitter between 500 ms and 20 s", () => {
  const s = connectionInit();
  step(s, { type: "start" }, 0);
  let nowMs = 0;
  let widest = 0;
  for (let n = 0; n < 12; n++) {
    for (const random of [0, 0.999]) {
      const copy = structuredClone(s);
      step(copy, { type: "lost", code: 1006 }, nowMs, random);
      const delay = copy.retryAtMs - nowMs;
      assert.ok(delay >= 500 && delay <= BACKOFF_MAX_MS, `delay ${delay}`);
      if (random === 0) assert.equal(delay, 500);
      else assert.ok(delay >= widest);
      widest = Math.max(widest, delay);
    }
    step(s, { type: "lost", code: 1006 }, nowMs, 0.999);
    nowMs = s.retryAtMs;
    step(s, { type: "tick" }, nowMs);
  }
  assert.equal(widest, BACKOFF_MAX_MS);
});

test("backoff is reset only by a connection that was stable", () => {
  for (const [heldMs, failures] of [[STABLE_MS - 1, 5], [STABLE_MS, 1]] as const) {
    const s = opened();
    s.failures = 4;
    step(s, { type: "lost", code: 1006 }, heldMs);
    assert.equal(s.failures, failures);
  }
});

test("terminal closes stay closed until started again", () => {
  for (const code of [4002, 4004, 4009, Local.token]) {
    const s = opened();
    step(s, { type: "lost", code }, 5);
    assert.equal(s.status, "closed");
    assert.equal(s.reason?.retryable, false);
    assert.equal(opens(step(s, { type: "nudge" }, 10)), 0);
    assert.equal(opens(step(s, { type: "tick" }, 1e9)), 0);
    assert.equal(opens(step(s, { type: "start" }, 1e9)), 1);
  }
});

test("other closes are retried", () => {
  const ours = [4001, 4003, 4008, 4010, 4011, 4013];
  for (const code of [1001, 1006, 1008, 1009, 1011, 1012, 1013, ...ours]) {
    const s = opened();
    step(s, { type: "lost", code }, 5);
    assert.equal(s.status, "disconnected", String(code));
  }
});

test("an expired token reconnects at once, but not for ever", () => {
  const s = opened();
  step(s, { type: "lost", code: 4003 }, STABLE_MS);
  assert.equal(s.retryAtMs, STABLE_MS);
  step(s, { type: "tick" }, STABLE_MS);
  step(s, { type: "lost", code: 4003 }, STABLE_MS + 1);
  assert.ok(s.retryAtMs >= STABLE_MS + 1 + 500);
});

test("after a drain it comes back within the window, and not before, even when nudged", () => {
  for (const random of [0, 0.25, 0.999]) {
    const s = opened();
    step(s, { type: "drain", retryAfterMs: 8_000 }, 100, random);
    step(s, { type: "lost", code: 1012 }, 200, random);
    assert.equal(s.retryAtMs, 200 + Math.floor(random * 8_000));
    assert.equal(opens(step(s, { type: "nudge" }, 200, random)), random === 0 ? 1 : 0);
  }
});

test("retry_after of an error is honoured and jittered", () => {
  const s = opened();
  step(s, { type: "hint", retryAfterMs: 3_000 }, 0);
  step(s, { type: "lost", code: 4013 }, 10);
  assert.ok(s.retryAtMs > 3_010);
  assert.equal(opens(step(s, { type: "nudge" }, 100)), 0);
  assert.equal(opens(step(s, { type: "tick" }, 3_010)), 1, "a nudge brings it down to the hint");
});

test("a nudge ends the wait", () => {
  const s = opened();
  step(s, { type: "lost", code: 1006 }, 10, 0.9);
  assert.equal(opens(step(s, { type: "nudge" }, 11)), 1);
});

test("suspended after two minutes down, connected again after a welcome", () => {
  const s = opened();
  step(s, { type: "lost", code: 1006 }, 0);
  for (let nowMs = 0; nowMs < SUSPENDED_MS; nowMs += 1_000) {
    step(s, { type: "tick" }, nowMs);
    if (s.phase === "opening") step(s, { type: "lost", code: 1006 }, nowMs + 500);
    assert.notEqual(s.status, "suspended");
  }
  step(s, { type: "tick" }, SUSPENDED_MS);
  assert.equal(s.status, "suspended");
  step(s, { type: "nudge" }, SUSPENDED_MS + 60_000);
  step(s, { type: "welcome" }, SUSPENDED_MS + 60_001);
  assert.equal(s.status, "connected");
});

test("an attempt without a welcome is given up", () => {
  const s = connectionInit();
  step(s, { type: "start" }, 0);
  assert.equal(connectionWakeMs(s), OPENING_MS);
  const effects = step(s, { type: "tick" }, OPENING_MS);
  assert.ok(effects.some((e) => e.type === "drop"));
  assert.equal(s.reason?.code, Local.timeout);
});

test("a late loss of a socket that is gone changes nothing", () => {
  const s = opened();
  step(s, { type: "lost", code: 1006 }, 10);
  const before = structuredClone(s);
  step(s, { type: "lost", code: 4002 }, 11);
  assert.deepEqual(s, before);
});
