// SPDX-License-Identifier: Apache-2.0
// One conversation as it is shown: loaded entries in order, then what is on its way.
import type { Client } from "./client";
import type { Conversation, Entry, OutboxItem } from "./model";
import type { Unsubscribe } from "./emitter";

export type Tick = "sending" | "sent" | "delivered" | "read" | "failed";

export class Timeline {
  private readonly loaded = new Map<number, Entry>();
  private readonly undo: Unsubscribe[];
  private loading: Promise<void> | null = null;
  hasMore = true;

  /** onChange is called whenever entries, items or cursors may have changed. */
  constructor(
    private readonly client: Client, readonly conversationId: string,
    private readonly onChange: () => void,
  ) {
    const mine = (e: { conversationId: string }): boolean => e.conversationId === conversationId;
    this.undo = [
      client.on("arrived", (e) => {
        if (mine(e)) this.put(e.entries);
      }),
      client.on("changed", (e) => {
        if (mine(e)) onChange();
      }),
      client.on("status", (e) => {
        if (e.status === "connected" && this.loaded.size === 0) void this.loadOlder();
      }),
      client.on("reset", (e) => {
        if (!mine(e)) return;
        this.loaded.clear();
        this.hasMore = true;
        void this.loadOlder();
      }),
    ];
  }

  dispose(): void {
    for (const undo of this.undo) undo();
  }

  /** In seq order. */
  get entries(): Entry[] {
    return [...this.loaded.values()].sort((a, b) => a.seq - b.seq);
  }

  /** Without those whose entries are already loaded. */
  get items(): OutboxItem[] {
    const ids = new Set([...this.loaded.values()].map((e) => e.clientMsgId));
    return this.client.outbox(this.conversationId).filter((i) => !ids.has(i.clientMsgId));
  }

  /** One page more at the old end. What cannot be had now may be asked for again. */
  loadOlder(): Promise<void> {
    this.loading ??= this.load().finally(() => (this.loading = null));
    return this.loading;
  }

  private async load(): Promise<void> {
    const c = this.client.conversation(this.conversationId);
    if (!c?.known || !this.hasMore) return;
    const oldest = Math.min(...this.loaded.keys(), c.applied + 1);
    try {
      const page = await this.client.history(this.conversationId, oldest);
      this.hasMore = page.hasMore;
      this.put(page.entries);
    } catch {
      this.onChange();
    }
  }

  private put(entries: Entry[]): void {
    for (const entry of entries) this.loaded.set(entry.seq, entry);
    this.onChange();
  }
}

/** How far an own entry has come: delivered and read mean by every other member. */
export function tickOf(c: Conversation, userId: string, seq: number): Tick {
  const others = c.members.filter((m) => m.userId !== userId && m.leftSeq === 0);
  const all = (of: "delivered" | "read"): boolean =>
    others.length > 0 && others.every((m) => (c.cursors[m.userId]?.[of] ?? 0) >= seq);
  if (all("read")) return "read";
  return all("delivered") ? "delivered" : "sent";
}

export function itemTick(item: OutboxItem): Tick {
  const ticks = { pending: "sending", accepted: "sent", failed: "failed" } as const;
  return ticks[item.state.status];
}
