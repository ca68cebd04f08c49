import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../src/platform/clock.ts';
import { PBX_CERTIFICATE, PBX_KEY } from './certificates.ts';
import { programPath } from './peers.ts';

/**
 * Kamailio as the edge of a PBX: a proxy that asks for digest credentials, puts itself into the
 * route of the call (Record-Route), and speaks UDP, TCP and TLS toward us, UDP behind it.
 */
export type KamailioPeer = {
  port: number;
  tlsPort: number;
  output: () => string;
  close: () => Promise<void>;
};

export type KamailioOptions = {
  /** UDP port of the phone behind the proxy. */
  phonePort: number;
  /** UDP port of a second one, which is called as `200`. */
  otherPort?: number;
  algorithm: 'MD5' | 'SHA-256';
  realm: string;
  password: string;
};

const HOST = '127.0.0.1';

export async function openKamailio(options: KamailioOptions): Promise<KamailioPeer> {
  const folder = await mkdtemp(join(tmpdir(), 'askfirst-kamailio-'));
  const [port, tlsPort] = [await freePort(), await freePort()];
  await writeFile(join(folder, 'certificate.pem'), PBX_CERTIFICATE);
  await writeFile(join(folder, 'key.pem'), PBX_KEY);
  await writeFile(join(folder, 'kamailio.cfg'), configuration(options, folder, port, tlsPort));
  // In the foreground, its log on stderr, and nothing of it outside the folder.
  const wanted = ['-DD', '-E', '-f', join(folder, 'kamailio.cfg'), '-Y', folder, '-w', folder];
  const child = spawn(programPath('kamailio') ?? 'kamailio', [...wanted, '-m', '32', '-M', '4'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const exited = once(child, 'exit');
  return {
    port,
    tlsPort,
    output: () => output,
    close: async () => {
      child.kill('SIGTERM');
      const killer = systemClock.after(5000, () => child.kill('SIGKILL'));
      await exited;
      killer.cancel();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A port that is free in TCP; almost surely it is in UDP as well. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, HOST);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

function configuration(
  { phonePort, otherPort = phonePort, algorithm, realm, password }: KamailioOptions,
  folder: string,
  port: number,
  tlsPort: number,
): string {
  const modules =
    'kex tm tmx sl rr pv maxfwd siputils textops nathelper auth tls usrloc registrar'.split(' ');
  return `#!KAMAILIO
debug=0
log_stderror=yes
children=1
tcp_children=1
disable_tcp=no
enable_tls=yes
auto_aliases=no
dns=no
listen=udp:${HOST}:${port}
listen=tcp:${HOST}:${port}
listen=tls:${HOST}:${tlsPort}
${modules.map((name) => `loadmodule "${name}.so"`).join('\n')}
# Debian's OpenSSL refuses the older versions that Kamailio would ask for.
modparam("tls", "tls_method", "TLSv1.2+")
modparam("tls", "certificate", "${folder}/certificate.pem")
modparam("tls", "private_key", "${folder}/key.pem")
modparam("auth", "algorithm", "${algorithm}")
modparam("auth", "qop", "auth")
modparam("registrar", "min_expires", 60)

request_route {
  if (!mf_process_maxfwd_header("10")) { sl_send_reply("483", "Too Many Hops"); exit; }
  if (is_method("OPTIONS")) { sl_send_reply("200", "OK"); exit; }
  if (is_method("CANCEL")) { if (t_check_trans()) t_relay(); exit; }
  if (has_totag()) {
    # Inside a dialog only the route counts: without Record-Route and Route nothing gets through.
    if (!loose_route()) { sl_send_reply("404", "No Route"); exit; }
    handle_ruri_alias();
    t_relay();
    exit;
  }
  if (is_method("REGISTER")) {
    if (!pv_www_authenticate("${realm}", "${password}", "0")) {
      www_challenge("${realm}", "1");
      exit;
    }
    save("location");
    exit;
  }
  # Finds whoever is registered: what they answer says that they were reached.
  if (is_method("MESSAGE")) {
    if (!lookup("location")) { sl_send_reply("404", "Not Registered"); exit; }
    t_relay();
    exit;
  }
  if (!is_method("INVITE")) { sl_send_reply("405", "Method Not Allowed"); exit; }
  t_check_trans();
  if (!pv_proxy_authenticate("${realm}", "${password}", "0")) {
    proxy_challenge("${realm}", "1");
    exit;
  }
  consume_credentials();
  record_route();
  add_contact_alias();
  $du = "sip:${HOST}:${phonePort}";
  if ($rU == "200") $du = "sip:${HOST}:${otherPort}";
  t_relay();
}
`;
}
