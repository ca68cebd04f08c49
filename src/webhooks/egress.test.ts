import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '../platform/clock.ts';
import { makeEgress } from './egress.ts';
import { isForbiddenAddress } from './forbidden-addresses.ts';

const clock = new ManualClock();
const neverAsked = async (): Promise<never> => {
  throw new Error('no name may be looked up in this test');
};
const production = makeEgress({ clock, allowPrivate: false, lookup: neverAsked });
const sandbox = makeEgress({ clock, allowPrivate: true, lookup: neverAsked });

/** One address inside each special range, the edges of the big ones, and their disguises. */
const FORBIDDEN_HOSTS = `
0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.100.100.200 100.127.255.255 127.0.0.1
127.1.2.3 127.255.255.254 168.63.129.16 169.254.0.1 169.254.169.254 169.254.170.2 172.16.0.1
172.31.255.255 192.0.0.1 192.0.0.192 192.0.2.1 192.31.196.1 192.52.193.1 192.88.99.1
192.168.0.1 192.168.255.255 192.175.48.1 198.18.0.1 198.19.255.255 198.51.100.1 203.0.113.1
224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255
127.1 127.0.1 0 1 2130706433 0x7f000001 0x7f.1 0177.0.0.1 017700000001 0x7f.0x0.0x0.0x1
0xa9fea9fe 2852039166 0251.0376.0251.0376 169.254.43518 0xA9.0xFE.0xA9.0xFE 127.0.0.1.
10.1 192.168.257 ①②⑦.⓪.⓪.① １２７.０.０.１ 127。0。0。1 %31%32%37.0.0.1
[::] [::1] [0:0:0:0:0:0:0:1] [::ffff:127.0.0.1] [::ffff:7f00:1] [::ffff:10.0.0.1]
[::ffff:169.254.169.254] [::ffff:a9fe:a9fe] [0:0:0:0:0:ffff:c0a8:1] [::127.0.0.1] [::7f00:1]
[64:ff9b::7f00:1] [64:ff9b::169.254.169.254] [64:ff9b:1::1] [100::1] [100:0:0:1::1] [2001::1]
[2001:0:7f00:1::] [2001:10::1] [2001:20::1] [2001:db8::1] [2002:7f00:1::] [2002:a9fe:a9fe::1]
[2620:4f:8000::1] [3fff::1] [5f00::1] [fc00::1] [fd00:ec2::254] [fdff::1] [fe80::1] [febf::1]
[fec0::1] [ff02::1] [ff0e::1]
localhost LOCALHOST localhost. foo.localhost printer.local metadata.google.internal
METADATA.GOOGLE.INTERNAL instance-data.ec2.internal router.home.arpa x.onion a.test b.invalid
ｌocalhost ⓛocalhost
`
  .trim()
  .split(/\s+/);

const FORBIDDEN_URLS = [
  'ftp://example.com/',
  'file:///etc/passwd',
  'gopher://example.com:70/_x',
  'dict://example.com:11211/stat',
  'ldap://example.com',
  'ws://example.com',
  'javascript:alert(1)',
  'data:text/plain,x',
  'unix:/var/run/docker.sock',
  '//example.com/x',
  '/relative',
  'example.com/x',
  '',
  'http://',
  'http:///x y',
  'http://example.com /x',
  'http://exa\nmple.com/',
  'http://exa\tmple.com/',
  'http://example.com\\@127.0.0.1/',
  'http:\\\\127.0.0.1/',
  'http://user@example.com/',
  'http://user:password@example.com/',
  'http://127.0.0.1@example.com/',
  'http://example.com:0/',
  'http://example.com:22/',
  'http://example.com:25/',
  'http://example.com:6379/',
  'http://example.com:5432/',
  'http://example.com:11211/',
  'http://example.com:9200/',
  'http://example.com:2375/',
  'http://example.com:65536/',
  'http://example.com:-1/',
  'http://999.1.1.1/',
  'http://[::1',
  'http://[fe80::1%25eth0]/',
  `https://example.com/${'a'.repeat(2_100)}`,
];

const ALLOWED_URLS = [
  'https://example.com/hooks',
  'https://example.com:443/hooks?x=1',
  'http://example.com/',
  'HTTPS://EXAMPLE.COM/',
  'https://example.com:8443/a',
  'https://example.com./',
  'https://xn--bcher-kva.example/',
  'https://8.8.8.8/',
  'https://172.32.0.1/',
  'https://100.128.0.1/',
  'https://[2606:4700::1111]/',
  'https://[::ffff:8.8.8.8]/',
  'https://localhost.example.com/',
];

test('none of more than 100 forbidden URLs gets past the check of the text', () => {
  const urls = [...FORBIDDEN_HOSTS.map((host) => `http://${host}/hook`), ...FORBIDDEN_URLS];
  assert.ok(urls.length >= 130, `${urls.length}`);
  const passed = urls.filter((url) => production.refuse(url) === null);
  assert.deepEqual(passed, []);
});

test('a forbidden URL is not called either: no name is looked up', async () => {
  for (const url of FORBIDDEN_URLS) {
    const result = await production.post(url, {}, '{}');
    assert.equal(result.status, null);
    assert.match(String(result.error), /^webhook_url_/);
  }
});

test('public URLs pass', () => {
  const refused = ALLOWED_URLS.filter((url) => production.refuse(url) !== null);
  assert.deepEqual(refused, []);
});

test('the sandbox takes private addresses and any port, but no other scheme', () => {
  assert.equal(sandbox.refuse('http://127.0.0.1:4321/hook'), null);
  assert.equal(sandbox.refuse('http://localhost:6379/hook'), null);
  assert.equal(sandbox.refuse('ftp://localhost/')?.code, 'webhook_url_scheme');
  assert.equal(sandbox.refuse('http://localhost:0/')?.code, 'webhook_url_port');
});

test('the edges of the ranges are exact', () => {
  const inside = ['172.16.0.0', '100.127.255.255', '::ffff:0:0', 'fdff::', '2001:1ff:ffff::'];
  const outside = [
    '172.15.255.255',
    '172.32.0.0',
    '100.63.255.255',
    '2001:200::',
    '2003::',
    '1.1.1.1',
  ];
  assert.deepEqual(
    inside.filter((address) => !isForbiddenAddress(address)),
    [],
  );
  assert.deepEqual(
    outside.filter((address) => isForbiddenAddress(address)),
    [],
  );
  assert.equal(isForbiddenAddress('not an address'), true);
});
