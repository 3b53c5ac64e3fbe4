// SPDX-License-Identifier: Apache-2.0
// Where one writes. Enter sends, Shift+Enter makes a line.
import { h, icon, ICONS, setText } from "./dom";

const LINES_MAX = 6;

export interface ComposerActions {
  /** Null = taken; else what is wrong, in words. */
  send: (text: string) => string | null;
  typing: () => void;
  done: () => void;
}

export class Composer {
  readonly element: HTMLFormElement;
  private readonly text = h("textarea", {
    rows: 1, placeholder: "Write a message", "aria-label": "Message", autocomplete: "off",
    enterkeyhint: "send", dir: "auto",
  });
  private readonly button = h("button", { class: "round primary", type: "submit",
    "aria-label": "Send" }, icon(ICONS.send));
  private readonly error = h("p", { class: "error", role: "alert" });

  constructor(private readonly actions: ComposerActions) {
    this.element = h("form", { class: "composer", submit: (e: Event) => {
      e.preventDefault();
      this.submit();
    } }, this.error, this.text, this.button);
    this.text.addEventListener("keydown", (e) => this.onKey(e));
    this.text.addEventListener("input", () => this.onInput());
  }

  focus(): void {
    this.text.focus();
  }

  enable(on: boolean, otherwise: string): void {
    if (this.text.disabled === !on) return;
    this.text.disabled = this.button.disabled = !on;
    this.text.placeholder = on ? "Write a message" : otherwise;
  }

  private onKey(event: KeyboardEvent): void {
    // An input method uses Enter to choose a word.
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    this.submit();
  }

  private onInput(): void {
    setText(this.error, "");
    this.text.rows = Math.min(LINES_MAX, this.text.value.split("\n").length);
    if (this.text.value.trim() === "") this.actions.done();
    else this.actions.typing();
  }

  private submit(): void {
    if (this.text.value.trim() === "") return;
    const wrong = this.actions.send(this.text.value);
    setText(this.error, wrong ?? "");
    if (wrong !== null) return;
    this.actions.done();
    this.text.value = "";
    this.text.rows = 1;
    this.text.focus();
  }
}
