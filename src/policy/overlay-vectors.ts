import { parseNumber } from '../contacts/phone-number.ts';
import { initialConsent, type ConsentPermission, type ConsentState } from '../consent/consent.ts';
import type { PermissionId } from '../platform/ids.ts';
import { invariant } from '../platform/invariant.ts';
import { isRefused } from '../platform/refusal.ts';
import type { LawOverlay, OverlayVector } from './law-overlay.ts';
import { lawLayer, type Layers } from './layers.ts';
import { overlaysFor } from './policy-packs.ts';
import type { PolicyPack } from './policy-pack.ts';
import { evaluateCall, evaluateRequest, type CallFacts } from './policy.ts';

/**
 * Runs the test vectors that a law overlay carries. Everything but the law is in order, so what
 * the law's own rules say is the whole answer: the verdicts of the base pack are left out.
 */
export function failedOverlayVectors(overlay: LawOverlay, base: PolicyPack): string[] {
  return overlay.vectors.flatMap((vector) => {
    const facts = overlayFacts(vector);
    const { e164, country } = facts.contact;
    if (overlaysFor([overlay], { e164, country }).length === 0) {
      return [`${vector.title}: the overlay does not apply to this customer`];
    }
    const layers: Layers = { pack: bare(base), narrower: [lawLayer(overlay)] };
    const decision =
      vector.kind === 'call' ? evaluateCall(facts, layers) : evaluateRequest(facts, layers);
    const code = decision.refusal?.code ?? null;
    if (code !== vector.code) {
      return [`${vector.title}: expected ${vector.code ?? 'allowed'}, got ${code ?? 'allowed'}`];
    }
    const wanted = vector.allowedAt === undefined ? undefined : timeOf(vector.allowedAt);
    const allowedAt = decision.refusal?.allowedAt ?? null;
    if (wanted === undefined || wanted === allowedAt) return [];
    const at = (instant: number | null) => (instant === null ? 'never' : textOf(instant));
    return [`${vector.title}: expected from ${at(wanted)}, got ${at(allowedAt)}`];
  });
}

/** A base pack that limits nothing and blocks no country: only the law is left to speak. */
function bare(base: PolicyPack): PolicyPack {
  return {
    ...base,
    limits: {},
    values: { ...base.values, permanentValidMs: null },
    liveAnswer: null,
    countries: { businessBlocked: [], customerBlocked: [], alsoMeans: {} },
    sanctioned: { countries: [], prefixes: [], cannotTell: [] },
    purpose: null,
  };
}

const YEAR_MS = 366 * 86_400_000;
const PURPOSE = 'your order 1042';

function overlayFacts(vector: OverlayVector): CallFacts {
  const now = Date.parse(vector.at);
  const number = parseNumber(vector.customer);
  invariant(!isRefused(number), `vector with a broken number: ${vector.customer}`);
  const callsAt = (vector.callAgesMs ?? []).map((age) => now - age).sort((a, b) => a - b);
  const refusedAt = vector.refusedAgeMs === undefined ? null : now - vector.refusedAgeMs;
  return {
    now,
    line: { enabled: true, restrictedUntil: null, e164: '+442079460000', country: 'GB' },
    contact: {
      e164: number.e164,
      country: number.country,
      doNotCall: false,
      optedOutAt: null,
      optOutPendingAt: null,
      sanctionedRegion: false,
      timeZone: vector.timeZone ?? null,
    },
    consent: vector.kind === 'call' ? granted(now) : initialConsent,
    history: { callsAt, refusedAt },
    purpose: PURPOSE,
    metaAnswer: null,
    callId: null,
    liveCallIds: [],
    endpointKnown: true,
    lineLiveCalls: null,
  };
}

/** Long enough that no search for the next allowed time runs into its end. */
function granted(now: number): ConsentState {
  const permission: ConsentPermission = {
    permissionId: 'perm_vector' as PermissionId,
    requestId: null,
    purpose: PURPOSE,
    promisedAt: null,
    kind: 'permanent',
    source: 'user',
    grantedAt: now,
    expiresAt: now + YEAR_MS,
    messageId: 'wamid.vector',
  };
  return { ...initialConsent, status: 'granted', request: null, permission };
}

function timeOf(text: string | null): number | null {
  return text === null ? null : Date.parse(text);
}

function textOf(instant: number): string {
  return new Date(instant).toISOString();
}
