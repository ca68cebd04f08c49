import assert from 'node:assert/strict';
import test from 'node:test';
import { Failure } from '../platform/failure.ts';
import { PlayableSound } from './playable-sound.ts';
import { Player, type SoundEnd } from './player.ts';

test('sounds play one behind the other, and each ends with its last frame', () => {
  const { player, ends, hear } = makePlayer();
  player.play({ playId: 1, loop: false }, sound(10, 11));
  player.play({ playId: 2, loop: false }, sound(20));
  assert.equal(hear(1), '10');
  assert.deepEqual(ends, []);
  assert.equal(hear(1), '11');
  assert.deepEqual(ends, [{ playId: 1, completed: true }]);
  assert.equal(hear(1), '20');
  assert.deepEqual(ends.at(-1), { playId: 2, completed: true });
  assert.equal(player.active, false);
});

test('a frame that was taken and is not sent yet does not end a sound', () => {
  const { player, ends } = makePlayer();
  player.play({ playId: 1, loop: false }, sound(10));
  player.next('opus');
  assert.deepEqual(ends, []);
  player.sent();
  assert.deepEqual(ends, [{ playId: 1, completed: true }]);
});

test('a loop goes round until it is stopped', () => {
  const { player, ends, hear } = makePlayer();
  player.play({ playId: 1, loop: true }, sound(1, 2, 3));
  assert.equal(hear(7), '1 2 3 1 2 3 1');
  player.stop();
  assert.deepEqual(ends, [{ playId: 1, completed: false }]);
  assert.equal(player.active, false);
});

test('a loop gives way at the end of its round to a sound that waits', () => {
  const { player, ends, hear } = makePlayer();
  player.play({ playId: 1, loop: true }, sound(1, 2, 3));
  assert.equal(hear(4), '1 2 3 1');
  player.play({ playId: 2, loop: false }, sound(9));
  assert.equal(hear(3), '2 3 9');
  assert.deepEqual(ends, [
    { playId: 1, completed: true },
    { playId: 2, completed: true },
  ]);
});

test('stop ends what plays and what waits, and the next sound starts at its beginning', () => {
  const { player, ends, hear } = makePlayer();
  const long = sound(1, 2, 3);
  player.play({ playId: 1, loop: false }, long);
  player.play({ playId: 2, loop: false }, sound(9));
  hear(3);
  player.stop();
  assert.deepEqual(ends, [
    { playId: 1, completed: true },
    { playId: 2, completed: false },
  ]);
  player.play({ playId: 3, loop: false }, long);
  assert.equal(hear(1), '1');
});

test('a sound is there when it has been read, and never if it cannot be', async () => {
  const { player, ends, hear } = makePlayer();
  const late = Promise.withResolvers<PlayableSound>();
  player.play({ playId: 1, loop: false }, late.promise);
  assert.equal(player.active, false);
  late.resolve(sound(5));
  await late.promise;
  assert.equal(player.active, true);
  assert.equal(hear(1), '5');
  const failure = new Failure({
    code: 'sound_file_unusable',
    message: 'no',
    fix: 'no',
    verdict: 'terminal',
    side: 'server',
  });
  player.play({ playId: 2, loop: true }, Promise.reject(failure));
  await Promise.resolve();
  await Promise.resolve();
  assert.deepEqual(ends.at(-1), { playId: 2, completed: false, trouble: 'sound_file_unusable' });
});

test('a sound stopped while it is read is never heard', async () => {
  const { player, ends } = makePlayer();
  const late = Promise.withResolvers<PlayableSound>();
  player.play({ playId: 1, loop: false }, late.promise);
  player.stop();
  late.resolve(sound(5));
  await late.promise;
  assert.equal(player.active, false);
  assert.deepEqual(ends, [{ playId: 1, completed: false }]);
});

test('a script that queues without end is stopped', () => {
  const { player, ends } = makePlayer();
  for (let playId = 1; playId <= 40; playId += 1) {
    player.play({ playId, loop: false }, sound(1));
  }
  assert.equal(ends.length, 8);
  assert.deepEqual(ends[0], { playId: 33, completed: false, trouble: 'sound_queue_full' });
});

function makePlayer(): { player: Player; ends: SoundEnd[]; hear: (frames: number) => string } {
  const ends: SoundEnd[] = [];
  const player = new Player((end) => ends.push(end));
  const hear = (frames: number): string =>
    Array.from({ length: frames }, () => {
      const payload = player.next('opus');
      player.sent();
      return payload?.[0];
    }).join(' ');
  return { player, ends, hear };
}

function sound(...marks: number[]): PlayableSound {
  return new PlayableSound(marks.map((mark) => Uint8Array.of(mark)));
}
