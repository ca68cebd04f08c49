import type { TimerName } from './timers.ts';

/**
 * The four transaction machines of RFC 3261 section 17 with the corrections of RFC 6026, as
 * data. Hold each against its figure:
 *
 *   INVITE client (figure 5)          calling -> proceeding -> completed | accepted -> terminated
 *   non-INVITE client (figure 6)      trying -> proceeding -> completed -> terminated
 *   INVITE server (figure 7)          proceeding -> completed -> confirmed -> terminated
 *                                     proceeding -> accepted -> acknowledged -> terminated
 *   non-INVITE server (figure 8)      trying -> proceeding -> completed -> terminated
 *
 * A state names the timers that run in it. A timer that runs in both the old and the new state
 * goes on undisturbed; all others are stopped or started. An input that a state does not name
 * changes nothing. `terminated` has no way out.
 */
export type TransactionInputName =
  | TimerName
  /** A 1xx, 2xx, 3xx-6xx: received by a client, sent by a server. */
  | 'provisional'
  | 'success'
  | 'failure'
  /** The request arrived once more. */
  | 'repeated'
  | 'ack'
  /** The user sent a CANCEL for this INVITE; RFC 3261 9.1 bounds the wait from here. */
  | 'cancelled'
  | 'sendFailed';

export type TransactionAction =
  /** A client sends its request, a server its latest response. */
  'send' | 'acknowledge' | 'report' | 'reportAck' | 'reportTimeout' | 'reportSendFailed';

export type TransactionMove = { to: string; do: readonly TransactionAction[] };
export type TransactionState = {
  timers: readonly TimerName[];
  /** Timers whose pace is at its cap from here on: Timer E while proceeding. */
  steady?: readonly TimerName[];
  on: Readonly<Partial<Record<TransactionInputName, TransactionMove>>>;
};
export type TransactionMachine = {
  initial: string;
  states: Readonly<Record<string, TransactionState>>;
};

const go = (to: string, ...actions: TransactionAction[]): TransactionMove => ({ to, do: actions });
const unsendable = go('terminated', 'reportSendFailed');
const silent = go('terminated', 'reportTimeout');
const terminated: TransactionState = { timers: [], on: {} };

export const INVITE_CLIENT: TransactionMachine = {
  initial: 'calling',
  states: {
    calling: {
      timers: ['timerA', 'timerB'],
      on: {
        timerA: go('calling', 'send'),
        timerB: silent,
        provisional: go('proceeding', 'report'),
        success: go('accepted', 'report'),
        failure: go('completed', 'acknowledge', 'report'),
        sendFailed: unsendable,
      },
    },
    // No timer runs here: the ring time-out of the call is what ends a peer that only rings.
    proceeding: {
      timers: [],
      on: {
        provisional: go('proceeding', 'report'),
        success: go('accepted', 'report'),
        failure: go('completed', 'acknowledge', 'report'),
        cancelled: go('cancelling'),
        sendFailed: unsendable,
      },
    },
    // RFC 3261 9.1: without a final answer within 64*T1 the INVITE counts as cancelled.
    cancelling: {
      timers: ['timerB'],
      on: {
        timerB: silent,
        provisional: go('cancelling', 'report'),
        success: go('accepted', 'report'),
        failure: go('completed', 'acknowledge', 'report'),
        sendFailed: unsendable,
      },
    },
    completed: {
      timers: ['timerD'],
      on: {
        timerD: go('terminated'),
        failure: go('completed', 'acknowledge'),
        sendFailed: unsendable,
      },
    },
    // RFC 6026: stays, so that every 2xx (resent or from another fork) is acknowledged.
    accepted: {
      timers: ['timerM'],
      on: { timerM: go('terminated'), success: go('accepted', 'report') },
    },
    terminated,
  },
};

export const NON_INVITE_CLIENT: TransactionMachine = {
  initial: 'trying',
  states: {
    trying: {
      timers: ['timerE', 'timerF'],
      on: {
        timerE: go('trying', 'send'),
        timerF: silent,
        provisional: go('proceeding', 'report'),
        success: go('completed', 'report'),
        failure: go('completed', 'report'),
        sendFailed: unsendable,
      },
    },
    proceeding: {
      timers: ['timerE', 'timerF'],
      steady: ['timerE'],
      on: {
        timerE: go('proceeding', 'send'),
        timerF: silent,
        provisional: go('proceeding', 'report'),
        success: go('completed', 'report'),
        failure: go('completed', 'report'),
        sendFailed: unsendable,
      },
    },
    completed: { timers: ['timerK'], on: { timerK: go('terminated') } },
    terminated,
  },
};

export const INVITE_SERVER: TransactionMachine = {
  initial: 'proceeding',
  states: {
    proceeding: {
      timers: [],
      on: {
        repeated: go('proceeding', 'send'),
        provisional: go('proceeding', 'send'),
        success: go('accepted', 'send'),
        failure: go('completed', 'send'),
        sendFailed: unsendable,
      },
    },
    completed: {
      timers: ['timerG', 'timerH'],
      on: {
        repeated: go('completed', 'send'),
        timerG: go('completed', 'send'),
        timerH: silent,
        ack: go('confirmed'),
        sendFailed: unsendable,
      },
    },
    confirmed: { timers: ['timerI'], on: { timerI: go('terminated') } },
    // The RFC leaves resending the 2xx to the user; here it is one more timer of the table.
    accepted: {
      timers: ['timer2xx', 'timerL'],
      on: {
        repeated: go('accepted', 'send'),
        timer2xx: go('accepted', 'send'),
        timerL: silent,
        ack: go('acknowledged', 'reportAck'),
      },
    },
    acknowledged: { timers: ['timerL'], on: { timerL: go('terminated') } },
    terminated,
  },
};

export const NON_INVITE_SERVER: TransactionMachine = {
  initial: 'trying',
  states: {
    trying: {
      timers: [],
      on: {
        provisional: go('proceeding', 'send'),
        success: go('completed', 'send'),
        failure: go('completed', 'send'),
        sendFailed: unsendable,
      },
    },
    proceeding: {
      timers: [],
      on: {
        repeated: go('proceeding', 'send'),
        provisional: go('proceeding', 'send'),
        success: go('completed', 'send'),
        failure: go('completed', 'send'),
        sendFailed: unsendable,
      },
    },
    completed: {
      timers: ['timerJ'],
      on: {
        repeated: go('completed', 'send'),
        timerJ: go('terminated'),
        sendFailed: unsendable,
      },
    },
    terminated,
  },
};

export const TRANSACTION_MACHINES = {
  inviteClient: INVITE_CLIENT,
  nonInviteClient: NON_INVITE_CLIENT,
  inviteServer: INVITE_SERVER,
  nonInviteServer: NON_INVITE_SERVER,
} as const;

export type TransactionRole = keyof typeof TRANSACTION_MACHINES;
