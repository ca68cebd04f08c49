/**
 * The layers that judge one call or request: a base pack, the law overlays of the customer's
 * place, the account's own settings. A call is allowed only where every layer allows it, so the
 * strictest wins without anybody having to compare them. Meta's live answer is a fact beside
 * them, which the pack may ask for.
 */
import * as z from 'zod';
import { Failure } from '../platform/failure.ts';
import type { LawOverlay } from './law-overlay.ts';
import { limitsSchema, type Limits } from './limits.ts';
import type { PolicyPack } from './policy-pack.ts';

export type Layers = { pack: PolicyPack; narrower: readonly Layer[] };

/** What a layer other than the pack may say: limits, and only limits. */
export type Layer = {
  name: string;
  limits: Limits;
  /** Whether the customer's own yes lifts the calling windows of this layer. */
  consentLiftsWindow: boolean;
};

/**
 * Which laws bind: those of the customer's place, none, or of those only the ones that are named.
 */
export const lawChoice = z.union([
  z.enum(['automatic', 'off']),
  z
    .array(z.string().regex(/^law-[a-z0-9-]+$/, 'is the name of a law overlay'))
    .min(1)
    .max(100),
]);
export type LawChoice = z.infer<typeof lawChoice>;

/** What an account sets for all its lines; stored in the account's settings. */
export const accountPolicySchema = z.strictObject({
  /**
   * `off` leaves out the laws and the pack's own rules about the time of day. Only where the
   * business answers for it otherwise, as in a sandbox, whose people are awake at all hours.
   */
  lawOverlays: lawChoice.default('automatic'),
  limits: limitsSchema.default({}),
});
export type AccountPolicy = z.infer<typeof accountPolicySchema>;

/** Nothing set: the laws of the customer's place hold. */
export const DEFAULT_ACCOUNT_POLICY: AccountPolicy = { lawOverlays: 'automatic', limits: {} };

/** Every decision reads the same few settings, so each text is checked once. */
const POLICIES_KEPT = 1_000;
const readPolicies = new Map<string, AccountPolicy>();

/**
 * Reads what an account has stored. Settings that cannot be understood are a Failure: nobody
 * knows then what the business meant to forbid.
 */
export function accountPolicyOf(stored: unknown): AccountPolicy {
  if (stored === null || stored === undefined) return DEFAULT_ACCOUNT_POLICY;
  const text = JSON.stringify(stored);
  const known = readPolicies.get(text);
  if (known !== undefined) return known;
  const parsed = accountPolicySchema.safeParse(stored);
  if (parsed.success) {
    if (readPolicies.size >= POLICIES_KEPT) readPolicies.clear();
    readPolicies.set(text, parsed.data);
    return parsed.data;
  }
  throw new Failure({
    code: 'account_policy_unusable',
    message: `The policy settings of the account cannot be read: ${z.prettifyError(parsed.error)}`,
    fix: 'Correct accounts.settings in the database, or set the policy anew by API.',
    verdict: 'terminal',
    side: 'server',
    cause: parsed.error,
  });
}

export function lawLayer({ name, limits, consentLiftsWindow }: LawOverlay): Layer {
  return { name, limits, consentLiftsWindow };
}

/** Null where the account limits nothing. */
export function accountLayer({ limits }: AccountPolicy): Layer | null {
  if (Object.keys(limits).length === 0) return null;
  return { name: 'account', limits, consentLiftsWindow: false };
}

/** What a line sets beside its account; null where it limits nothing. */
export function lineLayer(limits: Limits): Layer | null {
  if (Object.keys(limits).length === 0) return null;
  return { name: 'line', limits, consentLiftsWindow: false };
}

/** Reads what a line has stored; as with accounts, what nobody understands is a Failure. */
export function lineLimitsOf(stored: unknown): Limits {
  return accountPolicyOf({ limits: stored ?? {} }).limits;
}

/** Every layer that may limit, the pack first. */
export function limitingLayers({ pack, narrower }: Layers): Layer[] {
  return [{ name: pack.name, limits: pack.limits, consentLiftsWindow: false }, ...narrower];
}

/** How the layers are named together, in evidence. */
export function layerNames({ pack, narrower }: Layers): string[] {
  return [pack.name, ...narrower.map(({ name }) => name)];
}
