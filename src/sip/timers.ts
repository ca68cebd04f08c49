/**
 * The timers of RFC 3261 (section 17, table 4) and RFC 6026, as one table. All are derived from
 * T1, so a reader can hold the file against the RFC.
 */
export const T1_MS = 500;
export const T2_MS = 4000;
export const T4_MS = 5000;
const TRANSACTION_MS = 64 * T1_MS;

export type TimerSpec = {
  firstMs: number;
  /** `once` fires one time; `double` fires again after twice the wait, up to `capMs`. */
  pace: 'once' | 'double';
  capMs: number;
  /** Over TCP nothing is resent (`off`) and nothing needs absorbing (`zero`). */
  reliable: 'same' | 'zero' | 'off';
};

const once = (firstMs: number, reliable: TimerSpec['reliable']): TimerSpec => ({
  firstMs,
  pace: 'once',
  capMs: firstMs,
  reliable,
});
const doubling = (capMs: number, reliable: TimerSpec['reliable']): TimerSpec => ({
  firstMs: T1_MS,
  pace: 'double',
  capMs,
  reliable,
});

export const TIMERS = {
  /** INVITE request retransmission. */
  timerA: doubling(TRANSACTION_MS, 'off'),
  /** INVITE transaction time-out. */
  timerB: once(TRANSACTION_MS, 'same'),
  /** Wait for retransmitted final responses to an INVITE. */
  timerD: once(TRANSACTION_MS, 'zero'),
  /** Non-INVITE request retransmission. */
  timerE: doubling(T2_MS, 'off'),
  /** Non-INVITE transaction time-out. */
  timerF: once(TRANSACTION_MS, 'same'),
  /** INVITE final response retransmission. */
  timerG: doubling(T2_MS, 'off'),
  /** Wait for the ACK of a final response that is not 2xx. */
  timerH: once(TRANSACTION_MS, 'same'),
  /** Wait for retransmitted ACKs. */
  timerI: once(T4_MS, 'zero'),
  /** Wait for retransmitted non-INVITE requests. */
  timerJ: once(TRANSACTION_MS, 'zero'),
  /** Wait for retransmitted responses to a non-INVITE request. */
  timerK: once(T4_MS, 'zero'),
  /** RFC 6026: wait for the ACK of a 2xx that we sent. */
  timerL: once(TRANSACTION_MS, 'same'),
  /** RFC 6026: wait for further 2xx, from forks or resent ones. */
  timerM: once(TRANSACTION_MS, 'same'),
  /** RFC 3261 13.3.1.4: a 2xx to INVITE is resent until its ACK comes, over TCP as well. */
  timer2xx: doubling(T2_MS, 'same'),
} as const satisfies Record<string, TimerSpec>;

export type TimerName = keyof typeof TIMERS;
