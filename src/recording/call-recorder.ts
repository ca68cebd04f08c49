import type { MediaCall, MediaEvent, MediaLeg, Sound } from '../media/media.ts';
import type { Clock } from '../platform/clock.ts';
import { errorText } from '../platform/failure.ts';
import type { CallId, ContactId } from '../platform/ids.ts';
import type { Log } from '../platform/log.ts';
import { announcementLanguage, announcementRule } from './announcement.ts';
import { SPOKEN_LANGUAGES, type Announcements } from './announcements.ts';
import type { OpenedRecording, RecordingDesk } from './recording-desk.ts';
import type { Announced, RecordingFigures, RecordingOrder } from './recording.ts';

export type CallRecorderPorts = {
  desk: RecordingDesk;
  announcements: Announcements;
  /** The account's own words, as a sound; null where it has none. */
  ownAnnouncement: () => Promise<Sound | null>;
  clock: Clock;
  log: Log;
  keepFreeBytes: number;
  /** The call's media; null before it is open and once it is closed. */
  media: () => Pick<MediaCall, 'record'> | null;
  /** Plays to the end; false when it was cut short or could not be played. */
  play: (sound: Sound, leg: MediaLeg) => Promise<boolean>;
};

export type RecordedCall = {
  callId: CallId;
  contactId: () => ContactId;
  /** Of the person called. */
  country: string | null;
  language: string | null;
};

/** As `RecordOrder` of the call's hands. */
export type RecorderOrder = 'start' | 'pause' | 'resume' | 'stop';

/** The call's end waits no longer for figures; the worker of recordings finds the rest. */
const CLOSE_WAIT_MS = 2_500;

/**
 * The recordings of one live call: tells the people first, then has the media process record, and
 * keeps the rows. Orders are followed one after the other. Nothing here ever ends a call: what
 * goes wrong ends the recording.
 */
export class CallRecorder {
  readonly #ports: CallRecorderPorts;
  readonly #call: RecordedCall;
  #queue: Promise<unknown> = Promise.resolve();
  #current: OpenedRecording | null = null;
  #closed = false;

  constructor(ports: CallRecorderPorts, call: RecordedCall) {
    this.#ports = ports;
    this.#call = call;
  }

  /** False where there is nothing to pause or stop, or recording could not begin. */
  follow(
    order: RecorderOrder,
    options: { announcement?: Announced; actor?: string } = {},
  ): Promise<boolean> {
    const { announcement = 'played', actor = 'platform' } = options;
    return this.#inTurn(async () => {
      if (this.#closed) return false;
      if (order === 'start') return this.#start(announcement, actor);
      if (this.#current === null) return false;
      return order === 'stop' ? this.#stop() : this.#pause(order === 'pause');
    });
  }

  /** Every event of the call's media. */
  onEvent(event: MediaEvent): void {
    if (event.kind !== 'recordingEnded' || event.recordingId !== this.#current?.id) return;
    this.#ports.log.warn(
      { callId: this.#call.callId, trouble: event.trouble },
      'a recording ended by itself; the call goes on',
    );
    void this.#inTurn(() => this.#stop());
  }

  /** Before the media is closed. Waits a moment at most, and never fails. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const recording = this.#current;
    if (recording === null) return;
    const late = Promise.withResolvers<void>();
    const timer = this.#ports.clock.after(CLOSE_WAIT_MS, () => late.resolve());
    await Promise.race([this.#finish(recording).catch(errorText), late.promise]);
    timer.cancel();
  }

  #inTurn(task: () => Promise<boolean>): Promise<boolean> {
    const done = this.#queue.then(task).catch((error: unknown) => {
      this.#ports.log.error(
        { callId: this.#call.callId, error: errorText(error) },
        'recording went wrong; the call goes on',
      );
      return false;
    });
    this.#queue = done;
    return done;
  }

  async #start(wish: Announced, actor: string): Promise<boolean> {
    if (this.#current !== null) return true;
    const { desk, media, keepFreeBytes } = this.#ports;
    const { callId, country } = this.#call;
    const contactId = this.#call.contactId();
    const { announced } = announcementRule(country, wish);
    const recording = await desk.open({ callId, contactId, announced, actor });
    if (recording === null) return false;
    // Nobody is recorded who has not heard that they will be.
    const told = announced === 'by_business' || (await this.#announce());
    if (!told) {
      await desk.failed(recording.id, 'announcement_failed');
      return false;
    }
    const { id: recordingId, path, key } = recording;
    const order: RecordingOrder = { action: 'start', recordingId, path, key, keepFreeBytes };
    const begun = this.#closed ? null : ((await media()?.record(order)) ?? null);
    if (begun === null) {
      await desk.failed(recording.id, 'call_lost');
      return false;
    }
    this.#current = recording;
    await desk.started(recording.id);
    return true;
  }

  /** Both sides hear it; the one that counts is the person called. */
  async #announce(): Promise<boolean> {
    const { announcements, play, ownAnnouncement } = this.#ports;
    const { language, country } = this.#call;
    const spoken = announcementLanguage(language, country, SPOKEN_LANGUAGES);
    // A prompt that was deleted, or cannot be read, must not mean that nobody is told.
    const own = await ownAnnouncement().catch(() => null);
    const sound = own ?? (await announcements.soundIn(spoken));
    void play(sound, 'endpoint').catch(errorText);
    return play(sound, 'whatsapp');
  }

  async #pause(isPaused: boolean): Promise<boolean> {
    const recording = this.#current;
    const order: RecordingOrder = { action: isPaused ? 'pause' : 'resume' };
    const figures = (await this.#ports.media()?.record(order)) ?? null;
    if (recording === null || figures === null) return false;
    await this.#ports.desk.paused(recording.id, isPaused);
    return true;
  }

  async #stop(): Promise<boolean> {
    const recording = this.#current;
    if (recording === null) return false;
    await this.#finish(recording);
    return true;
  }

  /** What the disk has not taken yet stays open in the row: the worker of recordings closes it. */
  async #finish(recording: OpenedRecording): Promise<void> {
    this.#current = null;
    const { media, desk } = this.#ports;
    const figures = (await media()?.record({ action: 'stop' })) ?? null;
    if (figures === null || !isSettled(figures)) return;
    await desk.finished(recording.id, figures);
  }
}

function isSettled({ finished, trouble, bytes }: RecordingFigures): boolean {
  return finished || (trouble !== null && bytes === 0);
}
