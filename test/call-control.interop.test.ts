import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openLiveDesks, type LiveDesks } from './live-desks.ts';
import { eventually } from './product-peers.ts';

/** Orders to live calls with real audio: who hears whom is measured at every ear. */
const CUSTOMER = 440;
let house: LiveDesks;

before(async () => {
  const users = ['tone-1000', 'tone-1200', 'tone-784', 'busy'];
  house = await openLiveDesks({ ports: '46000-46399', first: 750, users });
});

after(() => house?.close());

test('on hold the customer hears music instead of the desk, and back; mute and keys', async () => {
  const live = await house.talkTo('tone-1000');
  await live.hearsOnly(1000);
  await live.order({ action: 'hold' });
  const packets = (await live.ear()).packetsIn;
  await eventually('music, no desk', async () => {
    const { heardHz, packetsIn } = await live.ear();
    return !heardHz.includes(1000) && packetsIn > packets + 25;
  });
  await live.order({ action: 'resume' });
  await live.hearsOnly(1000);
  await live.order({ action: 'mute' });
  await eventually('a silent desk', async () => !(await live.ear()).heardHz.includes(1000));
  await live.order({ action: 'unmute' });
  await live.hearsOnly(1000);
  await live.order({ action: 'send_dtmf', digits: '58#' });
  await eventually('the keys', async () => (await live.ear()).digitsHeard === '58#');
  const cdr = await live.end();
  assert.equal(cdr.holds.length, 1);
  assert.ok(cdr.holdMs > 0);
});

test('a blind transfer: the other desk has the customer, the first is gone', async () => {
  const live = await house.talkTo('tone-1000');
  await live.hearsOnly(1000);
  const outcome = await live.order({
    action: 'transfer',
    endpointId: house.desks.get('tone-1200'),
  });
  assert.equal(outcome.status, 'done', JSON.stringify(outcome));
  await live.hearsOnly(1200, 1000);
  await house.deskHears('tone-1200', CUSTOMER);
  assert.equal((await house.deskCall('tone-1000'))?.state, 'ended');
  const busy = await live.order({ action: 'transfer', endpointId: house.desks.get('busy') });
  assert.equal(busy.code, 'endpoint_busy');
  await live.hearsOnly(1200);
  const cdr = await live.end();
  assert.deepEqual(
    cdr.transfers.map(({ outcome: how }) => how),
    ['transferred', 'endpoint_busy'],
  );
});

test('an attended transfer: the desks speak apart, then the customer is handed over', async () => {
  const live = await house.talkTo('tone-1000');
  await live.hearsOnly(1000);
  await house.deskHears('tone-1000', CUSTOMER);
  await live.order({
    action: 'transfer',
    mode: 'attended',
    endpointId: house.desks.get('tone-1200'),
  });
  await house.deskHears('tone-1000', 1200);
  await house.deskHears('tone-1200', 1000);
  const { heardHz } = await live.ear();
  assert.ok(!heardHz.includes(1000) && !heardHz.includes(1200), heardHz.join());
  assert.ok(
    !(await house.deskCall('tone-1200'))?.heardHz.includes(CUSTOMER),
    'the customer was heard',
  );
  await live.order({ action: 'complete_transfer' });
  await live.hearsOnly(1200, 1000);
  await house.deskHears('tone-1200', CUSTOMER);
  await live.end();
});

test('listeners hear both; only a whisper is heard by the desk, only a barge by all', async () => {
  const live = await house.talkTo('tone-1000');
  await live.hearsOnly(1000);
  const endpointId = house.desks.get('tone-784');
  await live.order({ action: 'add_listener', endpointId, mode: 'listen' });
  await house.deskHears('tone-784', CUSTOMER, 1000);
  assert.ok(!(await house.deskCall('tone-1000'))?.heardHz.includes(784), 'a listener was heard');
  await live.order({ action: 'add_listener', endpointId, mode: 'whisper' });
  await house.deskHears('tone-1000', 784);
  assert.ok(!(await live.ear()).everHeardHz.includes(784), 'a whisper was heard by the customer');
  await live.order({ action: 'add_listener', endpointId, mode: 'barge' });
  await eventually('the barge', async () => (await live.ear()).heardHz.includes(784));
  await live.order({ action: 'remove_listener', endpointId });
  await live.hearsOnly(1000, 784);
  const cdr = await live.end();
  assert.deepEqual(
    cdr.listeners.map(({ mode, to }) => [mode, to !== null]),
    [['barge', true]],
  );
});

test('nothing is left of all that', async () => {
  assert.deepEqual(await house.left(), { gateway: [], pbx: [] });
});
