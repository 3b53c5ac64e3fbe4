// SPDX-License-Identifier: Apache-2.0
// What the SDK keeps and shows. Plain objects (they go into IndexedDB as they are); positions are
// numbers, checked on decoding to be safe integers; epoch is the number of the store's life.

export type ConversationKind = "direct" | "group";

export interface Member {
  userId: string;
  role: number;
  joinedSeq: number;
  leftSeq: number;
}

export type Change =
  | { kind: "message"; text: string }
  | { kind: "created"; conversationKind: ConversationKind; title: string; members: Member[] }
  | { kind: "added"; member: Member }
  | { kind: "removed"; userId: string }
  | { kind: "unknown" };

export interface Entry {
  seq: number;
  committedMs: number;
  senderUserId: string;
  senderDeviceId: string;
  deviceSeq: number;
  clientMsgId: string;
  change: Change;
}

/** What one person has stored and read, cumulative. */
export interface Cursor {
  delivered: number;
  read: number;
}

export type Operation =
  | { kind: "send"; text: string }
  | { kind: "create"; conversationKind: ConversationKind; title: string; userIds: string[] }
  | { kind: "add"; userId: string }
  | { kind: "remove"; userId: string };

/** A refusal. `code` is the name of a model.v1.ErrorCode without its prefix, e.g. "TOO_LARGE". */
export interface Refusal {
  code: string;
  retryable: boolean;
  retryAfterMs: number;
  message: string;
  ref: string;
}

export type ItemState =
  | { status: "pending" }
  /** Stored at seq; kept until that entry is applied here, so that it never vanishes from view. */
  | { status: "accepted"; seq: number; committedMs: number }
  | { status: "failed"; error: Refusal };

/** One command in the outbox. Written to disk before its first send. */
export interface OutboxItem {
  /** Rises over all conversations; the order in which the person acted. */
  order: number;
  conversationId: string;
  clientMsgId: string;
  /** Contiguous per conversation among pending items, after Conversation.lastDeviceSeq. */
  deviceSeq: number;
  /** The store's life in which deviceSeq was given. */
  epoch: number;
  operation: Operation;
  writtenMs: number;
  /** How much of the conversation the sender had; null until he has any of it (see session.ts). */
  seenSeq: number | null;
  /** The command cannot be stored at or before this place, in any life of the store. */
  notBefore: number;
  state: ItemState;
}

export interface Conversation {
  id: string;
  kind: ConversationKind;
  title: string;
  members: Member[];
  memberCount: number;
  /** Whether the server attached it to us: only then the positions below mean something. */
  known: boolean;
  epoch: number;
  /** The last entry applied here. Stored entries are those in (floor, applied]. */
  applied: number;
  floor: number;
  lastSeq: number;
  lastEntry: Entry | null;
  /** Others' messages after my read cursor, exact for the server's entries up to countedTo. */
  unread: number;
  countedTo: number;
  mine: Cursor;
  /** The other members', by user id. */
  cursors: Record<string, Cursor>;
  /** The greatest device_seq of this device with a verdict, in the life numbersEpoch. */
  lastDeviceSeq: number;
  numbersEpoch: number;
  /** The entry that began my present stay, as far as I know; 0 = none. */
  joinedSeq: number;
  /** What I know of the conversation from an accepted Create, before it is attached. */
  createdSeq: number;
  activityMs: number;
}

export interface Summary {
  id: string;
  kind: ConversationKind;
  title: string;
  epoch: number;
  lastSeq: number;
  unread: number;
  members: Member[];
  memberCount: number;
  lastEntry: Entry | null;
  /** The entry that began my present stay; 0 = I am no member. */
  joinedSeq: number;
  cursors: Array<{ userId: string; cursor: Cursor }>;
}

export type VerdictCode =
  | "ACCEPTED"
  | "REJECTED"
  | "NOT_MEMBER"
  | "GAP"
  | "UNAVAILABLE"
  | "RESYNC"
  | "ID_REUSED";

export interface Verdict {
  conversationId: string;
  deviceSeq: number;
  attempt: number;
  clientMsgId: string;
  code: VerdictCode;
  seq: number;
  epoch: number;
  last: number;
  committedMs: number;
  error: Refusal | null;
}

export interface Limits {
  messageBytesMax: number;
  windowMax: number;
  membersMax: number;
}

export interface ResumePoint {
  conversationId: string;
  epoch: number;
  seq: number;
}

/** What the session wants on the wire. */
export type Outgoing =
  | { kind: "connect"; token: string; resume: ResumePoint[]; client: string }
  | { kind: "command"; item: OutboxItem; seenSeq: number; attempt: number }
  | { kind: "ack"; conversationId: string; epoch: number; delivered: number; read: number }
  | { kind: "resume"; point: ResumePoint }
  | { kind: "history"; conversationId: string; fromSeq: number; toSeq: number; limit: number }
  | { kind: "list"; limit: number; page: string }
  | { kind: "typing"; conversationId: string; typing: boolean }
  | { kind: "presence"; userIds: string[] }
  | { kind: "ping"; nonce: number };

export interface HistoryPage {
  conversationId: string;
  epoch: number;
  entries: Entry[];
  hasMore: boolean;
}

export interface ListPage {
  conversations: Summary[];
  nextPage: string;
}

export type Presence = "online" | "offline" | "unknown";

/** What came from the wire. */
export type Incoming =
  | { kind: "welcome"; userId: string; deviceId: string; tenantId: string; epoch: number;
      serverTimeMs: number; limits: Limits; heartbeatMs: number; edge: string }
  | { kind: "verdict"; verdict: Verdict }
  | { kind: "deliver"; conversationId: string; epoch: number; prevSeq: number; entries: Entry[] }
  | { kind: "attached"; summary: Summary; afterSeq: number; lastDeviceSeq: number }
  | { kind: "history"; page: HistoryPage }
  | { kind: "list"; page: ListPage }
  | { kind: "cursor"; conversationId: string; epoch: number; userId: string; cursor: Cursor }
  | { kind: "typing"; conversationId: string; userId: string; typing: boolean }
  | { kind: "presence"; people: Array<{ userId: string; presence: Presence }> }
  | { kind: "drain"; retryAfterMs: number }
  | { kind: "pong"; nonce: number }
  | { kind: "error"; error: Refusal }
  | { kind: "unknown" };

export interface Person {
  userId: string;
  handle: string;
  displayName: string;
  home: "native" | "xmpp";
}
