// SPDX-License-Identifier: Apache-2.0
// One open conversation: header, messages with history above, composer.
import {
  InvalidMessage, itemTick, tickOf, Timeline,
  type Client, type Conversation, type Entry, type OutboxItem, type Unsubscribe,
} from "../sdk/index";
import { Composer } from "./composer";
import { announce, h, icon, ICONS, perFrame, setChildren, setText } from "./dom";
import {
  dayName, failureText, hue, initials, nameOf, noticeOf, peerOf, sameDay, titleOf,
} from "./format";
import { lineView, type Line, type LineView } from "./message";

/** So near the end counts as being there. */
const END_PX = 60;
const TOP_PX = 120;

export interface ThreadActions {
  back: () => void;
  info: (conversationId: string) => void;
}

export class Thread {
  readonly element: HTMLElement;
  private readonly timeline: Timeline;
  private readonly views = new Map<string, LineView>();
  private readonly undo: Unsubscribe[];
  private readonly name = h("h2");
  private readonly state = h("p", { class: "state" });
  private readonly face = h("span", { class: "face", "aria-hidden": "true" });
  private readonly lines = h("div", { class: "lines" });
  private readonly older = h("button", {
    class: "link older", type: "button", click: () => void this.timeline.loadOlder(),
  }, "Earlier messages");
  private readonly log = h("div", { class: "log", role: "log", "aria-live": "off", tabindex: 0,
    "aria-label": "Messages" }, this.older, this.lines);
  private readonly toEnd = h("button", { class: "to-end", type: "button", hidden: true,
    "aria-label": "To the newest message", click: () => this.scrollToEnd() }, icon(ICONS.down));
  private readonly composer: Composer;
  private readonly refresh = perFrame(() => this.render());
  private atEnd = true;

  constructor(
    private readonly client: Client, readonly id: string, private readonly actions: ThreadActions,
  ) {
    this.composer = new Composer({
      send: (text) => this.send(text),
      typing: () => client.typingNow(id),
      done: () => client.typingDone(id),
    });
    this.element = h("section", { class: "thread", "aria-label": "Conversation",
      keydown: (e: KeyboardEvent) => this.onKey(e) },
    this.header(), this.log, this.toEnd, this.composer.element);
    this.log.addEventListener("scroll", () => this.onScroll());
    this.timeline = new Timeline(client, id, this.refresh);
    this.undo = [
      client.on("typing", (e) => e.conversationId === id && this.refresh()),
      client.on("presence", this.refresh),
      client.on("people", this.refresh),
      client.on("arrived", (e) => e.conversationId === id && this.onArrived(e.entries)),
    ];
    const seen = (): void => this.seen();
    document.addEventListener("visibilitychange", seen);
    window.addEventListener("focus", seen);
    this.undo.push(() => document.removeEventListener("visibilitychange", seen),
      () => window.removeEventListener("focus", seen));
    void this.timeline.loadOlder();
    this.render();
  }

  focus(): void {
    this.composer.focus();
  }

  dispose(): void {
    this.client.typingDone(this.id);
    this.timeline.dispose();
    for (const undo of this.undo) undo();
  }

  private header(): HTMLElement {
    return h("header", { class: "bar" },
      h("button", { class: "round back", type: "button", "aria-label": "Back to conversations",
        click: () => this.actions.back() }, icon(ICONS.back)),
      this.face, h("div", { class: "who" }, this.name, this.state),
      h("button", { class: "round", type: "button", "aria-label": "Details",
        click: () => this.actions.info(this.id) }, icon(ICONS.info)));
  }

  private onKey(event: KeyboardEvent): void {
    if (event.key !== "Escape" || event.defaultPrevented) return;
    event.preventDefault();
    this.actions.back();
  }

  /** Null: it is on its way. Else what is wrong with it. */
  private send(text: string): string | null {
    try {
      this.client.sendText(this.id, text);
      this.atEnd = true;
      return null;
    } catch (error) {
      if (error instanceof InvalidMessage) return error.message;
      throw error;
    }
  }

  private onArrived(entries: Entry[]): void {
    for (const e of entries) {
      if (e.senderUserId === this.client.session.userId) continue;
      const said = e.change.kind === "message" ? e.change.text : "";
      announce(noticeOf(this.client, e) ?? `${nameOf(this.client, e.senderUserId)}: ${said}`);
    }
  }

  private onScroll(): void {
    const left = this.log.scrollHeight - this.log.scrollTop - this.log.clientHeight;
    this.atEnd = left < END_PX;
    this.toEnd.hidden = this.atEnd;
    if (this.log.scrollTop < TOP_PX && this.timeline.hasMore) void this.timeline.loadOlder();
    this.seen();
  }

  private scrollToEnd(): void {
    this.log.scrollTop = this.log.scrollHeight;
  }

  private seen(): void {
    if (this.atEnd && document.visibilityState === "visible") this.client.markRead(this.id);
  }

  private render(): void {
    const c = this.client.conversation(this.id);
    if (!c || !this.timeline) return;
    this.renderHeader(c);
    const fromEnd = this.log.scrollHeight - this.log.scrollTop;
    const lines = linesOf(this.client, c, this.timeline.entries, this.timeline.items);
    this.renderLines(lines);
    this.older.hidden = !this.timeline.hasMore || lines.length === 0;
    // Older lines come in above: what the person looks at stays where it is.
    if (this.atEnd) this.scrollToEnd();
    else this.log.scrollTop = this.log.scrollHeight - fromEnd;
    this.seen();
  }

  private renderLines(lines: Line[]): void {
    const keep = new Set(lines.map((l) => l.key));
    for (const key of this.views.keys()) if (!keep.has(key)) this.views.delete(key);
    setChildren(this.lines, lines.map((line) => {
      let view = this.views.get(line.key);
      if (!view) {
        this.views.set(line.key, (view = lineView(line, {
          retry: (id) => this.client.retry(id), dismiss: (id) => this.client.dismiss(id),
        })));
      }
      view.update(line);
      return view.element;
    }));
  }

  private renderHeader(c: Conversation): void {
    const peer = peerOf(this.client, c);
    const title = titleOf(this.client, c);
    setText(this.name, title);
    setText(this.face, initials(title));
    this.face.dataset["hue"] = String(hue(peer ?? c.id));
    this.face.dataset["presence"] = peer ? this.client.presenceOf(peer) : "";
    const typing = this.client.whoTypes(this.id);
    this.state.classList.toggle("typing", typing.length > 0);
    setText(this.state, typing.length > 0 ? typingText(this.client, c, typing)
      : stateText(this.client, c, peer));
    const inside = !c.known || c.joinedSeq > 0;
    this.composer.enable(inside, "You are no longer in this conversation");
  }
}

function typingText(client: Client, c: Conversation, userIds: string[]): string {
  if (c.kind === "direct") return "typing…";
  const names = userIds.map((id) => nameOf(client, id));
  return `${names.slice(0, 2).join(", ")} ${names.length > 1 ? "are" : "is"} typing…`;
}

function stateText(client: Client, c: Conversation, peer: string | null): string {
  if (!peer) return `${c.memberCount} ${c.memberCount === 1 ? "member" : "members"}`;
  const handle = client.people.get(peer)?.handle;
  const words = { online: "online", offline: "offline", unknown: "" }[client.presenceOf(peer)];
  return [handle && `@${handle}`, words].filter(Boolean).join(" · ");
}

/** What is shown, oldest first: days, notices, messages, then what is on its way. */
function linesOf(
  client: Client, c: Conversation, entries: Entry[], items: OutboxItem[],
): Line[] {
  const lines: Line[] = [];
  const nowMs = Date.now();
  let lastMs = 0;
  let lastSender = "";
  const add = (line: Omit<Line, "joined">, sender: string): void => {
    if (!sameDay(line.ms, lastMs)) {
      const text = dayName(line.ms, nowMs);
      lines.push({ ...BLANK, key: `day ${line.ms}`, kind: "day", text, ms: line.ms });
      lastSender = "";
    }
    const joined = sender !== "" && sender === lastSender;
    lines.push({ ...line, author: joined ? "" : line.author, joined });
    lastSender = sender;
    lastMs = line.ms;
  };
  const waiting = [...items];
  const addItems = (fits: (item: OutboxItem) => boolean): void => {
    while (waiting.length > 0 && fits(waiting[0]!)) {
      const line = itemLine(waiting.shift()!);
      if (line) add(line, client.session.userId);
    }
  };
  for (const e of entries) {
    // What failed stays about where it was written; what is on its way is at the end.
    addItems((item) => item.state.status === "failed" && item.writtenMs < e.committedMs);
    add(entryLine(client, c, e), e.change.kind === "message" ? e.senderUserId : "");
  }
  addItems(() => true);
  return lines;
}

const BLANK = {
  mine: false, author: "", authorHue: 0, joined: false, tick: null, failure: "",
} as const;

function entryLine(client: Client, c: Conversation, e: Entry): Omit<Line, "joined"> {
  const base = { ...BLANK, key: e.clientMsgId || `seq ${e.seq}`, ms: e.committedMs };
  const notice = noticeOf(client, e);
  if (notice !== null) return { ...base, kind: "notice", text: notice };
  const mine = e.senderUserId === client.session.userId;
  return {
    ...base, kind: "message", mine, text: e.change.kind === "message" ? e.change.text : "",
    author: mine || c.kind === "direct" ? "" : nameOf(client, e.senderUserId),
    authorHue: hue(e.senderUserId),
    tick: mine ? tickOf(c, client.session.userId, e.seq) : null,
  };
}

function itemLine(item: OutboxItem): Omit<Line, "joined"> | null {
  const failed = item.state.status === "failed" ? failureText(item.state.error) : "";
  const ms = item.state.status === "accepted" ? item.state.committedMs : item.writtenMs;
  const base = { ...BLANK, key: item.clientMsgId, ms };
  if (item.operation.kind === "send") {
    const text = item.operation.text;
    return { ...base, kind: "message", mine: true, text, tick: itemTick(item), failure: failed };
  }
  if (!failed) return null;
  return { ...base, kind: "message", mine: true, text: "(change of the group)", tick: "failed",
    failure: failed };
}
