// SPDX-License-Identifier: Apache-2.0
// The store on an IndexedDB, and the client around it on a socket of the test's own.
import "fake-indexeddb/auto";
import assert from "node:assert/strict";
import { test } from "node:test";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  ClientFrameSchema, ServerFrameSchema, type ClientFrame,
} from "../src/gen/causeway/client/v1/client_pb";
import { VerdictCode } from "../src/gen/causeway/model/v1/model_pb";
import type { SavedSession } from "../src/sdk/auth";
import { Client, databaseName } from "../src/sdk/client";
import { emptyConversation } from "../src/sdk/session";
import { Store } from "../src/sdk/store";
import { CONV, DEVICE, entry, ME, PEER } from "./rig";

test("what was written is read again after a restart", async () => {
  const store = await Store.open(indexedDB, "again");
  await store.write([
    { type: "putEpoch", epoch: 4 },
    { type: "putConversation", conversation: emptyConversation(CONV, 1) },
    { type: "putEntries", conversationId: CONV, entries: [1, 2, 3, 4].map((n) => entry(n)) },
    { type: "putEntries", conversationId: "other", entries: [entry(3)] },
    { type: "dropEntries", conversationId: CONV, upTo: 1 },
  ]);
  store.close();
  const again = await Store.open(indexedDB, "again");
  const loaded = await again.load();
  assert.equal(loaded.epoch, 4);
  assert.deepEqual(loaded.conversations.map((c) => c.id), [CONV]);
  const seqs = async (before: number, limit: number): Promise<number[]> =>
    (await again.entriesBefore(CONV, before, limit)).map((e) => e.seq);
  assert.deepEqual(await seqs(5, 2), [3, 4]);
  assert.deepEqual(await seqs(3, 9), [2]);
  again.close();
});

// --- the client ---

class Socket {
  static all: Socket[] = [];
  readyState = 0;
  binaryType = "";
  frames: ClientFrame[] = [];
  onopen: (() => void) | null = null;
  onclose: ((e: { code: number }) => void) | null = null;
  onmessage: ((e: { data: ArrayBuffer }) => void) | null = null;
  private waiting: Array<() => void> = [];

  constructor(readonly url: string, readonly protocol: string) {
    Socket.all.push(this);
  }

  send(bytes: Uint8Array): void {
    this.frames.push(fromBinary(ClientFrameSchema, bytes));
    for (const wake of this.waiting.splice(0)) wake();
  }

  close(): void {
    this.readyState = 3;
  }

  open(): void {
    this.readyState = 1;
    this.onopen?.();
  }

  answer(frame: object): void {
    const bytes = toBinary(ServerFrameSchema, create(ServerFrameSchema, { frame: frame as never }));
    this.onmessage?.({ data: new Uint8Array(bytes).buffer });
  }

  /** The next frame of this kind that was not taken yet. */
  async next<K extends ClientFrame["frame"]["case"]>(
    kind: K,
  ): Promise<Extract<ClientFrame["frame"], { case: K }>> {
    for (;;) {
      const at = this.frames.findIndex((f) => f.frame.case === kind);
      if (at >= 0) return this.frames.splice(at, 1)[0]!.frame as never;
      await new Promise<void>((wake) => this.waiting.push(wake));
    }
  }
}

const SESSION: SavedSession = {
  userId: ME, deviceId: DEVICE, tenantId: "tenant", handle: "me", accessToken: "token",
  accessExpiresMs: Date.now() + 600_000, refreshToken: "r",
};

async function openClient(): Promise<Client> {
  return Client.open({
    session: SESSION, websocketUrl: "ws://test", onSession: () => undefined,
    webSocket: Socket as unknown as typeof WebSocket,
    fetch: async () => new Response("{}", { status: 503 }),
  });
}

async function socketAfter(client: Client, count: number): Promise<Socket> {
  client.start();
  while (Socket.all.length <= count) await new Promise((r) => setImmediate(r));
  const socket = Socket.all[count]!;
  socket.open();
  return socket;
}

const WELCOME = { case: "welcome", value: {
  userId: ME, deviceId: DEVICE, epoch: 1n, limits: { messageBytesMax: 100, windowMax: 32 },
} };
const attached = (afterSeq: bigint): object => ({ case: "attached", value: {
  conversation: {
    conversationId: CONV, kind: 1, epoch: 1n, lastSeq: afterSeq,
    members: [ME, PEER].map((userId) => ({ userId, joinedSeq: 1n })),
  }, afterSeq,
} });

test("a command outlives the page and keeps its ids", { timeout: 20_000 }, async () => {
  const first = await openClient();
  const socket = await socketAfter(first, 0);
  assert.equal(socket.protocol, "causeway.v1.proto");
  assert.equal((await socket.next("connect")).value.token, "token");
  socket.answer(WELCOME);
  socket.answer(attached(3n));
  await socket.next("ack");
  assert.throws(() => first.sendText(CONV, "x".repeat(101)), { code: "TOO_LARGE" });
  assert.throws(() => first.sendText(CONV, " "), { code: "EMPTY_MESSAGE" });
  const id = first.sendText(CONV, "hello");
  assert.equal((await socket.next("command")).value.clientMsgId, id);
  const onDisk = await Store.open(indexedDB, databaseName(SESSION));
  assert.deepEqual((await onDisk.load()).outbox.map((i) => i.clientMsgId), [id]);
  onDisk.close();
  first.close();

  const second = await openClient();
  const again = await socketAfter(second, 1);
  const { resume } = (await again.next("connect")).value;
  assert.deepEqual(resume.map((p) => [p.conversationId, p.epoch, p.seq]), [[CONV, 1n, 3n]]);
  again.answer(WELCOME);
  const command = (await again.next("command")).value;
  assert.deepEqual([command.clientMsgId, command.deviceSeq], [id, 1n]);
  const settled = new Promise<number>((resolve) => second.on("settled", (e) => resolve(e.seq)));
  again.answer({ case: "verdict", value: {
    conversationId: CONV, deviceSeq: 1n, clientMsgId: id, code: VerdictCode.ACCEPTED, seq: 4n,
    epoch: 1n,
  } });
  assert.equal(await settled, 4);
  second.close();
});

test("a revoked session stays closed", { timeout: 20_000 }, async () => {
  const client = await openClient();
  const socket = await socketAfter(client, 2);
  await socket.next("connect");
  socket.answer(WELCOME);
  assert.equal(client.status, "connected");
  socket.onclose?.({ code: 4004 });
  assert.deepEqual([client.status, client.reason?.retryable], ["closed", false]);
  client.close();
});
