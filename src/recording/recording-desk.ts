import { keyOfLocked } from '../contacts/contact-key-store.ts';
import { onContact, type ContactUnit, type LedgerPorts } from '../ledger/contact-unit.ts';
import type { CallId, ContactId } from '../platform/ids.ts';
import {
  isOpen,
  recordingPath,
  type Announced,
  type Recording,
  type RecordingFigures,
  type RecordingId,
  type RecordingTrouble,
} from './recording.ts';
import { readRecordingRow, recordingRows } from './recording-store.ts';

/**
 * What changes a recording, each in a transaction of its own on the contact, with its entry in
 * the ledger. A recording ends once: whoever comes later changes nothing.
 */
export type RecordingDesk = {
  /** A new recording of a call, before anybody is told; null for a person who was erased. */
  open(wish: OpenRecording): Promise<OpenedRecording | null>;
  started(id: RecordingId): Promise<void>;
  paused(id: RecordingId, isPaused: boolean): Promise<void>;
  /** It can be heard, if there is anything; `reason` says what cut it short. */
  finished(id: RecordingId, figures: RecordingFigures): Promise<void>;
  /** Nothing was recorded, or nothing can be heard. */
  failed(id: RecordingId, trouble: RecordingTrouble): Promise<void>;
  /** From now on nobody gets it; the file goes within seconds. */
  deleted(id: RecordingId, by: string): Promise<void>;
};

export type OpenRecording = {
  callId: CallId;
  contactId: ContactId;
  announced: Announced;
  actor: string;
};

/** What the media process needs: `key` in base64, for this recording alone. */
export type OpenedRecording = { id: RecordingId; path: string; key: string };

export type RecordingDeskPorts = LedgerPorts & {
  recordings: { folder: string; node: string };
};

export function openRecordingDesk(ports: RecordingDeskPorts): RecordingDesk {
  const { folder, node } = ports.recordings;
  const change = async (
    id: RecordingId,
    decide: (recording: Recording, unit: ContactUnit) => Recording | null,
  ): Promise<void> => {
    const before = await readRecordingRow(ports.database, id);
    if (before === null) return;
    await onContact(ports, before.recording.contactId, async (unit) => {
      const read = await readRecordingRow(unit.tx, id);
      const after = read === null ? null : decide(read.recording, unit);
      if (after !== null) unit.save(recordingRows, id, after);
    });
  };
  return {
    open: ({ callId, contactId, announced, actor }) =>
      onContact(ports, contactId, async (unit) => {
        const id = unit.ids.next('recording', unit.contact.bucket);
        const { accountId } = unit.contact;
        const key = keyOfLocked(unit.tx, contactId)?.keyFor(id);
        if (key === undefined) return null;
        const recording = newRecording(unit, { id, callId, node, announced });
        unit.save(recordingRows, id, recording);
        note(unit, recording, 'RecordingOpened', actor, { announced });
        const path = recordingPath(folder, { accountId, id });
        return { id, path, key: key.toString('base64') };
      }),
    started: (id) =>
      change(id, (recording, unit) => {
        if (recording.state !== 'announcing') return null;
        note(unit, recording, 'RecordingStarted', 'platform');
        return { ...recording, state: 'recording', startedAt: unit.now };
      }),
    paused: (id, isPaused) =>
      change(id, (recording, unit) => {
        const from = isPaused ? 'recording' : 'paused';
        if (recording.state !== from) return null;
        note(unit, recording, isPaused ? 'RecordingPaused' : 'RecordingResumed', 'platform');
        return { ...recording, state: isPaused ? 'paused' : 'recording' };
      }),
    finished: (id, figures) =>
      change(id, (recording, unit) =>
        isOpen(recording) ? finished(unit, recording, figures) : null,
      ),
    failed: (id, trouble) =>
      change(id, (recording, unit) =>
        isOpen(recording) ? failed(unit, recording, trouble) : null,
      ),
    deleted: (id, by) =>
      change(id, (recording, unit) => {
        if (recording.state === 'deleted') return null;
        note(unit, recording, 'RecordingDeleted', by);
        return { ...recording, state: 'deleted', reason: by, deletedAt: unit.now };
      }),
  };
}

function newRecording(
  unit: ContactUnit,
  made: Pick<Recording, 'id' | 'callId' | 'node' | 'announced'>,
): Recording {
  return {
    ...made,
    accountId: unit.contact.accountId,
    contactId: unit.contact.id,
    state: 'announcing',
    startedAt: null,
    endedAt: null,
    durationMs: null,
    bytes: null,
    reason: null,
    createdAt: unit.now,
    deletedAt: null,
  };
}

function finished(unit: ContactUnit, recording: Recording, figures: RecordingFigures): Recording {
  const { durationMs, bytes, frames, trouble } = figures;
  if (frames === 0) return failed(unit, recording, trouble ?? 'call_lost');
  const after: Recording = {
    ...recording,
    state: 'ready',
    startedAt: recording.startedAt ?? unit.now,
    endedAt: unit.now,
    durationMs,
    bytes,
    reason: trouble,
  };
  note(unit, after, 'RecordingReady', 'platform', { durationMs, reason: trouble });
  return after;
}

function failed(unit: ContactUnit, recording: Recording, reason: RecordingTrouble): Recording {
  note(unit, recording, 'RecordingFailed', 'platform', { reason });
  return { ...recording, state: 'failed', endedAt: unit.now, reason };
}

const ANNOUNCED_AS = {
  RecordingReady: 'call.recording.ready',
  RecordingFailed: 'call.recording.failed',
} as const;

/** Told beside the numbered events of the call: a recording may be ready after its last one. */
function note(
  unit: ContactUnit,
  { id: recordingId, callId }: Recording,
  type: string,
  actor: string,
  more: Record<string, unknown> = {},
): void {
  const data = { callId, recordingId, ...more };
  const name = ANNOUNCED_AS[type as keyof typeof ANNOUNCED_AS] as
    | (typeof ANNOUNCED_AS)[keyof typeof ANNOUNCED_AS]
    | undefined;
  unit.record({
    type,
    actor,
    at: unit.now,
    data,
    ...(name === undefined ? {} : { announce: { type: name, callId: null, sequence: 0, data } }),
  });
}
