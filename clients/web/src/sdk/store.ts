// SPDX-License-Identifier: Apache-2.0
// What one device keeps, in IndexedDB: conversations with their positions, applied entries
// (bounded), the outbox, people. One database per device, so logging in as somebody else mixes
// nothing.
import type { SessionEffect } from "./session";
import type { Conversation, Entry, OutboxItem, Person } from "./model";

const VERSION = 1;

interface StoredEntry extends Entry {
  conversationId: string;
}

export interface Loaded {
  epoch: number;
  conversations: Conversation[];
  outbox: OutboxItem[];
  people: Person[];
}

function done(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error ?? new Error("aborted"));
  });
}

function result<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

export class Store {
  private constructor(private readonly db: IDBDatabase) {
    // Another tab deletes the database (log out): let it.
    db.onversionchange = () => db.close();
  }

  static async open(factory: IDBFactory, name: string): Promise<Store> {
    const request = factory.open(name, VERSION);
    request.onupgradeneeded = () => {
      const db = request.result;
      db.createObjectStore("conversations", { keyPath: "id" });
      db.createObjectStore("entries", { keyPath: ["conversationId", "seq"] });
      db.createObjectStore("outbox", { keyPath: "clientMsgId" });
      db.createObjectStore("people", { keyPath: "userId" });
      db.createObjectStore("meta");
    };
    return new Store(await result(request));
  }

  close(): void {
    this.db.close();
  }

  async load(): Promise<Loaded> {
    const t = this.db.transaction(["conversations", "outbox", "people", "meta"]);
    const [epoch, conversations, outbox, people] = await Promise.all([
      result<number | undefined>(t.objectStore("meta").get("epoch")),
      result<Conversation[]>(t.objectStore("conversations").getAll()),
      result<OutboxItem[]>(t.objectStore("outbox").getAll()),
      result<Person[]>(t.objectStore("people").getAll()),
    ]);
    return { epoch: epoch ?? 0, conversations, outbox, people };
  }

  /** All or nothing, and on disk when the promise is fulfilled. Effects that write nothing pass. */
  async write(effects: SessionEffect[]): Promise<void> {
    if (!effects.some((e) => e.type in WRITERS)) return;
    const names = ["conversations", "entries", "outbox", "meta"];
    const t = this.db.transaction(names, "readwrite", { durability: "strict" });
    const finished = done(t);
    for (const effect of effects) WRITERS[effect.type]?.(t, effect as never);
    await finished;
  }

  /** The newest `limit` entries before `before`, oldest first. */
  async entriesBefore(conversationId: string, before: number, limit: number): Promise<Entry[]> {
    const store = this.db.transaction("entries").objectStore("entries");
    const range = IDBKeyRange.bound([conversationId, -Infinity], [conversationId, before],
      false, true);
    const entries: Entry[] = [];
    await new Promise<void>((resolve, reject) => {
      const request = store.openCursor(range, "prev");
      request.onerror = () => reject(request.error);
      request.onsuccess = () => {
        const cursor = request.result;
        if (!cursor || entries.length >= limit) return resolve();
        entries.push(cursor.value as StoredEntry);
        cursor.continue();
      };
    });
    return entries.reverse();
  }

  async putPeople(people: Person[]): Promise<void> {
    const t = this.db.transaction("people", "readwrite");
    const finished = done(t);
    for (const person of people) t.objectStore("people").put(person);
    await finished;
  }

  static async remove(factory: IDBFactory, name: string): Promise<void> {
    await result(factory.deleteDatabase(name));
  }
}

type Writer<T extends SessionEffect["type"]> = (
  t: IDBTransaction, effect: Extract<SessionEffect, { type: T }>,
) => void;

const WRITERS: { [T in SessionEffect["type"]]?: Writer<T> } = {
  putEpoch: (t, e) => void t.objectStore("meta").put(e.epoch, "epoch"),
  putConversation: (t, e) => void t.objectStore("conversations").put(e.conversation),
  putItem: (t, e) => void t.objectStore("outbox").put(e.item),
  dropItem: (t, e) => void t.objectStore("outbox").delete(e.clientMsgId),
  putEntries: (t, e) => {
    const store = t.objectStore("entries");
    for (const entry of e.entries) store.put({ ...entry, conversationId: e.conversationId });
  },
  dropEntries: (t, e) => {
    const upTo = e.upTo ?? Infinity;
    const range = IDBKeyRange.bound([e.conversationId, -Infinity], [e.conversationId, upTo]);
    t.objectStore("entries").delete(range);
  },
};
