// SPDX-License-Identifier: Apache-2.0
// The list of conversations. One stop of the Tab key; arrow keys, Home and End move inside it.
import type { Client, Conversation } from "../sdk/index";
import { h, setChildren, setText } from "./dom";
import { hue, initials, peerOf, preview, titleOf, whenShort } from "./format";

interface Row {
  li: HTMLLIElement;
  update: (c: Conversation, current: boolean) => void;
}

export class ConversationList {
  readonly element = h("ul", { class: "list", "aria-label": "Conversations" });
  private readonly empty = h("li", { class: "soft empty" },
    "No conversations yet. Start one with the plus sign.");
  private readonly rows = new Map<string, Row>();
  private current: string | null = null;

  constructor(private readonly client: Client, private readonly open: (id: string) => void) {
    this.element.addEventListener("keydown", (e) => this.onKey(e));
  }

  select(id: string | null): void {
    this.current = id;
    this.render();
  }

  render(): void {
    const all = this.client.conversations();
    const rows = all.map((c) => {
      let row = this.rows.get(c.id);
      if (!row) this.rows.set(c.id, (row = makeRow(this.client, c.id, this.open)));
      row.update(c, c.id === this.current);
      return row.li;
    });
    setChildren(this.element, rows.length > 0 ? rows : [this.empty]);
    this.rove(this.focused() ?? all.find((c) => c.id === this.current)?.id ?? all[0]?.id ?? null);
  }

  focus(): void {
    this.element.querySelector<HTMLElement>("[tabindex='0']")?.focus();
  }

  private focused(): string | null {
    const button = document.activeElement;
    return this.element.contains(button) ? (button as HTMLElement).dataset["id"] ?? null : null;
  }

  private rove(id: string | null): void {
    for (const button of this.buttons()) button.tabIndex = button.dataset["id"] === id ? 0 : -1;
  }

  private buttons(): HTMLButtonElement[] {
    return [...this.element.querySelectorAll("button")];
  }

  private onKey(event: KeyboardEvent): void {
    const buttons = this.buttons();
    const at = buttons.indexOf(document.activeElement as HTMLButtonElement);
    const to: Record<string, number> = {
      ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: buttons.length - 1,
    };
    const target = buttons[to[event.key] ?? -1];
    if (!target) return;
    event.preventDefault();
    this.rove(target.dataset["id"] ?? null);
    target.focus();
  }
}

function makeRow(client: Client, id: string, open: (id: string) => void): Row {
  const face = h("span", { class: "face", "aria-hidden": "true" });
  const name = h("span", { class: "name" });
  const when = h("span", { class: "when" });
  const last = h("span", { class: "last" });
  const count = h("span", { class: "count" });
  const button = h("button", { type: "button", "data-id": id, click: () => open(id) },
    face, h("span", { class: "lines" },
      h("span", { class: "line" }, name, when), h("span", { class: "line" }, last, count)));
  const update = (c: Conversation, current: boolean): void => {
    const title = titleOf(client, c);
    const peer = peerOf(client, c);
    setText(face, initials(title));
    face.dataset["hue"] = String(hue(peer ?? c.id));
    face.dataset["presence"] = peer ? client.presenceOf(peer) : "";
    setText(name, title);
    setText(when, c.activityMs > 0 ? whenShort(c.activityMs, Date.now()) : "");
    const typing = client.whoTypes(c.id).length > 0;
    last.classList.toggle("typing", typing);
    setText(last, typing ? "typing…" : preview(client, c));
    setText(count, c.unread > 0 ? (c.unread > 99 ? "99+" : String(c.unread)) : "");
    count.hidden = c.unread === 0;
    count.setAttribute("aria-label", `${c.unread} unread`);
    button.classList.toggle("current", current);
    button.setAttribute("aria-current", String(current));
  };
  return { li: h("li", {}, button), update };
}
