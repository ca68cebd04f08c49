import assert from 'node:assert/strict';
import { mkdtemp, rm, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after, before } from 'node:test';
import { clearestShare, makeTone } from '../../test/tones.ts';
import { builtinSounds } from './builtin-sounds.ts';
import { decodeG711 } from './g711.ts';
import { openOpusCodec } from './opus-codec.ts';
import { PlayableSound } from './playable-sound.ts';
import { isTwentyMsOfOpus, writeSoundFile } from './sound-file.ts';
import { SoundLibrary } from './sound-library.ts';

let folder = '';
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'askfirst-library-'));
});
after(() => rm(folder, { recursive: true }));

const frame = (mark: number): Uint8Array => Uint8Array.of(0xf8, mark);

test('a file is read once, and anew when it has changed', async () => {
  const library = new SoundLibrary({});
  const path = join(folder, 'prompt.snd');
  await writeSoundFile(path, [frame(1)]);
  const [first, atOnce] = await Promise.all([
    library.load({ kind: 'opus', path }),
    library.load({ kind: 'opus', path }),
  ]);
  assert.equal(first, atOnce);
  assert.equal(await library.load({ kind: 'opus', path }), first);
  await writeSoundFile(path, [frame(2), frame(3)]);
  await utimes(path, 1, 1);
  const changed = await library.load({ kind: 'opus', path });
  assert.equal(changed.frames.length, 2);
  assert.equal(library.keptFiles, 1);
});

test('it keeps what was used last, up to its limit', async () => {
  const library = new SoundLibrary({});
  const paths = Array.from({ length: 70 }, (_, at) => join(folder, `many-${at}.snd`));
  for (const path of paths) await writeSoundFile(path, [frame(1)]);
  const load = async (path = ''): Promise<PlayableSound> => library.load({ kind: 'opus', path });
  const first = await load(paths[0]);
  for (const path of paths.slice(1, 60)) await load(path);
  assert.equal(await load(paths[0]), first);
  for (const path of paths.slice(60)) await load(path);
  assert.equal(library.keptFiles, 64);
  assert.equal(await load(paths[0]), first);
});

test('a file that is not there is a failure of that one sound', async () => {
  const library = new SoundLibrary({});
  const missing = { kind: 'opus', path: join(folder, 'none.snd') } as const;
  await assert.rejects(async () => library.load(missing), { code: 'sound_file_unusable' });
  await writeSoundFile(missing.path, [frame(1)]);
  assert.equal((await library.load(missing)).frames.length, 1);
});

test('toward G.711 a sound is decoded, also for a leg that comes in late', async () => {
  const codec = await openOpusCodec();
  const tone = makeTone(440);
  const sound = new PlayableSound(
    Array.from({ length: 60 }, () => Uint8Array.from(codec.encode(tone(160)))),
  );
  sound.acquire();
  assert.equal(sound.payload(0, 'PCMU'), null);
  await new Promise((resolve) => setImmediate(resolve));
  const heard = (index: number): Int16Array[] => {
    const payload = sound.payload(index, 'PCMU');
    return payload === null ? [] : [decodeG711('PCMU', payload)];
  };
  // Ten frames are made per question, so that nobody else has to wait long.
  assert.deepEqual(heard(40), []);
  for (let turn = 0; turn < 4; turn += 1) heard(40);
  assert.equal(heard(40).length, 1);
  const frames = Array.from({ length: 60 }, (_, at) => heard(at)).flat();
  assert.equal(frames.length, 60);
  assert.ok(frames.every(({ length }) => length === 160));
  assert.ok(clearestShare(frames, 440) > 0.9);
  sound.release();
  sound.retire();
  codec.free();
});

test('the built-in sounds are 20 ms frames, and the music is of a fair loudness', async () => {
  const sounds = await builtinSounds();
  for (const frames of Object.values(sounds)) assert.ok(frames.every(isTwentyMsOfOpus));
  assert.equal(sounds.ringing.length, 250);
  assert.equal(sounds.beep.length, 25);
  const codec = await openOpusCodec();
  const levels = sounds.hold_music.map((payload) =>
    Math.max(...codec.decode(payload).map((sample) => Math.abs(sample))),
  );
  codec.free();
  assert.equal(levels.length, 400);
  assert.ok(Math.max(...levels) < 12_000);
  assert.ok(levels.slice(2).every((level) => level > 300));
});
