import {
  isSupportedCountry,
  parsePhoneNumberFromString,
  type CountryCode,
} from 'libphonenumber-js/max';
import { isRefused, type Refused } from '../platform/refusal.ts';

/** A phone number as the whole system knows it. */
export type PhoneNumber = {
  /** With a plus, no spaces: `+447700900123`. */
  e164: string;
  /**
   * ISO 3166-1 alpha-2, from the calling code, for +1 from the area code. Null where it cannot
   * be told (an unassigned +1 area code, satellite): rules about countries then refuse.
   */
  country: string | null;
  /** Without the plus, as Meta writes it in `wa_id`. */
  digits: string;
};

/** ISO 3166-1 alpha-2 (upper case) of a country whose numbering plan is known. */
export type NumberCountry = CountryCode;

/** E.164 (ITU-T, section 6) ends at 15 digits; the rest is room for spaces and brackets. */
const DIGITS_MAX = 15;
const TEXT_MAX = 64;

/**
 * Reads a number in international form, with or without the plus (Meta leaves it out), with
 * spaces, dashes, dots or brackets between the digits. Anything else is refused with the rule it
 * breaks: a guess could ring a stranger.
 */
export function parseNumber(text: string): PhoneNumber | Refused {
  const plain = plainText(text);
  if (isRefused(plain)) return plain;
  if (/^[( ]*0/.test(plain)) {
    return invalid('it begins with 0, so the country calling code is missing');
  }
  // Mexico gave up the 1 after +52 in 2019, but Meta's ids of Mexican mobiles keep it: one person.
  const digits = plain.replace(/\D/g, '').replace(/^521(?=\d{10}$)/, '52');
  if (digits.length > DIGITS_MAX) return invalid('it has more than 15 digits (E.164)');
  const number = parsePhoneNumberFromString(`+${digits}`);
  if (number === undefined) return invalid('it does not begin with a country calling code');
  if (!number.isPossible()) {
    return invalid('it has too few or too many digits for its country');
  }
  return { e164: number.number, country: countryOf(number), digits: number.number.slice(1) };
}

/** True for an ISO 3166-1 alpha-2 code (upper case) of which a numbering plan is known. */
export function isNumberCountry(country: string): country is NumberCountry {
  return isSupportedCountry(country);
}

/**
 * As `parseNumber`, for lists that are written in the national form of one country. What has a plus
 * is read as international; everything else first as a valid number of that country, with or
 * without its trunk 0, and only then as international.
 */
export function parseNationalNumber(text: string, country: NumberCountry): PhoneNumber | Refused {
  const plain = plainText(text);
  if (isRefused(plain) || plain.includes('+')) return parseNumber(text);
  const number = parsePhoneNumberFromString(plain, country);
  if (number === undefined || !number.isValid()) {
    const international = parseNumber(text);
    return isRefused(international) ? invalid(`it is no number of ${country}`) : international;
  }
  return { e164: number.number, country: countryOf(number), digits: number.number.slice(1) };
}

/** The text in plain digits and separators, or the rule that it breaks. */
function plainText(text: string): string | Refused {
  if (text.length > TEXT_MAX) return invalid('it is longer than any phone number');
  const plain = halfWidth(text).replace(INVISIBLE, '').trim().replace(/^tel:/i, '');
  if (plain === '') return invalid('it is empty');
  const broken = brokenRule(plain);
  return broken === null ? plain : invalid(broken);
}

/** Copying from a contact card leaves marks of text direction and zero-width characters behind. */
const INVISIBLE = /[\u200b-\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]/g;

/**
 * Full-width forms, as typed on East Asian keyboards, and both rows of Arabic digits become plain
 * ones. NFKC is not used: it would also turn a superscript or a circled figure into a digit.
 */
function halfWidth(text: string): string {
  return text
    .replace(/[\uff01-\uff5e]/g, (c) => String.fromCharCode(c.charCodeAt(0) - 0xfee0))
    .replace(/[\u0660-\u0669]/g, (c) => String(c.charCodeAt(0) - 0x660))
    .replace(/[\u06f0-\u06f9]/g, (c) => String(c.charCodeAt(0) - 0x6f0))
    .replace(/[\u3000\u00a0\u2009\u202f]/g, ' ')
    .replace(/[\u2010-\u2015\u2212]/g, '-');
}

function brokenRule(plain: string): string | null {
  if (/\p{L}/u.test(plain)) return 'it has letters or an extension in it';
  if (/[,;#*]/.test(plain)) return 'it has an extension or dial pause in it';
  if (!/^[+\d ().-]+$/.test(plain)) return 'it has characters other than digits in it';
  if (/[+].*[+]|[\d)-].*[+]/.test(plain)) return 'it has a plus elsewhere than in front';
  if (!/^[( ]*[+]?[( ]*\d/.test(plain)) return 'it begins with a dash or a dot';
  if (!/\d[) ]*$/.test(plain)) return 'it ends with a dash or a dot';
  return hasPairs(plain) ? null : 'its brackets do not match';
}

/** Brackets in pairs and not within each other: half of one may be half of another number. */
function hasPairs(plain: string): boolean {
  return !/[()]/.test(plain.replace(/\([^()]*\)/g, ''));
}

type Parsed = NonNullable<ReturnType<typeof parsePhoneNumberFromString>>;

function countryOf(number: Parsed): string | null {
  if (number.country !== undefined) return number.country;
  // +44 7700 900xxx (numbers for drama) and the like are no real range of any country, but all
  // that share the code follow its main country, which stands first. Not so +1, where US and CA
  // are blocked and Jamaica is not: there an unknown area code stays unknown.
  if (number.countryCallingCode === '1') return null;
  return number.getPossibleCountries()[0] ?? null;
}

function invalid(rule: string): Refused {
  return {
    refused: {
      code: 'number_invalid',
      message: `This is not a phone number in international form: ${rule}.`,
      fix: 'Write the number with its country calling code, for example +447700900123.',
      evidence: { rule },
    },
  };
}
