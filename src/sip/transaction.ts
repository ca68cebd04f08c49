import { headersOf, headerOf, type SipMessage, type SipRequest } from './message.ts';
import type { SipResponse } from './message.ts';
import { TIMERS, type TimerName, type TimerSpec } from './timers.ts';
import {
  TRANSACTION_MACHINES,
  type TransactionAction,
  type TransactionInputName,
  type TransactionMachine,
  type TransactionRole,
} from './transaction-machines.ts';

/**
 * One SIP transaction, without sockets and without a clock: inputs and the time go in, outputs
 * come out, and `nextWakeAt` says when it wants to be called again. All knowledge of states is
 * in `transaction-machines.ts`; this only walks the table.
 */
export type TransactionInput =
  /** Received by a client, or to be sent by a server. */
  | { kind: 'response'; response: SipResponse }
  | { kind: 'repeated' | 'ack' | 'cancelled' | 'sendFailed' };

export type TransactionOutput =
  | { kind: 'send'; message: SipMessage }
  | { kind: 'response'; response: SipResponse }
  | { kind: 'acknowledged' | 'timeout' | 'sendFailed' | 'terminated' };

type RunningTimer = { name: TimerName; dueAt: number; waitMs: number };

export class Transaction {
  readonly role: TransactionRole;
  readonly request: SipRequest;
  readonly #machine: TransactionMachine;
  readonly #reliable: boolean;
  /** Two at most. */
  #running: RunningTimer[] = [];
  #state: string;
  #response: SipResponse | undefined;

  constructor(role: TransactionRole, request: SipRequest, reliable: boolean) {
    this.role = role;
    this.request = request;
    this.#machine = TRANSACTION_MACHINES[role];
    this.#reliable = reliable;
    this.#state = this.#machine.initial;
  }

  get state(): string {
    return this.#state;
  }

  /** Starts the timers; a client also sends its request. */
  start(now: number): TransactionOutput[] {
    this.#arm(now);
    const client = this.role === 'inviteClient' || this.role === 'nonInviteClient';
    return client ? [{ kind: 'send', message: this.request }] : [];
  }

  handle(input: TransactionInput, now: number): TransactionOutput[] {
    if (input.kind !== 'response') return this.#step(input.kind, now);
    const { response } = input;
    const server = this.role === 'inviteServer' || this.role === 'nonInviteServer';
    const name = classOf(response.status);
    // A server keeps what it resends; a response that the state refuses must not replace it.
    if (server && this.#machine.states[this.#state]?.on[name] === undefined) return [];
    this.#response = response;
    const outputs = this.#step(name, now);
    // A client resends its request; what the peer said would only be kept from being forgotten.
    if (!server) this.#response = undefined;
    return outputs;
  }

  /** Fires every timer that is due. */
  wake(now: number): TransactionOutput[] {
    const outputs: TransactionOutput[] = [];
    for (const timer of [...this.#running].sort((a, b) => a.dueAt - b.dueAt)) {
      // An earlier timer of this round may have moved the state and stopped this one.
      if (timer.dueAt > now || !this.#running.includes(timer)) continue;
      this.#rewind(timer, now);
      outputs.push(...this.#step(timer.name, now));
    }
    return outputs;
  }

  get nextWakeAt(): number | undefined {
    let next: number | undefined;
    for (const { dueAt } of this.#running) {
      if (next === undefined || dueAt < next) next = dueAt;
    }
    return next;
  }

  #step(name: TransactionInputName, now: number): TransactionOutput[] {
    const move = this.#machine.states[this.#state]?.on[name];
    if (move === undefined) return [];
    const changed = move.to !== this.#state;
    this.#state = move.to;
    if (changed) this.#arm(now);
    const outputs: TransactionOutput[] = [];
    for (const action of move.do) {
      const output = this.#perform(action);
      if (output !== undefined) outputs.push(output);
    }
    if (changed && move.to === 'terminated') outputs.push({ kind: 'terminated' });
    return outputs;
  }

  #perform(action: TransactionAction): TransactionOutput | undefined {
    const response = this.#response;
    switch (action) {
      case 'send':
        return this.#latest();
      case 'acknowledge':
        return response === undefined
          ? undefined
          : { kind: 'send', message: acknowledge(this.request, response) };
      case 'report':
        return response === undefined ? undefined : { kind: 'response', response };
      case 'reportAck':
        return { kind: 'acknowledged' };
      case 'reportTimeout':
        return { kind: 'timeout' };
      case 'reportSendFailed':
        return { kind: 'sendFailed' };
    }
  }

  #latest(): TransactionOutput | undefined {
    const client = this.role === 'inviteClient' || this.role === 'nonInviteClient';
    const message = client ? this.request : this.#response;
    return message === undefined ? undefined : { kind: 'send', message };
  }

  /** Makes the running timers those of the current state; common ones go on undisturbed. */
  #arm(now: number): void {
    const wanted = this.#machine.states[this.#state]?.timers ?? [];
    const running: RunningTimer[] = [];
    for (const name of wanted) {
      const spec: TimerSpec = TIMERS[name];
      const common = this.#running.find((timer) => timer.name === name);
      if (common !== undefined) running.push(common);
      else if (!this.#reliable || spec.reliable !== 'off') {
        const waitMs = this.#reliable && spec.reliable === 'zero' ? 0 : spec.firstMs;
        running.push({ name, dueAt: now + waitMs, waitMs });
      }
    }
    this.#running = running;
  }

  #rewind(timer: RunningTimer, now: number): void {
    const { name } = timer;
    const spec: TimerSpec = TIMERS[name];
    if (spec.pace === 'once') {
      this.#running = this.#running.filter((other) => other !== timer);
      return;
    }
    const steady = this.#machine.states[this.#state]?.steady?.includes(name) === true;
    timer.waitMs = steady ? spec.capMs : Math.min(timer.waitMs * 2, spec.capMs);
    timer.dueAt = now + timer.waitMs;
  }
}

function classOf(status: number): TransactionInputName {
  if (status < 200) return 'provisional';
  return status < 300 ? 'success' : 'failure';
}

/** RFC 3261 section 17.1.1.3: the ACK of a refusal belongs to the INVITE's own transaction. */
function acknowledge(invite: SipRequest, response: SipResponse): SipRequest {
  const [via = ''] = headersOf(invite, 'via');
  const sequence = (headerOf(invite, 'cseq') ?? '').split(' ')[0] ?? '';
  const routes = headersOf(invite, 'route').map((value): [string, string] => ['Route', value]);
  return {
    kind: 'request',
    method: 'ACK',
    uri: invite.uri,
    version: 'SIP/2.0',
    headers: [
      ['Via', via],
      ['Max-Forwards', '70'],
      ...routes,
      ['From', headerOf(invite, 'from') ?? ''],
      ['To', headerOf(response, 'to') ?? ''],
      ['Call-ID', headerOf(invite, 'call-id') ?? ''],
      ['CSeq', `${sequence} ACK`],
    ],
    body: '',
  };
}
