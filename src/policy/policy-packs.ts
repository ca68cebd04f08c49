import type { ConsentRules } from '../consent/consent.ts';
import { statesOfNumber } from './hours/number-zones.ts';
import type { LawOverlay } from './law-overlay.ts';
import {
  accountLayer,
  lawLayer,
  lineLayer,
  type AccountPolicy,
  type LawChoice,
  type Layer,
  type Layers,
} from './layers.ts';
import type { Limits } from './limits.ts';
import {
  consentRules,
  loadLawOverlay,
  loadPolicyPack,
  PACK_FOLDER,
  packNamesIn,
  type PolicyPack,
} from './policy-pack.ts';

/** The packs in use, each read and checked once. A pack that cannot be read is never replaced. */
export type PolicyPacks = {
  /** Throws `Failure` `policy_pack_unusable`: without rules there is no call. */
  of(name: string): PolicyPack;
  rulesOf(name: string): ConsentRules;
  /** All layers that judge a call or request to this customer on such a line. */
  layersOf(line: RulesOfLine, customer: Customer): Layers;
  /** Every law overlay of this release. */
  laws(): readonly LawOverlay[];
  /** The names of the base packs of this release. */
  names(): readonly string[];
};

/** What decides on a line: its pack, and what its account and it set for themselves. */
export type RulesOfLine = {
  policyPack: string;
  accountPolicy: AccountPolicy;
  ownLimits: Limits;
};

export type Customer = { e164: string | null; country: string | null };

/** Customers share few sets of laws, so the arrays are made once each. */
const LAYER_SETS_MAX = 10_000;

export function makePolicyPacks(folder: URL = PACK_FOLDER): PolicyPacks {
  const packs = new Map<string, PolicyPack>();
  let laws: LawOverlay[] | null = null;
  const layerSets = new Map<string, readonly Layer[]>();
  const of = (name: string): PolicyPack => {
    const pack = packs.get(name) ?? loadPolicyPack(name, folder);
    packs.set(name, pack);
    return pack;
  };
  const allLaws = (): readonly LawOverlay[] => {
    laws ??= packNamesIn(folder, 'law').map((name) => loadLawOverlay(name, folder));
    return laws;
  };
  const lawsOf = (choice: LawChoice, customer: Customer): readonly Layer[] => {
    if (choice === 'off') return [];
    const all = overlaysFor(allLaws(), customer);
    const found = choice === 'automatic' ? all : all.filter(({ name }) => choice.includes(name));
    const key = found.map(({ name }) => name).join();
    const known = layerSets.get(key);
    if (known !== undefined) return known;
    const layers = found.map(lawLayer);
    if (layerSets.size >= LAYER_SETS_MAX) layerSets.clear();
    layerSets.set(key, layers);
    return layers;
  };
  return {
    of,
    rulesOf: (name) => consentRules(of(name)),
    laws: allLaws,
    names: () => packNamesIn(folder, 'base'),
    layersOf({ policyPack, accountPolicy, ownLimits }, customer) {
      const lawful = lawsOf(accountPolicy.lawOverlays, customer);
      const own = [accountLayer(accountPolicy), lineLayer(ownLimits)];
      const set = own.filter((layer) => layer !== null);
      const isOff = accountPolicy.lawOverlays === 'off';
      const pack = isOff ? sleepless(of(policyPack)) : of(policyPack);
      return { pack, narrower: set.length === 0 ? lawful : [...lawful, ...set] };
    },
  };
}

const withoutHours = new WeakMap<PolicyPack, PolicyPack>();

/** The pack without its own rules about the time of day. */
function sleepless(pack: PolicyPack): PolicyPack {
  const known = withoutHours.get(pack);
  if (known !== undefined) return known;
  const { callingWindows: _1, holidays: _2, requestQuietHours: _3, ...limits } = pack.limits;
  const awake = { ...pack, limits };
  withoutHours.set(pack, awake);
  return awake;
}

/**
 * The laws of the customer's place, all of them where a number may belong to several states;
 * where none is known, those for everywhere else.
 */
export function overlaysFor(laws: readonly LawOverlay[], customer: Customer): LawOverlay[] {
  const { e164, country } = customer;
  const states = e164 === null || country !== 'US' ? [] : statesOfNumber(e164);
  const applies = ({ appliesTo }: LawOverlay): boolean =>
    (country !== null && appliesTo.countries.includes(country)) ||
    appliesTo.states.some((state) => states.includes(state)) ||
    (e164 !== null && appliesTo.prefixes.some((prefix) => e164.startsWith(prefix)));
  const found = laws.filter(applies);
  return found.length > 0 ? found : laws.filter(({ appliesTo }) => appliesTo.elsewhere);
}
