import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { createDecoder } from 'libopus-wasm';
import { Failure } from '../platform/failure.ts';
import { oggOf, toneAt, wavOf } from './prompt-fixtures.ts';
import { durationMsOf, framesOf, framesOfUpload } from './sound-maker.ts';
import { readOggOpus } from './ogg-opus.ts';
import { readWav } from './wav.ts';

/** The strongest of some frequencies in coded sound, by Goertzel over its middle. */
async function loudest(frames: readonly Uint8Array[], among: readonly number[]): Promise<number> {
  const decoder = await createDecoder({ sampleRate: 48_000, channels: 1 });
  const pcm = frames.flatMap((frame) => [...decoder.decode(frame)]);
  decoder.free();
  const middle = pcm.slice(4_800, 24_000);
  const powers = among.map((hz) => {
    const k = 2 * Math.cos((2 * Math.PI * hz) / 48_000);
    let [a, b] = [0, 0];
    for (const sample of middle) [a, b] = [sample + k * a - b, a];
    return a * a + b * b - k * a * b;
  });
  return among[powers.indexOf(Math.max(...powers))] ?? 0;
}

const HZ = [300, 440, 700, 1_000, 1_500, 2_500, 3_400];

for (const rate of [8_000, 11_025, 16_000, 22_050, 24_000, 44_100, 48_000]) {
  test(`a WAV at ${rate} Hz sounds as it did`, async () => {
    const pcm = { samples: toneAt(1_000, rate, 1), rate };
    const frames = await framesOfUpload('audio/wav', wavOf(pcm));
    assert.equal(durationMsOf(frames), 1_000);
    assert.equal(await loudest(frames, HZ), 1_000);
  });
}

test('stereo, 8 and 24 bits are taken', async () => {
  const pcm = { samples: toneAt(700, 16_000, 1), rate: 16_000 };
  for (const more of [{ channels: 2 }, { bits: 8 }, { bits: 24 }, { channels: 2, bits: 24 }]) {
    assert.equal(await loudest(await framesOfUpload('audio/wav', wavOf(pcm, more)), HZ), 700);
  }
});

test('Ogg Opus is decoded and coded anew', async () => {
  const frames = await framesOf({ samples: toneAt(440, 48_000, 1), rate: 48_000 });
  const again = await framesOfUpload('audio/ogg', oggOf(frames));
  assert.equal(await loudest(again, HZ), 440);
  assert.ok(Math.abs(durationMsOf(again) - 1_000) <= 20);
});

const refused = (reason: RegExp) => (error: unknown) =>
  error instanceof Failure && error.code === 'prompt_unusable' && reason.test(error.message);

test('each way of a WAV to be wrong is named', () => {
  const good = wavOf({ samples: toneAt(440, 8_000, 1), rate: 8_000 });
  const broken = (change: (file: Buffer) => void): Buffer => {
    const file = Buffer.from(good);
    change(file);
    return file;
  };
  const cases: ReadonlyArray<[Buffer, RegExp]> = [
    [Buffer.alloc(0), /no WAV/],
    [good.subarray(0, 30), /cut off|longer than the file|no sound/],
    [good.subarray(0, good.length - 10), /cut off/],
    [broken((file) => file.writeUInt16LE(3, 20)), /not PCM/],
    [broken((file) => file.writeUInt16LE(6, 22)), /6 channels/],
    [broken((file) => file.writeUInt32LE(96_000, 24)), /96000 Hz/],
    [broken((file) => file.writeUInt16LE(32, 34)), /32 bits/],
    [broken((file) => file.writeUInt16LE(7, 32)), /contradicts/],
    [broken((file) => file.writeUInt32LE(0xffff_ffff, 16)), /longer than the file/],
    [broken((file) => file.write('junk', 36)), /no sound/],
    [broken((file) => file.writeUInt32LE(0, 40)), /empty/],
    [wavOf({ samples: new Int16Array(8_000 * 181), rate: 8_000 }), /3 minutes/],
  ];
  for (const [file, reason] of cases) assert.throws(() => readWav(file), refused(reason));
});

test('a stream without a known end is taken up to where it goes', () => {
  const file = Buffer.from(wavOf({ samples: toneAt(440, 8_000, 1), rate: 8_000 }));
  file.writeUInt32LE(0x7fff_f000, 40);
  assert.throws(() => readWav(file), refused(/cut off/));
  assert.equal(readWav(file, { openEnded: true }).samples.length, 8_000);
});

test('each way of an Ogg to be wrong is named', async () => {
  const frames = await framesOf({ samples: toneAt(440, 48_000, 0.2), rate: 48_000 });
  const good = oggOf(frames);
  const flipped = Buffer.from(good);
  flipped.writeUInt8(good.readUInt8(good.length - 3) ^ 1, good.length - 3);
  assert.throws(() => readOggOpus(Buffer.from('OggS')), refused(/no Ogg/));
  assert.throws(() => readOggOpus(good.subarray(0, good.length - 3)), refused(/cut off/));
  assert.throws(() => readOggOpus(flipped), refused(/checksum/));
  assert.throws(() => readOggOpus(oggOf(frames, { channels: 6 })), refused(/6 channels/));
  assert.throws(() => readOggOpus(oggOf(frames, { family: 1 })), refused(/mapped/));
  assert.throws(() => readOggOpus(oggOf([])), refused(/no sound/));
  assert.throws(
    () => readOggOpus(Buffer.concat([good, oggOf(frames, { serial: 9 })])),
    refused(/stream/),
  );
  await assert.rejects(
    framesOfUpload('audio/ogg', oggOf([Uint8Array.of(3, 0)])),
    refused(/packet/),
  );
});

test('nothing that a stranger sends does more than be refused', async () => {
  const wav = wavOf({ samples: toneAt(440, 8_000, 0.1), rate: 8_000 });
  const ogg = oggOf(await framesOf({ samples: toneAt(440, 48_000, 0.1), rate: 48_000 }));
  const edits = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 8 });
  const read = (file: Buffer, reader: (bytes: Uint8Array) => unknown): void => {
    try {
      reader(file);
    } catch (error) {
      assert.ok(error instanceof Failure, String(error));
    }
  };
  const property = fc.property(edits, fc.nat(), (changes, cut) => {
    for (const [file, reader] of [
      [wav, readWav],
      [ogg, readOggOpus],
    ] as const) {
      const changed = Buffer.from(file);
      for (const [at, byte] of changes) changed[at % 120] = byte;
      read(changed, reader);
      read(changed.subarray(0, cut % changed.length), reader);
    }
  });
  fc.assert(property, { numRuns: 2_000, seed: 4 });
});
