import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '../platform/clock.ts';
import { makeIds } from '../platform/ids.ts';
import { seededRandom } from '../platform/random.ts';
import { makeSealer } from '../platform/sealing.ts';
import { announcementLanguage, announcementRule } from './announcement.ts';
import { SPOKEN_LANGUAGES } from './announcements.ts';
import { linksOf, makeLinkToken, readLinkToken } from './recording-link.ts';

const random = seededRandom(3);
const sealer = makeSealer(random.bytes(32), random);
const clock = new ManualClock();
const id = makeIds(clock, random).next('recording');

test('a link works until its time and not a millisecond longer', () => {
  const token = makeLinkToken(sealer, id, clock.now() + 1_000);
  assert.equal(readLinkToken(sealer, token, clock.now() + 999), id);
  assert.equal(readLinkToken(sealer, token, clock.now() + 1_000), null);
  const links = linksOf(sealer, id, { base: 'https://a.example/', now: clock.now(), minutes: 15 });
  assert.match(links.ogg, /^https:\/\/a\.example\/recordings\/[\w-]+\/audio\.ogg$/);
  assert.equal(links.expiresAt, clock.now() + 900_000);
});

test('what we did not make, or was made for something else, opens nothing', () => {
  const token = makeLinkToken(sealer, id, clock.now() + 1_000);
  const foreign = makeSealer(seededRandom(4).bytes(32), random);
  const others = [
    '',
    'x',
    'a'.repeat(1_000),
    `${token.slice(0, -2)}AA`,
    makeLinkToken(foreign, id, clock.now() + 1_000),
    sealer.seal(`stop-link-1 ${clock.now() + 1_000} ${id}`).toString('base64url'),
    sealer.seal(`recording-link-1 ${clock.now() + 1_000} call_x`).toString('base64url'),
    sealer.seal(`recording-link-1 never ${id}`).toString('base64url'),
  ];
  for (const other of others) assert.equal(readLinkToken(sealer, other, clock.now()), null, other);
});

test('people are told everywhere; only where no law forbids it may the business say it did', () => {
  for (const country of ['GB', 'BR', 'IN', 'DE', null]) {
    assert.equal(announcementRule(country, 'played').announced, 'played');
  }
  assert.equal(announcementRule('IN', 'by_business').announced, 'by_business');
  for (const country of ['AT', 'AU', 'CH', 'DE', 'FR', null]) {
    const rule = announcementRule(country, 'by_business');
    assert.equal(rule.announced, 'played', String(country));
    assert.ok(rule.source.length > 0 && rule.why.length > 0);
  }
});

test('the announcement is in the language of the person, else of the country, else English', () => {
  const spoken = (language: string | null, country: string | null): string =>
    announcementLanguage(language, country, SPOKEN_LANGUAGES);
  assert.equal(spoken('pt_BR', 'DE'), 'pt');
  assert.equal(spoken('xx', 'DE'), 'de');
  assert.equal(spoken(null, 'MX'), 'es');
  assert.equal(spoken(null, 'KE'), 'en');
  assert.equal(spoken(null, null), 'en');
});
