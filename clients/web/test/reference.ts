// SPDX-License-Identifier: Apache-2.0
// A simple reference of the commit path for one conversation, and a network that loses, delays and
// repeats. Written from the protocol's rules alone; it shares nothing with the SDK but the types.
import type { Entry, OutboxItem, Outgoing, Summary, Verdict, VerdictCode } from "../src/sdk/model";
import type { SessionEvent } from "../src/sdk/session";
import { CONV, DEVICE, ME, PEER, summary } from "./rig";

type Command = Extract<Outgoing, { kind: "command" }>;

interface Stay {
  joinedSeq: number;
  leftSeq: number;
}

export class Reference {
  epoch = 1;
  entries: Entry[] = [];
  last = 0;
  private verdicts = new Map<number, { id: string; code: VerdictCode; seq: number }>();
  stays: Stay[] = [{ joinedSeq: 1, leftSeq: 0 }];
  private backup: { entries: Entry[]; last: number; verdicts: Reference["verdicts"];
    stays: Stay[] } | null = null;

  constructor() {
    this.append(PEER, "peer", 0, "founded");
  }

  private append(
    userId: string, deviceId: string, deviceSeq: number, id: string,
    change: Entry["change"] = { kind: "message", text: id },
  ): Entry {
    const entry: Entry = {
      seq: this.entries.length + 1, committedMs: this.entries.length, senderUserId: userId,
      senderDeviceId: deviceId, deviceSeq, clientMsgId: id, change,
    };
    this.entries.push(entry);
    return entry;
  }

  get member(): boolean {
    return this.stays.at(-1)!.leftSeq === 0;
  }

  peerSays(id: string): void {
    this.append(PEER, "peer", 0, id);
  }

  remove(): void {
    if (!this.member) return;
    const change = { kind: "removed", userId: ME } as const;
    this.stays.at(-1)!.leftSeq = this.append(PEER, "peer", 0, "removed", change).seq;
  }

  add(): void {
    if (this.member) return;
    const member = { userId: ME, role: 3, joinedSeq: 0, leftSeq: 0 };
    const entry = this.append(PEER, "peer", 0, "added", { kind: "added", member });
    this.stays.push({ joinedSeq: entry.seq, leftSeq: 0 });
  }

  saveBackup(): void {
    this.backup = structuredClone({
      entries: this.entries, last: this.last, verdicts: this.verdicts, stays: this.stays,
    });
  }

  restore(): boolean {
    if (!this.backup) return false;
    Object.assign(this, structuredClone(this.backup));
    this.epoch += 1;
    return true;
  }

  visible(): Entry[] {
    return this.entries.filter((e) => this.stays.some(
      (s) => e.seq >= s.joinedSeq && (s.leftSeq === 0 || e.seq <= s.leftSeq)));
  }

  decide(c: Command): Verdict {
    const { item } = c;
    const answer = (code: VerdictCode, more: Partial<Verdict> = {}): Verdict => ({
      conversationId: CONV, deviceSeq: item.deviceSeq, attempt: c.attempt,
      clientMsgId: item.clientMsgId, code, seq: 0, epoch: this.epoch, last: this.last,
      committedMs: 0, error: null, ...more,
    });
    if (item.epoch !== this.epoch) return answer("RESYNC");
    const stored = this.verdicts.get(item.deviceSeq);
    if (stored) {
      if (stored.id !== item.clientMsgId) return answer("ID_REUSED");
      return answer(stored.code, { seq: stored.seq });
    }
    if (!this.member || c.seenSeq < this.stays.at(-1)!.joinedSeq) return answer("NOT_MEMBER");
    if (item.deviceSeq > this.last + 1) return answer("GAP");
    return this.commit(item, answer);
  }

  private commit(
    item: OutboxItem, answer: (code: VerdictCode, more?: Partial<Verdict>) => Verdict,
  ): Verdict {
    this.last = item.deviceSeq;
    const bad = item.clientMsgId.includes("bad");
    const seq = bad ? 0 : this.append(ME, DEVICE, item.deviceSeq, item.clientMsgId).seq;
    const code = bad ? "REJECTED" : "ACCEPTED";
    this.verdicts.set(item.deviceSeq, { id: item.clientMsgId, code, seq });
    return answer(code, { seq });
  }

  attached(afterSeq: number): SessionEvent {
    const joinedSeq = this.member ? this.stays.at(-1)!.joinedSeq : 0;
    const s: Summary = summary({ epoch: this.epoch, lastSeq: this.entries.length, joinedSeq });
    return { type: "attached", summary: s, afterSeq, lastDeviceSeq: this.last };
  }

  /** The entry after `after` that the person may see, as one Deliver; null = none. */
  deliverAfter(after: number): Extract<SessionEvent, { type: "deliver" }> | null {
    const entry = this.visible().find((e) => e.seq > after);
    if (!entry) return null;
    const prevSeq = this.visible().filter((e) => e.seq < entry.seq).at(-1)?.seq ?? 0;
    return { type: "deliver", conversationId: CONV, epoch: this.epoch, prevSeq, entries: [entry] };
  }
}
