import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeTone, makeVoice, toneShare } from '../../test/tones.ts';
import { lengthen, shorten } from './time-stretch.ts';

test('a frame gets a period shorter or longer, and keeps its pitch', () => {
  for (const frequency of [150, 440, 1000]) {
    const sound = makeTone(frequency)(480);
    const shorter = shorten(sound.slice(160, 480));
    const longer = lengthen(sound.slice(0, 160), sound.slice(160, 480));
    assert.ok(shorter.length <= 320 - 24 && shorter.length >= 320 - 100);
    assert.ok(longer.length >= 320 + 24 && longer.length <= 320 + 100);
    assert.ok(toneShare(shorter, frequency) > 0.95, `${frequency}: ${shorter.length}`);
    assert.ok(toneShare(longer, frequency) > 0.95, `${frequency}: ${longer.length}`);
  }
});

test('no click: neighbouring samples differ no more than in the sound itself', () => {
  const voice = makeVoice(8000);
  const steepest = (sound: Int16Array): number =>
    sound.reduce(
      (most, sample, at) => Math.max(most, Math.abs(sample - (sound[at - 1] ?? sample))),
      0,
    );
  const allowed = 1.2 * steepest(voice);
  for (let at = 160; at + 160 <= voice.length; at += 160) {
    const before = voice.slice(at - 160, at);
    const frame = voice.slice(at, at + 160);
    for (const changed of [shorten(frame), lengthen(before, frame)]) {
      const joined = Int16Array.from([voice[at - 1] ?? 0, ...changed]);
      assert.ok(steepest(joined) <= allowed, `frame at ${at}`);
    }
  }
});

test('what is too short stays as it is', () => {
  const short = new Int16Array(80).fill(5);
  assert.equal(shorten(short), short);
  assert.equal(lengthen(new Int16Array(160), short), short);
  assert.equal(lengthen(short, new Int16Array(160)).length, 160);
});
