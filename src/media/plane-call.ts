import type { RecordingFigures, RecordingOrder } from '../recording/recording.ts';
import { errorText } from '../platform/failure.ts';
import {
  ENDPOINT_LEGS_MAX,
  MAIN_LEG,
  type EndpointMedia,
  type EndpointMediaOptions,
  type LegStats,
  type ListenerMode,
  type MediaCall,
  type MediaEvent,
  type MediaLeg,
  type MediaStats,
  type PlayOptions,
  type Sound,
} from './media.ts';
import { noCapacity } from './media-capacity.ts';
import type { PortAllocator } from './port-allocator.ts';
import type { WorkerProcess } from './worker-process.ts';
import type { CallOrder, LegName } from './worker-protocol.ts';

export type PlaneCallOptions = {
  handle: number;
  worker: WorkerProcess;
  ports: PortAllocator;
  /** The WhatsApp leg's port. */
  port: number;
  offer: string;
  onEvent: (event: MediaEvent) => void;
  onClosed: () => void;
};

/** An endpoint leg on this side: its port, and the last offer that was asked for. */
type OpenedLeg = { port: number | null; offer: Promise<string> };

const HOLD_MUSIC: Sound = { kind: 'builtin', name: 'hold_music' };
const DIGITS_MAX = 64;

/** A call as the main process sees it: each method asks the worker that carries the media. */
export class PlaneCall implements MediaCall {
  readonly offer: string;
  readonly #options: PlaneCallOptions;
  readonly #legs = new Map<string, OpenedLeg>();
  /** Legs whose end the worker has not confirmed; one of the same name opens after it. */
  readonly #ending = new Map<string, Promise<unknown>>();
  #closing: Promise<MediaStats> | undefined;
  #lost = false;
  #lastPlay = 0;

  constructor(options: PlaneCallOptions) {
    this.#options = options;
    this.offer = options.offer;
  }

  async applyAnswer(sdp: string): Promise<void> {
    await this.#options.worker.ask(this.#options.handle, 'applyAnswer', { sdp });
  }

  openEndpoint(options: EndpointMediaOptions, legId: string = MAIN_LEG): Promise<string> {
    const known = this.#legs.get(legId);
    if (known === undefined && this.#legs.size >= ENDPOINT_LEGS_MAX) {
      return Promise.reject(noCapacity(`The call has ${ENDPOINT_LEGS_MAX} endpoint legs already.`));
    }
    const before = this.#ending.get(legId) ?? Promise.resolve();
    const leg = known ?? { port: null, offer: before.then(() => '') };
    this.#legs.set(legId, leg);
    leg.offer = leg.offer.then(() => this.#openEndpoint(leg, legId, options));
    return leg.offer;
  }

  applyEndpointAnswer(sdp: string, legId: string = MAIN_LEG): Promise<EndpointMedia> {
    return this.#options.worker.ask(this.#options.handle, 'applyEndpointAnswer', { legId, sdp });
  }

  answerEndpointOffer(sdp: string, legId: string = MAIN_LEG): Promise<string> {
    return this.#options.worker.ask(this.#options.handle, 'answerEndpointOffer', { legId, sdp });
  }

  useEndpoint(legId: string): void {
    this.#tell({ do: 'useEndpoint', legId });
  }

  async closeEndpoint(legId: string): Promise<void> {
    const leg = this.#legs.get(legId);
    if (leg === undefined || this.#closing !== undefined) return;
    this.#legs.delete(legId);
    const { worker, handle, ports } = this.#options;
    const ended = leg.offer
      .catch(errorText)
      .then(() => worker.ask(handle, 'closeEndpoint', { legId }))
      // A dead worker has closed its sockets already.
      .catch(errorText);
    this.#ending.set(legId, ended);
    await ended;
    if (this.#ending.get(legId) === ended) this.#ending.delete(legId);
    if (leg.port !== null) ports.release(leg.port);
  }

  addListener(legId: string, mode: ListenerMode): void {
    this.#tell({ do: 'addListener', legId, mode });
  }

  removeListener(legId: string): void {
    this.#tell({ do: 'removeListener', legId });
  }

  ringMeanwhile(): void {
    this.#tell({ do: 'ringMeanwhile' });
  }

  bridge(): void {
    this.#tell({ do: 'bridge' });
  }

  hold(sound: Sound = HOLD_MUSIC): void {
    this.#tell({ do: 'hold', sound });
  }

  resume(): void {
    this.#tell({ do: 'resume' });
  }

  setMuted(leg: MediaLeg, muted: boolean, legId?: string): void {
    this.#tell({ do: 'setMuted', muted, ...nameOf(leg, legId) });
  }

  play(leg: MediaLeg, sound: Sound, { loop, interrupt, legId }: PlayOptions): number {
    this.#lastPlay += 1;
    const playId = this.#lastPlay;
    this.#tell({ do: 'play', playId, sound, loop, interrupt, ...nameOf(leg, legId) });
    return playId;
  }

  stopPlaying(leg: MediaLeg, legId?: string): void {
    this.#tell({ do: 'stopPlaying', ...nameOf(leg, legId) });
  }

  sendDtmf(leg: MediaLeg, digits: string, legId?: string): void {
    this.#tell({ do: 'sendDtmf', digits: digits.slice(0, DIGITS_MAX), ...nameOf(leg, legId) });
  }

  record(order: RecordingOrder): Promise<RecordingFigures | null> {
    return this.#options.worker.ask(this.#options.handle, 'record', { order });
  }

  stats(): Promise<MediaStats> {
    return this.#options.worker.ask(this.#options.handle, 'stats', null);
  }

  close(): Promise<MediaStats> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** Passes an event of the worker on; nothing after `lost` by a dead worker, or after close. */
  report(event: MediaEvent): void {
    if (this.#closing !== undefined || this.#lost) return;
    this.#lost = event.kind === 'lost' && event.cause === 'media_worker_died';
    this.#options.onEvent(event);
  }

  #tell(order: CallOrder): void {
    const { worker, handle } = this.#options;
    worker.tell({ kind: 'order', handle, order });
  }

  async #openEndpoint(
    leg: OpenedLeg,
    legId: string,
    options: EndpointMediaOptions,
  ): Promise<string> {
    const { ports, worker, handle } = this.#options;
    leg.port ??= await ports.take();
    if (leg.port === null) throw noCapacity('No UDP port is free for the endpoint leg.');
    return worker.ask(handle, 'openEndpoint', { legId, port: leg.port, options });
  }

  async #close(): Promise<MediaStats> {
    const { worker, handle, ports, port, onClosed } = this.#options;
    const legs = [...this.#legs.values()];
    // An endpoint that is just being opened must be there before it can be closed.
    await Promise.all([...legs.map((leg) => leg.offer.catch(errorText)), ...this.#ending.values()]);
    // A dead worker has no figures left, and its sockets are closed already.
    const stats = await worker.ask(handle, 'close', null).catch(() => NO_STATS);
    worker.handles.delete(handle);
    for (const taken of [port, ...legs.map((leg) => leg.port)]) {
      if (taken !== null) ports.release(taken);
    }
    onClosed();
    return stats;
  }
}

function nameOf(leg: MediaLeg, legId: string | undefined): LegName {
  return legId === undefined ? { leg } : { leg, legId };
}

const NO_LEG_STATS: LegStats = {
  packetsIn: 0,
  packetsOut: 0,
  packetsLost: 0,
  packetsLate: 0,
  jitterMs: 0,
  rttMs: null,
  mos: null,
  far: null,
  firstPacketInAt: null,
  firstPacketOutAt: null,
  firstSoundInAt: null,
  dtmfIn: 0,
};

const NO_STATS: MediaStats = {
  codec: null,
  transcoded: false,
  srtp: null,
  iceConnectedAt: null,
  connectedAt: null,
  whatsappSrtp: null,
  whatsappCodec: null,
  whatsapp: NO_LEG_STATS,
  endpoint: NO_LEG_STATS,
};
