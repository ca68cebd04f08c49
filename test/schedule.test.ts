import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Command } from 'commander';
import type { CallingTimesView, ScheduledCallView } from '../src/calls/schedule-views.ts';
import { isProblem } from '../src/cli/api-client.ts';
import { addCallCommands } from '../src/cli/call-commands.ts';
import type { CallView, EventView, Page, Problem, TimelineEntry } from '../src/http/api-types.ts';
import type { RunView } from '../src/journeys/run-views.ts';
import type { AccountId } from '../src/platform/ids.ts';
import { isoTime } from '../src/platform/clock.ts';
import { setPace } from '../src/schedule/pacing-commands.ts';
import { assertProblem, send } from './api-peer.ts';
import { openStory, type Story } from './harness.ts';
import {
  PURPOSE,
  assertOneEnd,
  call,
  contactOf,
  getYes,
  newPerson,
  placed,
  reach,
} from './story-people.ts';

/** Calls at their best minute: planned, moved, listed, and judged again at the dial. */
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
let story: Story;
let next = 300;

before(async () => {
  story = await openStory({ seed: 51 });
});
after(() => story.close());

const somebody = (like = '101'): string => newPerson(story, String(next++), like);
const inMs = (ms: number): string => isoTime(story.clock.now() + ms);
const refused = async (answer: Promise<CallView | Problem>): Promise<Problem> => {
  const said = await answer;
  assert.ok(isProblem(said), JSON.stringify(said));
  return said;
};
const move = (id: string, to: object): Promise<CallView | Problem> =>
  story.api.post<CallView>(`/v1/calls/${id}/reschedule`, to);
const moved = async (id: string, to: object): Promise<CallView> => {
  const said = await move(id, to);
  assert.ok(!isProblem(said), JSON.stringify(said));
  return said;
};
const cancel = (id: string) => story.api.post(`/v1/calls/${id}/hangup`, {});
const waiting = (query = ''): Promise<Page<ScheduledCallView>> =>
  story.api.get<Page<ScheduledCallView>>(`/v1/scheduled-calls${query}`);

test('a call within a window gets its first legal minute, and is dialled then', async () => {
  const number = somebody();
  const promisedAt = inMs(3 * HOUR);
  await getYes(story, number, { promisedAt });
  const window = { until: inMs(6 * HOUR) };
  const { id, dueAt, latestAt } = await placed(story, number, { window });
  assert.equal(dueAt, isoTime(Date.parse(promisedAt) - 15 * MINUTE));
  assert.equal(latestAt, window.until);
  story.clock.advance(Date.parse(dueAt) - story.clock.now() - 10_000);
  assert.equal(story.simulator.person(number).call, null);
  assert.equal((await reach(story, id, 'ended')).outcome, 'completed');
  await assertOneEnd(story, id);
});

test('minutes that are full are passed over, and the answer tells how full they are', async () => {
  const accountId = await accountOfLine();
  // Six calls in a minute would be one each ten seconds; one each minute is the pace here.
  const pace = { scope: 'account', id: accountId, callsPerSecond: 1 / 60 } as const;
  await story.database.transaction((tx) =>
    setPace(tx, accountId, { ...pace, concurrentCalls: null }),
  );
  const numbers = [somebody(), somebody(), somebody()];
  for (const number of numbers) await getYes(story, number);
  const from = Math.ceil((story.clock.now() + 10 * MINUTE) / MINUTE) * MINUTE;
  const window = { from: isoTime(from), until: isoTime(from + 20 * MINUTE) };
  const ids: string[] = [];
  for (const [index, to] of numbers.entries()) {
    const times = await story.api.post<CallingTimesView>('/v1/calling-times', {
      to,
      purpose: PURPOSE,
      ...window,
      limit: 3,
    });
    assert.ok(!isProblem(times));
    const { id, dueAt } = await placed(story, to, { window });
    assert.equal(dueAt, isoTime(from + index * MINUTE));
    assert.deepEqual([times.best, times.refusal], [dueAt, null]);
    assert.deepEqual(
      times.items,
      [0, 1, 2].map((minute) => ({
        at: isoTime(from + minute * MINUTE),
        booked: minute < index ? 1 : 0,
        capacity: 1,
      })),
    );
    ids.push(id);
  }
  for (const id of ids) await cancel(id);
  await story.database.transaction((tx) =>
    setPace(tx, accountId, { ...pace, callsPerSecond: null, concurrentCalls: null }),
  );
});

test('where a window has no legal minute, the answer says why and what is nearest', async () => {
  const number = somebody();
  await getYes(story, number, { promisedAt: inMs(3 * HOUR) });
  const early = await refused(
    call(story, number, { window: { from: inMs(MINUTE), until: inMs(HOUR) } }),
  );
  assert.equal(early.code, 'promise_not_due');
  const [first, second] = (early.evidence?.['alternatives'] ?? []) as string[];
  assert.deepEqual([first, early.latestAt], [early.allowedAt, undefined]);
  assert.equal(Date.parse(second ?? '') - Date.parse(first ?? ''), 15 * MINUTE);
  const late = await refused(
    call(story, number, { window: { from: inMs(9 * HOUR), until: inMs(12 * HOUR) } }),
  );
  assert.deepEqual([late.code, late.allowedAt], ['promise_missed', undefined]);
  assert.deepEqual(late.evidence?.['alternatives'], [late.latestAt]);
  // What is offered is allowed, as far as is known now.
  const { id } = await placed(story, number, { scheduledAt: late.latestAt });
  await cancel(id);

  const over = await refused(
    call(story, number, { window: { from: inMs(-2 * HOUR), until: inMs(-HOUR) } }),
  );
  assert.deepEqual([over.code, over.status], ['window_empty', 422]);
  const stranger = somebody();
  const unknown = await refused(call(story, stranger, { window: { until: inMs(HOUR) } }));
  assert.equal(unknown.code, 'permission_missing');
  assert.deepEqual(unknown.evidence?.['alternatives'], []);
});

test('a window that ends before it begins, or stands beside a time, is no input', async () => {
  const to = somebody();
  const wrong = [
    { window: { from: inMs(HOUR), until: inMs(MINUTE) } },
    { window: { until: inMs(HOUR) }, scheduledAt: inMs(MINUTE) },
  ];
  for (const body of wrong) {
    const answer = await send(story, 'POST', '/v1/calls', {
      body: { to, purpose: PURPOSE, ...body },
    });
    assert.equal(assertProblem(answer, 400).code, 'invalid_request');
  }
});

test('a call is moved: it waits for its new time, and the business is told', async () => {
  const number = somebody();
  await getYes(story, number);
  const { id } = await placed(story, number, { scheduledAt: inMs(10 * MINUTE) });
  const later = inMs(40 * MINUTE);
  const there = await moved(id, { scheduledAt: later });
  assert.deepEqual([there.dueAt, there.status], [later, 'queued']);
  const { items } = await story.api.get<Page<EventView>>(`/v1/events?callId=${id}&limit=100`);
  const told = items.filter(({ type }) => type === 'call.rescheduled').map(({ data }) => data);
  assert.deepEqual(
    told.map((data) => (data as { call: CallView }).call.dueAt),
    [later],
  );
  story.clock.advance(20 * MINUTE);
  await story.pass(2_000);
  assert.equal(story.simulator.person(number).call, null);
  // Nearer again, as a window: at once, for nothing is in the way.
  const window = { until: inMs(15 * MINUTE) };
  assert.equal((await moved(id, { window })).latestAt, window.until);
  assert.equal((await reach(story, id, 'ended')).outcome, 'completed');
  await assertOneEnd(story, id);
  const ended = await refused(move(id, { scheduledAt: inMs(MINUTE) }));
  assert.deepEqual([ended.code, ended.status], ['call_not_waiting', 409]);
});

test('moves race dials: a call is moved or dialled, and never both', async () => {
  const seen = { moved: 0, dialled: 0 };
  // From well before its time to a little after it, wherever the dialer is then.
  for (const afterMs of [900, 980, 1_000, 1_060]) {
    const number = somebody('100');
    await getYes(story, number);
    const { id } = await placed(story, number, { scheduledAt: inMs(1_000) });
    const later = inMs(20 * MINUTE);
    await story.pass(afterMs);
    const answer = move(id, { scheduledAt: later });
    await story.pass(1_500);
    const said = await answer;
    const isRung = story.simulator.person(number).call !== null;
    assert.equal(isProblem(said), isRung, JSON.stringify(said));
    seen[isRung ? 'dialled' : 'moved'] += 1;
    if (isRung && isProblem(said)) assert.equal(said.code, 'call_not_waiting');
    await cancel(id);
    await reach(story, id, 'ended');
  }
  assert.ok(seen.moved > 0 && seen.dialled > 0, JSON.stringify(seen));
});

test('a move that was answered holds through a crash', async () => {
  const number = somebody();
  await getYes(story, number);
  const { id } = await placed(story, number, { scheduledAt: inMs(1_000) });
  const later = inMs(10 * MINUTE);
  await moved(id, { scheduledAt: later });
  await story.crash();
  await story.pass(3_000);
  assert.equal(story.simulator.person(number).call, null);
  assert.equal((await story.api.get<CallView>(`/v1/calls/${id}`)).dueAt, later);
  story.clock.advance(10 * MINUTE);
  await reach(story, id, 'ended');
  await assertOneEnd(story, id);
});

test('a call whose new time is refused keeps its old one', async () => {
  const number = somebody();
  await getYes(story, number);
  const { id, dueAt } = await placed(story, number, { scheduledAt: inMs(10 * MINUTE) });
  const late = await refused(move(id, { scheduledAt: inMs(5 * HOUR) }));
  assert.equal(late.code, 'promise_missed');
  assert.ok(late.latestAt !== undefined);
  assert.equal((await story.api.get<CallView>(`/v1/calls/${id}`)).dueAt, dueAt);
  // A stop ends what waits; then there is nothing to move.
  story.simulator.act(number, { action: 'write', text: 'STOP' });
  await reach(story, id, 'ended');
  assert.equal((await refused(move(id, { scheduledAt: dueAt }))).code, 'call_not_waiting');
});

test('the same idempotency key moves a call once', async () => {
  const number = somebody();
  await getYes(story, number);
  const { id } = await placed(story, number, { scheduledAt: inMs(10 * MINUTE) });
  const again = {
    body: { scheduledAt: inMs(20 * MINUTE) },
    headers: { 'idempotency-key': 'move-1' },
  };
  const path = `/v1/calls/${id}/reschedule`;
  const first = await send(story, 'POST', path, again);
  const second = await send(story, 'POST', path, again);
  assert.deepEqual([first.status, second.status], [200, 200]);
  assert.equal(second.text, first.text);
  const { items } = await story.api.get<Page<EventView>>(`/v1/events?callId=${id}&limit=100`);
  assert.equal(items.filter(({ type }) => type === 'call.rescheduled').length, 1);
  await cancel(id);
});

test('a call that nobody dialled within its window is blocked, and its yes is kept', async () => {
  const number = somebody();
  await getYes(story, number);
  const until = inMs(30 * MINUTE);
  const window = { from: inMs(20 * MINUTE), until };
  const { id } = await placed(story, number, { window });
  // All at once, as where no process ran meanwhile.
  story.clock.advance(30 * MINUTE + 1);
  const ended = await reach(story, id, 'ended');
  assert.deepEqual([ended.outcome, ended.endReason], ['blocked', 'too_late']);
  assert.equal((await contactOf(story, number)).consents[0]?.status, 'granted');
});

test('calls that wait are listed by their time, page by page and by line', async () => {
  const numbers = [somebody(), somebody(), somebody(), somebody()];
  for (const number of numbers) await getYes(story, number);
  const minutes = [40, 20, 30, 20];
  const ids: string[] = [];
  for (const [index, number] of numbers.entries()) {
    const scheduledAt = inMs((minutes[index] ?? 0) * MINUTE);
    ids.push((await placed(story, number, { scheduledAt })).id);
  }
  const all = await waiting();
  const times = all.items.map(({ lookAt }) => lookAt);
  assert.deepEqual(times, times.toSorted());
  assert.deepEqual([all.items.length, all.next], [4, null]);
  assert.deepEqual(new Set(all.items.map(({ id }) => id)), new Set(ids));
  const paged: string[] = [];
  for (let cursor: string | null = ''; cursor !== null;) {
    const page: Page<ScheduledCallView> = await waiting(
      `?limit=1${cursor === '' ? '' : `&after=${cursor}`}`,
    );
    paged.push(...page.items.map(({ id }) => id));
    cursor = page.next;
  }
  assert.deepEqual(
    paged,
    all.items.map(({ id }) => id),
  );
  const { lineId } = all.items[0] as ScheduledCallView;
  const soon = `?lineId=${lineId}&until=${encodeURIComponent(inMs(25 * MINUTE))}`;
  assert.equal((await waiting(soon)).items.length, 2);
  await cancel(ids[0] ?? '');
  assert.equal((await waiting()).items.length, 3);
  const wrong = await send(story, 'GET', '/v1/scheduled-calls?after=nonsense');
  assert.equal(assertProblem(wrong, 400).code, 'invalid_request');
  for (const id of ids.slice(1)) await cancel(id);
});

test('the times of a contact are asked by id, and those of a stranger by number', async () => {
  const number = somebody();
  await getYes(story, number);
  const { id } = await contactOf(story, number);
  const query = new URLSearchParams({ purpose: PURPOSE, limit: '2' });
  const path = `/v1/contacts/${id}/calling-times?${query.toString()}`;
  const times = await story.api.get<CallingTimesView>(path);
  assert.deepEqual([times.contactId, times.items.length, times.refusal], [id, 2, null]);
  assert.equal(times.best, times.items[0]?.at);
  const waits = await placed(story, number, { scheduledAt: inMs(10 * MINUTE) });
  const second = await story.api.get<CallingTimesView>(path);
  assert.equal(second.refusal?.code, 'call_in_progress');
  const toMove = await story.api.get<CallingTimesView>(`${path}&callId=${waits.id}`);
  assert.deepEqual([toMove.refusal, toMove.items.length], [null, 2]);
  await cancel(waits.id);
  const stranger = { to: '+447700900999', purpose: PURPOSE };
  const none = await story.api.post<CallingTimesView>('/v1/calling-times', stranger);
  assert.ok(!isProblem(none));
  assert.deepEqual([none.contactId, none.best, none.items], [null, null, []]);
  assert.equal(none.refusal?.code, 'permission_missing');
});

test('a call of a journey may wait as long as its step has time', async () => {
  const journey = {
    name: 'Late order',
    steps: [
      { name: 'ask', do: 'ask', template: 'call_permission_request', purpose: PURPOSE },
      { name: 'yes', do: 'wait', for: 'yes', until: { after: '6h' }, else: 'end' },
      { name: 'call', do: 'call', notAfter: { after: '45m' } },
    ],
  };
  const number = somebody();
  const { id } = (await story.api.post('/v1/journeys', journey)) as { id: string };
  assert.ok(!isProblem(await story.api.post(`/v1/journeys/${id}/runs`, { to: number })));
  const placedCall = await story.until('the call', async () => {
    const [latest] = (await story.api.get<Page<CallView>>('/v1/calls?limit=1')).items;
    return latest?.attribution?.journeyId === id ? latest : null;
  });
  const mayWaitMs = Date.parse(placedCall.latestAt) - Date.parse(placedCall.dueAt);
  assert.ok(mayWaitMs > 44 * MINUTE && mayWaitMs <= 45 * MINUTE, String(mayWaitMs));
  await reach(story, placedCall.id, 'ended');
});

/** A journey whose call was promised for a time, and may come until another. */
async function onJourney(to: string, notAfter: string): Promise<RunView> {
  const journey = {
    name: `Promised ${to}`,
    steps: [
      {
        name: 'ask',
        do: 'ask',
        template: 'call_permission_request',
        purpose: PURPOSE,
        promise: { after: '3h' },
      },
      { name: 'yes', do: 'wait', for: 'yes', until: { after: '2h' }, else: 'end' },
      { name: 'call', do: 'call', notAfter: { after: notAfter } },
    ],
  };
  const { id } = (await story.api.post('/v1/journeys', journey)) as { id: string };
  const run = await story.api.post<RunView>(`/v1/journeys/${id}/runs`, { to });
  assert.ok(!isProblem(run), JSON.stringify(run));
  return run;
}

const runAt = (id: string): Promise<RunView> => story.api.get<RunView>(`/v1/journey-runs/${id}`);

const ended = (id: string): Promise<RunView> =>
  story.until('the end of the run', async () => {
    const run = await runAt(id);
    return run.status === 'ended' ? run : null;
  });

const plannedFor = (run: RunView): Promise<ScheduledCallView> =>
  story.until('a planned call', async () => {
    const { items } = await waiting('?limit=100');
    return items.find(({ contactId }) => contactId === run.contactId) ?? null;
  });

test('a call of a journey takes the best minute it has, and is seen in the schedule', async () => {
  const accountId = await accountOfLine();
  const pace = { scope: 'account', id: accountId, callsPerSecond: 1 / 60 } as const;
  await story.database.transaction((tx) =>
    setPace(tx, accountId, { ...pace, concurrentCalls: null }),
  );
  const runs = [await onJourney(somebody(), '4h'), await onJourney(somebody(), '4h')];
  const dueAts: number[] = [];
  for (const run of runs) dueAts.push(Date.parse((await plannedFor(run)).dueAt));
  // Both yeses came within a minute; the second call finds the first minute taken.
  assert.notEqual(Math.floor(dueAts[0]! / MINUTE), Math.floor(dueAts[1]! / MINUTE));
  assert.ok(Math.abs(dueAts[1]! - dueAts[0]!) <= 2 * MINUTE, dueAts.map(isoTime).join(' '));
  await story.database.transaction((tx) =>
    setPace(tx, accountId, { ...pace, callsPerSecond: null, concurrentCalls: null }),
  );
  story.clock.advance(Math.max(...dueAts) - story.clock.now());
  for (const { id } of runs) {
    const over = await ended(id);
    assert.deepEqual([over.end, over.outcome], ['done', 'completed']);
  }
});

test('a journey without a legal minute for its call says so at once', async () => {
  const number = somebody();
  const { id } = await onJourney(number, '30m');
  const over = await ended(id);
  assert.deepEqual([over.end, over.reason], ['refused', 'promise_not_due']);
  const { id: contactId } = await contactOf(story, number);
  const path = `/v1/contacts/${contactId}/timeline?limit=100`;
  const { items } = await story.api.get<Page<TimelineEntry>>(path);
  const said = items.filter(({ type }) => type === 'CallBlocked');
  assert.deepEqual(
    said.map(({ data }) => data['code']),
    ['promise_not_due'],
  );
  assert.equal(story.simulator.person(number).pastCalls.length, 0);
});

test('a call of a journey that is stopped at its minute is planned again', async () => {
  const run = await onJourney(somebody(), '6h');
  const { id, dueAt } = await plannedFor(run);
  assert.ok(!isProblem(await story.api.post<object>('/v1/stop-all', { reason: 'a fire drill' })));
  story.clock.advance(Date.parse(dueAt) - story.clock.now());
  const blocked = await reach(story, id, 'ended');
  assert.deepEqual([blocked.outcome, blocked.endReason], ['blocked', 'account_stopped']);
  await send(story, 'DELETE', '/v1/stop-all', { body: {} });
  const over = await ended(run.id);
  assert.deepEqual([over.end, over.outcome], ['done', 'completed']);
  assert.notEqual(over.callId, id);
});

test('askfirst calls plans, lists, moves and cancels like the API', async () => {
  const number = somebody();
  await getYes(story, number);
  let said = '';
  const typed = async (words: string, ...more: string[]): Promise<string> => {
    let printed = '';
    const output = {
      clock: story.clock,
      connect: () => story.api,
      print: (text: string) => void (printed += text),
      say: (text: string) => void (said = text),
      exit: () => {},
    };
    const program = new Command('askfirst');
    addCallCommands(program, 'unused', output);
    await program.parseAsync(['calls', ...words.split(' '), ...more], { from: 'user' });
    return printed;
  };
  const at = inMs(10 * MINUTE);
  const json = await typed(`schedule --to ${number} --at ${at} --json --purpose`, PURPOSE);
  const { id } = JSON.parse(json) as CallView;
  assert.match(await typed('list --limit 100'), new RegExp(`${id} +${at}`));
  const until = inMs(20 * MINUTE);
  assert.match(await typed(`reschedule ${id} --until ${until}`), new RegExp(`not after ${until}`));
  assert.equal(await typed(`reschedule ${id} --at ${inMs(40 * 24 * HOUR)}`), '');
  assert.match(said, /Fix: [^]*At the latest at/);
  assert.match(await typed(`cancel ${id}`), /has ended: business_hung_up/);
  await typed(`cancel ${id}`);
  assert.match(said, /has ended already/);
});

async function accountOfLine(): Promise<AccountId> {
  const sql = { name: '', text: 'select account_id from lines' };
  const [row] = await story.database.run<{ account_id: AccountId }>(sql, []);
  assert.ok(row !== undefined);
  return row.account_id;
}
