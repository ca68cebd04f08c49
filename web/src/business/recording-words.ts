import type { RecordingView } from '../../../src/recording/recording-views.ts';

const REASONS: Readonly<Record<string, string>> = {
  disk_full: 'the disk was full',
  disk_slow: 'the disk was too slow',
  disk_failed: 'the disk failed',
  too_long: 'it became too long',
  announcement_failed: 'the announcement was not heard to its end',
  call_lost: 'the call broke off',
  retention: 'it was kept as long as your settings say',
  erased: 'the person was erased',
};

/** One sentence on a recording, for people. */
export function recordingWords(recording: RecordingView): string {
  const { state, durationMs, reason } = recording;
  const why = reason === null ? null : (REASONS[reason] ?? 'it was deleted by request');
  switch (state) {
    case 'announcing':
      return 'The people on the call are being told that it is recorded.';
    case 'recording':
      return 'Being recorded, sealed as it is written.';
    case 'paused':
      return 'The recording is paused.';
    case 'ready': {
      const length = `${Math.round((durationMs ?? 0) / 1000)} s`;
      return why === null
        ? `Recorded: ${length}.`
        : `Recorded: ${length}; it ended because ${why}.`;
    }
    case 'failed':
      return `Nothing was recorded: ${why ?? 'nobody spoke'}. The call was not harmed.`;
    case 'deleted':
      return `Deleted: ${why ?? 'by request'}.`;
  }
}
