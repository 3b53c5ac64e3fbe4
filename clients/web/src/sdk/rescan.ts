// SPDX-License-Identifier: Apache-2.0
// After a restore of the store: which of our pending commands does it have?
import type { HistoryPage } from "./model";
import { CallError } from "./rpc";
import type { SessionEffect, SessionEvent } from "./session";

type Rescan = Extract<SessionEffect, { type: "rescan" }>;
type Rescanned = Extract<SessionEvent, { type: "rescanned" }>;

/** Pages of 200; no conversation has more of them after a place somebody has seen. */
const PAGES_MAX = 10_000;

/** history answers the newest entries of from..to (to 0 = newest). Null: could not be found out. */
export async function rescan(
  effect: Rescan, userId: string,
  history: (from: number, to: number) => Promise<HistoryPage>,
): Promise<Rescanned | null> {
  const { conversationId, epoch, last, fromSeq } = effect;
  const found = new Map<string, number>();
  const answer = { type: "rescanned" as const, conversationId, epoch, last, found };
  try {
    let to = 0;
    for (let i = 0; i < PAGES_MAX; i++) {
      const page = await history(fromSeq, to);
      if (page.epoch !== epoch) return null;
      for (const e of page.entries) {
        if (e.senderUserId === userId) found.set(e.clientMsgId, e.seq);
      }
      const first = page.entries[0]?.seq ?? fromSeq;
      if (first <= fromSeq) break;
      if (!page.hasMore) break;
      to = first - 1;
      if (to < fromSeq) break;
    }
    return { ...answer, absent: false };
  } catch (error) {
    const gone = error instanceof CallError && error.refusal.code === "NOT_FOUND";
    return gone ? { ...answer, absent: true } : null;
  }
}
