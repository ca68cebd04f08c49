/**
 * The life of one outgoing call above its transactions, as data.
 *
 *   resolving -> calling -> proceeding -> established -> over
 *        |          |           |                         ^
 *        |          +-----------+--> abandoned -----------+
 *        +------------------------------------------------+
 *
 * `abandoned` is a call that its user has been told the end of (hung up, or not answered in
 * time) while the INVITE still waits for a final response: it is cancelled as soon as a
 * provisional response allows it, and a 200 that crosses the CANCEL is acknowledged and ended
 * with BYE. In `over` the same holds for 2xx that come later still. Inputs a state does not
 * name change nothing.
 *
 * `again` is the same INVITE once more, with credentials (401, 407) or a longer session interval
 * (422); `redirected` is one to where a 3xx points, which has to be looked up first.
 */
export const CALL_MACHINE = {
  resolving: {
    resolved: { to: 'calling', do: ['sendInvite'] },
    unsendable: { to: 'over', do: ['reportFailed'] },
    ringTimeout: { to: 'over', do: ['reportFailed'] },
    hangUp: { to: 'over', do: ['reportEndedByUs'] },
  },
  calling: {
    provisional: { to: 'proceeding', do: ['reportRinging'] },
    answered: { to: 'established', do: ['acknowledge', 'reportAnswered'] },
    answeredEmpty: { to: 'over', do: ['acknowledge', 'bye', 'reportFailed'] },
    again: { to: 'calling', do: ['sendInvite'] },
    redirected: { to: 'resolving', do: [] },
    // RFC 3263 section 4.3: this server cannot, and there is another.
    nextServer: { to: 'calling', do: ['sendInvite'] },
    refused: { to: 'over', do: ['reportFailed'] },
    unsendable: { to: 'over', do: ['reportFailed'] },
    ringTimeout: { to: 'abandoned', do: ['reportFailed'] },
    hangUp: { to: 'abandoned', do: ['reportEndedByUs'] },
  },
  proceeding: {
    provisional: { to: 'proceeding', do: ['reportRinging'] },
    answered: { to: 'established', do: ['acknowledge', 'reportAnswered'] },
    answeredEmpty: { to: 'over', do: ['acknowledge', 'bye', 'reportFailed'] },
    again: { to: 'calling', do: ['sendInvite'] },
    redirected: { to: 'resolving', do: [] },
    // RFC 3263 section 4.3: this server cannot, and there is another.
    nextServer: { to: 'calling', do: ['sendInvite'] },
    refused: { to: 'over', do: ['reportFailed'] },
    unsendable: { to: 'over', do: ['reportFailed'] },
    ringTimeout: { to: 'abandoned', do: ['cancel', 'reportFailed'] },
    hangUp: { to: 'abandoned', do: ['cancel', 'reportEndedByUs'] },
  },
  abandoned: {
    provisional: { to: 'abandoned', do: ['cancel'] },
    answered: { to: 'over', do: ['acknowledge', 'bye'] },
    answeredEmpty: { to: 'over', do: ['acknowledge', 'bye'] },
    again: { to: 'over', do: [] },
    redirected: { to: 'over', do: [] },
    refused: { to: 'over', do: [] },
    unsendable: { to: 'over', do: [] },
  },
  established: {
    // A 2xx from a second branch of a forked INVITE (RFC 3261 13.2.2.4): end that one.
    answered: { to: 'established', do: ['acknowledge', 'bye'] },
    answeredEmpty: { to: 'established', do: ['acknowledge', 'bye'] },
    hangUp: { to: 'over', do: ['bye', 'reportEndedByUs'] },
    peerBye: { to: 'over', do: ['reportEndedByEndpoint'] },
    // No ACK to our 200 (RFC 3261 13.3.1.4), no session refresh, or the peer forgot the dialog.
    lost: { to: 'over', do: ['bye', 'reportEndedByUs'] },
  },
  over: {
    answered: { to: 'over', do: ['acknowledge', 'bye'] },
    answeredEmpty: { to: 'over', do: ['acknowledge', 'bye'] },
  },
} as const satisfies Record<string, Record<string, { to: string; do: readonly string[] }>>;

export type CallState = keyof typeof CALL_MACHINE;

export const CALL_INPUTS = [
  'resolved',
  'provisional',
  'answered',
  'answeredEmpty',
  'again',
  'redirected',
  'nextServer',
  'refused',
  'unsendable',
  'ringTimeout',
  'hangUp',
  'peerBye',
  'lost',
] as const;
export type CallInput = (typeof CALL_INPUTS)[number];

export type CallAction =
  | 'sendInvite'
  | 'cancel'
  | 'acknowledge'
  | 'bye'
  | 'reportRinging'
  | 'reportAnswered'
  | 'reportFailed'
  | 'reportEndedByUs'
  | 'reportEndedByEndpoint';

export type CallMove = { to: CallState; do: readonly CallAction[] };

/** The move the table names, or undefined where the input changes nothing. */
export function callMove(state: CallState, input: CallInput): CallMove | undefined {
  const moves: Partial<Record<CallInput, CallMove>> = CALL_MACHINE[state];
  return moves[input];
}
