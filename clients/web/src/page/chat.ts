// SPDX-License-Identifier: Apache-2.0
// The page after log in: list on one side, the open conversation on the other; one at a time on a
// phone.
import type { Client, Unsubscribe } from "../sdk/index";
import { confirmLogout, details, newChat, newGroup } from "./dialogs";
import { h, icon, ICONS, perFrame, setText } from "./dom";
import { hue, initials, peerOf, titleOf } from "./format";
import { ConversationList } from "./list";
import { pill } from "./pill";
import { Thread } from "./thread";

export class Chat {
  private readonly list: ConversationList;
  private readonly main = h("main", { class: "main" });
  private readonly shell: HTMLElement;
  private readonly undo: Unsubscribe[];
  private readonly refresh = perFrame(() => this.render());
  private readonly me = h("span", { class: "me" });
  private readonly face = h("span", { class: "face", "aria-hidden": "true" });
  private thread: Thread | null = null;

  constructor(root: HTMLElement, private readonly client: Client, logout: () => Promise<void>) {
    this.list = new ConversationList(client, (id) => this.open(id));
    const connection = pill(client);
    this.shell = h("div", { class: "shell" }, this.side(connection.element, logout), this.main);
    this.main.append(this.welcome());
    this.undo = [
      connection.dispose,
      client.on("changed", this.refresh), client.on("typing", this.refresh),
      client.on("presence", this.refresh), client.on("people", this.refresh),
      client.on("status", this.refresh),
    ];
    root.replaceChildren(this.shell);
    this.render();
    this.list.focus();
  }

  dispose(): void {
    this.thread?.dispose();
    for (const undo of this.undo) undo();
  }

  private side(connection: HTMLElement, logout: () => Promise<void>): HTMLElement {
    const open = (id: string): void => this.open(id);
    const button = (label: string, path: string, click: () => void): HTMLElement =>
      h("button", { class: "round", type: "button", "aria-label": label, title: label, click },
        icon(path));
    return h("nav", { class: "side", "aria-label": "Conversations" },
      h("header", { class: "bar" },
        this.face,
        h("div", { class: "who" }, this.me, connection),
        button("New chat", ICONS.plus, () => newChat(this.client, open)),
        button("New group", ICONS.people, () => newGroup(this.client, open)),
        button("Log out", ICONS.leave, () => confirmLogout(this.client, async () => {
          this.dispose();
          await logout();
        }))),
      this.list.element);
  }

  private welcome(): HTMLElement {
    return h("div", { class: "nothing" },
      h("img", { src: "icon.svg", alt: "", width: 72, height: 72 }),
      h("p", { class: "soft" }, "Choose a conversation, or start one."));
  }

  private open(id: string): void {
    if (this.thread?.id !== id) {
      this.thread?.dispose();
      this.thread = new Thread(this.client, id, {
        back: () => this.back(), info: (c) => details(this.client, c),
      });
      this.main.replaceChildren(this.thread.element);
    }
    this.shell.classList.add("open");
    this.list.select(id);
    this.thread.focus();
  }

  private back(): void {
    this.thread?.dispose();
    this.thread = null;
    this.shell.classList.remove("open");
    this.main.replaceChildren(this.welcome());
    this.list.focus();
    this.list.select(null);
  }

  private render(): void {
    const { client } = this;
    const own = client.people.get(client.session.userId)?.displayName ?? client.session.handle;
    setText(this.me, own);
    setText(this.face, initials(own));
    this.face.dataset["hue"] = String(hue(client.session.userId));
    this.list.render();
    const all = client.conversations();
    client.watchPresence(all.map((c) => peerOf(client, c)).filter((id) => id !== null));
    const unread = all.reduce((sum, c) => sum + c.unread, 0);
    const open = this.thread && client.conversation(this.thread.id);
    const name = open ? titleOf(client, open) : "Causeway";
    document.title = `${unread > 0 ? `(${unread}) ` : ""}${name}`;
  }
}
