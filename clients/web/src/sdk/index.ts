// SPDX-License-Identifier: Apache-2.0
// The SDK's public face. See README.md for a walk through it.
export { login, register, SessionEnded, SessionKeeper, type SavedSession } from "./auth";
export {
  Client, databaseName, InvalidMessage, type ClientEvents, type ClientOptions,
} from "./client";
export type { Reason, Status } from "./connection";
export { Devices, type HeldDevice } from "./devices";
export type { Unsubscribe } from "./emitter";
export { directConversationId } from "./id";
export type {
  Conversation, Cursor, Entry, Member, Operation, OutboxItem, Person, Presence, Refusal,
} from "./model";
export { CallError } from "./rpc";
export { itemTick, tickOf, Timeline, type Tick } from "./timeline";
