import { resolve } from 'node:path';
import { availableParallelism } from 'node:os';
import { z } from 'zod';
import { HOST_ENTRY, isHostEntry } from './endpoints/target-guard.ts';
import { Failure } from './platform/failure.ts';
import type { Retention } from './privacy/privacy.ts';

/** Settings come from the environment only; docs/reference/settings.md lists them. */
/** A whole number in a range; whatever else is given gets one plain sentence. */
function whole(min: number, max: number) {
  const error = `must be a whole number from ${min} to ${max}`;
  return z.coerce.number({ error }).int({ error }).min(min, { error }).max(max, { error });
}

const port = whole(0, 65_535);
const roles = ['api', 'worker', 'gateway'] as const;

const environment = z.object({
  PORT: port.default(8080).describe('HTTP port of API, webhooks and page.'),
  DATABASE_URL: z
    .string()
    .regex(/^postgres(ql)?:\/\//, 'must start with postgresql://')
    .optional()
    .describe('A PostgreSQL ≥ 15 to use instead of the embedded one.'),
  ASKFIRST_HOST: z.string().default('127.0.0.1').describe('Address to listen on.'),
  ASKFIRST_DATA_DIR: z.string().default('.askfirst').describe('Data folder.'),
  ASKFIRST_CHECKPOINT_DIR: z
    .string()
    .optional()
    .describe(
      'Where checkpoints of the ledger are written; unset: `checkpoints` in the data folder.',
    ),
  ASKFIRST_ROLES: z
    .string()
    .default('api,worker,gateway')
    .transform((text) => text.split(',').map((role) => role.trim()))
    .pipe(z.array(z.enum(roles)).min(1))
    .describe('What this process does.'),
  ASKFIRST_LOG_LEVEL: z
    .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'])
    .default('info')
    .describe('How much is logged, to stderr.'),
  ASKFIRST_NODE: z
    .string()
    .regex(/^[\w.-]{1,60}$/)
    .default('main')
    .describe('Name of this node; unique among the nodes on one database.'),
  ASKFIRST_MEDIA_ADDRESS: z.string().default('127.0.0.1').describe('Address media binds to.'),
  ASKFIRST_MEDIA_PORTS: z
    .string()
    .regex(/^\d{4,5}-\d{4,5}$/, 'must be two ports, such as 40000-40999')
    .default('40000-40999')
    .describe('UDP ports for media; a call takes two.'),
  ASKFIRST_MEDIA_WORKERS: whole(1, 64)
    .default(availableParallelism())
    .describe('Media worker processes.'),
  ASKFIRST_CALLS_PER_WORKER: whole(1, 500).default(50).describe('Calls one media worker takes.'),
  ASKFIRST_DRAIN_SECONDS: whole(0, 86_400)
    .default(20)
    .describe('On SIGTERM: how long live calls may go on; no new ones are taken meanwhile.'),
  ASKFIRST_SIP_ADDRESS: z
    .string()
    .default('127.0.0.1')
    .describe('Address SIP binds to; `::` for IPv4 and IPv6.'),
  ASKFIRST_SIP_PORT: port.default(0).describe('UDP port of SIP; 0 takes any.'),
  ASKFIRST_SIP_TLS_CA: z
    .string()
    .optional()
    .describe('PEM file of an authority trusted for `sips:` endpoints, beside the public ones.'),
  ASKFIRST_SIP_TLS_CERT: z
    .string()
    .optional()
    .describe('PEM file of our certificate: we listen for TLS and show it to endpoints that ask.'),
  ASKFIRST_SIP_TLS_KEY: z.string().optional().describe('PEM file of the key of that certificate.'),
  ASKFIRST_SIP_TLS_PORT: port.default(0).describe('TLS port of SIP; 0 takes any.'),
  ASKFIRST_SIP_ALLOWED_HOSTS: z
    .string()
    .optional()
    .transform((text) => text?.split(',').map((host) => host.trim()) ?? null)
    .pipe(z.array(z.string().refine(isHostEntry, HOST_ENTRY)).nullable())
    .describe('Hosts that endpoints may be on: names, *.names, networks; unset: any.'),
  ASKFIRST_ENDPOINT_CHECK_SECONDS: whole(0, 3_600)
    .default(30)
    .describe('How often SIP OPTIONS asks each endpoint how it is; 0: never, and no REGISTER.'),
  ASKFIRST_ADVERTISED_ADDRESS: z
    .string()
    .optional()
    .describe('Our address in SIP and SDP, when it differs from the bound one (NAT).'),
  ASKFIRST_PUBLIC_URL: z
    .url()
    .optional()
    .describe('The https address under which Meta and others reach this server.'),
  ASKFIRST_WEBHOOKS_TO_PRIVATE: z
    .enum(['yes', 'no'])
    .default('no')
    .describe('Whether webhooks may go to loopback and private addresses.'),
  ASKFIRST_REQUESTS_PER_MINUTE: whole(1, 10_000_000)
    .default(1_000)
    .describe('API requests a minute that one key may make.'),
  ASKFIRST_RETENTION_CAMPAIGN_DAYS: whole(7, 3_650)
    .default(365)
    .describe('Days after the end of a campaign that it is known who was in it.'),
  ASKFIRST_RETENTION_CONSENT_DAYS: whole(30, 36_500)
    .default(1_826)
    .describe(
      'Days after the last thing that happened with a contact until it is erased: consent ' +
        'records, calls and CDRs with it.',
    ),
  ASKFIRST_RETENTION_EVENT_DAYS: whole(1, 3_650)
    .default(90)
    .describe('Days that events and their deliveries are kept.'),
  ASKFIRST_RETENTION_MESSAGE_DAYS: whole(31, 3_650)
    .default(90)
    .describe("Days that sent messages and Meta's ids are kept."),
  ASKFIRST_RETENTION_RECORDING_DAYS: whole(1, 3_650)
    .default(90)
    .describe('Days that recordings are kept, unless the account sets less or more.'),
  ASKFIRST_RECORDING_DIR: z
    .string()
    .optional()
    .describe('Where sealed recordings are kept; unset: `recordings` in the data folder.'),
  ASKFIRST_RECORDING_KEEP_FREE_MB: whole(0, 1_000_000)
    .default(1_024)
    .describe('Recordings end before their disk has less than this free.'),
  ASKFIRST_RETENTION_WEBHOOK_DAYS: whole(1, 8)
    .default(7)
    .describe('Days that webhooks of Meta are kept as they came.'),
  ASKFIRST_SAY_COMMAND: z
    .string()
    .max(500)
    .default('auto')
    .describe(
      'Program that speaks texts of scripts: text on stdin, WAV on stdout, `{language}` for the ' +
        'language. `auto` takes espeak-ng where it is installed, `off` none.',
    ),
  ASKFIRST_PRICE_FILE: z
    .string()
    .optional()
    .describe('JSON file with what calls and messages cost; unset: costs are not estimated.'),
  ASKFIRST_DOCS_URL: z
    .string()
    .default('/docs/errors')
    .describe('Where error codes are explained.'),
});

export type Settings = z.infer<typeof environment> & { dataDir: string };

export const SETTINGS_SHAPE = environment.shape;

/** Reads settings; an unusable one is a Failure that names the variable, the rule and the fix. */
export function readSettings(env: Readonly<Record<string, string | undefined>>): Settings {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''));
  const parsed = environment.safeParse(given);
  if (parsed.success) return { ...parsed.data, dataDir: resolve(parsed.data.ASKFIRST_DATA_DIR) };
  const [issue] = parsed.error.issues;
  const name = String(issue?.path[0] ?? 'a setting');
  const shape = SETTINGS_SHAPE[name as keyof typeof SETTINGS_SHAPE] as z.ZodType | undefined;
  throw new Failure({
    code: 'setting_invalid',
    message: `${name} is not usable: ${issue?.message ?? 'unknown rule'}.`,
    fix: `Correct or unset ${name}. ${shape?.description ?? ''}`.trim(),
    verdict: 'terminal',
    side: 'client',
  });
}

const DAY_MS = 86_400_000;

/** How long each kind of thing is kept, in ms. */
export function retentionOf(settings: Settings): Retention {
  return {
    contactsMs: settings.ASKFIRST_RETENTION_CONSENT_DAYS * DAY_MS,
    campaignsMs: settings.ASKFIRST_RETENTION_CAMPAIGN_DAYS * DAY_MS,
    recordingsDays: settings.ASKFIRST_RETENTION_RECORDING_DAYS,
    messagesMs: settings.ASKFIRST_RETENTION_MESSAGE_DAYS * DAY_MS,
    eventsMs: settings.ASKFIRST_RETENTION_EVENT_DAYS * DAY_MS,
    webhooksMs: settings.ASKFIRST_RETENTION_WEBHOOK_DAYS * DAY_MS,
  };
}

/** Our address as endpoints reach it. */
export function advertisedAddress(settings: Settings): string {
  return settings.ASKFIRST_ADVERTISED_ADDRESS ?? settings.ASKFIRST_MEDIA_ADDRESS;
}

/** First and last UDP port of media. */
export function mediaPorts(settings: Settings): { first: number; last: number } {
  const [first = 0, last = 0] = settings.ASKFIRST_MEDIA_PORTS.split('-').map(Number);
  if (first < last && last <= 65_535) return { first, last };
  throw new Failure({
    code: 'setting_invalid',
    message: 'ASKFIRST_MEDIA_PORTS is not a range of ports.',
    fix: 'Give the lower port first, for example 40000-40999.',
    verdict: 'terminal',
    side: 'client',
  });
}
