// SPDX-License-Identifier: Apache-2.0
// Log in, keep the session fresh, hand out tokens.
import { AuthService, type Session } from "../gen/causeway/auth/v1/auth_pb";
import { call, CallError, type Caller } from "./rpc";

/** Refresh this long before the access token ends. */
export const REFRESH_AHEAD_MS = 60_000;
const RETRY_MS = 5_000;
const LIFETIME_DEFAULT_MS = 600_000;
/** setTimeout cannot wait longer than this. */
const TIMER_MAX_MS = 2 ** 31 - 1;

/** One login of one device; plain, to be stored. */
export interface SavedSession {
  userId: string;
  deviceId: string;
  tenantId: string;
  handle: string;
  accessToken: string;
  /** By this device's clock. */
  accessExpiresMs: number;
  refreshToken: string;
}

/** The session is over for good: log in again. */
export class SessionEnded extends Error {
  constructor() {
    super("the session has ended");
    this.name = "SessionEnded";
  }
}

export async function register(
  caller: Caller,
  request: { tenant: string; handle: string; password: string; displayName: string },
  nowMs: number,
): Promise<SavedSession> {
  const session = await call(caller, AuthService.method.register, request);
  return saved(session, request.handle, nowMs);
}

/** deviceId: of an installation that kept its local store, else "". */
export async function login(
  caller: Caller,
  request: { tenant: string; handle: string; password: string; deviceId: string },
  nowMs: number,
): Promise<SavedSession> {
  const session = await call(caller, AuthService.method.login,
    { ...request, deviceName: "Causeway web" });
  return saved(session, request.handle, nowMs);
}

function saved(session: Session, handle: string, nowMs: number): SavedSession {
  return {
    userId: session.userId, deviceId: session.deviceId, tenantId: session.tenantId, handle,
    accessToken: session.accessToken, refreshToken: session.refreshToken,
    accessExpiresMs: nowMs + lifetimeMs(session.accessToken),
  };
}

/** From the token's own two times: this device's clock may be off by a year. */
export function lifetimeMs(token: string): number {
  try {
    const part = token.split(".")[1]!.replaceAll("-", "+").replaceAll("_", "/");
    const { iat, exp } = JSON.parse(atob(part)) as { iat?: unknown; exp?: unknown };
    if (typeof iat === "number" && typeof exp === "number" && exp > iat) return (exp - iat) * 1000;
  } catch {
    // not a JWT; its lifetime is a matter of guessing
  }
  return LIFETIME_DEFAULT_MS;
}

const ENDS_SESSION = new Set([
  "UNAUTHENTICATED", "TOKEN_INVALID", "TOKEN_EXPIRED", "BAD_CREDENTIALS", "NOT_FOUND", "FORBIDDEN",
]);

/**
 * Holds one session. onChange is called with each new one before its token is handed out, so that a
 * refresh token that was spent is never found on disk; with null when the session ended.
 */
export class SessionKeeper {
  private refreshing: Promise<string> | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private ended = false;

  constructor(
    private session: SavedSession,
    private readonly caller: Caller,
    private readonly onChange: (session: SavedSession | null) => void,
    private readonly now: () => number = Date.now,
  ) {}

  get current(): SavedSession {
    return this.session;
  }

  /** Starts refreshing ahead of expiry. */
  start(): void {
    this.schedule(this.session.accessExpiresMs - REFRESH_AHEAD_MS - this.now());
  }

  stop(): void {
    clearTimeout(this.timer);
  }

  /** A token with some life left. Throws SessionEnded, or CallError when it cannot be had now. */
  token(): Promise<string> {
    const left = this.session.accessExpiresMs - this.now();
    const sane = left > REFRESH_AHEAD_MS / 2 && left < 2 ** 40;
    return sane ? Promise.resolve(this.session.accessToken) : this.refresh();
  }

  /** The server did not take the token, whatever our clock says. */
  expire(): void {
    this.session = { ...this.session, accessExpiresMs: 0 };
  }

  async logout(): Promise<void> {
    this.stop();
    this.ended = true;
    await call(this.caller, AuthService.method.logout, { refreshToken: this.session.refreshToken });
  }

  private refresh(): Promise<string> {
    if (this.ended) return Promise.reject(new SessionEnded());
    this.refreshing ??= this.exchange().finally(() => (this.refreshing = null));
    return this.refreshing;
  }

  private async exchange(): Promise<string> {
    try {
      const fresh = await call(this.caller, AuthService.method.refresh,
        { refreshToken: this.session.refreshToken });
      this.session = saved(fresh, this.session.handle, this.now());
      this.onChange(this.session);
      this.start();
      return this.session.accessToken;
    } catch (error) {
      if (!(error instanceof CallError) || !ENDS_SESSION.has(error.refusal.code)) throw error;
      this.ended = true;
      this.stop();
      this.onChange(null);
      throw new SessionEnded();
    }
  }

  private schedule(delayMs: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.refresh().catch(() => this.ended || this.schedule(RETRY_MS));
    }, Math.min(Math.max(delayMs, 0), TIMER_MAX_MS));
  }
}
