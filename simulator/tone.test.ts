import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../src/platform/random.ts';
import { heardTones, TONES_HZ, toneSamples } from './tone.ts';

test('every tone is heard as itself and as nothing else, at 8 and 48 kHz', () => {
  for (const rate of [8000, 48_000]) {
    for (const hz of TONES_HZ) {
      assert.deepEqual(heardTones(toneSamples(hz, rate, rate / 5, 0), rate), [hz], `${hz}/${rate}`);
    }
  }
});

test('a chord of two tones is heard as both', () => {
  const low = toneSamples(440, 8000, 1600, 0);
  const high = toneSamples(880, 8000, 1600, 0);
  const chord = low.map((sample, i) => sample + (high[i] ?? 0));
  assert.deepEqual(heardTones(chord, 8000), [440, 880]);
});

test('silence, noise and a tone between the candidates are heard as nothing', () => {
  const random = seededRandom(1);
  assert.deepEqual(heardTones(new Int16Array(1600), 8000), []);
  assert.deepEqual(heardTones(new Int16Array(0), 8000), []);
  const noise = Int16Array.from({ length: 1600 }, () => random.below(16_000) - 8000);
  assert.deepEqual(heardTones(noise, 8000), []);
  assert.deepEqual(heardTones(toneSamples(600, 8000, 1600, 0), 8000), []);
});

test('consecutive pieces join without a step', () => {
  const whole = toneSamples(784, 8000, 320, 0);
  const pieces = [...toneSamples(784, 8000, 160, 0), ...toneSamples(784, 8000, 160, 160)];
  assert.deepEqual([...whole], pieces);
});
