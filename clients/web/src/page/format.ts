// SPDX-License-Identifier: Apache-2.0
// How names, times and changes read.
import type { Client, Conversation, Entry } from "../sdk/index";

const time = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const day = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });
const date = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });

const HUES = 8;

export function clock(ms: number): string {
  return time.format(ms);
}

export function sameDay(a: number, b: number): boolean {
  return new Date(a).toDateString() === new Date(b).toDateString();
}

export function dayName(ms: number, nowMs: number): string {
  if (sameDay(ms, nowMs)) return "Today";
  return sameDay(ms, nowMs - 86_400_000) ? "Yesterday" : day.format(ms);
}

export function whenShort(ms: number, nowMs: number): string {
  return sameDay(ms, nowMs) ? time.format(ms) : date.format(ms);
}

export function initials(name: string): string {
  const words = name.split(/[\s._-]+/).filter(Boolean);
  const ends = words.length > 1 ? [words[0], words.at(-1)] : words;
  return ends.map((word) => [...(word ?? "")][0] ?? "").join("").toUpperCase() || "?";
}

/** One of HUES colours, the same for the same id everywhere. */
export function hue(id: string): number {
  let sum = 0;
  for (const c of id) sum = (sum * 31 + c.codePointAt(0)!) >>> 0;
  return sum % HUES;
}

export function nameOf(client: Client, userId: string): string {
  if (userId === client.session.userId) return "You";
  return client.people.get(userId)?.displayName ?? "…";
}

/** The other person of a direct conversation. */
export function peerOf(client: Client, c: Conversation): string | null {
  if (c.kind !== "direct") return null;
  return c.members.find((m) => m.userId !== client.session.userId)?.userId ?? null;
}

export function titleOf(client: Client, c: Conversation): string {
  const peer = peerOf(client, c);
  if (peer) return nameOf(client, peer);
  if (c.title) return c.title;
  const others = c.members.filter((m) => m.userId !== client.session.userId);
  return others.map((m) => nameOf(client, m.userId)).join(", ") || "Conversation";
}

/** What happened, for entries that nobody wrote; null for messages. */
export function noticeOf(client: Client, entry: Entry): string | null {
  const who = nameOf(client, entry.senderUserId);
  const change = entry.change;
  switch (change.kind) {
    case "message":
      return null;
    case "created":
      return change.conversationKind === "direct"
        ? "This is the beginning of your conversation" : `${who} created the group`;
    case "added":
      return `${who} added ${lower(nameOf(client, change.member.userId))}`;
    case "removed":
      return change.userId === entry.senderUserId
        ? `${who} left` : `${who} removed ${lower(nameOf(client, change.userId))}`;
    default:
      return "Something that this version cannot show";
  }
}

function lower(name: string): string {
  return name === "You" ? "you" : name;
}

export function preview(client: Client, c: Conversation): string {
  const entry = c.lastEntry;
  const item = client.outbox(c.id).at(-1);
  const newer = item?.state.status !== "failed" || item.writtenMs > (entry?.committedMs ?? 0);
  if (item?.operation.kind === "send" && newer) return `You: ${item.operation.text}`;
  if (!entry) return "";
  if (entry.change.kind !== "message") return noticeOf(client, entry) ?? "";
  const mine = entry.senderUserId === client.session.userId;
  const from = mine ? "You: " : c.kind === "group" ? `${nameOf(client, entry.senderUserId)}: ` : "";
  return from + entry.change.text;
}

const REASONS: Record<string, string> = {
  TOO_LARGE: "It is too long.",
  EMPTY_MESSAGE: "It is empty.",
  FORBIDDEN: "You may not write here.",
  NOT_FOUND: "You are not in this conversation.",
  LIMIT_EXCEEDED: "A limit was reached.",
  RATE_LIMITED: "Too many messages in a short time.",
  ID_REUSED: "This device mixed up its counters.",
};

export function failureText(error: { code: string; message: string }): string {
  return REASONS[error.code] ?? (error.message || "It was refused.");
}
