import { readdirSync, readFileSync } from 'node:fs';
import * as z from 'zod';
import type { ConsentPermission, ConsentRules } from '../consent/consent.ts';
import { Failure, errorText } from '../platform/failure.ts';
import { lawOverlaySchema, type LawOverlay } from './law-overlay.ts';
import { limitsSchema, ruleSource } from './limits.ts';
import { REFUSAL_CODES } from './refusal-codes.ts';

/** Rules that only a pack has a say in; it must give each its source. */
export const PACK_RULE_NAMES = [
  'line_enabled',
  'line_not_restricted',
  'number_known',
  'business_country',
  'customer_country',
  'sanctioned',
  'do_not_call',
  'one_live_call',
  'permission_live',
  'endpoint_known',
  'not_live',
  'meta_allows',
] as const;
/** Rules that a pack may leave out by giving them no source. */
export const OPTIONAL_RULE_NAMES = ['purpose_match', 'purpose_specific'] as const;
/** Rules whose numbers any layer may set; each number carries its own source. */
export const LIMIT_RULE_NAMES = [
  'promise_kept',
  'calling_hours',
  'call_frequency',
  'connected_calls',
  'refusal_lock',
  'unanswered_brake',
  'line_capacity',
  'request_limit',
  'request_hours',
  'messaging_window',
] as const;

export type PackRuleName = (typeof PACK_RULE_NAMES)[number] | (typeof OPTIONAL_RULE_NAMES)[number];
export type LimitRuleName = (typeof LIMIT_RULE_NAMES)[number];
export type RuleName = PackRuleName | LimitRuleName;
/** Every rule of the gate. */
export const RULE_NAMES: readonly RuleName[] = [
  ...PACK_RULE_NAMES,
  ...OPTIONAL_RULE_NAMES,
  ...LIMIT_RULE_NAMES,
];

const country = z.string().regex(/^[A-Z]{2}$/);
const duration = z.int().positive();

/**
 * What a test vector may change against a case that is allowed: a British line and customer and
 * a permission half an hour old for "your order 1042".
 */
const vectorFacts = z.strictObject({
  consent: z
    .enum(['none', 'requested', 'granted', 'used', 'declined', 'revoked', 'lapsed'])
    .optional(),
  grantAgeMs: z.int().nonnegative().optional(),
  /** Null: the yes came from the business profile and answers no request. */
  permissionPurpose: z.null().optional(),
  /** How long before the yes a call was promised for; negative: after it. */
  promisedAfterMs: z.int().optional(),
  permanent: z.boolean().optional(),
  requestAgesMs: z.array(z.int().nonnegative()).optional(),
  /** The request is MARKETING, and the customer was last heard so long ago; null: never. */
  marketingInboundAgeMs: z.int().nonnegative().nullable().optional(),
  /** Ages of calls on this permission; each was picked up, or not. */
  connectedAgesMs: z.array(z.int().nonnegative()).optional(),
  unansweredAgesMs: z.array(z.int().nonnegative()).optional(),
  lineLiveCalls: z.int().nonnegative().optional(),
  /** Age of Meta's answer, and what it allows; null: Meta was not asked. */
  metaAnswer: z
    .strictObject({ ageMs: z.int().nonnegative(), canCall: z.boolean(), canRequest: z.boolean() })
    .nullable()
    .optional(),
  purpose: z.string().optional(),
  business: z.string().optional(),
  customer: z.string().nullable().optional(),
  sanctionedRegion: z.boolean().optional(),
  doNotCall: z.boolean().optional(),
  optedOut: z.boolean().optional(),
  optOutPending: z.boolean().optional(),
  lineEnabled: z.boolean().optional(),
  accountStopped: z.boolean().optional(),
  linePaused: z.boolean().optional(),
  lineRestricted: z.boolean().optional(),
  otherCall: z.boolean().optional(),
  endpointKnown: z.boolean().optional(),
});

const policyPackSchema = z.strictObject({
  name: z.string().regex(/^[a-z0-9-]+$/),
  title: z.string().min(1),
  date: z.iso.date(),
  source: z.strictObject({ title: z.string().min(1), slug: z.string().min(1) }),
  values: z.strictObject({
    grantValidMs: duration,
    /** Null: a permanent permission ends only by a no. */
    permanentValidMs: duration.nullable(),
    /** Null: as many calls on one yes as the other limits allow. */
    callsPerGrant: z.int().positive().max(1000).nullable(),
    requestLapsesMs: duration,
    /**
     * What makes a permission: Meta's own reply, or a quick reply that says yes as well. Meta
     * connects calls only on its own; `quick_reply` is for who is connected by other ways.
     */
    permissionBy: z.enum(['native', 'quick_reply']).default('native'),
  }),
  /** How old Meta's own answer may be at the dial; null: it need not be asked. */
  liveAnswer: z.strictObject({ maxAgeMs: duration }).nullable(),
  limits: limitsSchema,
  countries: z.strictObject({
    businessBlocked: z.array(country),
    customerBlocked: z.array(country),
    /** Territories that a country's name includes although they have a code of their own. */
    alsoMeans: z.record(country, z.array(country)),
  }),
  sanctioned: z.strictObject({
    countries: z.array(country),
    prefixes: z.array(
      z.strictObject({ prefix: z.string().regex(/^\+[1-9]\d{1,8}$/), region: z.string().min(1) }),
    ),
    cannotTell: z.array(z.string()),
  }),
  /** What a purpose must be; null where none is asked for. */
  purpose: z
    .strictObject({
      minLength: z.int().positive(),
      maxLength: z.int().positive(),
      generic: z.array(z.string()),
    })
    .nullable(),
  rules: z.strictObject({
    ...(Object.fromEntries(PACK_RULE_NAMES.map((name) => [name, ruleSource])) as Record<
      (typeof PACK_RULE_NAMES)[number],
      typeof ruleSource
    >),
    purpose_match: ruleSource.optional(),
    purpose_specific: ruleSource.optional(),
  }),
  vectors: z
    .array(
      z.strictObject({
        title: z.string().min(1),
        kind: z.enum(['call', 'request']),
        facts: vectorFacts,
        /** The code of the refusal, or null when it is allowed. */
        code: z.enum(REFUSAL_CODES).nullable(),
      }),
    )
    .min(1),
});

/** Dated rules as data. */
export type PolicyPack = z.infer<typeof policyPackSchema>;
export type PolicyVector = PolicyPack['vectors'][number];

/** The packs that come with the product. */
export const PACK_FOLDER = new URL('./packs/', import.meta.url);

/**
 * Reads and checks a pack by name. A missing or broken file is a Failure, never a default:
 * without rules there is no call.
 */
export function loadPolicyPack(name: string, folder: URL = PACK_FOLDER): PolicyPack {
  return loadAs(policyPackSchema, name, folder);
}

/** The same for a law overlay. */
export function loadLawOverlay(name: string, folder: URL = PACK_FOLDER): LawOverlay {
  return loadAs(lawOverlaySchema, name, folder);
}

/** The names of all base packs or of all law overlays in a folder, in order. */
export function packNamesIn(folder: URL, kind: 'base' | 'law'): string[] {
  let files: string[];
  try {
    files = readdirSync(folder);
  } catch (error) {
    throw unusable('*', errorText(error), error);
  }
  const names = files.filter((file) => file.endsWith('.json')).map((file) => file.slice(0, -5));
  return names.filter((name) => name.startsWith('law-') === (kind === 'law')).sort();
}

function loadAs<Pack extends { name: string }>(
  schema: z.ZodType<Pack>,
  name: string,
  folder: URL,
): Pack {
  if (!/^[a-z0-9-]+$/.test(name)) throw unusable(name, 'this is not the name of a pack');
  let data: unknown;
  try {
    data = JSON.parse(readFileSync(new URL(`${name}.json`, folder), 'utf8'));
  } catch (error) {
    throw unusable(name, errorText(error), error);
  }
  const parsed = schema.safeParse(data);
  if (!parsed.success) throw unusable(name, z.prettifyError(parsed.error), parsed.error);
  if (parsed.data.name !== name) throw unusable(name, `the file calls itself ${parsed.data.name}`);
  return parsed.data;
}

function unusable(name: string, why: string, cause?: unknown): Failure {
  return new Failure({
    code: 'policy_pack_unusable',
    message: `The policy pack "${name}" cannot be used: ${why}`,
    fix: 'Name a pack that exists in src/policy/packs, or restore its file.',
    verdict: 'terminal',
    side: 'server',
    cause,
  });
}

/** The values of a pack that the consent decider works with. */
export function consentRules({ values, limits }: PolicyPack): ConsentRules {
  return { ...values, requestCaps: limits.requests ?? [] };
}

/**
 * When a pack ends a permission, whatever was written down at the yes: a line may have been
 * switched to a stricter pack since. Infinity where it lets a permanent one stand.
 */
export function packEnd(
  { kind, grantedAt }: Pick<ConsentPermission, 'kind' | 'grantedAt'>,
  { values }: PolicyPack,
): number {
  const validMs = kind === 'permanent' ? values.permanentValidMs : values.grantValidMs;
  return validMs === null ? Number.POSITIVE_INFINITY : grantedAt + validMs;
}

/** Where a rule comes from, in one line; null where the pack does not ask it. */
export function sourceOf(pack: PolicyPack, rule: PackRuleName): string | null {
  const source = pack.rules[rule];
  if (source === undefined) return null;
  return `${pack.name}, ${source.section}: ${source.sentence}`;
}
