import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openLiveDesks, type LiveDesks, type LiveTalk } from './live-desks.ts';
import { needsProgram } from './peers.ts';
import { eventually } from './product-peers.ts';
import { freePort, startSipp, untilListening } from './sipp-peer.ts';

/**
 * Keys toward a real phone that is no part of ours: by SIP INFO where it takes no telephone
 * events, else in the audio, and never both. SIPp fails at an INFO that its scenario does not name.
 */
const skip = needsProgram('sipp', 'sip-tester');

let house: LiveDesks;
let port = 0;
let echoPort = 0;

before(async () => {
  if (skip !== false) return;
  [port, echoPort] = [await freePort(), await freePort()];
  house = await openLiveDesks({ ports: '45000-45099', first: 860, users: [] });
  await house.addDesk('desk', `sip:100@127.0.0.1:${port}`, { healthCheck: 'off' });
});

after(() => house?.close());

async function withPhone(
  scenario: string,
  words: Readonly<Record<string, string>>,
  story: (live: LiveTalk) => Promise<void>,
): Promise<void> {
  const phone = startSipp(scenario, 'udp', port, { words, echoPort });
  try {
    await untilListening('udp', port);
    const live = await house.talkTo('desk');
    await story(live);
    if ((await house.view(live.id)).status !== 'ended') await live.end();
    const { code, output } = await phone.done;
    assert.equal(code, 0, output);
  } finally {
    phone.stop();
  }
}

const send = (digits: string) => ({ action: 'send_dtmf', digits, leg: 'endpoint' }) as const;

test("ordered keys and the customer's own come by INFO, in their order", { skip }, () =>
  withPhone('keys-by-info', {}, async (live) => {
    const ordered = await live.order(send('47#'));
    assert.equal(ordered.status, 'done', JSON.stringify(ordered));
    await live.press('5');
    await eventually('its end', async () => (await house.view(live.id)).status === 'ended');
    const { endReason } = await house.view(live.id);
    assert.equal(endReason, 'endpoint_hung_up');
  }),
);

test('a phone whose Allow names no INFO is sent none, and the order says why', { skip }, () =>
  withPhone(
    'keys-without-info',
    { allow: 'INVITE, ACK, CANCEL, BYE', formats: '0' },
    async (live) => {
      await live.press('5');
      const ordered = await live.order(send('47#'));
      assert.deepEqual([ordered.status, ordered.code], ['failed', 'keys_refused']);
    },
  ),
);

test('a phone that takes telephone events hears keys in its audio, and no INFO', { skip }, () =>
  withPhone(
    'keys-without-info',
    { allow: 'INVITE, ACK, CANCEL, BYE, INFO', formats: '0 101' },
    async (live) => {
      const ordered = await live.order(send('47#'));
      assert.equal(ordered.status, 'done', JSON.stringify(ordered));
      await live.press('5');
      // Its echo is the proof: each key comes back once, and is played to the customer.
      await eventually('its echo', async () => (await live.ear()).digitsHeard === '47#5');
    },
  ),
);
