import { consentRules, loadPolicyPack, type PolicyPack } from './policy-pack.ts';
import type { ConsentRules } from '../consent/consent.ts';

/** The packs in use, each read and checked once. A pack that cannot be read is never replaced. */
export type PolicyPacks = {
  /** Throws `Failure` `policy_pack_unusable`: without rules there is no call. */
  of(name: string): PolicyPack;
  rulesOf(name: string): ConsentRules;
};

export function makePolicyPacks(): PolicyPacks {
  const packs = new Map<string, PolicyPack>();
  const of = (name: string): PolicyPack => {
    const pack = packs.get(name) ?? loadPolicyPack(name);
    packs.set(name, pack);
    return pack;
  };
  return { of, rulesOf: (name) => consentRules(of(name)) };
}
