import rules from './announcement-rules.json' with { type: 'json' };
import type { Announced } from './recording.ts';

/**
 * Whether people must hear from us that they are recorded, by the country of the person called.
 * Pure: the laws stand in `announcement-rules.json` with their sources. Everywhere the default is
 * to tell them. Where a law punishes recording without the speaker's consent, a business cannot
 * choose otherwise; elsewhere it may say that it told the person itself, and the ledger keeps that.
 */
export type AnnouncementRule = { announced: Announced; why: string; source: string };

type Law = { why: string; source: string };
const ALWAYS_PLAYED: Readonly<Record<string, Law>> = rules.alwaysPlayed;

/** `country` is ISO 3166 alpha-2; unknown ones are treated as the strictest. */
export function announcementRule(country: string | null, wish: Announced): AnnouncementRule {
  const law = country === null ? undefined : ALWAYS_PLAYED[country];
  const { why, source } = law ?? rules.everywhere;
  const mayBeTold = country !== null && law === undefined;
  return { announced: mayBeTold ? wish : 'played', why, source };
}

/** Where the language of a person is not known: what most people there understand. */
const LANGUAGES: Readonly<Record<string, readonly string[]>> = {
  de: ['AT', 'CH', 'DE', 'LI'],
  es: ['AR', 'BO', 'CL', 'CO', 'CR', 'DO', 'EC', 'ES', 'GT', 'HN', 'MX', 'NI', 'PA', 'PE'],
  fr: ['BJ', 'CD', 'CI', 'CM', 'FR', 'GA', 'MC', 'ML', 'SN', 'TG'],
  hi: ['IN'],
  id: ['ID'],
  it: ['IT', 'SM'],
  nl: ['NL', 'SR'],
  pt: ['AO', 'BR', 'MZ', 'PT'],
};
const MORE_SPANISH = ['PR', 'PY', 'SV', 'UY', 'VE'];

/** The person's language where we speak it, else that of most in the country, else English. */
export function announcementLanguage(
  language: string | null,
  country: string | null,
  spoken: ReadonlySet<string>,
): string {
  const own = language?.toLowerCase().split(/[-_]/)[0] ?? '';
  if (spoken.has(own)) return own;
  if (country !== null && MORE_SPANISH.includes(country)) return 'es';
  const ofCountry = Object.entries(LANGUAGES).find(([, lands]) => lands.includes(country ?? ''));
  return ofCountry?.[0] ?? 'en';
}
