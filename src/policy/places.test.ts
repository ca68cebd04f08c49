import assert from 'node:assert/strict';
import { test } from 'node:test';
import examples from 'libphonenumber-js/examples.mobile.json';
import { getCountries, getCountryCallingCode, type CountryCode } from 'libphonenumber-js/max';
import { parseNumber } from '../contacts/phone-number.ts';
import { isRefused } from '../platform/refusal.ts';
import { statesOfNumber } from './hours/number-zones.ts';
import { loadPolicyPack, type PolicyVector } from './policy-pack.ts';
import { alone, factsOf } from './policy-vectors.ts';
import { evaluateCall } from './policy.ts';

/**
 * Every place of the world, by numbers: where Meta offers no such calls, and where nobody may
 * call (C-06). The lists are written down here a second time, so that a slip in the pack shows.
 */
const strict = loadPolicyPack('strict-2026-01');
const meta = loadPolicyPack('meta-2026-06');

const BLOCKED = ['US', 'CA', 'TR', 'EG', 'VN', 'NG', 'PR', 'VI', 'GU', 'AS', 'MP', 'UM'];
const SANCTIONED = ['CU', 'IR', 'KP', 'SY'];

const CANADA =
  '204 226 236 249 250 257 263 289 306 343 354 365 367 368 382 403 416 418 428 431 437 438 450 ' +
  '468 474 506 514 519 548 579 581 584 587 604 613 639 647 672 683 705 709 742 753 778 780 782 ' +
  '807 819 825 867 873 879 902 905 942';
/** Area codes of places that are neither the USA nor Canada. */
const ELSEWHERE =
  '242 246 264 268 284 345 441 473 649 658 664 721 758 767 784 809 829 849 868 869 876';

type Side = 'business' | 'customer';

/** What the three rules about places say of a number on one side; null where all let it pass. */
function placeCode(side: Side, e164: string, pack = strict): string | null {
  const vector: PolicyVector = { title: e164, kind: 'call', facts: { [side]: e164 }, code: null };
  const { verdicts } = evaluateCall(factsOf(vector, pack), alone(pack));
  const places = ['business_country', 'customer_country', 'sanctioned'];
  const refused = verdicts.filter(
    ({ rule, verdict }) => verdict === 'refuse' && places.includes(rule),
  );
  return refused.at(-1)?.code ?? null;
}

const numberOf = (country: CountryCode): string =>
  `+${getCountryCallingCode(country)}${(examples as Record<string, string>)[country] ?? ''}`;

test('every country is open, blocked or sanctioned as the page says, on both sides (C-06)', () => {
  const countries = getCountries().filter((country) => country in examples);
  assert.ok(countries.length > 240, `${countries.length} countries`);
  for (const country of countries) {
    const number = numberOf(country);
    const parsed = parseNumber(number);
    assert.ok(!isRefused(parsed), `${country} ${number}`);
    for (const side of ['business', 'customer'] as const) {
      const wanted = SANCTIONED.includes(country)
        ? 'sanctioned_place'
        : BLOCKED.includes(country)
          ? `${side}_country_blocked`
          : null;
      assert.equal(placeCode(side, number), wanted, `${side} in ${country}, ${number}`);
    }
    const wanted = SANCTIONED.includes(country) ? 'sanctioned_place' : null;
    assert.equal(placeCode('customer', number, meta), wanted, `Meta's own rules, ${country}`);
  }
});

test('every calling code has a country, or is refused (C-06)', () => {
  const known = new Set<string>(getCountries().map((country) => getCountryCallingCode(country)));
  for (let code = 1; code <= 999; code += 1) {
    if (known.has(String(code))) continue;
    for (const rest of ['12345678', '212345678', '9123456789']) {
      const number = parseNumber(`+${code}${rest}`);
      if (isRefused(number)) continue;
      // Longer digits may continue a shorter code: 999 is none, but 9 99… may be.
      if (number.country !== null) {
        assert.ok(number.digits.startsWith(getCountryCallingCode(number.country as CountryCode)));
        continue;
      }
      assert.equal(placeCode('customer', number.e164), 'country_unknown', number.e164);
      assert.equal(placeCode('business', number.e164), 'country_unknown', number.e164);
    }
  }
});

test('every +1 area code is refused but those of other countries (C-06)', () => {
  const canada = new Set(CANADA.split(' '));
  const elsewhere = new Set(ELSEWHERE.split(' '));
  let states = 0;
  for (let code = 200; code <= 999; code += 1) {
    const number = `+1${code}5550123`;
    const parsed = parseNumber(number);
    if (isRefused(parsed)) continue;
    const said = {
      business: placeCode('business', number),
      customer: placeCode('customer', number),
    };
    const area = String(code);
    if (elsewhere.has(area)) {
      assert.deepEqual(said, { business: null, customer: null }, number);
      assert.deepEqual(statesOfNumber(number), [], number);
      continue;
    }
    for (const side of ['business', 'customer'] as const) {
      const codes = [`${side}_country_blocked`, 'country_unknown'];
      assert.ok(codes.includes(said[side] ?? 'allowed'), `${side} ${number}: ${said[side]}`);
    }
    if (canada.has(area)) continue;
    const found = statesOfNumber(number);
    assert.ok(parsed.country !== 'US' || found.length > 0, `a law binds ${number}`);
    if (found.length === 1) states += 1;
  }
  assert.ok(states >= 340, `${states} area codes of one state`);
});

test('Crimea, Donetsk and Luhansk are refused by their prefixes, Kyiv and Moscow are not', () => {
  const barred = ['+73652123456', '+78692123456', '+79781234567', '+380652123456'];
  for (const number of [...barred, '+380692123456', '+380621234567', '+380641234567']) {
    assert.equal(placeCode('customer', number), 'sanctioned_place', number);
    assert.equal(placeCode('business', number), 'sanctioned_place', number);
  }
  for (const number of ['+380441234567', '+74951234567', '+79161234567', '+380501234567']) {
    assert.equal(placeCode('customer', number), null, number);
  }
});
