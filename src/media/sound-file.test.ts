import assert from 'node:assert/strict';
import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after, before } from 'node:test';
import { assert as holds, property, uint8Array } from 'fast-check';
import { Failure } from '../platform/failure.ts';
import { isTwentyMsOfOpus, parseSound, readSoundFile, writeSoundFile } from './sound-file.ts';

let folder = '';
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'askfirst-sound-'));
});
after(() => rm(folder, { recursive: true }));

const SILENCE = Uint8Array.of(0xf8, 0xff, 0xfe);
const HEADER = [...Buffer.from('ASKFSND'), 1];
const unusable = (about: RegExp) => (error: unknown) =>
  error instanceof Failure && error.code === 'sound_file_unusable' && about.test(error.message);

test('a sound is read as it was written', async () => {
  const path = join(folder, 'prompt.snd');
  const frames = [SILENCE, Uint8Array.of(0xf8, 1), Uint8Array.of(0x78, ...new Uint8Array(400))];
  await writeSoundFile(path, frames);
  const read = await readSoundFile(path);
  assert.deepEqual(
    read.map((frame) => [...frame]),
    frames.map((frame) => [...frame]),
  );
});

test('what is not there, no file, or no sound is refused with the reason', async () => {
  await assert.rejects(readSoundFile(join(folder, 'none.snd')), unusable(/cannot be read/));
  await mkdir(join(folder, 'folder.snd'));
  await assert.rejects(readSoundFile(join(folder, 'folder.snd')), unusable(/not a file|read/));
  await writeFile(join(folder, 'wav.snd'), 'RIFF....WAVE');
  await assert.rejects(readSoundFile(join(folder, 'wav.snd')), unusable(/no sound file/));
  await writeFile(join(folder, 'huge.snd'), Buffer.alloc(17 * 1024 * 1024));
  await assert.rejects(readSoundFile(join(folder, 'huge.snd')), unusable(/too large/));
});

test('broken frames are refused, and never written', async () => {
  const sound = (...bytes: number[]): Uint8Array => Uint8Array.of(...HEADER, ...bytes);
  assert.throws(() => parseSound(sound()), unusable(/empty/));
  assert.throws(() => parseSound(sound(0, 3, 0xf8, 0xff)), unusable(/middle of a frame/));
  assert.throws(() => parseSound(sound(0)), unusable(/./));
  assert.throws(() => parseSound(sound(0, 0)), unusable(/frame 0 is not 20 ms/));
  assert.throws(() => parseSound(sound(0, 1, 0x00)), unusable(/frame 0 is not 20 ms/));
  const tooMany = Buffer.concat([
    Buffer.from(HEADER),
    ...Array.from({ length: 90_001 }, () => Uint8Array.of(0, 3, ...SILENCE)),
  ]);
  assert.throws(() => parseSound(tooMany), unusable(/longer than 30 minutes/));
  await assert.rejects(writeSoundFile(join(folder, 'bad.snd'), [new Uint8Array(1400)]));
  await assert.rejects(readSoundFile(join(folder, 'bad.snd')), unusable(/cannot be read/));
});

test('the duration of an Opus packet is read from its first bytes', () => {
  for (const [bytes, fits] of [
    [[0x08], true], // SILK 20 ms, one frame
    [[0x01], true], // SILK 10 ms, two frames
    [[0x09], false], // SILK 20 ms, two frames
    [[0xe3, 8], true], // CELT 2.5 ms, eight frames
    [[0xe3, 7], false],
    [[0x78], true], // hybrid 20 ms
    [[0x18], false], // SILK 60 ms
    [[], false],
  ] as const) {
    assert.equal(isTwentyMsOfOpus(Uint8Array.from(bytes)), fits, String(bytes));
  }
});

test('no bytes whatever make the reader throw anything but its failure', () => {
  holds(
    property(uint8Array({ maxLength: 300 }), (tail) => {
      try {
        for (const frame of parseSound(Uint8Array.of(...HEADER, ...tail))) {
          assert.ok(isTwentyMsOfOpus(frame));
        }
      } catch (error) {
        assert.ok(error instanceof Failure && error.code === 'sound_file_unusable');
      }
    }),
    { seed: 4, numRuns: 2000 },
  );
});
