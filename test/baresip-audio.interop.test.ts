import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openBaresip, type BaresipOptions } from './baresip-peer.ts';
import { openLiveDesks, type LiveDesks } from './live-desks.ts';
import { needsProgram } from './peers.ts';
import { eventually } from './product-peers.ts';
import { clearestShare } from './tones.ts';

/** What passes between a real customer's leg and a real telephone, by tones, at both ears. */
const CUSTOMER = 440;
const PHONE = 1000;
const skip = needsProgram('baresip', 'baresip-core');

type Case = { name: string; codec: NonNullable<BaresipOptions['codec']>; srtp?: 'required' };
const CASES: readonly Case[] = [
  { name: 'PCMU', codec: 'pcmu' },
  { name: 'PCMA', codec: 'pcma' },
  { name: 'Opus', codec: 'opus' },
  { name: 'PCMU in SRTP with keys by SDES', codec: 'pcmu', srtp: 'required' },
  { name: 'Opus in SRTP with keys by SDES', codec: 'opus', srtp: 'required' },
];

let house: LiveDesks;
before(async () => {
  house = await openLiveDesks({ ports: '46700-46799', first: 840, users: [] });
});
after(() => house?.close());

for (const { name, codec, srtp } of CASES) {
  test(`baresip and the customer hear each other: ${name}`, { skip }, async () => {
    const account = srtp === undefined ? '' : ';mediaenc=srtp-mand';
    const phone = await openBaresip({ codec, hz: PHONE, account });
    try {
      const codecs = [codec === 'opus' ? 'opus' : codec.toUpperCase()];
      await house.addDesk(name, phone.uri, { codecs, ...(srtp === undefined ? {} : { srtp }) });
      const live = await house.talkTo(name);
      await live.hearsOnly(PHONE);
      // So that there is enough of the other direction, too, before the file is closed.
      await eventually('packets', async () => (await live.ear()).packetsOut > 60);
      const { media } = await live.end();
      assert.equal(media?.codec, codecs[0]);
      assert.equal(media?.srtp !== null, srtp !== undefined);
      const heard = await eventually('what it heard', async () => {
        const wav = await phone.heard();
        return wav !== null && shareIn(wav, CUSTOMER) > 0.6;
      });
      assert.ok(heard);
    } finally {
      await phone.close();
    }
  });
}

/** How clear a tone is in the clearest second or so of a WAV file. */
function shareIn(wav: Buffer, hz: number): number {
  const at = wav.indexOf('data', 12, 'latin1') + 8;
  const [channels, rate] = [wav.readUInt16LE(22), wav.readUInt32LE(24)];
  // Brought down to 8 kHz, one channel: the tones are far below what that folds over.
  const step = 2 * channels * Math.round(rate / 8_000);
  const samples: number[] = [];
  for (let byte = at; byte + 2 <= wav.length; byte += step) samples.push(wav.readInt16LE(byte));
  const frames: Int16Array[] = [];
  for (let from = 0; from + 160 <= samples.length; from += 160) {
    frames.push(Int16Array.from(samples.slice(from, from + 160)));
  }
  return frames.length === 0 ? 0 : clearestShare(frames, hz);
}
