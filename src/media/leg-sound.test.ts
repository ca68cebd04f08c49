import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { createEncoder, type OpusEncoderHandle } from 'libopus-wasm';
import { makeTone } from '../../test/tones.ts';
import { encodeG711 } from './g711.ts';
import { isSound } from './leg-sound.ts';
import { OPUS_SILENCE } from './opus-codec.ts';

let encoder: OpusEncoderHandle;
before(async () => {
  encoder = await createEncoder({ sampleRate: 8000, channels: 1, frameSize: 160, bitrate: 20_000 });
});

test('a tone is sound in each codec, silence and faint noise are not', () => {
  const tone = makeTone(440)(160);
  const faint = tone.map((sample) => sample >> 7);
  const silence = new Int16Array(160);
  for (const law of ['PCMU', 'PCMA'] as const) {
    assert.ok(isSound(law, encodeG711(law, tone)));
    assert.ok(!isSound(law, encodeG711(law, faint)));
    assert.ok(!isSound(law, encodeG711(law, silence)));
    assert.ok(!isSound(law, new Uint8Array(0)));
  }
  assert.ok(!isSound('opus', OPUS_SILENCE));
  assert.ok(!isSound('opus', encoder.encode(silence)));
  assert.ok(isSound('opus', encoder.encode(tone)));
});
