import type { Clock } from '../platform/clock.ts';
import { Recorder } from '../recording/recorder.ts';
import type { RecordingDisk } from '../recording/recording-disk.ts';
import type { RecordingFigures, RecordingOrder } from '../recording/recording.ts';
import type { EndpointCodec, FrameTap, MediaEvent, MediaLeg } from './media.ts';

/** Nobody waits longer for a disk: what is left is written in the background, or found later. */
const STOP_WAIT_MS = 1_500;

/** The recordings of one call in a media worker, one after the other; mostly there is none. */
export class CallRecording {
  readonly #clock: Clock;
  readonly #disk: RecordingDisk;
  readonly #onEvent: (event: MediaEvent) => void;
  #recorder: Recorder | null = null;

  constructor(options: {
    clock: Clock;
    disk: RecordingDisk;
    onEvent: (event: MediaEvent) => void;
  }) {
    this.#clock = options.clock;
    this.#disk = options.disk;
    this.#onEvent = options.onEvent;
  }

  /** Given to the bridge: every packet of sound as it came, muted ones left out. */
  readonly onFrame: FrameTap = (
    leg: MediaLeg,
    codec: EndpointCodec,
    payload: Uint8Array,
    timestamp: number,
  ) => {
    if (this.#recorder === null) return;
    const party = leg === 'whatsapp' ? 'customer' : 'endpoint';
    this.#recorder.push(party, codec, payload, timestamp);
  };

  /** Figures of the recording that the order is about; null where there is none. */
  async obey(order: RecordingOrder): Promise<RecordingFigures | null> {
    if (order.action === 'start') return this.#start(order);
    if (order.action === 'stop') return this.#stop();
    this.#recorder?.setPaused(order.action === 'pause');
    return this.#recorder?.figures() ?? null;
  }

  /** The call is over: what was recorded is kept. */
  close(): void {
    this.#recorder?.stop();
    this.#recorder = null;
  }

  #start(order: Extract<RecordingOrder, { action: 'start' }>): RecordingFigures {
    this.close();
    const { recordingId } = order;
    const recorder = new Recorder(
      {
        clock: this.#clock,
        disk: this.#disk,
        onTrouble: (trouble) => this.#onEvent({ kind: 'recordingEnded', recordingId, trouble }),
      },
      order,
    );
    this.#recorder = recorder;
    return recorder.figures();
  }

  async #stop(): Promise<RecordingFigures | null> {
    const recorder = this.#recorder;
    if (recorder === null) return null;
    this.close();
    const late = Promise.withResolvers<void>();
    const timer = this.#clock.after(STOP_WAIT_MS, () => late.resolve());
    await Promise.race([recorder.settled(), late.promise]);
    timer.cancel();
    return recorder.figures();
  }
}
