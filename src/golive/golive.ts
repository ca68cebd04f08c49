import type { KeyExchange } from '../media/media.ts';
import type { CallingSettings } from '../whatsapp/whatsapp.ts';
import type { ProbeResult } from './endpoint-probe.ts';
import { houseChecks } from './house-checks.ts';
import { metaChecks } from './meta-checks.ts';

/**
 * What must be true before a line calls real people, as a list of checks. Facts go in, verdicts
 * with a fix each come out; nothing here asks anybody. Whether Meta or the simulator stands
 * behind the facts makes no difference to a check.
 */
export type CheckState = 'ok' | 'warning' | 'failed' | 'unknown';

export const CHECK_IDS = [
  'token',
  'number',
  'line_enabled',
  'country',
  'quality',
  'calling_enabled',
  'sip_off',
  'key_exchange',
  'restrictions',
  'app_subscribed',
  'webhook_url',
  'webhook_received',
  'template_approved',
  'endpoint',
  'endpoint_reachable',
  'media_address',
  'roles',
  'clock',
  'data_key',
] as const;
export type CheckId = (typeof CHECK_IDS)[number];

export type Check = {
  id: CheckId;
  title: string;
  state: CheckState;
  /** A required check must be `ok` or `warning` before the line is ready. */
  required: boolean;
  /** What was found, in one or two sentences. */
  detail: string;
  /** What to do; null where nothing is to be done. */
  fix: string | null;
};

/** What a check found; id, title and weight stand in its own table. */
export type Finding = Pick<Check, 'state' | 'detail' | 'fix'>;

/** The answer to one question that was put to Meta, or why there is none. */
export type Told<T> =
  | { ok: true; value: T }
  | {
      ok: false;
      code: string;
      message: string;
      fix: string;
      /** True: asking again will give the same answer. */
      isFinal: boolean;
    };

export type TemplateStatus = { name: string; language: string; status: string };

export type GoLiveFacts = {
  now: number;
  line: {
    displayNumber: string;
    phoneNumberId: string;
    policyPack: string;
    graphBaseUrl: string;
    keyExchange: KeyExchange;
  };
  phoneNumber: Told<{ displayPhoneNumber: string; verifiedName?: string; qualityRating?: string }>;
  settings: Told<Omit<CallingSettings, 'callback' | 'hours'>>;
  subscribedApps: Told<readonly string[]>;
  templates: Told<readonly TemplateStatus[]>;
  /** The policy pack's rules about the line itself that say no, by rule name. */
  gate: ReadonlyMap<string, { message: string; fix: string }>;
  /** Age of the newest webhook with a valid signature, about this number and about any. */
  webhook: { lineAgeMs: number | null; anyAgeMs: number | null };
  endpoint: { name: string; uri: string } | null;
  /** What the endpoint said to OPTIONS; null where there is none. */
  probe: ProbeResult | null;
  /** Our clock minus Meta's; null when its answer bore no date. */
  clockSkewMs: number | null;
  publicUrl: string | null;
  mediaAddress: string;
  sipAddress: string;
  advertisedAddress: string | null;
  roles: readonly string[];
  dataDir: string;
};

export type Checklist = {
  /** True where the line speaks to Meta itself; said for the reader, no check depends on it. */
  live: boolean;
  ready: boolean;
  checks: Check[];
};

/** Every check, in the order in which a person would put things right. */
export function checklist(facts: GoLiveFacts): Checklist {
  const found = new Map([...metaChecks(facts), ...houseChecks(facts)].map((it) => [it.id, it]));
  const checks = CHECK_IDS.flatMap((id) => found.get(id) ?? []);
  return {
    live: isMeta(facts.line.graphBaseUrl),
    ready: checks.every(({ required, state }) => !required || isGood(state)),
    checks,
  };
}

function isGood(state: CheckState): boolean {
  return state === 'ok' || state === 'warning';
}

function isMeta(graphBaseUrl: string): boolean {
  return URL.canParse(graphBaseUrl) && new URL(graphBaseUrl).hostname === 'graph.facebook.com';
}
