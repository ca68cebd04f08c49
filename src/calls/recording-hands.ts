import type { Announcements } from '../recording/announcements.ts';
import { CallRecorder } from '../recording/call-recorder.ts';
import type { RecordingDesk } from '../recording/recording-desk.ts';
import type { CallState } from './call.ts';
import type { RecordOrder } from './call-hands.ts';
import type { HandPorts, SessionTarget } from './call-session.ts';
import type { MediaHands } from './media-hands.ts';

/** What a session needs to record its call; the same for all calls of a gateway. */
export type RecordingPorts = {
  recordingDesk: RecordingDesk;
  announcements: Announcements;
  recordings: { keepFreeBytes: number };
};

/**
 * The recording of one session: begins by itself where the call was asked for with one, and
 * follows orders. It stands beside the call and never holds it up.
 */
export class RecordingHands {
  readonly #recorder: CallRecorder;
  #begun = false;

  constructor(ports: HandPorts, target: SessionTarget, media: MediaHands) {
    const { clock, log, callId, recordingDesk: desk, announcements } = ports;
    const { keepFreeBytes } = ports.recordings;
    const playOnce = { loop: false, interrupt: false };
    this.#recorder = new CallRecorder(
      {
        desk,
        announcements,
        ownAnnouncement: async () => (await ports.announcementOf?.(ports.state().plan)) ?? null,
        clock,
        log,
        keepFreeBytes,
        media: () => media.call,
        play: async (sound, leg) => (await media.play(leg, sound, playOnce)).completed,
      },
      { callId, contactId: () => ports.state().plan.contactId, ...target.person },
    );
    media.listen((event) => this.#recorder.onEvent(event));
  }

  /** The two can hear each other. Orders that came before say whether it still begins by itself. */
  onBridged({ plan }: CallState): void {
    if (this.#begun || plan.recording === undefined) return;
    this.#begun = true;
    void this.#recorder.follow('start', plan.recording);
  }

  follow(order: RecordOrder): Promise<boolean> {
    this.#begun = true;
    return this.#recorder.follow(order);
  }

  /** Before the media is closed. */
  close(): Promise<void> {
    return this.#recorder.close();
  }
}
