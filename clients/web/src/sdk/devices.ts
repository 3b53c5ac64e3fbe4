// SPDX-License-Identifier: Apache-2.0
// Which device this tab is. Each login makes a device with its own store, outbox and counters, and
// only one tab at a time may be it: the tab that holds its Web Lock. A tab that finds all devices
// of this browser taken asks for a login and becomes a device of its own.
import type { SavedSession } from "./auth";

const PREFIX = "causeway.device.";
const MINE = "causeway.device";
/** A reload may find the lock still held by the page it replaces. */
const RELOAD_WAIT_MS = 2_000;

export interface HeldDevice {
  session: SavedSession;
  release: () => void;
}

function parse(text: string | null): SavedSession | null {
  try {
    const session = JSON.parse(text ?? "null") as SavedSession | null;
    return session?.deviceId && session.refreshToken ? session : null;
  } catch {
    return null;
  }
}

export class Devices {
  constructor(
    private readonly kept: Storage = localStorage,
    private readonly tab: Storage = sessionStorage,
    private readonly locks: LockManager = navigator.locks,
  ) {}

  save(session: SavedSession): void {
    this.kept.setItem(PREFIX + session.deviceId, JSON.stringify(session));
  }

  /** After log out: the store is gone, the device with it. */
  remove(deviceId: string): void {
    this.kept.removeItem(PREFIX + deviceId);
    this.tab.removeItem(MINE);
  }

  /** The device this tab was before, else any free one, else null. */
  async acquire(): Promise<HeldDevice | null> {
    const mine = this.tab.getItem(MINE);
    const before = mine && parse(this.kept.getItem(PREFIX + mine));
    if (before) {
      const held = await this.hold(before, RELOAD_WAIT_MS);
      if (held) return held;
    }
    for (const session of this.all()) {
      const held = await this.hold(session, 0);
      if (held) return held;
    }
    return null;
  }

  /** A login that just happened in this tab. Null: another tab is this device. */
  async adopt(session: SavedSession): Promise<HeldDevice | null> {
    this.save(session);
    return this.hold(session, 0);
  }

  private all(): SavedSession[] {
    const keys = Array.from({ length: this.kept.length }, (_, i) => this.kept.key(i) ?? "");
    return keys.filter((k) => k.startsWith(PREFIX))
      .map((k) => parse(this.kept.getItem(k)))
      .filter((s): s is SavedSession => s !== null);
  }

  private hold(session: SavedSession, waitMs: number): Promise<HeldDevice | null> {
    return new Promise((resolve) => {
      const options: LockOptions = waitMs > 0
        ? { signal: AbortSignal.timeout(waitMs) } : { ifAvailable: true };
      const name = PREFIX + session.deviceId;
      const granted = (lock: Lock | null): Promise<void> | undefined => {
        if (!lock) {
          resolve(null);
          return undefined;
        }
        this.tab.setItem(MINE, session.deviceId);
        // Read again: the tab that held it may have refreshed.
        const now = parse(this.kept.getItem(name)) ?? session;
        return new Promise((release) => resolve({ session: now, release }));
      };
      this.locks.request(name, options, granted).catch(() => resolve(null));
    });
  }
}
