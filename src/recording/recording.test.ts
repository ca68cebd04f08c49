import assert from 'node:assert/strict';
import { createSecretKey } from 'node:crypto';
import { readFile, truncate, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { recordingDisk } from './recording-disk.ts';
import {
  begin,
  KEY,
  channel,
  fileOf,
  key,
  opusTone,
  record,
  share,
  ulawTone,
} from './recording-fixtures.ts';
import { audioDownload } from './audio-download.ts';
import { readRecording, summarize } from './recording-reader.ts';

test('each party is heard on its own channel of the WAV, and nowhere else', async () => {
  const told = begin();
  await record(told);
  assert.equal(told.recorder.figures().finished, true);
  assert.equal(told.recorder.figures().durationMs, 2000);
  const wav = await fileOf(told.path, 'wav');
  assert.equal(wav.length, 44 + 2000 * 16 * 4);
  assert.equal(wav.readUInt32LE(40), wav.length - 44);
  const [left, right] = [channel(wav, 0), channel(wav, 1)];
  assert.ok(share(left, 440) > 0.9 && share(left, 1000) < 0.01, 'customer on the left');
  assert.ok(share(right, 1000) > 0.9 && share(right, 440) < 0.01, 'endpoint on the right');
});

test('nothing of the sound lies on the disk in the open, nor opens with another key', async () => {
  const told = begin();
  await record(told);
  const bytes = await readFile(told.path);
  for (const packet of [...(await opusTone(440, 100)), ...ulawTone(1000, 100)]) {
    assert.equal(bytes.includes(Buffer.from(packet.subarray(1))), false);
  }
  const other = createSecretKey(Buffer.alloc(32, 8));
  const found = await summarize(told.path, 'rec_1', other);
  assert.deepEqual([found.complete, found.frames, found.durationMs], [false, 0, 0]);
});

test('a changed, cut or foreign file gives what is sound, and never an error', async () => {
  const told = begin();
  await record(told);
  const whole = await readFile(told.path);
  const { frames } = await summarize(told.path, 'rec_1', key);
  assert.equal(frames, 200);
  await truncate(told.path, whole.length - 10);
  const cut = await summarize(told.path, 'rec_1', key);
  assert.ok(!cut.complete && cut.frames > 0 && cut.frames < 200);
  for (let at = 0; at < whole.length; at += 997) {
    const changed = Buffer.from(whole);
    changed[at] = (changed[at] ?? 0) ^ 0x40;
    await writeFile(told.path, changed);
    assert.equal((await summarize(told.path, 'rec_1', key)).complete, false, `byte ${at}`);
  }
  await writeFile(told.path, whole);
  assert.equal((await summarize(told.path, 'rec_2', key)).frames, 0);
});

test('silence is filled by timestamps, so late, lost and missing packets keep step', async () => {
  const told = begin();
  const packets = await opusTone(440, 150);
  for (let frame = 0; frame < 150; frame += 1) {
    const isGap = frame >= 50 && frame < 100;
    // Arrival wanders by up to 60 ms; the timestamps do not.
    told.clock.advance(frame % 3 === 0 ? 60 : 0);
    if (!isGap) told.recorder.push('customer', 'opus', packets[frame]!, 5000 + frame * 960);
  }
  told.clock.advance(60);
  told.recorder.stop();
  await told.recorder.settled();
  const left = channel(await fileOf(told.path, 'wav'), 0);
  const second = (from: number): Int16Array => left.subarray(from * 16, (from + 800) * 16);
  assert.ok(share(second(160), 440) > 0.9);
  assert.ok(Math.max(...second(1120).map(Math.abs)) < 50, 'the gap is silent');
  assert.ok(share(second(2160), 440) > 0.9);
});

test('a pause is silence as long as it lasted, and nothing said meanwhile is kept', async () => {
  const told = begin();
  const packets = ulawTone(700, 150);
  for (let frame = 0; frame < 150; frame += 1) {
    if (frame === 50) told.recorder.setPaused(true);
    if (frame === 100) told.recorder.setPaused(false);
    told.recorder.push('endpoint', 'PCMU', packets[frame]!, frame * 160);
    told.clock.advance(20);
  }
  told.recorder.stop();
  await told.recorder.settled();
  assert.equal(told.recorder.figures().frames, 100);
  const right = channel(await fileOf(told.path, 'wav'), 1);
  assert.equal(right.length, 3000 * 16);
  assert.ok(share(right.subarray(100 * 16, 900 * 16), 700) > 0.9);
  assert.ok(Math.max(...right.subarray(1020 * 16, 1980 * 16)) < 10);
  assert.ok(share(right.subarray(2100 * 16, 2900 * 16), 700) > 0.9);
});

test('packets of other lengths, jumps of the clock and new codecs are laid out', async () => {
  const told = begin();
  const long = ulawTone(500, 25, 240);
  for (let frame = 0; frame < 25; frame += 1) {
    told.recorder.push('endpoint', 'PCMU', long[frame]!, frame * 240);
    told.clock.advance(30);
  }
  const opus = await opusTone(500, 50);
  for (let frame = 0; frame < 50; frame += 1) {
    // Another sender took over: its timestamps begin anywhere.
    told.recorder.push('endpoint', 'opus', opus[frame]!, (4_294_960_000 + frame * 960) >>> 0);
    told.clock.advance(20);
  }
  told.recorder.stop();
  await told.recorder.settled();
  const right = channel(await fileOf(told.path, 'wav'), 1);
  assert.ok(share(right.subarray(50 * 16, 700 * 16), 500) > 0.9);
  assert.ok(share(right.subarray(850 * 16, 1700 * 16), 500) > 0.9);
});

test('a disk that is full ends the recording, and what was written stays readable', async () => {
  let written = 0;
  const told = begin({
    freeBytes: async () => 1e9,
    async create(path) {
      const file = await recordingDisk.create(path);
      return {
        async append(bytes) {
          written += bytes.length;
          if (written > 6_000) throw Object.assign(new Error('no space'), { code: 'ENOSPC' });
          await file.append(bytes);
        },
        close: () => file.close(),
      };
    },
  });
  await record(told);
  await told.recorder.settled();
  assert.deepEqual(told.troubles, ['disk_full']);
  assert.equal(told.recorder.figures().trouble, 'disk_full');
});

test('a disk without enough room is not written to at all', async () => {
  const told = begin({ ...recordingDisk, freeBytes: async () => -1 });
  await told.recorder.settled();
  assert.deepEqual(told.troubles, ['disk_full']);
  assert.equal(told.recorder.figures().finished, false);
});

test('a disk that hangs costs the call no wait and little memory', async () => {
  const told = begin({ freeBytes: async () => 1e9, create: () => new Promise(() => {}) });
  const [packet] = ulawTone(400, 1);
  for (let frame = 0; frame < 60 * 50; frame += 1) {
    told.recorder.push('customer', 'PCMU', packet!, frame * 160);
    told.clock.advance(20);
  }
  assert.deepEqual(told.troubles, ['disk_slow']);
  told.recorder.stop();
  assert.equal(told.recorder.figures().finished, false);
});

test('the reader gives every item back as it was written', async () => {
  const told = begin();
  await record(told);
  let frames = 0;
  for await (const items of readRecording(told.path, 'rec_1', key)) {
    frames += items.filter(({ kind }) => kind === 'frame').length;
  }
  assert.equal(frames, 200);
});

test('a thread makes the same file, and ends where its reader stops early', async () => {
  const told = begin();
  await record(told);
  const stored = { path: told.path, recordingId: 'rec_1', key: KEY };
  const pieces: Uint8Array[] = [];
  for await (const piece of audioDownload(stored, 'ogg')) pieces.push(piece);
  assert.deepEqual(Buffer.concat(pieces), await fileOf(told.path, 'ogg'));
  for await (const piece of audioDownload(stored, 'wav')) {
    assert.ok(piece.length > 0);
    break;
  }
  const gone = audioDownload({ ...stored, path: `${told.path}.gone` }, 'wav');
  await assert.rejects(gone.next(), /ENOENT/);
});
