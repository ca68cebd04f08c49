import type { MediaLeg, Sound } from '../media/media.ts';
import type { EndpointId } from '../platform/ids.ts';
import type { CallHands, ConnectEnd, PlayEnd, PlayWish, PressedKey } from './call-hands.ts';
import type { RecordOrder } from './call-hands.ts';
import type { HandPorts, SessionTarget } from './call-session.ts';
import type { EndpointHands } from './endpoint-hands.ts';
import { KeyHands } from './key-hands.ts';
import type { MediaHands } from './media-hands.ts';
import { OrderHands } from './order-hands.ts';
import { RecordingHands } from './recording-hands.ts';
import { ReturnHands } from './return-hands.ts';
import { TransferHands } from './transfer-hands.ts';

/** The hands that lead a live call: orders of the business, and what a script may use. */
export function openLiveHands(
  ports: HandPorts,
  target: SessionTarget,
  media: MediaHands,
  endpoints: EndpointHands,
): { live: LiveHands; orders: OrderHands; recording: RecordingHands } {
  const recording = new RecordingHands(ports, target, media);
  const record = (order: RecordOrder): Promise<boolean> => recording.follow(order);
  const transfers = new TransferHands(ports, target, endpoints, media);
  const returns = new ReturnHands(ports, endpoints, media);
  const keys = new KeyHands(ports, media, endpoints);
  const partners = { media, endpoints, transfers, returns, keys, record };
  const orders = new OrderHands(ports, target, partners);
  const live = new LiveHands(ports, { media, endpoints, keys, record });
  endpoints.onLegGone = (legId, reason) => {
    transfers.onLegGone(legId, reason);
    orders.onLegGone(legId, reason);
  };
  media.listen((event) => {
    if (event.kind === 'endpointGone') endpoints.mediaGone(event.legId);
  });
  endpoints.onTold = (told) => {
    if (told.kind === 'referred') void transfers.referred(told);
    else if (told.kind === 'answerRepeated') media.noteLostAck();
    else if (told.kind === 'key') live.pressedByInfo(told.digit, told.durationMs);
    else live.heldByEndpoint(told.held);
  };
  return { live, orders, recording };
}

/** What a script, or anybody else in this process, may do with the call. */
export class LiveHands implements CallHands {
  readonly #ports: HandPorts;
  readonly #media: MediaHands;
  readonly #endpoints: EndpointHands;
  readonly #keys: KeyHands;
  readonly #onKey = new Set<(key: PressedKey) => void>();
  readonly record: (order: RecordOrder) => Promise<boolean>;

  constructor(
    ports: HandPorts,
    parts: {
      media: MediaHands;
      endpoints: EndpointHands;
      keys: KeyHands;
      record: (order: RecordOrder) => Promise<boolean>;
    },
  ) {
    this.#ports = ports;
    this.#media = parts.media;
    this.#endpoints = parts.endpoints;
    this.#keys = parts.keys;
    this.record = parts.record;
    this.#media.listen((event) => {
      if (event.kind === 'dtmf') this.#tellKey(event);
    });
  }

  play(sound: Sound, options: PlayWish = {}): Promise<PlayEnd> {
    const { leg = 'whatsapp', loop = false, interrupt = false } = options;
    return this.#media.play(leg, sound, { loop, interrupt });
  }

  stopPlaying(leg: MediaLeg = 'whatsapp'): void {
    this.#media.call?.stopPlaying(leg);
  }

  onDtmf(listener: (key: PressedKey) => void): () => void {
    this.#onKey.add(listener);
    return () => void this.#onKey.delete(listener);
  }

  async connectEndpoint(endpointId: EndpointId): Promise<ConnectEnd> {
    const media = this.#media.call;
    const endpoint = await this.#ports.endpointOf(this.#ports.state().plan, endpointId);
    if (media === null || !this.#ports.isWanted()) return { up: false, reason: 'call_over' };
    if (endpoint === null) return { up: false, reason: 'endpoint_not_found' };
    const wish = { endpoint, endpointId, purpose: 'script' } as const;
    const { legId, answered } = this.#endpoints.begin(media, wish);
    const end = await answered;
    if (!end.up) return { up: false, reason: end.reason };
    this.#endpoints.use(media, legId, 'transferred');
    this.#ports.note({ type: 'LegTaken', at: this.#ports.clock.now(), legId });
    return { up: true };
  }

  hold(): void {
    const media = this.#media.call;
    if (media === null || this.#media.heldBy !== null) return;
    this.#media.heldBy = 'script';
    media.hold();
    this.#ports.note({ type: 'CallHeld', at: this.#ports.clock.now(), by: 'script' });
  }

  resume(): void {
    const media = this.#media.call;
    if (media === null || this.#media.heldBy === null) return;
    const by = this.#media.heldBy;
    this.#media.heldBy = null;
    media.resume();
    this.#ports.note({ type: 'CallResumed', at: this.#ports.clock.now(), by });
  }

  setMuted(leg: MediaLeg, muted: boolean): void {
    if (this.#media.call === null) return;
    this.#media.call.setMuted(leg, muted);
    const type = muted ? 'CallMuted' : 'CallUnmuted';
    this.#ports.note({ type, at: this.#ports.clock.now(), leg });
  }

  sendDtmf(leg: MediaLeg, digits: string): void {
    void this.#keys.press(leg, digits);
  }

  optOut(): Promise<void> {
    return this.#ports.stopByKey(this.#ports.callId, 0);
  }

  hangUp(reason: string): void {
    this.#ports.hangUp('platform', reason);
  }

  /** A key of the endpoint's phone that came by SIP INFO: the customer is to hear it too. */
  pressedByInfo(digit: string, durationMs: number): void {
    this.#media.call?.sendDtmf('whatsapp', digit);
    this.#tellKey({ leg: 'endpoint', digit, durationMs });
  }

  /** The PBX holds or resumes by itself; the media plane plays the music. */
  heldByEndpoint(held: boolean): void {
    if (held === this.#media.heldByEndpoint) return;
    this.#media.heldByEndpoint = held;
    const type = held ? 'CallHeld' : 'CallResumed';
    this.#ports.note({ type, at: this.#ports.clock.now(), by: 'endpoint' });
  }

  #tellKey({ leg, digit, durationMs }: PressedKey): void {
    for (const listener of this.#onKey) listener({ leg, digit, durationMs });
  }
}
