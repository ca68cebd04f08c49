import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import { joinSamples, makeTone, makeVoice, toneShare } from '../../test/tones.ts';
import type { FrameCodec } from './frame-codec.ts';
import { openOpusCodec, OPUS_SILENCE } from './opus-codec.ts';

test('a tone survives the way through Opus at 8 kHz', async (t) => {
  const codec = await opened(t);
  const tone = makeTone(440);
  const heard = Array.from({ length: 50 }, () => codec.decode(codec.encode(tone(160))));
  assert.ok(heard.every((samples) => samples.length === 160));
  assert.ok(toneShare(joinSamples(heard.slice(10)), 440) > 0.8);
});

test('a lost packet is concealed, with help of the next one where it is here', async (t) => {
  const codec = await opened(t);
  const tone = makeTone(440);
  const packets = Array.from({ length: 40 }, () => Uint8Array.from(codec.encode(tone(160))));
  const heard = packets.map((packet, at) =>
    // Every fifth packet is lost; of each second loss the packet after it is known.
    at % 5 === 4 ? codec.conceal(at % 2 === 0 ? packets[at + 1] : undefined) : codec.decode(packet),
  );
  assert.ok(heard.every((samples) => samples.length === 160));
  assert.ok(toneShare(joinSamples(heard.slice(10)), 440) > 0.5);
});

test('with the packet after it, a lost one of a voice is nearly what was said', async (t) => {
  const sender = await opened(t);
  assert.ok((await wrongShare(t, sender, true)) < 0.2);
  assert.ok((await wrongShare(t, sender, false)) > 0.5);
});

test('packets carry error correction only where the far side misses some', async (t) => {
  const sender = await opened(t);
  sender.expectLoss(0);
  assert.ok((await wrongShare(t, sender, true)) > 0.5);
  sender.expectLoss(0.08);
  assert.ok((await wrongShare(t, sender, true)) < 0.2);
  sender.expectLoss(0.004);
  assert.ok((await wrongShare(t, sender, true)) > 0.5);
});

/** Every tenth is lost; the power of what is wrong in its place, as a share of the voice's. */
async function wrongShare(t: TestContext, sender: FrameCodec, withNext: boolean): Promise<number> {
  const voice = makeVoice(160 * 200);
  const packets = Array.from({ length: 200 }, (_, at) =>
    Uint8Array.from(sender.encode(voice.subarray(at * 160, at * 160 + 160))),
  );
  const whole = await opened(t);
  const said = packets.map((packet) => Int16Array.from(whole.decode(packet)));
  const codec = await opened(t);
  let [error, power] = [0, 0];
  for (const [at, packet] of packets.entries()) {
    if (at % 10 !== 8) {
      codec.decode(packet);
      continue;
    }
    const made = codec.conceal(withNext ? packets[at + 1] : undefined);
    for (const [sample, right] of (said[at] ?? []).entries()) {
      error += ((made[sample] ?? 0) - right) ** 2;
      power += right ** 2;
    }
  }
  return error / power;
}

test('our silence is Opus and is silent', async (t) => {
  const codec = await opened(t);
  const heard = [1, 2, 3].map(() => codec.decode(OPUS_SILENCE));
  assert.ok(heard.every((samples) => samples.length === 160));
  assert.ok(joinSamples(heard).every((sample) => Math.abs(sample) < 4));
});

test('bytes that are not Opus sound like a lost packet and throw nothing', async (t) => {
  const codec = await opened(t);
  for (const bytes of [[], [0xff], [0xfb, 0xff], Array.from({ length: 1275 }, () => 0x03)]) {
    const samples = codec.decode(Uint8Array.from(bytes));
    assert.ok(samples.length <= 960);
    assert.equal(codec.conceal(Uint8Array.from(bytes)).length, 160);
  }
});

test('a codec may be freed twice', async () => {
  const codec = await openOpusCodec();
  codec.free();
  codec.free();
});

async function opened(t: TestContext): Promise<FrameCodec> {
  const codec = await openOpusCodec();
  t.after(() => codec.free());
  return codec;
}
