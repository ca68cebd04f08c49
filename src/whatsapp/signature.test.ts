import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import test from 'node:test';
import { gzipSync } from 'node:zlib';
import { sign, verifySignature } from './signature.ts';

const SECRET = 'app-secret-one';
const OLD_SECRET = 'app-secret-before';
const PLAIN = Buffer.from('{"object":"whatsapp_business_account","entry":[]}');
const ESCAPED = Buffer.from('{"name":"\\u00e9\\ud83d\\ude00","path":"a\\/b"}');
const EMOJI = Buffer.from('{"name":"é😀"}');
const THREE_MB = Buffer.alloc(3 * 1024 * 1024, 0x61);

const hex = (body: Buffer, secret = SECRET): string =>
  createHmac('sha256', secret).update(body).digest('hex');
const good = `sha256=${hex(PLAIN)}`;

type Case = {
  name: string;
  body?: Buffer;
  header: string | string[] | undefined;
  secrets?: string[];
  valid: boolean;
};

const cases: Case[] = [
  { name: 'the right signature', header: good, valid: true },
  { name: 'upper-case hex', header: `sha256=${hex(PLAIN).toUpperCase()}`, valid: true },
  { name: 'mixed-case hex', header: mixCase(good), valid: true },
  { name: 'escaped JSON', body: ESCAPED, header: sign(ESCAPED, SECRET), valid: true },
  { name: 'raw emoji bytes', body: EMOJI, header: sign(EMOJI, SECRET), valid: true },
  { name: 'an empty body', body: Buffer.alloc(0), header: sign('', SECRET), valid: true },
  { name: 'three megabytes', body: THREE_MB, header: sign(THREE_MB, SECRET), valid: true },
  {
    name: 'gzip bytes signed as they are',
    body: gzipSync(PLAIN),
    header: sign(gzipSync(PLAIN), SECRET),
    valid: true,
  },
  {
    name: 'not UTF-8 at all',
    body: Buffer.from([0xff, 0, 0xfe]),
    header: sign(Buffer.from([0xff, 0, 0xfe]), SECRET),
    valid: true,
  },
  {
    name: 'the old secret while both are known',
    header: sign(PLAIN, OLD_SECRET),
    secrets: [SECRET, OLD_SECRET],
    valid: true,
  },
  {
    name: 'the new secret while both are known',
    header: good,
    secrets: [OLD_SECRET, SECRET],
    valid: true,
  },
  { name: 'the same secret twice', header: good, secrets: [SECRET, SECRET], valid: true },
  {
    name: 'an empty secret beside the right one',
    header: good,
    secrets: ['', SECRET],
    valid: true,
  },
  { name: 'no header', header: undefined, valid: false },
  { name: 'an empty header', header: '', valid: false },
  { name: 'the prefix alone', header: 'sha256=', valid: false },
  { name: 'no prefix', header: hex(PLAIN), valid: false },
  { name: 'the sha1 prefix', header: good.replace('sha256', 'sha1'), valid: false },
  { name: 'an upper-case prefix', header: good.replace('sha256', 'SHA256'), valid: false },
  { name: 'a prefix with a colon', header: good.replace('=', ':'), valid: false },
  { name: 'a blank before the prefix', header: ` ${good}`, valid: false },
  { name: 'a blank after the prefix', header: good.replace('=', '= '), valid: false },
  { name: 'a trailing blank', header: `${good} `, valid: false },
  { name: 'a trailing line feed', header: `${good}\n`, valid: false },
  { name: 'an odd number of digits', header: good.slice(0, -1), valid: false },
  { name: 'a truncated digest', header: good.slice(0, -2), valid: false },
  { name: 'one digit too many', header: `${good}0`, valid: false },
  { name: 'twice the digest', header: good + hex(PLAIN), valid: false },
  { name: 'digits that are no hex', header: `${good.slice(0, -1)}g`, valid: false },
  { name: 'full-width digits', header: `sha256=${'０'.repeat(64)}`, valid: false },
  { name: 'all zeros', header: `sha256=${'0'.repeat(64)}`, valid: false },
  { name: 'the last digit changed', header: good.slice(0, -1) + other(good.at(-1)), valid: false },
  { name: 'the first digit changed', header: changeFirst(good), valid: false },
  { name: 'two headers joined by the server', header: `${good}, ${good}`, valid: false },
  { name: 'two headers as a list', header: [good, good], valid: false },
  { name: "another app's secret", header: sign(PLAIN, 'another-app'), valid: false },
  { name: 'the old secret after rotation', header: sign(PLAIN, OLD_SECRET), valid: false },
  { name: 'no secret known', header: good, secrets: [], valid: false },
  { name: 'only an empty secret', header: sign(PLAIN, ''), secrets: [''], valid: false },
  {
    name: 'a body parsed and written again',
    body: Buffer.from(JSON.stringify(JSON.parse(ESCAPED.toString()))),
    header: sign(ESCAPED, SECRET),
    valid: false,
  },
  {
    name: 'one byte more',
    body: Buffer.concat([PLAIN, Buffer.from('\n')]),
    header: good,
    valid: false,
  },
  { name: 'the gzip bytes of a signed body', body: gzipSync(PLAIN), header: good, valid: false },
  { name: 'base64 instead of hex', header: `sha256=${base64(PLAIN)}`, valid: false },
];

for (const { name, body = PLAIN, header, secrets = [SECRET], valid } of cases) {
  test(`signature: ${name} is ${valid ? 'accepted' : 'refused'}`, () => {
    assert.equal(verifySignature(body, header, secrets), valid);
  });
}

function other(digit: string | undefined): string {
  return digit === '0' ? '1' : '0';
}

function changeFirst(header: string): string {
  return `sha256=${other(header[7])}${header.slice(8)}`;
}

function base64(body: Buffer): string {
  return createHmac('sha256', SECRET).update(body).digest('base64');
}

function mixCase(header: string): string {
  return header.slice(0, 7) + header.slice(7, 30).toUpperCase() + header.slice(30);
}
