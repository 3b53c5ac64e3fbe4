// SPDX-License-Identifier: Apache-2.0
// Between the wire (generated protobuf types, 64-bit integers) and model.ts. The only file of the
// SDK, beside rpc.ts, that sees generated code.
import { create, fromBinary, toBinary, type MessageInitShape } from "@bufbuild/protobuf";
import {
  ClientFrameSchema, PresenceState, ServerFrameSchema,
  type Attached, type HistoryPage as PbHistoryPage, type ListPage as PbListPage,
  type ServerFrame, type Welcome,
} from "../gen/causeway/client/v1/client_pb";
import {
  BodySchema, ConversationKind as PbKind, ErrorCode, VerdictCode as PbVerdictCode,
  type Change as PbChange, type ConversationSummary, type Cursor as PbCursor,
  type Entry as PbEntry, type Error as PbError, type Member as PbMember,
  type OperationSchema, type Verdict as PbVerdict,
} from "../gen/causeway/model/v1/model_pb";
import type {
  Change, ConversationKind, Cursor, Entry, HistoryPage, Incoming, ListPage, Member, Operation,
  OutboxItem, Outgoing, Presence, Refusal, Summary, Verdict, VerdictCode,
} from "./model";

export const SUBPROTOCOL = "causeway.v1.proto";

/** Throws RangeError past 2^53: such a number is an attack or a bug, never a position. */
export function toNumber(value: bigint): number {
  const n = Number(value);
  if (!Number.isSafeInteger(n)) throw new RangeError("integer out of range");
  return n;
}

// --- out ---

type FrameInit = NonNullable<MessageInitShape<typeof ClientFrameSchema>["frame"]>;

export function encodeFrame(frame: Outgoing, requestId: number): Uint8Array<ArrayBuffer> {
  const message = create(ClientFrameSchema, {
    requestId: BigInt(requestId), frame: frameInit(frame),
  });
  return toBinary(ClientFrameSchema, message) as Uint8Array<ArrayBuffer>;
}

function frameInit(f: Outgoing): FrameInit {
  switch (f.kind) {
    case "connect":
      return { case: "connect", value: {
        token: f.token, client: f.client, resume: f.resume.map(resumePoint),
      } };
    case "command":
      return { case: "command", value: commandInit(f.item, f.seenSeq, f.attempt) };
    case "ack":
      return { case: "ack", value: {
        conversationId: f.conversationId, epoch: BigInt(f.epoch),
        deliveredSeq: BigInt(f.delivered), readSeq: BigInt(f.read),
      } };
    case "resume":
      return { case: "resume", value: resumePoint(f.point) };
    case "history":
      return { case: "history", value: {
        conversationId: f.conversationId, fromSeq: BigInt(f.fromSeq), toSeq: BigInt(f.toSeq),
        limit: f.limit,
      } };
    case "list":
      return { case: "list", value: { limit: f.limit, page: f.page } };
    case "typing":
      return { case: "typing", value: { conversationId: f.conversationId, typing: f.typing } };
    case "presence":
      return { case: "presence", value: { userIds: f.userIds } };
    case "ping":
      return { case: "ping", value: { nonce: BigInt(f.nonce) } };
  }
}

function resumePoint(p: { conversationId: string; epoch: number; seq: number }) {
  return { conversationId: p.conversationId, epoch: BigInt(p.epoch), seq: BigInt(p.seq) };
}

function commandInit(item: OutboxItem, seenSeq: number, attempt: number) {
  return {
    conversationId: item.conversationId,
    epoch: BigInt(item.epoch),
    deviceSeq: BigInt(item.deviceSeq),
    attempt,
    seenSeq: BigInt(seenSeq),
    clientMsgId: item.clientMsgId,
    op: operationInit(item.operation),
    traceId: item.clientMsgId.replaceAll("-", ""),
  };
}

function operationInit(op: Operation): MessageInitShape<typeof OperationSchema> {
  switch (op.kind) {
    case "send":
      return { op: { case: "send", value: { body: bodyInit(op.text) } } };
    case "create":
      return { op: { case: "create", value: {
        kind: op.conversationKind === "direct" ? PbKind.DIRECT : PbKind.GROUP,
        title: op.title, userIds: op.userIds,
      } } };
    case "add":
      return { op: { case: "addMember", value: { userId: op.userId } } };
    case "remove":
      return { op: { case: "removeMember", value: { userId: op.userId } } };
  }
}

function bodyInit(text: string): MessageInitShape<typeof BodySchema> {
  return { parts: [{ part: { case: "text", value: { text } } }] };
}

/** The size that Limits.message_bytes_max speaks of. */
export function bodyBytes(text: string): number {
  return toBinary(BodySchema, create(BodySchema, bodyInit(text))).length;
}

// --- in ---

/** Throws on bytes that are no ServerFrame, or hold a number out of range. */
export function decodeFrame(bytes: Uint8Array): { requestId: number; frame: Incoming } {
  const message = fromBinary(ServerFrameSchema, bytes);
  return { requestId: toNumber(message.requestId), frame: incoming(message.frame) };
}

function incoming(f: ServerFrame["frame"]): Incoming {
  switch (f.case) {
    case "welcome": return welcome(f.value);
    case "verdict": return verdict(f.value);
    case "deliver":
      return {
        kind: "deliver", conversationId: f.value.conversationId, epoch: toNumber(f.value.epoch),
        prevSeq: toNumber(f.value.prevSeq), entries: f.value.entries.map(entry),
      };
    case "attached": return attached(f.value);
    case "history": return { kind: "history", page: historyPage(f.value) };
    case "list": return { kind: "list", page: listPage(f.value) };
    case "cursor": return { kind: "cursor", ...cursorOf(f.value) };
    case "typing":
      return {
        kind: "typing", conversationId: f.value.conversationId, userId: f.value.userId,
        typing: f.value.typing,
      };
    case "presence":
      return { kind: "presence", people: f.value.people.map(
        (p) => ({ userId: p.userId, presence: presence(p.state) })) };
    case "drain": return { kind: "drain", retryAfterMs: f.value.retryAfterMs };
    case "pong": return { kind: "pong", nonce: toNumber(f.value.nonce) };
    case "error": return { kind: "error", error: refusalOf(f.value) };
    default: return { kind: "unknown" };
  }
}

function welcome(w: Welcome): Incoming {
  return {
    kind: "welcome", userId: w.userId, deviceId: w.deviceId, tenantId: w.tenantId,
    epoch: toNumber(w.epoch), serverTimeMs: toNumber(w.serverTimeMs), edge: w.edge,
    heartbeatMs: w.heartbeatMs,
    limits: {
      messageBytesMax: w.limits?.messageBytesMax ?? 0, windowMax: w.limits?.windowMax ?? 0,
      membersMax: w.limits?.membersMax ?? 0,
    },
  };
}

const VERDICTS: Partial<Record<PbVerdictCode, VerdictCode>> = {
  [PbVerdictCode.ACCEPTED]: "ACCEPTED",
  [PbVerdictCode.REJECTED]: "REJECTED",
  [PbVerdictCode.NOT_MEMBER]: "NOT_MEMBER",
  [PbVerdictCode.GAP]: "GAP",
  [PbVerdictCode.RESYNC]: "RESYNC",
  [PbVerdictCode.ID_REUSED]: "ID_REUSED",
};

function verdict(v: PbVerdict): Incoming {
  const decoded: Verdict = {
    conversationId: v.conversationId, deviceSeq: toNumber(v.deviceSeq), attempt: v.attempt,
    clientMsgId: v.clientMsgId,
    // A code of a newer server decides nothing here: retry.
    code: VERDICTS[v.code] ?? "UNAVAILABLE",
    seq: toNumber(v.seq), epoch: toNumber(v.epoch), last: toNumber(v.last),
    committedMs: toNumber(v.committedMs), error: v.error ? refusalOf(v.error) : null,
  };
  return { kind: "verdict", verdict: decoded };
}

function attached(a: Attached): Incoming {
  if (!a.conversation) return { kind: "unknown" };
  return {
    kind: "attached", summary: summary(a.conversation), afterSeq: toNumber(a.afterSeq),
    lastDeviceSeq: toNumber(a.lastDeviceSeq),
  };
}

function historyPage(p: PbHistoryPage): HistoryPage {
  return {
    conversationId: p.conversationId, epoch: toNumber(p.epoch), entries: p.entries.map(entry),
    hasMore: p.hasMore,
  };
}

function listPage(p: PbListPage): ListPage {
  return { conversations: p.conversations.map(summary), nextPage: p.nextPage };
}

export function refusalOf(e: PbError): Refusal {
  return {
    code: ErrorCode[e.code] ?? "INTERNAL", retryable: e.retryable,
    retryAfterMs: e.retryAfterMs, message: e.message, ref: e.ref,
  };
}

function cursorOf(c: PbCursor) {
  const cursor: Cursor = { delivered: toNumber(c.deliveredSeq), read: toNumber(c.readSeq) };
  return {
    conversationId: c.conversationId, epoch: toNumber(c.epoch), userId: c.userId, cursor,
  };
}

function summary(c: ConversationSummary): Summary {
  return {
    id: c.conversationId, kind: conversationKind(c.kind), title: c.title,
    epoch: toNumber(c.epoch), lastSeq: toNumber(c.lastSeq), unread: toNumber(c.unreadCount),
    members: c.members.map(member), memberCount: c.memberCount,
    lastEntry: c.lastEntry ? entry(c.lastEntry) : null,
    joinedSeq: toNumber(c.myStays.find((m) => m.leftSeq === 0n)?.joinedSeq ?? 0n),
    cursors: c.cursors.map((x) => ({ userId: x.userId, cursor: cursorOf(x).cursor })),
  };
}

function conversationKind(kind: PbKind): ConversationKind {
  return kind === PbKind.DIRECT ? "direct" : "group";
}

function member(m: PbMember): Member {
  return {
    userId: m.userId, role: m.role, joinedSeq: toNumber(m.joinedSeq),
    leftSeq: toNumber(m.leftSeq),
  };
}

function entry(e: PbEntry): Entry {
  return {
    seq: toNumber(e.seq), committedMs: toNumber(e.committedMs), senderUserId: e.senderUserId,
    senderDeviceId: e.senderDeviceId, deviceSeq: toNumber(e.deviceSeq),
    clientMsgId: e.clientMsgId, change: change(e.change),
  };
}

function change(c: PbChange | undefined): Change {
  switch (c?.change.case) {
    case "message": {
      const parts = c.change.value.body?.parts ?? [];
      const text = parts.map((p) => (p.part.case === "text" ? p.part.value.text : ""));
      return { kind: "message", text: text.join("\n") };
    }
    case "created":
      return {
        kind: "created", conversationKind: conversationKind(c.change.value.kind),
        title: c.change.value.title, members: c.change.value.members.map(member),
      };
    case "added":
      return c.change.value.member
        ? { kind: "added", member: member(c.change.value.member) } : { kind: "unknown" };
    case "removed":
      return { kind: "removed", userId: c.change.value.userId };
    default:
      return { kind: "unknown" };
  }
}

function presence(state: PresenceState): Presence {
  if (state === PresenceState.ONLINE) return "online";
  return state === PresenceState.OFFLINE ? "offline" : "unknown";
}
