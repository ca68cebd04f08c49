import { createSecretKey } from 'node:crypto';
import { unlink } from 'node:fs/promises';
import type { Database } from '../database/database.ts';
import { repeat, type Clock } from '../platform/clock.ts';
import { errorText } from '../platform/failure.ts';
import type { Log } from '../platform/log.ts';
import type { RecordingDesk } from './recording-desk.ts';
import { summarize, type RecordingSummary } from './recording-reader.ts';
import {
  abandonedRecordings,
  expiredRecordings,
  readRecordingRow,
  recordingsToUnlink,
  saveUnlinked,
} from './recording-store.ts';
import { recordingPath, type Recording } from './recording.ts';

/**
 * Tidies the recordings of this node: unlinks the files of deleted ones, and closes those whose
 * gateway or disk died before it could say how the recording ended. The file tells what there is.
 */
export type RecordingWorker = { close(): Promise<void> };

export type RecordingWorkerPorts = {
  database: Database;
  clock: Clock;
  log: Log;
  recordingDesk: RecordingDesk;
  recordings: { folder: string; node: string };
};

const LOOK_EVERY_MS = 5_000;
/** A gateway that lives says how its recordings ended well within this. */
const ABANDONED_AFTER_MS = 15_000;
const ROUND_MAX = 200;

export function openRecordingWorker(ports: RecordingWorkerPorts): RecordingWorker {
  const stop = repeat(ports.clock, LOOK_EVERY_MS, async () => {
    try {
      await tidyRecordings(ports);
    } catch (error) {
      ports.log.error({ error: errorText(error) }, 'recordings were not tidied up');
    }
  });
  return { close: stop };
}

/** One round. */
export async function tidyRecordings(ports: RecordingWorkerPorts): Promise<void> {
  const { database, clock } = ports;
  const { folder, node } = ports.recordings;
  for (const deleted of await recordingsToUnlink(database, node, ROUND_MAX)) {
    if (await isUnlinked(recordingPath(folder, deleted))) {
      await saveUnlinked(database, deleted.id, clock.now());
    }
  }
  const before = clock.now() - ABANDONED_AFTER_MS;
  for (const recording of await abandonedRecordings(database, node, before, ROUND_MAX)) {
    await closeAbandoned(ports, recording);
  }
}

/** Deletes what was kept as long as its account keeps recordings; returns how many. */
export async function deleteExpired(
  ports: Pick<RecordingWorkerPorts, 'database' | 'clock' | 'recordingDesk'>,
  days: number,
): Promise<number> {
  const expired = await expiredRecordings(ports.database, ports.clock.now(), days, ROUND_MAX);
  for (const { id } of expired) await ports.recordingDesk.deleted(id, 'retention');
  return expired.length;
}

async function closeAbandoned(ports: RecordingWorkerPorts, recording: Recording): Promise<void> {
  const { database, recordingDesk } = ports;
  const key = (await readRecordingRow(database, recording.id))?.key ?? null;
  const found = key === null ? null : await soundIn(ports, recording, key);
  if (found === null) return recordingDesk.failed(recording.id, 'call_lost');
  const { complete, ...figures } = found;
  await recordingDesk.finished(recording.id, {
    recordingId: recording.id,
    finished: true,
    ...figures,
    trouble: complete ? null : 'call_lost',
  });
}

async function soundIn(
  { recordings }: RecordingWorkerPorts,
  recording: Recording,
  key: string,
): Promise<RecordingSummary | null> {
  try {
    const path = recordingPath(recordings.folder, recording);
    return await summarize(path, recording.id, createSecretKey(Buffer.from(key, 'base64')));
  } catch {
    // No file: it never began.
    return null;
  }
}

async function isUnlinked(path: string): Promise<boolean> {
  try {
    await unlink(path);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT';
  }
}
