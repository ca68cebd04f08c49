import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SipRequest, SipResponse } from './message.ts';
import { TIMERS, type TimerName } from './timers.ts';
import { TRANSACTION_MACHINES, type TransactionRole } from './transaction-machines.ts';
import { Transaction, type TransactionInput, type TransactionOutput } from './transaction.ts';

const REQUEST: SipRequest = {
  kind: 'request',
  method: 'INVITE',
  uri: 'sip:100@192.0.2.1',
  version: 'SIP/2.0',
  headers: [
    ['Via', 'SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK1'],
    ['From', '<sip:a@192.0.2.9>;tag=1'],
    ['To', '<sip:100@192.0.2.1>'],
    ['Call-ID', 'c'],
    ['CSeq', '1 INVITE'],
  ],
  body: '',
};

function response(status: number): TransactionInput & { response: SipResponse } {
  const headers = REQUEST.headers.map(([name, value]): [string, string] =>
    name === 'To' ? [name, `${value};tag=2`] : [name, value],
  );
  const message = { ...REQUEST, kind: 'response', status, reason: 'x', headers } as const;
  return { kind: 'response', response: message };
}

function kinds(outputs: readonly TransactionOutput[]): string[] {
  return outputs.map((output) =>
    output.kind === 'send' && output.message.kind === 'request'
      ? `send ${output.message.method}`
      : output.kind,
  );
}

/** Wakes the transaction whenever it asks for it, until `untilMs`; tells what came out when. */
function live(transaction: Transaction, fromMs: number, untilMs: number): [number, string][] {
  const told: [number, string][] = [];
  for (let at = transaction.nextWakeAt; at !== undefined && at <= untilMs;) {
    for (const kind of kinds(transaction.wake(at))) told.push([at - fromMs, kind]);
    at = transaction.nextWakeAt;
  }
  return told;
}

test('every state of every machine leads only to states that exist, on timers that run', () => {
  for (const [role, machine] of Object.entries(TRANSACTION_MACHINES)) {
    assert.ok(machine.initial in machine.states, role);
    for (const [name, state] of Object.entries(machine.states)) {
      for (const [input, move] of Object.entries(state.on)) {
        assert.ok(move.to in machine.states, `${role} ${name} ${input}`);
        if (input in TIMERS)
          assert.ok(state.timers.includes(input as TimerName), `${role} ${name}`);
      }
      for (const timer of state.timers) assert.ok(timer in state.on, `${role} ${name} ${timer}`);
    }
  }
});

test('every state takes every input as its table says and stays where it says nothing', () => {
  const inputs: [string, TransactionInput][] = [
    ['provisional', response(180)],
    ['success', response(200)],
    ['failure', response(486)],
    ['repeated', { kind: 'repeated' }],
    ['ack', { kind: 'ack' }],
    ['cancelled', { kind: 'cancelled' }],
    ['sendFailed', { kind: 'sendFailed' }],
  ];
  let seen = 0;
  for (const role of Object.keys(TRANSACTION_MACHINES) as TransactionRole[]) {
    const { states } = TRANSACTION_MACHINES[role];
    for (const name of Object.keys(states)) {
      for (const [input, value] of inputs) {
        const transaction = reach(role, name);
        transaction.handle(value, 1000);
        const moves: Partial<Record<string, { to: string }>> = states[name]?.on ?? {};
        assert.equal(transaction.state, moves[input]?.to ?? name, `${role} ${name} ${input}`);
        seen += 1;
      }
    }
  }
  assert.equal(seen, (6 + 4 + 6 + 4) * inputs.length);
});

/** Brings a transaction to a state by the shortest way of its table. */
function reach(role: TransactionRole, wanted: string): Transaction {
  const ways: Record<string, TransactionInput[]> = {
    calling: [],
    trying: [],
    proceeding: role === 'inviteServer' ? [] : [response(180)],
    cancelling: [response(180), { kind: 'cancelled' }],
    completed: [response(486)],
    accepted: [response(200)],
    confirmed: [response(486), { kind: 'ack' }],
    acknowledged: [response(200), { kind: 'ack' }],
    terminated: [response(180), { kind: 'sendFailed' }],
  };
  const transaction = new Transaction(role, REQUEST, false);
  transaction.start(0);
  for (const input of ways[wanted] ?? []) transaction.handle(input, 0);
  assert.equal(transaction.state, wanted, role);
  return transaction;
}

test('an unanswered INVITE over UDP is sent seven times and given up after 32 s', () => {
  const transaction = new Transaction('inviteClient', REQUEST, false);
  assert.deepEqual(kinds(transaction.start(0)), ['send INVITE']);
  assert.deepEqual(live(transaction, 0, 1e6), [
    ...[500, 1500, 3500, 7500, 15_500, 31_500].map((at): [number, string] => [at, 'send INVITE']),
    [32_000, 'timeout'],
    [32_000, 'terminated'],
  ]);
});

test('over TCP nothing is resent, but the time-out holds', () => {
  const transaction = new Transaction('inviteClient', REQUEST, true);
  transaction.start(0);
  assert.deepEqual(live(transaction, 0, 1e6), [
    [32_000, 'timeout'],
    [32_000, 'terminated'],
  ]);
});

test('Timer E doubles to T2 while trying and keeps T2 while proceeding', () => {
  const transaction = new Transaction('nonInviteClient', { ...REQUEST, method: 'BYE' }, false);
  transaction.start(0);
  assert.deepEqual(
    live(transaction, 0, 10_000).map(([at]) => at),
    [500, 1500, 3500, 7500],
  );
  transaction.handle(response(100), 10_000);
  assert.deepEqual(
    live(transaction, 0, 1e6).map(([at]) => at),
    [11_500, 15_500, 19_500, 23_500, 27_500, 31_500, 32_000, 32_000],
  );
});

test('a refused INVITE is acknowledged at once and again for each repetition', () => {
  const transaction = new Transaction('inviteClient', REQUEST, false);
  transaction.start(0);
  assert.deepEqual(kinds(transaction.handle(response(486), 10)), ['send ACK', 'response']);
  assert.deepEqual(kinds(transaction.handle(response(486), 20)), ['send ACK']);
  assert.deepEqual(live(transaction, 0, 1e6), [[32_010, 'terminated']]);
});

test('the ACK of a refusal has the branch of its INVITE and the tag of the response', () => {
  const transaction = new Transaction('inviteClient', REQUEST, false);
  transaction.start(0);
  const [ack] = transaction.handle(response(404), 10);
  assert.ok(ack?.kind === 'send' && ack.message.kind === 'request');
  const headers = new Map(ack.message.headers);
  assert.equal(headers.get('Via'), 'SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK1');
  assert.equal(headers.get('To'), '<sip:100@192.0.2.1>;tag=2');
  assert.equal(headers.get('CSeq'), '1 ACK');
});

test('each 2xx of an accepted INVITE is passed on for 32 s', () => {
  const transaction = new Transaction('inviteClient', REQUEST, false);
  transaction.start(0);
  assert.deepEqual(kinds(transaction.handle(response(200), 10)), ['response']);
  assert.deepEqual(kinds(transaction.handle(response(200), 20)), ['response']);
  assert.deepEqual(live(transaction, 0, 1e6), [[32_010, 'terminated']]);
});

test('a cancelled INVITE that stays unanswered ends after 32 s', () => {
  const transaction = new Transaction('inviteClient', REQUEST, false);
  transaction.start(0);
  transaction.handle(response(180), 10);
  assert.equal(transaction.nextWakeAt, undefined);
  transaction.handle({ kind: 'cancelled' }, 100);
  assert.deepEqual(live(transaction, 100, 1e6), [
    [32_000, 'timeout'],
    [32_000, 'terminated'],
  ]);
});

test('a 200 we send is repeated until its ACK, over TCP as well', () => {
  for (const reliable of [false, true]) {
    const transaction = new Transaction('inviteServer', REQUEST, reliable);
    transaction.start(0);
    assert.deepEqual(kinds(transaction.handle(response(200), 0)), ['send']);
    assert.deepEqual(live(transaction, 0, 4000), [
      [500, 'send'],
      [1500, 'send'],
      [3500, 'send'],
    ]);
    assert.deepEqual(kinds(transaction.handle({ kind: 'ack' }, 5000)), ['acknowledged']);
    assert.deepEqual(live(transaction, 0, 1e6), [[32_000, 'terminated']]);
  }
});

test('a BYE that arrives twice gets its 200 twice', () => {
  const transaction = new Transaction('nonInviteServer', { ...REQUEST, method: 'BYE' }, false);
  transaction.start(0);
  assert.deepEqual(kinds(transaction.handle({ kind: 'repeated' }, 1)), []);
  assert.deepEqual(kinds(transaction.handle(response(200), 2)), ['send']);
  assert.deepEqual(kinds(transaction.handle({ kind: 'repeated' }, 3)), ['send']);
  assert.deepEqual(live(transaction, 2, 1e6), [[32_000, 'terminated']]);
});
