// SPDX-License-Identifier: Apache-2.0
// The session against the reference on a seeded network that loses, delays and repeats, with
// crashes of the page, zombie copies of commands, removals from the conversation and restores of
// the store.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Conversation, Entry, OutboxItem, Outgoing } from "../src/sdk/model";
import {
  resumePoints, sessionInit, sessionStep, VERDICT_TIMEOUT_MS,
  type SessionEffect, type SessionEvent, type SessionState,
} from "../src/sdk/session";
import { Reference } from "./reference";
import { CONV, DEVICE, ME } from "./rig";

const SEEDS = 300;
const STEPS = 400;
const SETTLE_STEPS = 20_000;

type Command = Extract<Outgoing, { kind: "command" }>;

/** mulberry32 */
function generator(seed: number): () => number {
  let a = seed;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

interface Faults {
  restores: boolean;
  removals: boolean;
}

class World {
  readonly server = new Reference();
  readonly disk = {
    epoch: 0, conversations: new Map<string, Conversation>(), outbox: new Map<string, OutboxItem>(),
    entries: new Map<number, Entry>(),
  };
  readonly random: () => number;
  client: SessionState;
  nowMs = 0;
  connected = false;
  toServer: Outgoing[] = [];
  toClient: SessionEvent[] = [];
  zombies: Command[] = [];
  cursor = 0;
  said: string[] = [];
  failed = new Set<string>();
  lostByRestore = new Set<string>();

  constructor(seed: number, private readonly faults: Faults) {
    this.random = generator(seed);
    this.client = this.load();
  }

  private load(): SessionState {
    const { epoch, conversations, outbox } = structuredClone(this.disk);
    return sessionInit(ME, DEVICE, epoch, [...conversations.values()], [...outbox.values()]);
  }

  private chance(p: number): boolean {
    return this.random() < p;
  }

  step(event: SessionEvent): void {
    const effects = sessionStep(this.client, event, this.nowMs);
    for (const e of effects) this.write(structuredClone(e));
    for (const e of effects) this.send(e);
  }

  private write(e: SessionEffect): void {
    const { disk } = this;
    const { conversations } = disk;
    if (e.type === "putEpoch") disk.epoch = e.epoch;
    else if (e.type === "putConversation") conversations.set(e.conversation.id, e.conversation);
    else if (e.type === "putItem") disk.outbox.set(e.item.clientMsgId, e.item);
    else if (e.type === "dropItem") disk.outbox.delete(e.clientMsgId);
    else if (e.type === "putEntries") for (const x of e.entries) disk.entries.set(x.seq, x);
    else if (e.type === "dropEntries" && e.upTo === null) disk.entries.clear();
    else if (e.type === "settled" && e.error) this.failed.add(e.clientMsgId);
  }

  private send(e: SessionEffect): void {
    if (!this.connected) return;
    if (e.type === "send") this.toServer.push(structuredClone(e.frame));
    if (e.type !== "rescan") return;
    // Answered when read, like the requests it stands for; lost with the connection.
    const page = this.server.visible().filter((x) => x.seq >= e.fromSeq && x.senderUserId === ME);
    const found = new Map(page.map((x) => [x.clientMsgId, x.seq]));
    this.toClient.push({
      type: "rescanned", conversationId: CONV, epoch: e.epoch, last: e.last, found,
      absent: !this.server.member,
    });
  }

  connect(): void {
    this.connected = true;
    const point = resumePoints(this.client)[0];
    const same = point?.epoch === this.server.epoch;
    this.cursor = same ? point.seq : this.server.visible().at(-1)?.seq ?? 0;
    this.toClient = [
      { type: "welcome", epoch: this.server.epoch, windowMax: 8 },
      this.server.attached(this.cursor),
    ];
  }

  disconnect(): void {
    const copies = this.toServer.filter((f): f is Command => f.kind === "command");
    this.zombies.push(...copies);
    this.toServer = [];
    this.toClient = [];
    this.connected = false;
    this.step({ type: "lost" });
  }

  serverReads(): void {
    const frame = this.toServer.shift();
    if (frame?.kind === "resume") {
      this.cursor = frame.point.epoch === this.server.epoch ? frame.point.seq
        : this.server.visible().at(-1)?.seq ?? 0;
      this.toClient.push(this.server.attached(this.cursor));
    }
    if (frame?.kind !== "command") return;
    if (this.chance(0.05)) {
      this.toClient.push({ type: "verdict", verdict: {
        conversationId: CONV, deviceSeq: frame.item.deviceSeq, attempt: frame.attempt,
        clientMsgId: frame.item.clientMsgId, code: "UNAVAILABLE", seq: 0, epoch: 0, last: 0,
        committedMs: 0, error: null,
      } });
      return;
    }
    const verdict = this.server.decide(frame);
    if (this.chance(0.95)) this.toClient.push({ type: "verdict", verdict });
    if (this.chance(0.1)) this.zombies.push(frame);
  }

  private deliver(): void {
    const deliver = this.server.deliverAfter(this.cursor);
    if (!deliver) return;
    this.cursor = deliver.entries[0]!.seq;
    if (this.chance(0.93)) this.toClient.push(deliver);
  }

  private restore(): void {
    const before = this.server.entries.map((e) => e.clientMsgId);
    if (!this.server.restore()) return;
    const kept = new Set(this.server.entries.map((e) => e.clientMsgId));
    for (const id of before) if (!kept.has(id)) this.lostByRestore.add(id);
    if (this.connected) this.disconnect();
  }

  private crash(): void {
    if (this.connected) this.disconnect();
    this.client = this.load();
  }

  act(i: number): void {
    this.nowMs += Math.floor(this.random() * 200);
    const dice = this.random();
    if (dice < 0.2) this.say(this.chance(0.1) ? `bad ${i}` : `m ${i}`);
    else if (dice < 0.45) this.serverReads();
    else if (dice < 0.65) this.clientReads();
    else if (dice < 0.75) this.deliver();
    else if (dice < 0.82) this.zombie();
    else if (dice < 0.86) this.server.peerSays(`peer ${i}`);
    else if (dice < 0.9) this.connected ? this.chance(0.4) && this.disconnect() : this.connect();
    else if (dice < 0.92) this.crash();
    else if (dice < 0.94) this.idle();
    else if (dice < 0.96 && this.faults.removals) this.move();
    else if (dice < 0.97 && this.faults.restores) this.server.saveBackup();
    else if (dice < 0.98 && this.faults.restores) this.restore();
  }

  private move(): void {
    if (this.chance(0.5)) this.server.remove();
    else this.server.add();
  }

  private say(id: string): void {
    if (!this.client.conversations.get(CONV)?.known) return;
    this.said.push(id);
    this.step({
      type: "enqueue", conversationId: CONV, clientMsgId: id, operation: { kind: "send", text: id },
    });
  }

  private clientReads(): void {
    const event = this.toClient.shift();
    if (event) this.step(event);
  }

  private zombie(): void {
    if (this.zombies.length === 0) return;
    const [copy] = this.zombies.splice(Math.floor(this.random() * this.zombies.length), 1);
    this.server.decide(copy!);
    if (this.chance(0.3)) this.zombies.push(copy!);
  }

  private idle(): void {
    this.nowMs += VERDICT_TIMEOUT_MS;
    this.step({ type: "tick" });
  }

  /** A good network, at last: everything must come to rest. */
  settle(): void {
    this.server.add();
    for (let i = 0; i < SETTLE_STEPS; i++) {
      if (!this.connected) this.connect();
      this.serverReads();
      const deliver = this.server.deliverAfter(this.cursor);
      if (deliver) {
        this.cursor = deliver.entries[0]!.seq;
        this.toClient.push(deliver);
      }
      while (this.toClient.length > 0) this.clientReads();
      this.zombie();
      if (this.toServer.length > 0 || deliver) continue;
      if (this.atRest()) return;
      if (this.chance(0.3)) this.disconnect();
      else this.idle();
    }
    const rest = this.client.outbox.filter((i) => i.state.status !== "failed");
    assert.fail(`does not come to rest: ${JSON.stringify(rest)}`);
  }

  private atRest(): boolean {
    const c = this.client.conversations.get(CONV);
    const waits = this.client.outbox.some((i) => i.state.status !== "failed");
    return !waits && c?.applied === this.server.visible().at(-1)?.seq;
  }
}

function check(w: World, faults: Faults): void {
  const stored = w.server.entries.filter((e) => e.senderUserId === ME).map((e) => e.clientMsgId);
  assert.equal(new Set(stored).size, stored.length, `stored twice: ${stored}`);
  for (const id of w.said) {
    const there = stored.includes(id);
    if (id.startsWith("bad")) assert.ok(!there, `${id} was refused and is there`);
    else if (w.failed.has(id)) assert.ok(!there || faults.restores, `${id} failed and is there`);
    else assert.ok(there || w.lostByRestore.has(id), `${id} is lost`);
    if (!id.startsWith("bad") && !faults.removals) assert.ok(!w.failed.has(id), `${id} failed`);
  }
  if (!faults.restores) {
    assert.deepEqual(stored, w.said.filter((id) => stored.includes(id)), "out of order");
  }
  // What the device keeps is what the server has, from where it began.
  const kept = [...w.disk.entries.values()].sort((a, b) => a.seq - b.seq);
  const first = kept[0]?.seq ?? Infinity;
  const truth = w.server.visible().filter((e) => e.seq >= first);
  assert.deepEqual(kept.map((e) => e.clientMsgId), truth.map((e) => e.clientMsgId));
}

for (const faults of [
  { restores: false, removals: false }, { restores: false, removals: true },
  { restores: true, removals: false }, { restores: true, removals: true },
]) {
  test(`model: ${JSON.stringify(faults)}, ${SEEDS} seeds`, () => {
    let said = 0;
    for (let seed = 1; seed <= SEEDS; seed++) {
      const w = new World(seed, faults);
      try {
        w.connect();
        for (let i = 0; i < STEPS; i++) w.act(i);
        w.settle();
        check(w, faults);
      } catch (error) {
        throw new Error(`seed ${seed}: ${(error as Error).message}`, { cause: error });
      }
      said += w.said.length;
    }
    assert.ok(said > SEEDS * 20, "the test says enough to mean something");
  });
}
