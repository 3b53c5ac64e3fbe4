// SPDX-License-Identifier: Apache-2.0
// One websocket, from open to close. After close() or the first loss it says nothing more.
import { decodeFrame, encodeFrame, SUBPROTOCOL } from "./codec";
import { Local } from "./connection";
import type { Incoming, Outgoing } from "./model";

/** Silence after which we ask whether anybody is there. */
const PING_AFTER_MS = 20_000;
const PONG_WITHIN_MS = 10_000;

export interface LinkHandlers {
  opened: () => void;
  frame: (requestId: number, frame: Incoming) => void;
  lost: (code: number) => void;
  rtt: (ms: number) => void;
}

export class Link {
  private readonly socket: WebSocket;
  private alive = true;
  private heardMs: number;
  private pingedMs: number | null = null;
  private nonce = 0;

  constructor(
    url: string, socketType: typeof WebSocket, private readonly handlers: LinkHandlers,
    private readonly now: () => number,
  ) {
    this.heardMs = now();
    this.socket = new socketType(url, SUBPROTOCOL);
    this.socket.binaryType = "arraybuffer";
    this.socket.onopen = () => this.alive && handlers.opened();
    this.socket.onclose = (event) => this.lose(event.code);
    this.socket.onmessage = (event) => this.receive(event.data);
  }

  send(frame: Outgoing, requestId = 0): void {
    if (!this.alive || this.socket.readyState !== 1) return;
    this.socket.send(encodeFrame(frame, requestId));
  }

  close(): void {
    this.alive = false;
    this.socket.close(1000);
  }

  lose(code: number): void {
    if (!this.alive) return;
    this.alive = false;
    this.socket.close();
    this.handlers.lost(code);
  }

  /** Asks now, whatever was heard lately: after sleep or a change of network. */
  probe(): void {
    if (this.pingedMs !== null) return;
    this.pingedMs = this.now();
    this.send({ kind: "ping", nonce: ++this.nonce });
  }

  tick(): void {
    const nowMs = this.now();
    if (this.pingedMs === null) {
      if (nowMs - this.heardMs >= PING_AFTER_MS) this.probe();
    } else if (this.heardMs >= this.pingedMs) {
      this.pingedMs = null;
    } else if (nowMs - this.pingedMs >= PONG_WITHIN_MS) {
      this.lose(Local.timeout);
    }
  }

  private receive(data: unknown): void {
    if (!this.alive) return;
    let decoded: { requestId: number; frame: Incoming };
    try {
      if (!(data instanceof ArrayBuffer)) throw new TypeError("not a binary frame");
      decoded = decodeFrame(new Uint8Array(data));
    } catch {
      return this.lose(1007);
    }
    this.heardMs = this.now();
    if (decoded.frame.kind === "pong" && decoded.frame.nonce === this.nonce) {
      if (this.pingedMs !== null) this.handlers.rtt(this.heardMs - this.pingedMs);
    }
    this.handlers.frame(decoded.requestId, decoded.frame);
  }
}
