const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/**
 * Every number Meta could change, and every number Meta does not publish. Defaults are Meta's
 * values of mid 2026; those marked "not published" are our reading.
 */
export type SimulatorSettings = {
  /** How long "allow" lasts, from the tap. */
  temporaryPermissionMs: number;
  /** Permission requests per line and person, reset by any connected call. */
  requestsPerDay: number;
  requestsPerWeek: number;
  /** How long a request can be answered after delivery, and changed after the answer. */
  requestOpenMs: number;
  connectedCallsPerDay: number;
  /** Unanswered calls in a row until WhatsApp tells the person about it, and until it revokes. */
  unansweredUntilNotice: number;
  unansweredUntilRevoked: number;
  /** The customer service window, in which free-form messages may be sent. */
  windowMs: number;
  concurrentCalls: number;
  callsPerSecond: number;
  permissionQueriesPerSecond: number;
  /** ISO countries whose business numbers cannot place calls. */
  blockedCountries: readonly string[];
  /** Take `to` + `session` without `action` as connect (reported of Meta, not documented). */
  lenientConnect: boolean;
  /** Documented as text, captured as integer. */
  expirationTimestampAs: 'string' | 'integer';

  /** From our 200 to the connect webhook (not published). */
  connectAfterMs: number;
  /** From the connect webhook to RINGING (not published). */
  ringingAfterMs: number;
  /** Not published; Meta names 30 to 60 s for the other direction. */
  ringTimeoutMs: number;
  /** From the connect webhook to 138020 when the phone cannot be reached (not published). */
  unreachableAfterMs: number;
  /** ICE and DTLS must be up this long after the connect webhook, else 138007 (not published). */
  mediaConnectMs: number;
  /** 138021: nothing from the business at the start, or later. */
  noMediaAtStartMs: number;
  noMediaLaterMs: number;
  /** A browser phone that sent nothing for so long is gone. */
  phoneSilentMs: number;
  templateReviewMs: number;
  /** How many people are remembered: beyond it, those nobody dealt with for longest make room. */
  people: number;

  webhookTimeoutMs: number;
  /** Waits between attempts; after the last one the delivery is given up. */
  webhookRetryMs: readonly number[];
};

export const DEFAULT_SETTINGS: SimulatorSettings = {
  temporaryPermissionMs: 7 * DAY,
  requestsPerDay: 1,
  requestsPerWeek: 2,
  requestOpenMs: 7 * DAY,
  connectedCallsPerDay: 100,
  unansweredUntilNotice: 2,
  unansweredUntilRevoked: 4,
  windowMs: DAY,
  concurrentCalls: 1000,
  callsPerSecond: 100,
  permissionQueriesPerSecond: 100,
  blockedCountries: ['US', 'CA', 'EG', 'VN', 'NG'],
  lenientConnect: false,
  expirationTimestampAs: 'string',
  connectAfterMs: 300,
  ringingAfterMs: 700,
  ringTimeoutMs: 60 * SECOND,
  unreachableAfterMs: 15 * SECOND,
  mediaConnectMs: 20 * SECOND,
  noMediaAtStartMs: 20 * SECOND,
  noMediaLaterMs: 30 * SECOND,
  phoneSilentMs: 10 * SECOND,
  templateReviewMs: 2 * SECOND,
  people: 10_000,
  webhookTimeoutMs: 20 * SECOND,
  webhookRetryMs: [
    1 * SECOND,
    5 * SECOND,
    20 * SECOND,
    MINUTE,
    5 * MINUTE,
    30 * MINUTE,
    3 * HOUR,
    12 * HOUR,
    DAY,
    2 * DAY,
    3 * DAY,
  ],
};

export const DAY_MS = DAY;
