import type { CallStrategy } from '../http/api-types.ts';
import type { EndpointCodec } from '../media/media.ts';
import type { AccountId, EndpointId } from '../platform/ids.ts';

/**
 * Encrypted audio toward the endpoint: never, or else plain, or not at all. The keys travel in the
 * signalling (RFC 4568), so it keeps a secret only over TLS.
 */
export const ENDPOINT_SRTP = ['off', 'preferred', 'required'] as const;
export type EndpointSrtp = (typeof ENDPOINT_SRTP)[number];

/** What the customer hears after picking up, until the endpoint has answered. */
export const ENDPOINT_MEANWHILE = ['ringing', 'silence'] as const;
export type EndpointMeanwhile = (typeof ENDPOINT_MEANWHILE)[number];

/**
 * Where the business talks: a SIP URI of its contact centre or PBX. Never a `tel:` URI: Meta
 * forbids the telephone network on any leg of a WhatsApp call.
 */
export type Endpoint = {
  id: EndpointId;
  accountId: AccountId;
  name: string;
  /** `sip:user@host[:port][;transport=udp|tcp|tls]`, or `sips:`. */
  uri: string;
  username: string | null;
  password: string | null;
  /** In order of preference. */
  codecs: readonly EndpointCodec[];
  strategy: CallStrategy;
  srtp: EndpointSrtp;
  meanwhile: EndpointMeanwhile;
  ringTimeoutMs: number;
};
