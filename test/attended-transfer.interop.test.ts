import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openKamailio, type KamailioPeer } from './kamailio-peer.ts';
import { openLiveDesks, type LiveDesks } from './live-desks.ts';
import { needsProgram } from './peers.ts';
import { eventually } from './product-peers.ts';
import { freePort, startSipp, untilListening } from './sipp-peer.ts';

/**
 * A PBX behind a Kamailio that stays in the route, with a real customer's leg in front. The second
 * desk sends back what it hears: the customer's own tone is the proof that both directions of the
 * audio have moved to it.
 */
const skip =
  needsProgram('kamailio', 'kamailio kamailio-tls-modules') || needsProgram('sipp', 'sip-tester');
const CUSTOMER = 440;
const SECRET = { username: 'askfirst', password: 'secret' };

let house: LiveDesks;
let kamailio: KamailioPeer | null = null;
let phonePort = 0;
let otherPort = 0;
let echoPort = 0;

before(async () => {
  if (skip !== false) return;
  [phonePort, otherPort, echoPort] = [await freePort(), await freePort(), await freePort()];
  const realm = 'pbx.test';
  const { password } = SECRET;
  kamailio = await openKamailio({ phonePort, otherPort, algorithm: 'SHA-256', realm, password });
  house = await openLiveDesks({ ports: '46600-46699', first: 830, users: [] });
  await house.addDesk('desk', address('100'), SECRET);
  await house.addDesk('other', address('200'), SECRET);
});

after(async () => {
  await house?.close();
  await kamailio?.close();
});

const address = (user: string): string => `sip:${user}@127.0.0.1:${kamailio?.port ?? 0}`;

/** The first desk by its scenario, the second one with an echo. */
async function withPhones(
  [first, second]: readonly [string, string],
  story: () => Promise<void>,
): Promise<void> {
  const words = { desk: address('200') };
  const phones = [
    startSipp(first, 'udp', phonePort, { words }),
    startSipp(second, 'udp', otherPort, { echoPort }),
  ];
  try {
    await Promise.all([phonePort, otherPort].map((port) => untilListening('udp', port)));
    await story();
    for (const { done } of phones) {
      const { code, output } = await done;
      assert.equal(code, 0, output);
    }
  } finally {
    for (const phone of phones) phone.stop();
  }
}

test('a PBX transfers after a word with the other desk: the customer is there', { skip }, () =>
  withPhones(['attended-and-let-go', 'replaced-behind-proxy'], async () => {
    const live = await house.talkTo('desk');
    assert.ok(!(await live.ear()).heardHz.includes(CUSTOMER), 'an echo before the transfer');
    // Its phone takes no telephone events, so the key comes by INFO: that is its sign.
    const key = await live.order({ action: 'send_dtmf', digits: '1', leg: 'endpoint' });
    assert.equal(key.status, 'done', JSON.stringify(key));
    await live.hearsOnly(CUSTOMER);
    const { transfers } = await live.end();
    assert.deepEqual(
      transfers.map(({ by, outcome }) => [by, outcome]),
      [['endpoint', 'transferred']],
    );
  }),
);

test('we transfer after a word with the other desk, both behind the proxy', { skip }, () =>
  withPhones(['behind-proxy', 'echo-behind-proxy'], async () => {
    const live = await house.talkTo('desk');
    const endpointId = house.desks.get('other');
    const asked = await live.order({ action: 'transfer', mode: 'attended', endpointId });
    assert.equal(asked.status, 'done', JSON.stringify(asked));
    // Our music has that note too, for two seconds of eight; an echo would be there all the time.
    await eventually('no echo while the desks speak', async () => {
      return !(await live.ear()).heardHz.includes(CUSTOMER);
    });
    await live.order({ action: 'complete_transfer' });
    await live.hearsOnly(CUSTOMER);
    const cdr = await live.end();
    assert.deepEqual(
      cdr.transfers.map(({ mode, outcome }) => [mode, outcome]),
      [['attended', 'transferred']],
    );
  }),
);
