// SPDX-License-Identifier: Apache-2.0
// Typing and presence: nothing here is kept or retried. Steps without a clock.
import type { Presence } from "./model";

export const TYPING_SEND_MS = 3_000;
export const TYPING_SHOWN_MS = 6_000;
export const PRESENCE_MAX = 500;

export class TypingOut {
  private sentMs = -Infinity;
  private conversationId = "";

  /** The person pressed a key: whether to tell. */
  pressed(conversationId: string, nowMs: number): boolean {
    const again = conversationId === this.conversationId;
    if (again && nowMs - this.sentMs < TYPING_SEND_MS) return false;
    this.conversationId = conversationId;
    this.sentMs = nowMs;
    return true;
  }

  /** The message was sent or the text cleared: whether somebody still believes in typing. */
  stopped(conversationId: string, nowMs: number): boolean {
    const told = conversationId === this.conversationId && nowMs - this.sentMs < TYPING_SHOWN_MS;
    this.conversationId = "";
    this.sentMs = -Infinity;
    return told;
  }
}

export class TypingIn {
  private readonly until = new Map<string, Map<string, number>>();

  notice(conversationId: string, userId: string, typing: boolean, nowMs: number): void {
    let people = this.until.get(conversationId);
    if (!people) this.until.set(conversationId, (people = new Map()));
    if (typing) people.set(userId, nowMs + TYPING_SHOWN_MS);
    else people.delete(userId);
  }

  who(conversationId: string, nowMs: number): string[] {
    const people = this.until.get(conversationId) ?? new Map<string, number>();
    return [...people].filter(([, until]) => until > nowMs).map(([userId]) => userId);
  }

  /** Forgets what is over; the conversations in which somebody stopped. */
  expire(nowMs: number): string[] {
    const moved: string[] = [];
    for (const [id, people] of this.until) {
      const before = people.size;
      for (const [userId, until] of people) if (until <= nowMs) people.delete(userId);
      if (people.size < before) moved.push(id);
      if (people.size === 0) this.until.delete(id);
    }
    return moved;
  }
}

export class PresenceBook {
  private wanted: string[] = [];
  private readonly seen = new Map<string, Presence>();

  /** Whether the set is another one than before: then it is to be sent. */
  want(userIds: string[]): boolean {
    const next = [...new Set(userIds)].sort().slice(0, PRESENCE_MAX);
    if (next.join() === this.wanted.join()) return false;
    this.wanted = next;
    return true;
  }

  get subscribed(): string[] {
    return this.wanted;
  }

  update(userId: string, presence: Presence): void {
    this.seen.set(userId, presence);
  }

  /** Without a connection nothing is known of anybody. */
  lost(): void {
    this.seen.clear();
  }

  of(userId: string): Presence {
    return this.seen.get(userId) ?? "unknown";
  }
}
