import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { generateKeyPairSync } from 'node:crypto';
import { PBX_CERTIFICATE, PBX_KEY, TEST_AUTHORITY } from '../../test/certificates.ts';
import { readSipTls } from './tls-credentials.ts';

const folder = mkdtempSync(join(tmpdir(), 'askfirst-tls-'));
after(() => rmSync(folder, { recursive: true }));

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const CA = file('ca.pem', TEST_AUTHORITY);
const CERT = file('cert.pem', PBX_CERTIFICATE);
const KEY = file('key.pem', PBX_KEY);

test('no file, an authority alone, and all three', () => {
  assert.deepEqual(readSipTls({}), {});
  assert.deepEqual(readSipTls({ ASKFIRST_SIP_TLS_CA: CA }), { authorities: TEST_AUTHORITY });
  const files = { ASKFIRST_SIP_TLS_CERT: CERT, ASKFIRST_SIP_TLS_KEY: KEY };
  assert.deepEqual(readSipTls(files), { certificate: PBX_CERTIFICATE, key: PBX_KEY });
});

test('what cannot be used is named with its setting', () => {
  const stranger = generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey;
  const other = file('other.pem', stranger.export({ type: 'pkcs8', format: 'pem' }).toString());
  const cases: Array<[Parameters<typeof readSipTls>[0], RegExp]> = [
    [{ ASKFIRST_SIP_TLS_CA: join(folder, 'none') }, /ASKFIRST_SIP_TLS_CA names .*ENOENT/],
    [{ ASKFIRST_SIP_TLS_CA: file('text', 'no PEM') }, /ASKFIRST_SIP_TLS_CA names/],
    [{ ASKFIRST_SIP_TLS_CERT: CERT }, /only of use together/],
    [{ ASKFIRST_SIP_TLS_KEY: KEY }, /only of use together/],
    [{ ASKFIRST_SIP_TLS_CERT: CERT, ASKFIRST_SIP_TLS_KEY: other }, /is not that of/],
  ];
  for (const [files, message] of cases) {
    assert.throws(() => readSipTls(files), { code: 'sip_tls_unusable', message });
  }
});
