// SPDX-License-Identifier: Apache-2.0
// A session with what it wrote and sent, for tests.
import type { Entry, Outgoing, Summary, Verdict, VerdictCode } from "../src/sdk/model";
import {
  sessionInit, sessionStep, type SessionEffect, type SessionEvent, type SessionState,
} from "../src/sdk/session";

export const ME = "user-me";
export const PEER = "user-peer";
export const DEVICE = "device-1";
export const CONV = "conversation-1";

type Command = Extract<Outgoing, { kind: "command" }>;

export class Rig {
  state: SessionState = sessionInit(ME, DEVICE, 1, [], []);
  nowMs = 1_000;
  sent: Outgoing[] = [];
  effects: SessionEffect[] = [];

  step(event: SessionEvent): SessionEffect[] {
    const effects = sessionStep(this.state, event, this.nowMs);
    this.effects.push(...effects);
    for (const e of effects) if (e.type === "send") this.sent.push(e.frame);
    return effects;
  }

  /** What went out since the last call: device_seq/client_msg_id of each command. */
  commands(): string[] {
    return this.take().map((c) => `${c.item.deviceSeq}/${c.item.clientMsgId}`);
  }

  take(): Command[] {
    const commands = this.sent.filter((f): f is Command => f.kind === "command");
    this.sent = [];
    return commands;
  }

  welcome(epoch = 1, windowMax = 32): void {
    this.step({ type: "welcome", epoch, windowMax });
  }

  attach(afterSeq: number, options: Partial<Summary> & { lastDeviceSeq?: number } = {}): void {
    this.step({
      type: "attached", afterSeq, lastDeviceSeq: options.lastDeviceSeq ?? 0,
      summary: summary({ lastSeq: afterSeq, ...options }),
    });
  }

  /** Welcome, and the conversation attached after entry 1. */
  online(): this {
    this.welcome();
    this.attach(1);
    this.sent = [];
    return this;
  }

  say(id: string, conversationId = CONV): void {
    this.step({
      type: "enqueue", conversationId, clientMsgId: id, operation: { kind: "send", text: id },
    });
  }

  verdict(code: VerdictCode, v: Partial<Verdict>): void {
    this.step({ type: "verdict", verdict: {
      conversationId: CONV, deviceSeq: 0, attempt: 0, clientMsgId: "", code, seq: 0, epoch: 1,
      last: 0, committedMs: 5, error: null, ...v,
    } });
  }

  deliver(prevSeq: number, entries: Entry[], epoch = 1): void {
    this.step({ type: "deliver", conversationId: CONV, epoch, prevSeq, entries });
  }

  pending(): string[] {
    return this.state.outbox.filter((i) => i.state.status === "pending")
      .map((i) => `${i.deviceSeq}/${i.clientMsgId}`);
  }

  status(id: string): string | undefined {
    return this.state.outbox.find((i) => i.clientMsgId === id)?.state.status;
  }

  get conversation() {
    return this.state.conversations.get(CONV)!;
  }
}

export function summary(s: Partial<Summary> = {}): Summary {
  return {
    id: CONV, kind: "direct", title: "", epoch: 1, lastSeq: 1, unread: 0, memberCount: 2,
    members: [ME, PEER].map((userId) => ({ userId, role: 3, joinedSeq: 1, leftSeq: 0 })),
    lastEntry: null, joinedSeq: 1, cursors: [], ...s,
  };
}

export function entry(seq: number, e: Partial<Entry> = {}): Entry {
  return {
    seq, committedMs: seq, senderUserId: PEER, senderDeviceId: "device-peer", deviceSeq: seq,
    clientMsgId: `peer-${seq}`, change: { kind: "message", text: `text ${seq}` }, ...e,
  };
}
