import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '../../src/platform/clock.ts';
import { seededRandom } from '../../src/platform/random.ts';
import { PbxMedia } from './pbx-media.ts';

test('sound is paced without drift, and 25 s of silence are told once', async () => {
  const clock = new ManualClock();
  let silences = 0;
  const media = await PbxMedia.open({
    clock,
    random: seededRandom(1),
    host: '127.0.0.1',
    session: {
      address: '127.0.0.1',
      port: 9,
      codec: 'PCMU',
      payloadType: 0,
      digitsPayloadType: 101,
      digitsClock: 8000,
    },
    plays: { kind: 'tone', hz: 1000 },
    greeting: new Int16Array(0),
    onHeard: () => undefined,
    onSilent: () => (silences += 1),
  });
  media.start();
  clock.advance(24_000);
  assert.equal(media.packetsOut, 24_000 / 20 + 1);
  assert.equal(silences, 0);
  clock.advance(20_000);
  assert.equal(silences, 1);
  await media.close();
  assert.equal(clock.pendingTimers, 0);
});
