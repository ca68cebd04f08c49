import type { OfferFacts } from './sdp-offer.ts';

/**
 * What the signalling half of the simulator asks of its media half. With `media: false` there is
 * no engine, and SDP answers come from a template.
 */
export type MediaEngine = {
  /** Answers the business's offer; throws when the offer cannot be answered. */
  openCall(options: CallMediaOptions): Promise<CallMedia>;
  /** Connects a browser as a person's phone; returns the SDP answer. */
  openPhone(options: PhoneOptions): Promise<BrowserPhone>;
  close(): Promise<void>;
};

export type CallMediaOptions = {
  wacid: string;
  offer: string;
  /** What was read in the offer. */
  facts: OfferFacts;
  /** True for a person behind a firewall: the relay never answers the business. */
  deaf: boolean;
  /** What the person's voice sounds like. */
  voiceHz: number;
  onConnected: () => void;
  /** RTP or RTCP came in from the business; at most a few times a second. */
  onMedia: () => void;
  /** The tones heard now, ascending. */
  onHeard: (hz: number[]) => void;
  onDigit: (digit: string) => void;
  onLost: () => void;
};

export type CallMedia = {
  /** In Meta's shape. */
  readonly answer: string;
  /** From now on the person talks. */
  accept(): void;
  setSending(sending: boolean): void;
  sendDigits(digits: string): void;
  /** Passes Opus untouched between business and browser; null lets the voice talk again. */
  attach(phone: BrowserPhone | null): void;
  counts(): { packetsIn: number; packetsOut: number };
  close(): Promise<void>;
};

export type PhoneOptions = { number: string; offer: string; onClosed: () => void };

export type BrowserPhone = {
  readonly answer: string;
  /** Opus payload toward the browser. */
  send(payload: Uint8Array): void;
  /** Opus payloads from the browser's microphone. */
  onPayload: ((payload: Uint8Array) => void) | null;
  close(): Promise<void>;
};
