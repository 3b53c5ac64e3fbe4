// SPDX-License-Identifier: Apache-2.0
// The door: log in, or make an account.
import { CallError, login, register, type SavedSession } from "../sdk/index";
import { h, setText } from "./dom";

export interface Config {
  websocketUrl: string;
  tenant: string;
}

const ERRORS: Record<string, string> = {
  BAD_CREDENTIALS: "The name or the password is wrong.",
  ALREADY_EXISTS: "This name is taken.",
  RATE_LIMITED: "Too many tries. Wait a little.",
  OVERLOADED: "The server is busy. Try again in a moment.",
  UNAVAILABLE: "The server cannot be reached. Try again in a moment.",
  INVALID_NAME: "A name has 3 to 32 characters: a-z, 0-9, dot, underscore, hyphen.",
  PASSWORD_TOO_LONG: "The password is too long.",
  INVALID_ARGUMENT: "Check the name (3 to 32 of a-z 0-9 . _ -) and the password (8 or more).",
};

type Done = (session: SavedSession) => Promise<void>;

interface Field {
  row: HTMLElement;
  input: HTMLInputElement;
}

function field(label: string, attributes: Record<string, string | number | boolean>): Field {
  const input = h("input", { autocapitalize: "none", spellcheck: "false", ...attributes });
  return { input, row: h("label", { class: "field" }, h("span", {}, label), input) };
}

export function showLogin(
  root: HTMLElement, config: Config, before: SavedSession | null, done: Done,
): void {
  let registering = false;
  const handle = field("Name", {
    name: "handle", autocomplete: "username", required: true, minlength: 3, maxlength: 32,
    pattern: "[a-z0-9._\\-]+", title: "a-z, 0-9, dot, underscore, hyphen",
    value: before?.handle ?? "",
  });
  const display = field("Shown as", { name: "display", autocomplete: "name", maxlength: 64 });
  const password = field("Password", {
    name: "password", type: "password", autocomplete: "current-password", required: true,
    minlength: 8, maxlength: 128,
  });
  const title = h("h1", {}, "");
  const error = h("p", { class: "error", role: "alert" });
  const submit = h("button", { class: "primary", type: "submit" });
  const other = h("button", { class: "link", type: "button", click: () => swap(!registering) });
  const swap = (next: boolean): void => {
    registering = next;
    setText(title, next ? "Create your account" : "Log in to Causeway");
    setText(submit, next ? "Create account" : "Log in");
    setText(other, next ? "I have an account" : "Create an account");
    setText(error, "");
    display.row.hidden = !next;
    password.input.autocomplete = next ? "new-password" : "current-password";
    handle.input.focus();
  };
  const act = async (): Promise<SavedSession> => {
    const common = {
      tenant: config.tenant, handle: handle.input.value.trim(), password: password.input.value,
    };
    const deviceId = before?.handle === common.handle ? before.deviceId : "";
    const caller = { baseUrl: "", fetch: fetch.bind(window) };
    return registering
      ? register(caller, { ...common, displayName: display.input.value.trim() }, Date.now())
      : login(caller, { ...common, deviceId }, Date.now());
  };
  const onSubmit = async (event: Event): Promise<void> => {
    event.preventDefault();
    submit.disabled = true;
    setText(error, "");
    try {
      await done(await act());
    } catch (e) {
      const code = e instanceof CallError ? e.refusal.code : "";
      setText(error, ERRORS[code] ?? (e instanceof Error ? e.message : "It did not work."));
      submit.disabled = false;
      password.input.focus();
    }
  };
  const form = h("form", { class: "card", submit: (e: Event) => void onSubmit(e) },
    h("img", { src: "icon.svg", alt: "", class: "mark", width: 56, height: 56 }), title,
    before && h("p", { class: "soft" },
      "Your session has ended. Messages on this device are kept."),
    handle.row, display.row, password.row, error, submit, other);
  root.replaceChildren(h("main", { class: "door" }, form));
  swap(false);
  if (before) password.input.focus();
}
