import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { PermissionId, PermissionRequestId } from '../platform/ids.ts';
import { isRefused } from '../platform/refusal.ts';
import {
  decide,
  evolveAll,
  initialConsent,
  type ConsentCommand,
  type ConsentRules,
  type ConsentState,
} from './consent.ts';

const DAY = 86_400_000;
const START = Date.UTC(2026, 0, 5, 12);
const NOW = START + 3_600_000;
const rules: ConsentRules = {
  grantValidMs: DAY,
  permanentValidMs: DAY,
  callsPerGrant: 1,
  requestCaps: [{ requestsMax: 3, windowMs: 30 * DAY, resetBy: 'yes' }],
  requestLapsesMs: 7 * DAY,
};
const requestId = 'preq_1' as PermissionRequestId;

function fold(state: ConsentState, commands: readonly ConsentCommand[]): ConsentState {
  return commands.reduce((before, command) => {
    const decided = decide(command, before, { now: NOW, rules });
    return isRefused(decided) ? before : evolveAll(before, decided.events);
  }, state);
}

const asked = fold(initialConsent, [
  {
    type: 'RequestPermission',
    requestId,
    purpose: 'your order 1042',
    template: 'call_permission_request',
    language: 'en',
    text: 'May we call you about your order 1042?',
    promisedAt: null,
    packName: 'strict-2026-01',
    at: START,
  },
]);

/** A fact from outside, as webhooks bring it; whole seconds, few of them, so that ties happen. */
const fact: fc.Arbitrary<ConsentCommand> = fc
  .record({
    kind: fc.constantFrom('accept', 'reject', 'opt_out', 'meta'),
    second: fc.integer({ min: 1, max: 6 }),
    name: fc.constantFrom('a', 'b', 'c'),
    quotes: fc.boolean(),
    automatic: fc.boolean(),
  })
  .map(({ kind, second, name, quotes, automatic }): ConsentCommand => {
    const at = START + second * 1000;
    // Meta and we each take people out in one way, so one instant has one revocation.
    if (kind === 'opt_out' || kind === 'meta') {
      return { type: 'Revoke', by: second % 2 === 0 ? 'opt_out' : 'meta', reason: 'stop', at };
    }
    const id = `${kind}.${second}.${name}`;
    return {
      type: 'RecordReply',
      response: kind,
      permanent: false,
      metaExpiresAt: null,
      source: automatic ? 'automatic' : 'user',
      contextMessageId: quotes ? 'wamid.request' : null,
      messageId: `wamid.${id}.${quotes ? 'q' : 'n'}.${automatic ? 'auto' : 'user'}`,
      permissionId:
        `perm_${id}.${quotes ? 'q' : 'n'}.${automatic ? 'auto' : 'user'}` as PermissionId,
      at,
    };
  });

const news: ConsentCommand[] = [
  { type: 'RecordRequestSent', requestId, messageId: 'wamid.request', at: START + 100 },
  { type: 'RecordRequestDelivered', requestId, at: START + 200 },
  { type: 'RecordRequestRead', requestId, at: START + 300 },
];

/** What matters of a state for the customer: may a call be placed, on which yes, until when. */
function essence(state: ConsentState): unknown {
  return {
    status: state.status,
    permission: 'permission' in state ? state.permission : null,
    request: 'request' in state ? state.request : null,
    revokedAt: state.status === 'revoked' ? state.revokedAt : null,
    revokedBy: state.status === 'revoked' ? state.revokedBy : null,
    declinedAt: state.status === 'declined' ? state.declinedAt : null,
    history: state.history,
  };
}

test('10,000 shuffles of doubled facts end in one and the same state', () => {
  const shuffles = fc.array(fact, { minLength: 1, maxLength: 7 }).chain((facts) => {
    const twice = [...facts, ...facts, ...news, ...news];
    return fc.record({
      facts: fc.constant(facts),
      shuffled: fc.shuffledSubarray(twice, {
        minLength: twice.length,
        maxLength: twice.length,
      }),
    });
  });
  fc.assert(
    fc.property(shuffles, ({ facts, shuffled }) => {
      const inOrder = [...facts].sort((a, b) => timeOf(a) - timeOf(b));
      const expected = essence(fold(asked, [...news, ...inOrder]));
      assert.deepEqual(essence(fold(asked, shuffled)), expected);
    }),
    { seed: 2026, numRuns: 10_000 },
  );
});

test('whatever arrives in whatever order, a later no leaves nothing to call on', () => {
  fc.assert(
    fc.property(fc.array(fact, { minLength: 1, maxLength: 8 }), (facts) => {
      const state = fold(asked, [...news, ...facts]);
      const last = Math.max(...facts.map(timeOf));
      const atLast = facts.filter((one) => timeOf(one) === last);
      const saysNo = atLast.some((one) => one.type === 'Revoke' || isReject(one));
      assert.equal(state.status === 'granted', !saysNo);
    }),
    { seed: 2027, numRuns: 10_000 },
  );
});

function isReject(command: ConsentCommand): boolean {
  return command.type === 'RecordReply' && command.response === 'reject';
}

function timeOf(command: ConsentCommand): number {
  return 'at' in command ? command.at : 0;
}
