import type { BridgeLeg } from './bridge-leg.ts';
import type { EndpointMedia, EndpointMediaOptions, MediaSecurity } from './media.ts';

/** The audio of one endpoint leg, whatever carries it: RTP to a PBX, WebRTC to a browser. */
export type EndpointVoice = {
  readonly leg: BridgeLeg;
  /** What was agreed, once it was. */
  readonly media: EndpointMedia | undefined;
  readonly security: MediaSecurity | null;
  /** Opens the port and makes our offer; before an answer it may be asked again. */
  open(port: number, options: EndpointMediaOptions): Promise<string>;
  applyAnswer(sdp: string): Promise<EndpointMedia>;
  answerOffer(sdp: string): Promise<string>;
  /** Sends a sender report. */
  report(cname: string): void;
  close(): void;
};
