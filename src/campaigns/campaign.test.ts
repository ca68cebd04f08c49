import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AccountId } from '../platform/ids.ts';
import { isRefused } from '../platform/refusal.ts';
import { CAMPAIGN_MOVES, CAMPAIGN_STATES, moved, paced, type CampaignMove } from './campaign.ts';
import { campaignsAmong, holdOf, type CampaignStanding } from './campaign-hold.ts';
import { windowAt, type CampaignWindow } from './campaign-window.ts';
import { counted, expectedCalls, knownRate, newPreview } from './preview.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** A Wednesday at noon, UTC. */
const NOON = Date.UTC(2026, 5, 3, 12);
const LED: Record<CampaignMove, string> = {
  start: 'running',
  pause: 'paused',
  resume: 'running',
  stop: 'stopped',
  finish: 'done',
};

test('every state takes or refuses every move, and a move made twice is one move', () => {
  for (const state of CAMPAIGN_STATES) {
    for (const move of Object.keys(LED) as CampaignMove[]) {
      const next = moved(state, move);
      const legal: Record<string, string> = CAMPAIGN_MOVES[state];
      if (move in legal) assert.equal(next, legal[move]);
      else if (LED[move] === state) assert.equal(next, state);
      else assert.ok(isRefused(next) && next.refused.code === 'campaign_state', `${state} ${move}`);
    }
  }
});

test('people begin at the pace, and a rest makes no burst', () => {
  const first = paced(null, 60, NOON);
  assert.equal(first.count, 1);
  const until = first.until(1);
  assert.equal(paced(until, 60, NOON).count, 0);
  assert.equal(paced(until, 60, NOON).nextAt, NOON + 1_000);
  assert.equal(paced(until, 60, NOON + 1_000).count, 1);
  assert.equal(paced(until, 60, NOON + HOUR).count, 5, 'five seconds of people at most');
  assert.equal(paced(NOON, 1, NOON + 30_000).count, 0);
  assert.equal(paced(NOON, 1, NOON + MINUTE).count, 1, 'slower than the burst is no never');
});

const OFFICE: CampaignWindow = {
  days: [1, 2, 3, 4, 5],
  from: '09:00',
  until: '17:00',
  timeZone: 'Europe/Berlin',
};

test('the hours of a campaign are those of its zone, also when clocks change', () => {
  assert.deepEqual(windowAt(OFFICE, NOON), {
    open: true,
    openSince: Date.UTC(2026, 5, 3, 7),
    opensAt: null,
  });
  assert.equal(windowAt(OFFICE, Date.UTC(2026, 5, 3, 15)).open, false, '17:00 is outside');
  const friday = Date.UTC(2026, 2, 27, 20);
  // Clocks go forward on Sunday the 29th: Monday begins an hour earlier in UTC.
  assert.equal(windowAt(OFFICE, friday).opensAt, Date.UTC(2026, 2, 30, 7));
  const nowhere = { ...OFFICE, timeZone: 'Nowhere/Else' };
  assert.deepEqual(windowAt(nowhere, NOON), { open: false, openSince: null, opensAt: null });
});

test('a call or step is held by its own campaign alone, and free since it could go on', () => {
  const accountId = 'acct_1' as AccountId;
  const of = { accountId, attribution: { campaignId: 'cmp_1' } };
  const standing = (more: Partial<CampaignStanding>): ReadonlyMap<string, CampaignStanding> =>
    new Map([['cmp_1', { accountId, state: 'running', window: null, resumedAt: 7, ...more }]]);
  assert.deepEqual(holdOf(standing({}), of, NOON), { kind: 'free', freeSince: 7 });
  assert.deepEqual(holdOf(standing({ state: 'paused' }), of, NOON), { kind: 'paused' });
  assert.deepEqual(holdOf(standing({ state: 'stopped' }), of, NOON), { kind: 'stopped' });
  const window = { ...OFFICE, from: '18:00', until: '20:00' };
  assert.deepEqual(holdOf(standing({ window }), of, NOON), {
    kind: 'closed',
    opensAt: NOON + 4 * HOUR,
  });
  assert.deepEqual(holdOf(standing({ window: OFFICE }), of, NOON), {
    kind: 'free',
    freeSince: Date.UTC(2026, 5, 3, 7),
  });
  const others = { accountId: 'acct_2' as AccountId };
  assert.equal(holdOf(standing({ ...others, state: 'stopped' }), of, NOON).kind, 'free');
  assert.equal(holdOf(standing({ state: 'stopped' }), { accountId }, NOON).kind, 'free');
  assert.deepEqual(campaignsAmong([of, {}, of, { attribution: { campaignId: 'cmp_0' } }]), [
    'cmp_0',
    'cmp_1',
  ]);
});

test('a preview adds page after page, and keeps sums alone', () => {
  const country = 'GB';
  const kept = { code: 'request_quiet_hours', rule: 'request_hours', laterAt: NOON + HOUR };
  const preview = counted(newPreview(true, NOON), {
    judged: [
      { country, verdict: 'reachable', requestsLeft: 1 },
      { country, verdict: 'askable', requestsLeft: 2 },
      { country, verdict: kept, requestsLeft: 2 },
      {
        country: null,
        verdict: { code: 'do_not_call', rule: null, laterAt: null },
        requestsLeft: 0,
      },
    ],
    looked: 4,
    after: 'cont_4',
    elsewhere: 1,
  });
  const again = counted(preview, {
    judged: [{ country, verdict: { ...kept, laterAt: NOON + MINUTE }, requestsLeft: 0 }],
    looked: 1,
    after: 'cont_5',
    elsewhere: 0,
  });
  const { looked, reachable, askable, later, laterFrom, requestsLeft, elsewhere } = again;
  assert.deepEqual(
    { looked, reachable, askable, later, laterFrom, requestsLeft, elsewhere },
    {
      looked: 5,
      reachable: 1,
      askable: 1,
      later: 2,
      laterFrom: NOON + MINUTE,
      requestsLeft: 5,
      elsewhere: 1,
    },
  );
  assert.equal(again.blocked['request_quiet_hours']?.people, 2);
  assert.equal(again.blocked['do_not_call']?.later, false);
  assert.deepEqual(again.countries, { GB: { reachable: 1, askable: 1 } });
});

test('a rate from too few cases is unknown, and so is what rests on it', () => {
  assert.deepEqual(knownRate(9, 10), { value: null, cases: 10 });
  assert.deepEqual(knownRate(30, 60), { value: 0.5, cases: 60 });
  assert.equal(expectedCalls({ reachable: 4, askable: 10 }, knownRate(1, 2)), null);
  assert.equal(expectedCalls({ reachable: 4, askable: 0 }, knownRate(1, 2)), 4);
  assert.equal(expectedCalls({ reachable: 4, askable: 10 }, knownRate(30, 60)), 9);
});
