import type { RegisterOutcome } from '../sip/sip.ts';

/**
 * A registration at one target (RFC 3261 section 10), folded from what the registrar said. Pure.
 * It is renewed at half of its time, so that one lost answer does not end it; after trouble it is
 * tried again ever more rarely, because a PBX that is coming up must not be drowned.
 */
export type Registration = {
  /** `refused`: it knows us and says no; only a person can change that. */
  state: 'registered' | 'trying' | 'refused';
  /** When this state began. */
  since: number;
  status: number;
  reason: string;
  /** Until when the registrar holds it; null where it does not. */
  expiresAt: number | null;
  /** When to send the next REGISTER. */
  nextAt: number;
  /** What to ask for. */
  seconds: number;
  failures: number;
};

export const REGISTER_SECONDS = 300;
const SHORTEST_SECONDS = 30;
const LONGEST_SECONDS = 3_600;
const FIRST_WAIT_MS = 5_000;
const LONGEST_WAIT_MS = 300_000;

/** A no that another try will not change: wrong password, unknown user, not allowed. */
const REFUSALS: ReadonlySet<number> = new Set([400, 401, 403, 404, 405, 407, 501]);

export function afterRegister(
  before: Registration | null,
  outcome: RegisterOutcome,
  now: number,
): Registration {
  const { status, reason } = outcome;
  const seconds = before?.seconds ?? REGISTER_SECONDS;
  if (status >= 200 && status < 300) {
    const granted = Math.min(LONGEST_SECONDS, outcome.expiresSeconds ?? seconds);
    // A registrar that grants a moment must not be asked every moment.
    const renewMs = Math.max(SHORTEST_SECONDS / 2, granted / 2) * 1_000;
    const since = before?.state === 'registered' ? before.since : now;
    const held = { expiresAt: now + granted * 1_000, nextAt: now + renewMs };
    return { state: 'registered', since, status, reason, ...held, seconds, failures: 0 };
  }
  const failures = (before?.failures ?? 0) + 1;
  const { minExpiresSeconds } = outcome;
  // RFC 3261 section 10.2.8: too brief; what it wants is granted at once, within reason.
  if (status === 423 && minExpiresSeconds !== null && minExpiresSeconds > seconds) {
    const wanted = Math.min(LONGEST_SECONDS, minExpiresSeconds);
    return { ...failed(before, outcome, now), seconds: wanted, nextAt: now, failures };
  }
  const waitMs = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(failures - 1, 10));
  return { ...failed(before, outcome, now), seconds, nextAt: now + waitMs, failures };
}

/** Until its time is over a registration still holds, whatever became of its renewal. */
function failed(
  before: Registration | null,
  { status, reason }: RegisterOutcome,
  now: number,
): Pick<Registration, 'state' | 'since' | 'status' | 'reason' | 'expiresAt'> {
  const isRefused = REFUSALS.has(status);
  const expiresAt = before?.expiresAt ?? null;
  const holds = !isRefused && expiresAt !== null && expiresAt > now;
  const state = isRefused ? 'refused' : holds ? 'registered' : 'trying';
  const since = before?.state === state ? before.since : now;
  return { state, since, status, reason, expiresAt: holds ? expiresAt : null };
}
