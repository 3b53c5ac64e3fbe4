// SPDX-License-Identifier: Apache-2.0
// The client of one device: the step functions with a socket, a store and a clock around them.
//
// Events are stepped in the order of their arrival. Those that wait together are stepped together;
// then their writes go to disk in one transaction, and only then their sends go out and their news
// to the listeners.
import { SessionEnded, SessionKeeper, type SavedSession } from "./auth";
import { bodyBytes } from "./codec";
import {
  connectionInit, connectionStep, connectionWakeMs, Local,
  type ConnectionEvent, type Reason, type Status,
} from "./connection";
import { Emitter } from "./emitter";
import { directConversationId, uuid4, uuid7 } from "./id";
import { Link } from "./link";
import type {
  Conversation, Entry, HistoryPage, Incoming, Limits, Operation, OutboxItem, Outgoing, Person,
  Presence, Refusal,
} from "./model";
import { outboxHasRoom } from "./outbox";
import { People } from "./people";
import { Requests } from "./requests";
import { rescan } from "./rescan";
import { CallError, type Caller } from "./rpc";
import {
  resumePoints, sessionInit, sessionStep, type SessionEffect, type SessionEvent,
  type SessionState,
} from "./session";
import { PresenceBook, TypingIn, TypingOut } from "./signals";
import { Store } from "./store";

const CLIENT_NAME = "causeway-web/0.1";
const TICK_MAX_MS = 1_000;
const TICK_MIN_MS = 20;
const LIST_PAGE = 100;
const LIST_PAGES_MAX = 10;
const HISTORY_PAGE = 50;

export interface ClientOptions {
  session: SavedSession;
  websocketUrl: string;
  /** Each new session, before its token is used; null when it ended. To be stored at once. */
  onSession: (session: SavedSession | null) => void;
  /** "" = same origin. */
  baseUrl?: string;
  webSocket?: typeof WebSocket;
  indexedDB?: IDBFactory;
  fetch?: typeof fetch;
  now?: () => number;
  random?: () => number;
}

export interface ClientEvents {
  status: { status: Status; reason: Reason | null };
  /** A conversation, its cursors or its outbox changed. */
  changed: { conversationId: string };
  /** New entries were applied, oldest first. */
  arrived: { conversationId: string; entries: Entry[] };
  /** The entries of a conversation were dropped: read them again. */
  reset: { conversationId: string };
  settled: { clientMsgId: string; seq: number; error: Refusal | null };
  typing: { conversationId: string };
  presence: { userIds: string[] };
  people: { userIds: string[] };
  rtt: { ms: number };
}

/** A message that must not be sent as it is; `code` as in model.v1.ErrorCode. */
export class InvalidMessage extends Error {
  constructor(readonly code: "EMPTY_MESSAGE" | "TOO_LARGE" | "LIMIT_EXCEEDED", message: string) {
    super(message);
    this.name = "InvalidMessage";
  }
}

export function databaseName(session: { tenantId: string; deviceId: string }): string {
  return `causeway:${session.tenantId}:${session.deviceId}`;
}

export class Client extends Emitter<ClientEvents> {
  readonly people: People;
  private readonly connection = connectionInit();
  private readonly keeper: SessionKeeper;
  private readonly requests = new Requests();
  private readonly typingIn = new TypingIn();
  private readonly typingOut = new TypingOut();
  private readonly presenceBook = new PresenceBook();
  private readonly now: () => number;
  private readonly random: () => number;
  private link: Link | null = null;
  private limits: Limits = { messageBytesMax: 0, windowMax: 0, membersMax: 0 };
  private queue: SessionEvent[] = [];
  private running = false;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private readonly unhook: Array<() => void> = [];

  private constructor(
    private readonly options: ClientOptions, private readonly store: Store,
    private readonly state: SessionState, people: Person[],
  ) {
    super();
    this.now = options.now ?? Date.now;
    this.random = options.random ?? Math.random;
    const caller: Caller = {
      baseUrl: options.baseUrl ?? "",
      fetch: options.fetch ?? ((input, init) => fetch(input, init)),
    };
    this.keeper = new SessionKeeper(options.session, caller, options.onSession, this.now);
    this.people = new People({ ...caller, token: () => this.keeper.token() }, people, (found) => {
      void this.store.putPeople(found).catch(() => undefined);
      this.emit("people", { userIds: found.map((p) => p.userId) });
    });
  }

  /** Reads what this device keeps. Only one client may be open per device (see devices.ts). */
  static async open(options: ClientOptions): Promise<Client> {
    const store = await Store.open(options.indexedDB ?? indexedDB, databaseName(options.session));
    const loaded = await store.load();
    const { userId, deviceId } = options.session;
    const state = sessionInit(userId, deviceId, loaded.epoch, loaded.conversations, loaded.outbox);
    return new Client(options, store, state, loaded.people);
  }

  // --- connection ---

  get status(): Status {
    return this.connection.status;
  }

  get reason(): Reason | null {
    return this.connection.reason;
  }

  get session(): SavedSession {
    return this.keeper.current;
  }

  start(): void {
    this.keeper.start();
    this.hook();
    this.connect({ type: "start" });
    this.tick();
  }

  /** Terminal until start() is called again. */
  stop(): void {
    this.keeper.stop();
    clearTimeout(this.timer);
    for (const undo of this.unhook.splice(0)) undo();
    this.connect({ type: "stop" });
  }

  /** Lets go of the store; the client is of no use after this. */
  close(): void {
    this.stop();
    this.store.close();
  }

  /** Ends the session at the server and removes everything this device keeps. */
  async logout(): Promise<void> {
    this.stop();
    await this.keeper.logout().catch(() => undefined);
    this.close();
    await Store.remove(this.options.indexedDB ?? indexedDB, databaseName(this.session));
  }

  private hook(): void {
    if (typeof window === "undefined" || this.unhook.length > 0) return;
    const listen = (target: EventTarget, name: string, run: () => void): void => {
      target.addEventListener(name, run);
      this.unhook.push(() => target.removeEventListener(name, run));
    };
    listen(window, "online", () => this.nudge());
    listen(window, "offline", () => this.link?.lose(Local.offline));
    listen(document, "visibilitychange", () => {
      if (document.visibilityState === "visible") this.nudge();
    });
  }

  /** Tries at once instead of waiting out the backoff, or asks whether the socket still lives. */
  nudge(): void {
    this.link?.probe();
    this.connect({ type: "nudge" });
  }

  private connect(event: ConnectionEvent): void {
    for (const effect of connectionStep(this.connection, event, this.now(), this.random())) {
      if (effect.type === "open") void this.openLink();
      else if (effect.type === "drop") this.dropLink();
      else this.emit("status", { status: effect.status, reason: effect.reason });
    }
  }

  private async openLink(): Promise<void> {
    const until = this.connection.openingUntilMs;
    let token: string;
    try {
      token = await this.keeper.token();
    } catch (error) {
      const hint = error instanceof CallError ? error.refusal.retryAfterMs : 0;
      if (hint > 0) this.connect({ type: "hint", retryAfterMs: hint });
      this.connect({ type: "lost", code: error instanceof SessionEnded ? Local.token : 1011 });
      return;
    }
    // Stopped, or given up, while the token was on its way.
    if (this.connection.phase !== "opening" || this.connection.openingUntilMs !== until) return;
    const link: Link = new Link(
      this.options.websocketUrl, this.options.webSocket ?? WebSocket,
      {
        opened: () => link.send({
          kind: "connect", token, resume: resumePoints(this.state), client: CLIENT_NAME,
        }),
        frame: (requestId, frame) => this.onFrame(requestId, frame),
        lost: (code) => this.onLost(code),
        rtt: (ms) => this.emit("rtt", { ms }),
      },
      this.now,
    );
    this.link = link;
  }

  private dropLink(): void {
    if (!this.link) return;
    this.link.close();
    this.link = null;
    this.requests.lost();
    this.presenceBook.lost();
    this.emit("presence", { userIds: this.presenceBook.subscribed });
    this.post({ type: "lost" });
  }

  private onLost(code: number): void {
    if (code === 4003 || code === 4002) this.keeper.expire();
    if (code === 4011) this.post({ type: "forget" });
    this.connect({ type: "lost", code });
  }

  private tick(): void {
    clearTimeout(this.timer);
    const nowMs = this.now();
    this.connect({ type: "tick" });
    this.link?.tick();
    if (this.state.online && this.state.outbox.length > 0) this.post({ type: "tick" });
    for (const conversationId of this.typingIn.expire(nowMs)) {
      this.emit("typing", { conversationId });
    }
    const wake = connectionWakeMs(this.connection) ?? Infinity;
    const delay = Math.min(TICK_MAX_MS, Math.max(TICK_MIN_MS, wake - nowMs));
    this.timer = setTimeout(() => this.tick(), delay);
  }

  // --- frames ---

  private onFrame(requestId: number, frame: Incoming): void {
    if (requestId !== 0 && this.requests.answer(requestId, frame)) return;
    switch (frame.kind) {
      case "welcome": return this.onWelcome(frame);
      case "verdict": return this.post({ type: "verdict", verdict: frame.verdict });
      case "deliver": return this.post({ ...frame, type: "deliver" });
      case "attached": return this.post({ ...frame, type: "attached" });
      case "cursor": return this.post({ ...frame, ...frame.cursor, type: "cursor" });
      case "typing":
        this.typingIn.notice(frame.conversationId, frame.userId, frame.typing, this.now());
        return this.emit("typing", { conversationId: frame.conversationId });
      case "presence":
        for (const p of frame.people) this.presenceBook.update(p.userId, p.presence);
        return this.emit("presence", { userIds: frame.people.map((p) => p.userId) });
      case "drain": return this.connect({ type: "drain", retryAfterMs: frame.retryAfterMs });
      case "error": return this.onError(frame.error);
      default: return undefined;
    }
  }

  private onWelcome(frame: Extract<Incoming, { kind: "welcome" }>): void {
    this.limits = frame.limits;
    this.post({ type: "welcome", epoch: frame.epoch, windowMax: frame.limits.windowMax });
    this.connect({ type: "welcome" });
    if (this.presenceBook.subscribed.length > 0) {
      this.link?.send({ kind: "presence", userIds: this.presenceBook.subscribed });
    }
    void this.fetchList().catch(() => undefined);
  }

  private onError(error: Refusal): void {
    if (error.retryAfterMs > 0) this.connect({ type: "hint", retryAfterMs: error.retryAfterMs });
    if (error.code === "RESYNC") this.link?.lose(4011);
  }

  // --- the session ---

  private post(event: SessionEvent): void {
    this.queue.push(event);
    if (!this.running) void this.run();
  }

  private async run(): Promise<void> {
    this.running = true;
    try {
      while (this.queue.length > 0) {
        const link = this.link;
        const effects = this.queue.splice(0)
          .flatMap((event) => sessionStep(this.state, event, this.now()));
        await this.store.write(effects);
        const acks = sessionStep(this.state, { type: "flush" }, this.now());
        this.perform([...effects, ...acks], link);
      }
    } catch (error) {
      // Memory is ahead of the disk now: nothing more may be promised from it.
      console.error("causeway: cannot store", error);
      this.queue = [];
      this.connect({ type: "lost", code: Local.storage });
      this.stop();
    } finally {
      this.running = false;
    }
  }

  /** link: the one that was open when the events were stepped; a later one was told nothing. */
  private perform(effects: SessionEffect[], link: Link | null): void {
    const changed = new Set<string>();
    for (const effect of effects) {
      if (effect.type === "send") link?.send(effect.frame);
      else if (effect.type === "rescan") void this.rescan(effect);
      else if (effect.type === "changed") changed.add(effect.conversationId);
      else if (effect.type === "arrived") this.emit("arrived", effect);
      else if (effect.type === "settled") this.emit("settled", effect);
      else if (effect.type === "dropEntries" && effect.upTo === null) this.emit("reset", effect);
    }
    for (const conversationId of changed) this.emit("changed", { conversationId });
  }

  private async rescan(effect: Extract<SessionEffect, { type: "rescan" }>): Promise<void> {
    const answer = await rescan(effect, this.state.userId, (from, to) =>
      this.askHistory(effect.conversationId, from, to, 200));
    // Without an answer the lane starts over: its commands get RESYNC again.
    if (answer) this.post(answer);
    else this.link?.lose(Local.timeout);
  }

  // --- conversations ---

  /** Most recently active first. */
  conversations(): Conversation[] {
    return [...this.state.conversations.values()].sort((a, b) => b.activityMs - a.activityMs);
  }

  conversation(id: string): Conversation | undefined {
    return this.state.conversations.get(id);
  }

  /** What is on its way, or failed, oldest first. */
  outbox(conversationId: string): OutboxItem[] {
    return this.state.outbox.filter((i) => i.conversationId === conversationId);
  }

  outboxSize(): number {
    return this.state.outbox.filter((i) => i.state.status === "pending").length;
  }

  /** Throws InvalidMessage. Returns the client_msg_id; its fate comes as "settled". */
  sendText(conversationId: string, text: string): string {
    const clean = cleanText(text);
    if (clean === "") throw new InvalidMessage("EMPTY_MESSAGE", "There is nothing to send.");
    const max = this.limits.messageBytesMax;
    if (max > 0 && bodyBytes(clean) > max) {
      throw new InvalidMessage("TOO_LARGE", `The message is longer than ${max} bytes.`);
    }
    return this.enqueue(conversationId, { kind: "send", text: clean });
  }

  /** The conversation's id; it is founded when it does not exist. */
  async startDirect(userId: string): Promise<string> {
    const id = await directConversationId(this.session.tenantId, this.session.userId, userId);
    const known = this.conversation(id);
    if (!known?.known && !this.founding(id)) {
      this.enqueue(id, {
        kind: "create", conversationKind: "direct", title: "", userIds: [userId],
      });
    }
    return id;
  }

  createGroup(title: string, userIds: string[]): string {
    const id = uuid7(this.now(), crypto.getRandomValues(new Uint8Array(10)));
    this.enqueue(id, { kind: "create", conversationKind: "group", title, userIds });
    return id;
  }

  addMember(conversationId: string, userId: string): string {
    return this.enqueue(conversationId, { kind: "add", userId });
  }

  removeMember(conversationId: string, userId: string): string {
    return this.enqueue(conversationId, { kind: "remove", userId });
  }

  /** A failed command again, as a new one with a new id. */
  retry(clientMsgId: string): void {
    const item = this.state.outbox.find((i) => i.clientMsgId === clientMsgId);
    if (item?.state.status !== "failed") return;
    this.post({ type: "dismiss", clientMsgId });
    this.enqueue(item.conversationId, item.operation);
  }

  dismiss(clientMsgId: string): void {
    this.post({ type: "dismiss", clientMsgId });
  }

  private founding(id: string): boolean {
    return this.outbox(id).some(
      (i) => i.operation.kind === "create" && i.state.status !== "failed");
  }

  private enqueue(conversationId: string, operation: Operation): string {
    if (!outboxHasRoom(this.state)) {
      throw new InvalidMessage("LIMIT_EXCEEDED", "Too many messages are waiting to be sent.");
    }
    const clientMsgId = uuid4();
    this.post({ type: "enqueue", conversationId, clientMsgId, operation });
    return clientMsgId;
  }

  /** The person has seen everything that is here. */
  markRead(conversationId: string): void {
    const c = this.conversation(conversationId);
    if (!c?.known || c.applied <= c.mine.read) return;
    this.post({ type: "read", conversationId, seq: c.applied });
  }

  private async fetchList(): Promise<void> {
    let page = "";
    for (let i = 0; i < LIST_PAGES_MAX; i++) {
      const frame = await this.ask({ kind: "list", limit: LIST_PAGE, page });
      if (frame.kind !== "list") return;
      this.post({ type: "listed", summaries: frame.page.conversations });
      page = frame.page.nextPage;
      if (page === "") return;
    }
  }

  // --- history ---

  /** Entries before `before` (exclusive), oldest first: from this device, else from the server. */
  async history(
    conversationId: string, before: number, limit = HISTORY_PAGE,
  ): Promise<{ entries: Entry[]; hasMore: boolean }> {
    const c = this.conversation(conversationId);
    if (!c?.known || before <= 1) return { entries: [], hasMore: false };
    if (before > c.floor + 1) {
      const entries = await this.store.entriesBefore(conversationId, before, limit);
      if (entries.length > 0) return { entries, hasMore: entries[0]!.seq > 1 };
    }
    const toSeq = before - 1;
    const page = await this.askHistory(conversationId, 1, toSeq, limit);
    const { epoch, entries, hasMore } = page;
    this.post({ type: "history", conversationId, epoch, toSeq, entries });
    return { entries, hasMore };
  }

  private async askHistory(
    conversationId: string, fromSeq: number, toSeq: number, limit: number,
  ): Promise<HistoryPage> {
    const frame = await this.ask({ kind: "history", conversationId, fromSeq, toSeq, limit });
    if (frame.kind !== "history") throw new Error("not the answer to this request");
    return frame.page;
  }

  private ask(frame: Outgoing): Promise<Incoming> {
    const link = this.link;
    return this.requests.ask((id) => {
      if (link) link.send(frame, id);
      else this.requests.lost();
    });
  }

  // --- typing and presence ---

  typingNow(conversationId: string): void {
    if (!this.typingOut.pressed(conversationId, this.now())) return;
    this.link?.send({ kind: "typing", conversationId, typing: true });
  }

  typingDone(conversationId: string): void {
    if (!this.typingOut.stopped(conversationId, this.now())) return;
    this.link?.send({ kind: "typing", conversationId, typing: false });
  }

  whoTypes(conversationId: string): string[] {
    return this.typingIn.who(conversationId, this.now())
      .filter((userId) => userId !== this.session.userId);
  }

  /** Replaces the set of people whose presence is wanted. */
  watchPresence(userIds: string[]): void {
    if (!this.presenceBook.want(userIds) || !this.state.online) return;
    this.link?.send({ kind: "presence", userIds: this.presenceBook.subscribed });
  }

  presenceOf(userId: string): Presence {
    return this.presenceBook.of(userId);
  }
}

/** No NUL, no half characters, nothing but spaces is nothing. */
export function cleanText(text: string): string {
  const whole = new TextDecoder().decode(new TextEncoder().encode(text.replaceAll("\0", "")));
  return whole.trim();
}
