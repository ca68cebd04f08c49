import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RecordingView } from '../../../src/recording/recording-views.ts';
import { recordingWords } from './recording-words.ts';

const recording: RecordingView = {
  id: 'rec_1',
  callId: 'call_1',
  state: 'ready',
  announced: 'played',
  startedAt: null,
  endedAt: null,
  durationMs: 61_400,
  reason: null,
  links: null,
};

test('a recording is told in one sentence, with what cut it short', () => {
  assert.equal(recordingWords(recording), 'Recorded: 61 s.');
  const cut = recordingWords({ ...recording, reason: 'disk_full' });
  assert.equal(cut, 'Recorded: 61 s; it ended because the disk was full.');
  for (const state of ['announcing', 'recording', 'paused', 'failed', 'deleted'] as const) {
    assert.match(recordingWords({ ...recording, state }), /\.$/);
  }
});
