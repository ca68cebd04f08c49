import { readFileSync } from 'node:fs';
import * as z from 'zod';
import type { ConsentRules } from '../consent/consent.ts';
import { Failure, errorText } from '../platform/failure.ts';
import { REFUSAL_CODES } from './refusal-codes.ts';

/** The rules of the gate, in the order they are asked; a pack must give each its source. */
export const RULE_NAMES = [
  'line_enabled',
  'line_not_restricted',
  'number_known',
  'business_country',
  'customer_country',
  'sanctioned',
  'do_not_call',
  'one_live_call',
  'permission_live',
  'purpose_match',
  'endpoint_known',
  'not_live',
  'request_limit',
  'purpose_specific',
] as const;
export type RuleName = (typeof RULE_NAMES)[number];

const country = z.string().regex(/^[A-Z]{2}$/);
const duration = z.int().positive();

const ruleSource = z.strictObject({
  /** The heading of the source page, or "House rule". */
  section: z.string().min(1),
  sentence: z.string().min(1),
  /** Year and month in which the sentence stood there. */
  seen: z.string().regex(/^\d{4}-\d{2}$/),
});

/**
 * What a test vector may change against a case that is allowed: a British line and customer and
 * a permission one hour old for "your order 1042".
 */
const vectorFacts = z.strictObject({
  consent: z.enum(['none', 'requested', 'used', 'declined', 'revoked', 'lapsed']).optional(),
  grantAgeMs: z.int().nonnegative().optional(),
  /** Null: the yes came from the business profile and answers no request. */
  permissionPurpose: z.null().optional(),
  requestAgesMs: z.array(z.int().nonnegative()).optional(),
  purpose: z.string().optional(),
  business: z.string().optional(),
  customer: z.string().nullable().optional(),
  sanctionedRegion: z.boolean().optional(),
  doNotCall: z.boolean().optional(),
  optedOut: z.boolean().optional(),
  optOutPending: z.boolean().optional(),
  lineEnabled: z.boolean().optional(),
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
    // The consent decider knows one call per grant; a pack that wants more needs it taught first.
    callsPerGrant: z.literal(1),
    requestsMax: z.int().positive().max(50),
    requestsWindowMs: duration,
    requestLapsesMs: duration,
  }),
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
  purpose: z.strictObject({
    minLength: z.int().positive(),
    maxLength: z.int().positive(),
    generic: z.array(z.string()),
  }),
  rules: z.record(z.enum(RULE_NAMES), ruleSource),
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
  if (!/^[a-z0-9-]+$/.test(name)) throw unusable(name, 'this is not the name of a pack');
  const text = readPack(name, folder);
  const parsed = parsePolicyPack(name, text);
  if (parsed.name !== name) throw unusable(name, `the file calls itself ${parsed.name}`);
  return parsed;
}

function readPack(name: string, folder: URL): string {
  try {
    return readFileSync(new URL(`${name}.json`, folder), 'utf8');
  } catch (error) {
    throw unusable(name, errorText(error), error);
  }
}

function parsePolicyPack(name: string, text: string): PolicyPack {
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch (error) {
    throw unusable(name, errorText(error), error);
  }
  const parsed = policyPackSchema.safeParse(data);
  if (!parsed.success) throw unusable(name, z.prettifyError(parsed.error), parsed.error);
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
export function consentRules(pack: PolicyPack): ConsentRules {
  return { ...pack.values };
}

/** Where a rule comes from, in one line, for verdicts and refusals. */
export function sourceOf(pack: PolicyPack, rule: RuleName): string {
  const { section, sentence } = pack.rules[rule];
  return `${pack.name}, ${section}: ${sentence}`;
}
