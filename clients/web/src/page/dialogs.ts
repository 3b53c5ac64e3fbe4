// SPDX-License-Identifier: Apache-2.0
// Start a chat, make a group, see who is in it. <dialog> brings Esc and keeps the focus inside.
import { CallError, type Client, type Person } from "../sdk/index";
import { h, setText } from "./dom";
import { hue, initials, nameOf, titleOf } from "./format";

interface Frame {
  dialog: HTMLDialogElement;
  error: HTMLElement;
  close: () => void;
}

/** act is run on submit; what it throws is shown. The dialog closes when it returns true. */
function openDialog(
  title: string, body: Node[], submitLabel: string | null, act: () => Promise<boolean>,
): Frame {
  const error = h("p", { class: "error", role: "alert" });
  const close = (): void => dialog.close();
  const submit = submitLabel === null ? null
    : h("button", { class: "primary", type: "submit" }, submitLabel);
  const form = h("form", { submit: (e: Event) => {
    e.preventDefault();
    void run();
  } }, h("h2", {}, title), ...body, error, h("div", { class: "row" },
    h("button", { class: "link", type: "button", click: close }, submit ? "Cancel" : "Close"),
    submit));
  const dialog = h("dialog", { "aria-label": title, close: () => dialog.remove() }, form);
  const run = async (): Promise<void> => {
    setText(error, "");
    if (submit) submit.disabled = true;
    try {
      if (await act()) close();
    } catch (e) {
      setText(error, e instanceof Error ? e.message : "It did not work.");
    } finally {
      if (submit) submit.disabled = false;
    }
  };
  document.body.append(dialog);
  dialog.showModal();
  return { dialog, error, close };
}

async function find(client: Client, handle: string): Promise<Person> {
  const clean = handle.trim().replace(/^@/, "").toLowerCase();
  try {
    const person = await client.people.find(clean);
    if (person.userId === client.session.userId) throw new Error("That is you.");
    return person;
  } catch (error) {
    if (error instanceof CallError && error.refusal.code === "NOT_FOUND") {
      throw new Error(`Nobody is called “${clean}”.`);
    }
    throw error;
  }
}

function input(label: string, name: string, hint: string): { row: Node; input: HTMLInputElement } {
  const element = h("input", {
    name, placeholder: hint, required: true, autocomplete: "off", autocapitalize: "none",
    spellcheck: "false",
  });
  return { input: element, row: h("label", { class: "field" }, h("span", {}, label), element) };
}

export function newChat(client: Client, open: (id: string) => void): void {
  const handle = input("Who?", "handle", "name");
  openDialog("New chat", [handle.row], "Start", async () => {
    const person = await find(client, handle.input.value);
    open(await client.startDirect(person.userId));
    return true;
  });
}

export function newGroup(client: Client, open: (id: string) => void): void {
  const title = input("Name of the group", "title", "Weekend");
  const handles = input("Members", "handles", "names, separated by spaces");
  openDialog("New group", [title.row, handles.row], "Create", async () => {
    const names = handles.input.value.split(/[\s,;]+/).filter(Boolean);
    const people = await Promise.all(names.map((name) => find(client, name)));
    const ids = [...new Set(people.map((p) => p.userId))];
    open(client.createGroup(title.input.value.trim(), ids));
    return true;
  });
}

export function details(client: Client, id: string): void {
  const c = client.conversation(id);
  if (!c) return;
  const present = c.members.filter((m) => m.leftSeq === 0);
  const members = h("ul", { class: "members" }, ...present.map((m) => {
    const name = nameOf(client, m.userId);
    const person = client.people.get(m.userId);
    const elsewhere = person?.home === "xmpp" ? " · other network" : "";
    return h("li", {}, h("span", { class: "face small", "aria-hidden": "true",
      "data-hue": hue(m.userId) }, initials(name)), name,
    h("span", { class: "soft" }, person ? `@${person.handle}${elsewhere}` : ""));
  }));
  if (c.kind === "direct") {
    openDialog(titleOf(client, c), [members], null, async () => true);
    return;
  }
  const handle = input("Add somebody", "handle", "name");
  const leave = h("button", { class: "link danger", type: "button", click: () => {
    client.removeMember(id, client.session.userId);
    frame.close();
  } }, "Leave the group");
  const frame = openDialog(titleOf(client, c), [members, handle.row, leave], "Add", async () => {
    client.addMember(id, (await find(client, handle.input.value)).userId);
    return true;
  });
}

export function confirmLogout(client: Client, go: () => Promise<void>): void {
  const waiting = client.outboxSize();
  const text = waiting > 0
    ? `${waiting} messages have not been sent yet. They will be lost.`
    : "Messages kept in this browser are removed. They stay on the server.";
  openDialog("Log out?", [h("p", { class: "soft" }, text)], "Log out", async () => {
    await go();
    return true;
  });
}
