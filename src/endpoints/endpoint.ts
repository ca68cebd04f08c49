import type { CallStrategy } from '../http/api-types.ts';
import type { EndpointCodec } from '../media/media.ts';
import type { AccountId, EndpointId } from '../platform/ids.ts';

/**
 * Where the business talks: a SIP URI of its contact centre or PBX. Never a `tel:` URI: Meta
 * forbids the telephone network on any leg of a WhatsApp call.
 */
export type Endpoint = {
  id: EndpointId;
  accountId: AccountId;
  name: string;
  /** `sip:user@host[:port][;transport=tcp]` */
  uri: string;
  username: string | null;
  password: string | null;
  /** In order of preference. */
  codecs: readonly EndpointCodec[];
  strategy: CallStrategy;
  ringTimeoutMs: number;
};
