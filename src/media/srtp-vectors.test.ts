import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { test } from 'node:test';
import { SrtpContext, type SrtpSuite } from './srtp.ts';

/**
 * Published bytes, which no two implementations can agree on by the same mistake: the master key
 * of RFC 3711 appendix B.3, and packets from the validation programs of libsrtp (Cisco), which
 * browsers and PBXes carry.
 */
const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');
const PLAIN = hex('800f1234decafbadcafebabe abababababababababababababababab');

const VECTORS: readonly [SrtpSuite, key: string, sealed: string][] = [
  [
    'AES_CM_128_HMAC_SHA1_80',
    'e1f97a0d3e018be0d64fa32c06de4139 0ec675ad498afeebb6960b3aabe6',
    '800f1234decafbadcafebabe 4e55dc4ce79978d88ca4d215949d2402 b78d6acc99ea179b8dbb',
  ],
  [
    'AEAD_AES_128_GCM',
    '000102030405060708090a0b0c0d0e0f a0a1a2a3a4a5a6a7a8a9aaab',
    '800f1234decafbadcafebabe c5002ede04cfdd2eb91159e0880aa06e d2976826f796b201df3131a127e8a392',
  ],
];

for (const [suite, key, sealed] of VECTORS) {
  test(`${suite}: the published packet is sealed and opened byte for byte`, () => {
    const protectedPacket = new SrtpContext({ suite, key: hex(key) }).protect(PLAIN);
    assert.equal(protectedPacket.toString('hex'), hex(sealed).toString('hex'));
    const opened = new SrtpContext({ suite, key: hex(key) }).unprotect(hex(sealed));
    assert.equal(opened?.toString('hex'), PLAIN.toString('hex'));
  });
}

test('nowhere is the check of DTLS fingerprints switched off (G5)', () => {
  const folder = new URL('.', import.meta.url);
  for (const name of readdirSync(folder).filter((file) => !file.endsWith('.test.ts'))) {
    const text = readFileSync(new URL(name, folder), 'utf8');
    assert.ok(!text.includes('disableFingerprintVerification'), name);
    assert.ok(!text.includes('enableIceUdpMux'), `${name}: one port for all calls (G1)`);
  }
});
