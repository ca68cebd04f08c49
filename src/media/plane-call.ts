import { errorText } from '../platform/failure.ts';
import type {
  EndpointMedia,
  EndpointMediaOptions,
  LegStats,
  MediaCall,
  MediaEvent,
  MediaLeg,
  MediaStats,
} from './media.ts';
import { noCapacity } from './media-capacity.ts';
import type { PortAllocator } from './port-allocator.ts';
import type { WorkerProcess } from './worker-process.ts';

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

/** A call as the main process sees it: each method asks the worker that carries the media. */
export class PlaneCall implements MediaCall {
  readonly offer: string;
  readonly #options: PlaneCallOptions;
  readonly #ports: number[];
  #endpointOffer: Promise<string> | undefined;
  #closing: Promise<MediaStats> | undefined;
  #lost = false;

  constructor(options: PlaneCallOptions) {
    this.#options = options;
    this.offer = options.offer;
    this.#ports = [options.port];
  }

  async applyAnswer(sdp: string): Promise<void> {
    await this.#options.worker.ask(this.#options.handle, 'applyAnswer', { sdp });
  }

  openEndpoint(options: EndpointMediaOptions): Promise<string> {
    const before = this.#endpointOffer ?? Promise.resolve();
    this.#endpointOffer = before.then(() => this.#openEndpoint(options));
    return this.#endpointOffer;
  }

  applyEndpointAnswer(sdp: string): Promise<EndpointMedia> {
    return this.#options.worker.ask(this.#options.handle, 'applyEndpointAnswer', { sdp });
  }

  answerEndpointOffer(sdp: string): Promise<string> {
    return this.#options.worker.ask(this.#options.handle, 'answerEndpointOffer', { sdp });
  }

  ringMeanwhile(): void {
    this.#options.worker.tell({ kind: 'ringMeanwhile', handle: this.#options.handle });
  }

  bridge(): void {
    this.#options.worker.tell({ kind: 'bridge', handle: this.#options.handle });
  }

  sendDtmf(leg: MediaLeg, digits: string): void {
    const { worker, handle } = this.#options;
    worker.tell({ kind: 'sendDtmf', handle, leg, digits: digits.slice(0, 64) });
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

  async #openEndpoint(options: EndpointMediaOptions): Promise<string> {
    const { ports, worker, handle } = this.#options;
    const port = this.#ports[1] ?? (await ports.take());
    if (port === null) throw noCapacity('No UDP port is free for the endpoint leg.');
    this.#ports[1] = port;
    return worker.ask(handle, 'openEndpoint', { port, options });
  }

  async #close(): Promise<MediaStats> {
    const { worker, handle, ports, onClosed } = this.#options;
    // An endpoint that is just being opened must be there before it can be closed.
    await this.#endpointOffer?.catch(errorText);
    // A dead worker has no figures left, and its sockets are closed already.
    const stats = await worker.ask(handle, 'close', null).catch(() => NO_STATS);
    worker.handles.delete(handle);
    for (const port of this.#ports) ports.release(port);
    onClosed();
    return stats;
  }
}

const NO_LEG_STATS: LegStats = {
  packetsIn: 0,
  packetsOut: 0,
  packetsLost: 0,
  jitterMs: 0,
  firstPacketInAt: null,
  firstPacketOutAt: null,
};

const NO_STATS: MediaStats = {
  codec: null,
  transcoded: false,
  srtp: null,
  connectedAt: null,
  whatsapp: NO_LEG_STATS,
  endpoint: NO_LEG_STATS,
};
