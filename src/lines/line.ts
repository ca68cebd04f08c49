import type { KeyExchange } from '../media/media.ts';
import type { AccountId, EndpointId, LineId } from '../platform/ids.ts';
import type { LineAccess } from '../whatsapp/whatsapp.ts';

/** A line is a business phone number on WhatsApp, with all that is needed to speak for it. */
export type Line = {
  id: LineId;
  accountId: AccountId;
  name: string;
  /** E.164 with a plus. */
  displayNumber: string;
  /** ISO 3166-1 alpha-2 of the number. */
  country: string;
  policyPack: string;
  defaultEndpointId: EndpointId | null;
  enabled: boolean;
  /** Until when Meta keeps this line from calling, or null. */
  restrictedUntil: number | null;
  /** The key that means "stop" in a call, once it was announced; null takes none. */
  optOutKey: string | null;
  /** How calls toward WhatsApp are keyed; at Meta it is set to the same. */
  keyExchange: KeyExchange;
  /** Live or simulated is decided by these values alone. */
  access: LineAccess;
};

/** What verifies and answers Meta's webhooks for a line. */
export type LineWebhookSecrets = { appSecret: string; verifyToken: string };
