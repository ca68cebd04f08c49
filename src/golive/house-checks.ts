import { check, failed, ok, unknown, warning } from './finding.ts';
import type { Check, Finding, GoLiveFacts } from './golive.ts';
import { hostOf, isLoopback, isPrivate, isWildcard } from './host.ts';

const DAY_MS = 86_400_000;
const CLOCK_SKEW_MAX_MS = 5_000;
const ROLES = ['api', 'worker', 'gateway'];

/** What we know ourselves: the line's rules, what reached us, and how this node is set up. */
export function houseChecks(facts: GoLiveFacts): Check[] {
  return [
    check('line_enabled', 'The line is switched on', true, gateFinding(facts, ['line_enabled'])),
    check(
      'country',
      'Numbers of this country may call',
      true,
      gateFinding(facts, ['business_country', 'sanctioned']),
    ),
    check('webhook_url', 'Meta has an https address to reach us', false, urlFinding(facts)),
    check(
      'webhook_received',
      'A signed webhook about this number has arrived',
      true,
      webhookFinding(facts),
    ),
    check(
      'endpoint',
      'The line has an endpoint to connect callers to',
      true,
      endpointFinding(facts),
    ),
    check('endpoint_reachable', 'The endpoint can be reached', false, reachFinding(facts)),
    check('media_address', 'Media can leave this machine', true, mediaFinding(facts)),
    check('roles', 'API, worker and gateway run', false, roleFinding(facts)),
    check('clock', "Our clock agrees with Meta's", false, clockFinding(facts)),
    check(
      'data_key',
      'The data key is kept in a second place',
      false,
      warning(
        'Tokens, secrets and personal data are sealed with the keys in secrets.json. Nobody can ' +
          'check from here whether you have a copy.',
        `Copy ${facts.dataDir}/secrets.json into your vault, apart from the database backups.`,
      ),
    ),
  ];
}

function gateFinding({ gate, line }: GoLiveFacts, rules: readonly string[]): Finding {
  const refused = rules.flatMap((rule) => gate.get(rule) ?? [])[0];
  if (refused !== undefined) return failed(refused.message, refused.fix);
  return ok(`The policy pack ${line.policyPack} allows it.`);
}

function urlFinding({ publicUrl }: GoLiveFacts): Finding {
  if (publicUrl === null) {
    return warning(
      'ASKFIRST_PUBLIC_URL is not set, so this list cannot tell under which address Meta finds us.',
      'Set it to the https address of this server, and give Meta that address with ' +
        '/webhooks/whatsapp behind it.',
    );
  }
  const hook = `${publicUrl.replace(/\/+$/, '')}/webhooks/whatsapp`;
  if (publicUrl.startsWith('https://')) return ok(`Give Meta ${hook}.`);
  return warning(
    `${hook} is not https; Meta takes only https with a certificate of a public authority.`,
    'Put a reverse proxy with a certificate in front of this server, and set ASKFIRST_PUBLIC_URL.',
  );
}

/** Only deliveries with a valid signature are ever stored, so one stored is one verified. */
function webhookFinding({ webhook, line }: GoLiveFacts): Finding {
  const { lineAgeMs, anyAgeMs } = webhook;
  const how = 'Send a WhatsApp message from your own phone to the number, and look again.';
  if (lineAgeMs !== null && lineAgeMs <= DAY_MS) {
    return ok(`The newest came ${ageText(lineAgeMs)} ago, with a valid signature.`);
  }
  if (lineAgeMs !== null) {
    return warning(`The newest came ${ageText(lineAgeMs)} ago; that proves little today.`, how);
  }
  const subscribe =
    'Check webhook URL, verify token and app secret, and that the app subscribes to calls and ' +
    `messages. ${how}`;
  return anyAgeMs === null
    ? failed('No webhook with a valid signature has arrived yet.', subscribe)
    : failed(
        `Webhooks arrive, but none of late named phone number id ${line.phoneNumberId}.`,
        subscribe,
      );
}

function endpointFinding({ endpoint }: GoLiveFacts): Finding {
  if (endpoint === null) {
    return failed(
      'The line has no default endpoint; each call would have to name one.',
      'POST /v1/endpoints with the SIP URI of your PBX, then save the line with defaultEndpointId.',
    );
  }
  return ok(`${endpoint.name}: ${endpoint.uri}`);
}

function reachFinding({ endpoint, probe, sipAddress }: GoLiveFacts): Finding {
  if (endpoint === null || probe === null) {
    return unknown('There is no endpoint to reach.', 'See the check endpoint.');
  }
  const host = hostOf(endpoint.uri);
  if (isLoopback(sipAddress) && !isLoopback(host)) {
    return failed(
      `SIP is bound to ${sipAddress}, from where ${host} cannot be reached.`,
      "Set ASKFIRST_SIP_ADDRESS to this machine's address in the network of the PBX.",
    );
  }
  switch (probe.kind) {
    case 'answered':
      return ok(`${host} answered SIP OPTIONS with ${probe.status}.`);
    case 'refused':
      return failed(
        `${host} cannot be reached: ${probe.reason}.`,
        'Check that the PBX runs, its name, port and transport, and the firewall between.',
      );
    case 'silent':
      return unknown(
        `${host} did not answer SIP OPTIONS within ${probe.waitedMs / 1_000} s.`,
        'Some PBXs ignore OPTIONS from strangers: allow the address of this server there, or ' +
          'let a call to your own phone prove it.',
      );
  }
}

function mediaFinding(facts: GoLiveFacts): Finding {
  const { mediaAddress, advertisedAddress, endpoint, line } = facts;
  const graphHost = URL.canParse(line.graphBaseUrl) ? new URL(line.graphBaseUrl).hostname : '';
  if (isLoopback(mediaAddress)) {
    if (isLoopback(graphHost)) return ok('Both sides are on this machine.');
    return failed(
      `Media is bound to ${mediaAddress}; no packet of it reaches Meta.`,
      "Set ASKFIRST_MEDIA_ADDRESS (and ASKFIRST_SIP_ADDRESS) to this machine's address, and " +
        'allow outbound UDP to ports 3478–3484 and 40012.',
    );
  }
  if (advertisedAddress !== null) return ok(`Endpoints are told ${advertisedAddress}.`);
  if (isWildcard(mediaAddress)) {
    return failed(
      `Media is bound to ${mediaAddress}, which no endpoint can send to.`,
      'Set ASKFIRST_ADVERTISED_ADDRESS to the address under which endpoints reach this machine.',
    );
  }
  const host = endpoint === null ? '' : hostOf(endpoint.uri);
  if (isPrivate(mediaAddress) && !isPrivate(host) && !isLoopback(host)) {
    return warning(
      `Endpoints are told the private address ${mediaAddress}.`,
      'If the PBX is in another network, set ASKFIRST_ADVERTISED_ADDRESS to our public address.',
    );
  }
  return ok(`Endpoints are told ${mediaAddress}. Meta needs no address of ours.`);
}

function roleFinding({ roles }: GoLiveFacts): Finding {
  const missing = ROLES.filter((role) => !roles.includes(role));
  if (missing.length === 0) return ok('This process does all three.');
  return warning(
    `This process is not ${missing.join(' and ')}.`,
    'Make sure that another node on the same database has those roles (ASKFIRST_ROLES).',
  );
}

/** A permission ends at its exact moment, and Meta's moments are told by Meta's clock. */
function clockFinding({ clockSkewMs }: GoLiveFacts): Finding {
  const fix = 'Keep the clock with NTP (chrony or systemd-timesyncd).';
  if (clockSkewMs === null) return unknown('Meta sent no date to compare with.', fix);
  if (Math.abs(clockSkewMs) <= CLOCK_SKEW_MAX_MS) return ok('They differ by less than 5 s.');
  const side = clockSkewMs > 0 ? 'ahead' : 'behind';
  return warning(`Our clock is ${ageText(Math.abs(clockSkewMs))} ${side}.`, fix);
}

function ageText(ms: number): string {
  if (ms < 120_000) return `${Math.round(ms / 1_000)} s`;
  if (ms < 2 * 3_600_000) return `${Math.round(ms / 60_000)} min`;
  return ms < 2 * DAY_MS ? `${Math.round(ms / 3_600_000)} h` : `${Math.round(ms / DAY_MS)} days`;
}
