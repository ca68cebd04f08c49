/**
 * Whether a target is there, by what it says to OPTIONS (RFC 3261 section 11). Pure. One lost
 * packet must not turn calls away, nor one lucky answer draw them, so both take several in a row.
 */
export type TargetHealth = {
  state: 'up' | 'down' | 'unknown';
  /** When this state began. */
  since: number;
  checkedAt: number;
  /** What the last check said. */
  status: number;
  reason: string;
  roundTripMs: number | null;
  /** Checks in a row that spoke against the state. */
  against: number;
};

export type Check = { status: number; reason: string; roundTripMs: number; at: number };

export const DOWN_AFTER = 3;
export const UP_AFTER = 2;

/** Any answer is a sign of life, also a no; only silence and a server's own trouble are not. */
export function isSignOfLife(status: number): boolean {
  // 501: it lives, and does not know OPTIONS.
  return status === 501 || (status !== 408 && (status < 500 || status >= 600));
}

/** Folds one check in. A target that nobody knows is up with its first sign of life. */
export function afterCheck(before: TargetHealth | null, check: Check): TargetHealth {
  const { status, reason, at } = check;
  const alive = isSignOfLife(status);
  const state = before?.state ?? 'unknown';
  const told = { checkedAt: at, status, reason, roundTripMs: alive ? check.roundTripMs : null };
  const stays = { state, since: before?.since ?? at, ...told };
  if (alive === (state === 'up') && state !== 'unknown') return { ...stays, against: 0 };
  const against = (before?.against ?? 0) + 1;
  if (alive && (state === 'unknown' || against >= UP_AFTER)) {
    return { state: 'up', since: at, ...told, against: 0 };
  }
  if (!alive && against >= DOWN_AFTER) return { state: 'down', since: at, ...told, against: 0 };
  return { ...stays, against };
}

export type EndpointState = 'up' | 'degraded' | 'down' | 'unknown';

/** Of all targets together: degraded where some are down and some are not. */
export function endpointState(states: ReadonlyArray<TargetHealth['state']>): EndpointState {
  const down = states.filter((state) => state === 'down').length;
  if (down > 0) return down === states.length ? 'down' : 'degraded';
  return states.length > 0 && states.every((state) => state === 'up') ? 'up' : 'unknown';
}
