// SPDX-License-Identifier: Apache-2.0
// One line of a conversation: a message with its ticks, a notice, or a day.
import type { Tick } from "../sdk/index";
import { h, icon, ICONS, setText } from "./dom";
import { clock } from "./format";

export interface Line {
  /** Stays the same from the first try to the stored entry, so the element does too. */
  key: string;
  kind: "message" | "notice" | "day";
  text: string;
  mine: boolean;
  /** Shown over the first of several in a row, in groups. */
  author: string;
  authorHue: number;
  /** Whether the message before is by the same person. */
  joined: boolean;
  ms: number;
  tick: Tick | null;
  failure: string;
}

export interface LineActions {
  retry: (key: string) => void;
  dismiss: (key: string) => void;
}

export interface LineView {
  element: HTMLElement;
  update: (line: Line) => void;
}

const TICK_ICON: Record<Tick, string> = {
  sending: ICONS.clock, sent: ICONS.check, delivered: ICONS.checks, read: ICONS.checks,
  failed: ICONS.alert,
};

export function lineView(line: Line, actions: LineActions): LineView {
  return line.kind === "message" ? messageView(line, actions) : noticeView(line);
}

function noticeView(line: Line): LineView {
  const text = h("span");
  const element = h("div", { class: line.kind }, text);
  return { element, update: (next) => setText(text, next.text) };
}

function messageView(first: Line, actions: LineActions): LineView {
  const author = h("span", { class: "author", "data-hue": first.authorHue });
  const text = h("span", { class: "text", dir: "auto" });
  const when = h("time");
  const tick = h("span", { class: "tick", role: "img" });
  const why = h("span", { class: "why" });
  const failed = h("span", { class: "failed", hidden: true }, why,
    h("button", { type: "button", class: "link", click: () => actions.retry(first.key) },
      "Try again"),
    h("button", { type: "button", class: "link", click: () => actions.dismiss(first.key) },
      "Remove"));
  const meta = h("span", { class: "meta" }, when, tick);
  const bubble = h("div", { class: "bubble" }, author, text, meta);
  const element = h("div", { class: "message" }, bubble, failed);
  const update = (line: Line): void => {
    element.className = `message ${line.mine ? "mine" : "theirs"}${line.joined ? " joined" : ""}`;
    setText(author, line.author);
    author.hidden = line.author === "";
    setText(text, line.text);
    setText(when, clock(line.ms));
    when.dateTime = new Date(line.ms).toISOString();
    showTick(tick, line.tick);
    failed.hidden = line.tick !== "failed";
    setText(why, line.failure ? `Not sent. ${line.failure}` : "");
  };
  return { element, update };
}

function showTick(element: HTMLElement, tick: Tick | null): void {
  element.hidden = tick === null;
  if (!tick || element.dataset["tick"] === tick) return;
  element.dataset["tick"] = tick;
  element.setAttribute("aria-label", tick);
  element.title = tick;
  element.replaceChildren(icon(TICK_ICON[tick]));
}
