// SPDX-License-Identifier: Apache-2.0
// Requests over the websocket (history, list) that wait for an answer with their request_id.
import type { Incoming, Refusal } from "./model";
import { CallError } from "./rpc";

const TIMEOUT_MS = 15_000;

interface Waiting {
  resolve: (frame: Incoming) => void;
  reject: (error: CallError) => void;
  timer: ReturnType<typeof setTimeout>;
}

function failed(message: string): CallError {
  const refusal: Refusal = {
    code: "UNAVAILABLE", retryable: true, retryAfterMs: 0, ref: "", message,
  };
  return new CallError(refusal);
}

export class Requests {
  private readonly waiting = new Map<number, Waiting>();
  private next = 1;

  /** send is called at once with the new request's id. */
  ask(send: (requestId: number) => void): Promise<Incoming> {
    const id = this.next++;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.waiting.delete(id);
        reject(failed("no answer"));
      }, TIMEOUT_MS);
      this.waiting.set(id, { resolve, reject, timer });
      send(id);
    });
  }

  /** Whether somebody waited for it. */
  answer(id: number, frame: Incoming): boolean {
    const request = this.waiting.get(id);
    if (!request) return false;
    this.waiting.delete(id);
    clearTimeout(request.timer);
    if (frame.kind === "error") request.reject(new CallError(frame.error));
    else request.resolve(frame);
    return true;
  }

  lost(): void {
    const all = [...this.waiting.values()];
    this.waiting.clear();
    for (const request of all) {
      clearTimeout(request.timer);
      request.reject(failed("the connection was lost"));
    }
  }
}
