// SPDX-License-Identifier: Apache-2.0
// The connection pill: state in words and colour; a press tries again at once.
import type { Client, Status } from "../sdk/index";
import { h, setText } from "./dom";

const WORDS: Record<Status, string> = {
  idle: "Not connected",
  connecting: "Connecting…",
  connected: "Connected",
  disconnected: "Reconnecting…",
  suspended: "No connection",
  closed: "Disconnected",
};

export function pill(client: Client): { element: HTMLElement; dispose: () => void } {
  const text = h("span", { role: "status" });
  const element = h("button", { class: "pill", type: "button", click: () => {
    if (client.status === "closed" || client.status === "idle") client.start();
    else client.nudge();
  } }, h("span", { class: "lamp" }), text);
  let rtt = "";
  const show = (): void => {
    element.dataset["state"] = client.status;
    setText(text, WORDS[client.status]);
    const reason = client.status === "connected" ? rtt : client.reason?.text ?? "";
    element.title = client.status === "connected" ? rtt : `${reason}. Press to try now.`;
  };
  const undo = [
    client.on("status", show),
    client.on("rtt", ({ ms }) => {
      rtt = `Round trip ${Math.round(ms)} ms`;
      show();
    }),
  ];
  show();
  return { element, dispose: () => undo.forEach((u) => u()) };
}
