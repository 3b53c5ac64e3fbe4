// SPDX-License-Identifier: Apache-2.0
// Starts the page: which device is this tab, log in if none, then the chat.
import { Client, Devices, type HeldDevice, type SavedSession } from "../sdk/index";
import { Chat } from "./chat";
import { h } from "./dom";
import { showLogin, type Config } from "./login";

async function loadConfig(): Promise<Config> {
  const response = await fetch("config.json", { cache: "no-store" });
  if (!response.ok) throw new Error(`configuration: ${response.status}`);
  const config = (await response.json()) as Partial<Config>;
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  return {
    websocketUrl: config.websocketUrl || `${scheme}//${location.host}/v1/connect`,
    tenant: config.tenant || "demo",
  };
}

async function main(): Promise<void> {
  const root = document.getElementById("app")!;
  try {
    const [config, devices] = [await loadConfig(), new Devices()];
    const held = await devices.acquire();
    if (held) await openChat(root, config, devices, held);
    else askLogin(root, config, devices, null);
  } catch (error) {
    console.error(error);
    const again = h("button", { class: "primary", click: () => location.reload() }, "Try again");
    root.replaceChildren(h("main", { class: "door" }, h("div", { class: "card" },
      h("h1", {}, "Causeway cannot be reached"),
      h("p", { class: "soft" }, "The server did not answer. Your messages are kept here."),
      again)));
    again.focus();
  }
}

/** before: the session that ended; its device keeps its store when the same person logs in. */
function askLogin(
  root: HTMLElement, config: Config, devices: Devices, before: HeldDevice | null,
): void {
  document.title = "Causeway";
  showLogin(root, config, before?.session ?? null, async (session: SavedSession) => {
    const same = before?.session.deviceId === session.deviceId;
    if (before && !same) before.release();
    if (same) devices.save(session);
    const held = same ? { session, release: before.release } : await devices.adopt(session);
    if (!held) throw new Error("another tab uses this device");
    await openChat(root, config, devices, held);
  });
}

async function openChat(
  root: HTMLElement, config: Config, devices: Devices, held: HeldDevice,
): Promise<void> {
  let chat: Chat | null = null;
  const ended = (): void => {
    chat?.dispose();
    client.close();
    askLogin(root, config, devices, { ...held, session: client.session });
  };
  const client = await Client.open({
    session: held.session,
    websocketUrl: config.websocketUrl,
    onSession: (session) => (session ? devices.save(session) : ended()),
  });
  client.on("status", ({ status, reason }) => {
    if (status === "closed" && (reason?.code === 4004 || reason?.code === 4002)) ended();
  });
  chat = new Chat(root, client, async () => {
    await client.logout();
    devices.remove(client.session.deviceId);
    held.release();
    askLogin(root, config, devices, null);
  });
  client.start();
}

void main();
