import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LegWatch } from './leg-watch.ts';
import type { MediaEvent, SilenceCause } from './media.ts';

/** Each way in which one side is not heard is named within three seconds. */
const AFTER_MS = 3000;

type Step = (watch: LegWatch, now: number) => void;

/** What is told while `step` happens every 20 ms, with the time of it. */
function run(watch: LegWatch, from: number, until: number, step: Step): [number, MediaEvent][] {
  const told: [number, MediaEvent][] = [];
  for (let now = from; now <= until; now += 20) {
    step(watch, now);
    const event = watch.tick(now);
    if (event !== null) told.push([now, event]);
  }
  return told;
}

const CAUSES: readonly [SilenceCause, string, Step][] = [
  ['never_sent', 'nothing ever comes: blocked UDP, or an ACK that got lost', () => {}],
  ['wrong_address', 'packets come from elsewhere', (watch) => watch.noteUseless('wrong_address')],
  ['wrong_codec', 'packets come in another codec', (watch) => watch.noteUseless('wrong_codec')],
  ['srtp_failed', 'packets come under another key', (watch) => watch.noteUseless('srtp_failed')],
  ['muted', 'packets come, all of them silence', (watch, now) => void watch.heard(now)],
];

for (const [cause, story, step] of CAUSES) {
  test(`${story}: ${cause}, after three seconds, once`, () => {
    const watch = new LegWatch('endpoint', AFTER_MS);
    watch.start(0);
    const told = run(watch, 0, 10_000, step);
    assert.equal(told.length, 1);
    const [at, event] = told[0] ?? [];
    assert.ok((at ?? 0) <= AFTER_MS, `${at}`);
    assert.equal(event?.kind === 'silent' ? event.cause : '', cause);
  });
}

test('who was heard and breaks off has stopped, and is heard again with the next packet', () => {
  const watch = new LegWatch('endpoint', AFTER_MS);
  watch.start(0);
  watch.noteSound();
  assert.deepEqual(
    run(watch, 0, 1000, (_, now) => void watch.heard(now)),
    [],
  );
  const [told] = run(watch, 1020, 6000, () => {});
  assert.equal(told?.[1].kind === 'silent' ? told[1].cause : '', 'stopped');
  assert.deepEqual(watch.heard(6020), { kind: 'heard', leg: 'endpoint' });
});

test('a mute ends with the first sound, not with the next packet of silence', () => {
  const watch = new LegWatch('endpoint', AFTER_MS);
  watch.start(0);
  assert.equal(run(watch, 0, 3500, (_, now) => void watch.heard(now)).length, 1);
  assert.equal(watch.heard(3520), null);
  watch.noteSound();
  assert.deepEqual(watch.tick(3540), { kind: 'heard', leg: 'endpoint' });
  // Who has spoken may be quiet as long as they like.
  assert.deepEqual(
    run(watch, 3560, 60_000, (_, now) => void watch.heard(now)),
    [],
  );
});

test('a customer may listen to a greeting for nine seconds before it counts as a mute', () => {
  const watch = new LegWatch('whatsapp', AFTER_MS);
  watch.start(0);
  const [told] = run(watch, 0, 20_000, (_, now) => void watch.heard(now));
  assert.equal(told?.[0], 3 * AFTER_MS);
});

test('nothing is watched before the start and after the stop', () => {
  const watch = new LegWatch('endpoint', AFTER_MS);
  assert.deepEqual(
    run(watch, 0, 9000, () => {}),
    [],
  );
  watch.start(9000);
  assert.equal(run(watch, 9000, 13_000, () => {}).length, 1);
  assert.deepEqual(watch.stop(), { kind: 'heard', leg: 'endpoint' });
  assert.deepEqual(
    run(watch, 13_000, 30_000, () => {}),
    [],
  );
});
